import {realpathSync} from 'node:fs';
import {getExecOutput} from '@actions/exec';
import {fail, messageOf, ok, type Result} from '../../failure.ts';

export type {WikiFile, WikiSnapshot} from './clone.ts';
export type {MakePages, Wiki, WikiPublished} from './wiki.ts';
export {openWiki} from './wiki.ts';
export type {WorkingChanges, WorkingTree} from './working-tree.ts';
export {findRepository, listFiles, readOrigin, readWorkingTree} from './working-tree.ts';

/** The history of the checkout in this folder, asked with the git program. */
export function openGit(workspace: string): Git {
  const git = (...args: readonly string[]) => runGit(workspace, args);

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
    const missing = await missingOf(commits);
    if (missing.length === 0) return ok();
    // A depth would make a whole clone shallow for the steps that follow this one.
    const depth = (await isShallow()) ? ['--depth=1'] : [];
    await git(...fetchCommand, ...depth, 'origin', ...missing);
    const still = await missingOf(missing);
    if (still.length === 0) return ok();
    const names = still.map((commit) => commit.slice(0, 7)).join(' and ');
    return fail(`${names} is not in the clone and could not be fetched`);
  };

  let lastFetch: Promise<unknown> = Promise.resolve();

  return {
    isShallow,

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

const fetchCommand = [
  'fetch',
  '--quiet',
  '--no-tags',
  '--no-write-fetch-head',
  '--no-recurse-submodules',
  '--no-auto-maintenance',
];

async function runGit(workspace: string, args: readonly string[]): Promise<Result<string, string>> {
  try {
    const {exitCode, stdout, stderr} = await getExecOutput(
      'git',
      [...settings(workspace), ...args],
      {
        cwd: workspace,
        silent: true,
        ignoreReturnCode: true,
        // Never a question that nobody can answer, and messages that can be read by everybody.
        env: {...inheritedEnvironment(), GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C'},
      },
    );
    if (exitCode === 0) return ok(stdout);
    const why = stderr.trim().split('\n', 1)[0] || `exit code ${exitCode}`;
    return fail(`git ${args[0]}: ${why}`);
  } catch (error) {
    // No git, or no such folder.
    return fail(messageOf(error));
  }
}

/** The checkout may belong to another user than the container's; a server may stop to answer. */
function settings(workspace: string): readonly string[] {
  const safe = [...new Set([workspace, realPath(workspace)])];
  const slow = ['http.lowSpeedLimit=1000', 'http.lowSpeedTime=30'];
  return [...safe.map((folder) => `safe.directory=${folder}`), ...slow].flatMap((setting) => [
    '-c',
    setting,
  ]);
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function inheritedEnvironment(): Record<string, string> {
  const entries = Object.entries(process.env).map(([name, value]) => [name, value ?? ''] as const);
  return Object.fromEntries(entries);
}

function splitNul(text: string): readonly string[] {
  return text.split('\0').filter((item) => item !== '');
}

/** The checkout's history. Commits are whole hashes; nothing of the working tree is looked at. */
export interface Git {
  isShallow(): Promise<boolean>;
  /** Fetches what is missing from `origin`, in a shallow clone only the commits themselves. */
  ensureCommits(commits: readonly string[]): Promise<Result<void, string>>;
  mergeBase(one: string, other: string): Promise<Result<string, string>>;
  /** Paths that differ between two commits; a rename counts for both names. */
  changedFiles(from: string, to: string): Promise<Result<readonly string[], string>>;
  /** Also those that a shallow clone does not have. */
  parentsOf(commit: string): Promise<Result<readonly string[], string>>;
  messageOf(commit: string): Promise<Result<string, string>>;
  /** Messages of the commits in `to` and not in `from`, oldest first. */
  messagesBetween(from: string, to: string): Promise<Result<readonly string[], string>>;
}
