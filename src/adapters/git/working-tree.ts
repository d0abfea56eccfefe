import {basename, dirname} from 'node:path';
import {fail, ok, type Result} from '../../failure.ts';
import {runCommand} from '../process/index.ts';

/** What git says about the checkout that somebody works in. */
export interface WorkingTree {
  /** The top of the repository, absolute. */
  readonly root: string;
  readonly branch: string;
  /** Empty before the first commit. */
  readonly head: string;
  /** What `origin/HEAD` points to. */
  readonly defaultBranch: string | undefined;
  /** Owner and name as the URL of `origin` has them; empty without one. */
  readonly repository: {readonly owner: string; readonly repo: string};
  /** Against the upstream branch; everything that is not committed or not tracked is changed too. */
  readonly changed: WorkingChanges;
  /** Of the commits that upstream does not have, oldest first. */
  readonly messages: readonly string[];
}

export type WorkingChanges =
  | {readonly kind: 'files'; readonly files: readonly string[]; readonly note?: string}
  | {readonly kind: 'unknown'; readonly because: string};

type RunGit = (...args: readonly string[]) => Promise<Result<string, string>>;

/** Fails with one sentence that says what to do: no git, no repository, no branch. */
export async function readWorkingTree(
  folder: string,
  signal?: AbortSignal,
): Promise<Result<WorkingTree, string>> {
  const top = await findRepository(folder, signal);
  if (!top.ok) return top;
  const git = gitIn(top.value, signal);
  const branch = await git('symbolic-ref', '--quiet', '--short', 'HEAD');
  if (!branch.ok) {
    return fail(
      'HEAD is detached, so there is no branch to name the tag after. Check one out: git switch --create NAME',
    );
  }
  const head = await git('rev-parse', '--quiet', '--verify', 'HEAD^{commit}');
  const defaultRef = await git('symbolic-ref', '--quiet', '--short', 'refs/remotes/origin/HEAD');
  const base = await findBase(git, defaultRef);
  return ok({
    root: top.value,
    branch: branch.value,
    head: head.ok ? head.value : '',
    defaultBranch: defaultRef.ok ? defaultRef.value.replace(/^origin\//, '') : undefined,
    repository: await originOf(git),
    changed: base.ok ? await changesSince(git, base.value) : {kind: 'unknown', because: base.error},
    messages: base.ok ? await messagesSince(git, base.value.commit) : [],
  });
}

/** The top of the repository that this folder is in. */
export async function findRepository(
  folder: string,
  signal?: AbortSignal,
): Promise<Result<string, string>> {
  const top = await gitIn(folder, signal)('rev-parse', '--show-toplevel');
  if (top.ok && top.value !== '') return top;
  if (!top.ok && /not found on this machine/.test(top.error)) {
    return fail('The program "git" was not found. Install git, and run this again.');
  }
  if (!top.ok && !/not a git repository/.test(top.error)) return top;
  return fail(
    `${folder} is not in a git repository, so nothing says what changed or what the branch is. Run: git init && git add --all && git commit -m first`,
  );
}

/** Owner and name in the URL of `origin`: `https://…/o/r.git`, `git@…:o/r`, `ssh://…/o/r`. */
export async function readOrigin(
  folder: string,
  signal?: AbortSignal,
): Promise<WorkingTree['repository']> {
  return originOf(gitIn(folder, signal));
}

/** Files that are tracked, and those that are not and are not ignored either; undefined outside a repository. */
export async function listFiles(
  folder: string,
  signal?: AbortSignal,
): Promise<readonly string[] | undefined> {
  const git = gitIn(folder, signal);
  const listed = await git('ls-files', '-z', '--cached', '--others', '--exclude-standard');
  return listed.ok ? splitNul(listed.value) : undefined;
}

/** Files of the commit that a sparse checkout omits; none outside a repository. */
export async function listOmitted(
  folder: string,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const listed = await gitIn(folder, signal)('ls-files', '-z', '-t');
  const entries = listed.ok ? splitNul(listed.value) : [];
  return entries.filter((entry) => entry.startsWith('S ')).map((entry) => entry.slice(2));
}

/** Whether git knows this file, absolute; where nobody can tell, it counts as known. */
export async function isTracked(file: string): Promise<boolean> {
  const listed = await gitIn(dirname(file), undefined)(
    'ls-files',
    '--',
    `:(literal)${basename(file)}`,
  );
  return !listed.ok || listed.value !== '';
}

async function originOf(git: RunGit): Promise<WorkingTree['repository']> {
  const url = await git('config', '--get', 'remote.origin.url');
  const [, owner, repo] =
    /(?:[:/])([^/:]+)\/([^/]+?)(?:\.git)?\/?$/.exec(url.ok ? url.value : '') ?? [];
  const isRemote = url.ok && /^(?:[a-z+]+:\/\/[^/]+\/|[^/]+@?[^/]*:)/.test(url.value);
  return isRemote && !url.value.startsWith('file:') && owner && repo
    ? {owner, repo}
    : {owner: '', repo: ''};
}

interface Base {
  readonly ref: string;
  readonly commit: string;
}

async function findBase(
  git: RunGit,
  defaultRef: Result<string, string>,
): Promise<Result<Base, string>> {
  const upstream = await git('rev-parse', '--quiet', '--abbrev-ref', '@{upstream}');
  const ref = upstream.ok ? upstream : defaultRef;
  if (!ref.ok) {
    return fail(
      'the branch has no upstream to compare with; set one with git branch --set-upstream-to=origin/main',
    );
  }
  const merged = await git('merge-base', 'HEAD', ref.value);
  return merged.ok
    ? ok({ref: ref.value, commit: merged.value})
    : fail(
        `HEAD and ${ref.value} have no common commit; fetch the history with git fetch --unshallow`,
      );
}

/** What runs themselves leave behind, in a repository that does not ignore it. */
const ownFolders = /^(?:logs|artifacts|manifests)\//;

async function changesSince(git: RunGit, {ref, commit}: Base): Promise<WorkingChanges> {
  const flags = ['--name-only', '--no-renames', '--no-relative', '--no-ext-diff'];
  const [tracked, untracked] = await Promise.all([
    git('diff', '-z', ...flags, '--ignore-submodules=none', commit, '--'),
    git('ls-files', '-z', '--others', '--exclude-standard'),
  ]);
  if (!tracked.ok) return {kind: 'unknown', because: tracked.error};
  if (!untracked.ok) return {kind: 'unknown', because: untracked.error};
  const news = splitNul(untracked.value).filter((file) => !ownFolders.test(file));
  const files = [...new Set([...splitNul(tracked.value), ...news])];
  const note = `Compared with ${ref} (${commit.slice(0, 7)}): ${files.length} changed files, those that are not committed included.`;
  return {kind: 'files', files, note};
}

async function messagesSince(git: RunGit, commit: string): Promise<readonly string[]> {
  const messages = await git('log', '-z', '--reverse', '--format=%B', `${commit}..HEAD`, '--');
  return messages.ok ? splitNul(messages.value) : [];
}

/** Nothing here goes to a server, so it is quick or stuck. */
const seconds = 60;

function gitIn(cwd: string, signal: AbortSignal | undefined): RunGit {
  return async (...args) => {
    const environment = Object.entries(process.env).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    );
    const answer = await runCommand({
      file: 'git',
      args: ['-c', 'core.quotePath=false', ...args],
      cwd,
      seconds,
      env: {...Object.fromEntries(environment), GIT_OPTIONAL_LOCKS: '0', LC_ALL: 'C'},
      ...(signal === undefined ? {} : {signal}),
    });
    if (answer.ok) return ok(answer.value.stdout.replace(/\n$/, ''));
    const why = answer.error.tail.find((line) => line !== '') ?? answer.error.message;
    return fail(`git ${args[0]}: ${why}`);
  };
}

function splitNul(text: string): readonly string[] {
  return text.split('\0').filter((item) => item.trim() !== '');
}
