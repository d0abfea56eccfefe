import {realpathSync} from 'node:fs';
import {dirname} from 'node:path';
import {fail, ok, type Result} from '../../failure.ts';
import {gitEnvironment, type RunCommand, runCommand} from '../process/index.ts';

import {findRoot} from './root.ts';

export type {WikiFile, WikiSnapshot} from './clone.ts';
export type {MakePages, Wiki, WikiPublished} from './wiki.ts';
export {openWiki} from './wiki.ts';
export type {WorkingChanges, WorkingTree} from './working-tree.ts';
export {
  findRepository,
  isTracked,
  listFiles,
  listOmitted,
  readOrigin,
  readWorkingTree,
} from './working-tree.ts';

/** How git is started, and what stops it. */
export interface GitPorts {
  /** `runCommand` by default. */
  readonly run?: RunCommand;
  readonly signal?: AbortSignal;
}

/**
 * The history of the checkout in a folder, asked with the git program; and (wiki.ts) the wiki of the repository.
 * Enters: the folder, how programs are run, the signal of the run.
 * Leaves: commits, paths and messages, or one sentence why not: a missing git, a folder that is not a repository, a
 * server that does not answer and a cancelled run are all answers.
 * Not here: which commits to compare, and what a changed path means (changes/).
 */
export function openGit(folder: string, ports: GitPorts = {}): Git {
  let found: Promise<Result<string, string>> | undefined;
  const root = (): Promise<Result<string, string>> => {
    found ??= findRoot((place, ...args) => runGit(place, args, ports), folder);
    return found;
  };
  const git = async (...args: readonly string[]): Promise<Result<string, string>> => {
    const place = await root();
    return place.ok ? runGit(place.value, args, ports) : place;
  };

  const isShallow = async (): Promise<boolean> => {
    const answer = await git('rev-parse', '--is-shallow-repository');
    return answer.ok && answer.value.trim() === 'true';
  };

  const missingOf = async (commits: readonly string[]): Promise<readonly string[]> => {
    const answers = await Promise.all(
      commits.map((commit) => git('cat-file', '-e', `${commit}^{commit}`)),
    );
    return commits.filter((_, index) => answers[index]?.ok !== true);
  };

  const ensureCommits = async (commits: readonly string[]): Promise<Result<void, string>> => {
    const missing = await missingOf([...new Set(commits)]);
    if (missing.length === 0) return ok();
    // A depth would make a whole clone shallow for the steps that follow this one.
    const depth = (await isShallow()) ? ['--depth=1'] : [];
    await git(...fetchCommand, ...depth, 'origin', ...missing);
    const still = await missingOf(missing);
    if (still.length === 0) return ok();
    const names = still.map((commit) => commit.slice(0, 7)).join(' and ');
    return fail(
      `${names} ${still.length === 1 ? 'is' : 'are'} not in the clone and could not be fetched`,
    );
  };

  let lastFetch: Promise<unknown> = Promise.resolve();

  return {
    root,
    isShallow,

    commitOf: async (name) => {
      const answer = await git('rev-parse', '--verify', '--end-of-options', `${name}^{commit}`);
      return answer.ok ? ok(answer.value.trim()) : answer;
    },

    ensureCommits: (commits) => {
      // One after the other: two fetches at once fight for the lock of the shallow file.
      const fetched = lastFetch.then(() => ensureCommits(commits));
      lastFetch = fetched;
      return fetched;
    },

    mergeBase: async (one, other) => {
      const answer = await git('merge-base', one, other);
      return answer.ok ? ok(answer.value.trim()) : answer;
    },

    changedFiles: async (from, to) => {
      // Plumbing: what the user configured for `git diff` must not change the answer.
      const answer = await git(...diffCommand, from, to);
      return answer.ok ? ok(splitNul(answer.value)) : answer;
    },

    parentsOf: async (commit) => {
      // The raw object names the parents that a shallow clone hides from `git rev-parse`.
      const answer = await git('cat-file', 'commit', commit);
      if (!answer.ok) return answer;
      const [header = ''] = answer.value.split('\n\n', 1);
      const parents = [...header.matchAll(/^parent ([0-9a-f]+)$/gm)].map((match) => match[1] ?? '');
      return ok(parents);
    },

    uncommitted: async (folder) => {
      const status = await git(...statusCommand);
      // What is ignored may be built all the same.
      const ignored = await git(...ignoredCommand, folder);
      if (!status.ok) return status;
      if (!ignored.ok) return ignored;
      const changed = splitNul(status.value).map((entry) => entry.slice(3));
      return ok([...new Set([...changed, ...splitNul(ignored.value)])]);
    },

    messageOf: async (commit) => git('log', '-1', '--format=%B', commit, '--'),

    messagesBetween: async (from, to) => {
      const answer = await git('log', '-z', '--reverse', '--format=%B', `${from}..${to}`, '--');
      return answer.ok ? ok(splitNul(answer.value)) : answer;
    },
  };
}

const diffCommand = [
  'diff-tree',
  '-r',
  '-z',
  '--name-only',
  '--no-renames',
  '--ignore-submodules=none',
];

const statusCommand = [
  'status',
  '--porcelain=v1',
  '-z',
  '--no-renames',
  '--untracked-files=all',
  '--ignore-submodules=none',
];

const ignoredCommand = ['ls-files', '-z', '--others', '--ignored', '--exclude-standard', '--'];

const fetchCommand = [
  'fetch',
  '--quiet',
  '--no-tags',
  '--no-write-fetch-head',
  '--no-recurse-submodules',
  '--no-auto-maintenance',
];

/** A server that accepts and then says nothing must not hold up the run for long. */
const deadlines = {local: 120, network: 240} as const;

async function runGit(
  workspace: string,
  args: readonly string[],
  {run = runCommand, signal}: GitPorts,
): Promise<Result<string, string>> {
  const [command = ''] = args;
  const done = await run({
    file: 'git',
    args: [...settings(workspace), ...args],
    cwd: workspace,
    env: gitEnvironment(),
    seconds: command === 'fetch' ? deadlines.network : deadlines.local,
    ...(signal === undefined ? {} : {signal}),
  });
  if (!done.ok) {
    const {cause, message, tail} = done.error;
    // Its reason stands first; what follows are hints.
    const reason = tail.find((line) => /^(?:fatal|error|remote|ssh):/.test(line)) ?? tail.at(-1);
    return fail(cause?.kind === 'exit' ? `git ${command}: ${reason ?? message}` : message);
  }
  // Half a list of files would hide changes.
  if (done.value.isCut === true) return fail(`git ${command}: the answer is too long`);
  return ok(done.value.stdout);
}

/** The checkout may belong to another user than the container's; a server may stop answering. */
function settings(workspace: string): readonly string[] {
  const safe = new Set([workspace, realPath(workspace)].flatMap(withFoldersAbove));
  const slow = ['http.lowSpeedLimit=1000', 'http.lowSpeedTime=30'];
  return [...[...safe].map((folder) => `safe.directory=${folder}`), ...slow].flatMap((setting) => [
    '-c',
    setting,
  ]);
}

/** The repository may begin above: a stack is a folder of it. */
function withFoldersAbove(path: string): readonly string[] {
  const above = dirname(path);
  return above === path || above === '/' ? [path] : [path, ...withFoldersAbove(above)];
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function splitNul(text: string): readonly string[] {
  return text.split('\0').filter((item) => item !== '');
}

/** The checkout's history. Commits are whole hashes; only `uncommitted` looks at the working tree. */
export interface Git {
  /** The top folder of the repository, links resolved: paths are relative to it. */
  root(): Promise<Result<string, string>>;
  isShallow(): Promise<boolean>;
  /** The commit behind a name or an annotated tag; `HEAD` is the one that is checked out. */
  commitOf(name: string): Promise<Result<string, string>>;
  /** Fetches what is missing from `origin`, in a shallow clone only the commits themselves. */
  ensureCommits(commits: readonly string[]): Promise<Result<void, string>>;
  mergeBase(one: string, other: string): Promise<Result<string, string>>;
  /** Paths that differ between two commits; a rename counts for both names. */
  changedFiles(from: string, to: string): Promise<Result<readonly string[], string>>;
  /** Also those that a shallow clone does not have. */
  parentsOf(commit: string): Promise<Result<readonly string[], string>>;
  /**
   * Paths of the working tree that are not as HEAD has them, new ones too; below `folder` (absolute) also those that git
   * ignores.
   */
  uncommitted(folder: string): Promise<Result<readonly string[], string>>;
  messageOf(commit: string): Promise<Result<string, string>>;
  /** Messages of the commits in `to` and not in `from`, oldest first. */
  messagesBetween(from: string, to: string): Promise<Result<readonly string[], string>>;
}
