import {mkdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {ok, type Result} from '../../failure.ts';

/** What stands in the wiki at one commit. Names are file names of its root folder: `Home.md`. */
export interface WikiSnapshot {
  /** The file that answers to this name, which GitHub compares without case; undefined when there is none. */
  find(name: string): string | undefined;
  /** The bytes of a file; undefined when it does not exist. */
  read(name: string): Promise<Uint8Array | undefined>;
}

export interface WikiFile {
  readonly name: string;
  readonly content: Uint8Array;
}

type Git = (...args: readonly string[]) => Promise<Result<string>>;

/** Git in the clone; only `remote` has the token. */
export interface WikiGit {
  readonly local: Git;
  readonly remote: Git;
}

/** The live branch as it was fetched. */
export interface Tip {
  /** Undefined for a wiki without a commit. */
  readonly commit: string | undefined;
  /** Files of the root folder. */
  readonly names: readonly string[];
  /** `HEAD:refs/heads/master` */
  readonly refspec: string;
}

/** A repository whose files are the stored bytes, whatever attributes the wiki or the machine has. */
export async function makeRepository({local}: WikiGit, folder: string): Promise<Result<string>> {
  const made = await local('init', '--quiet', '--template=', '.');
  if (!made.ok) return made;
  await mkdir(join(folder, '.git', 'info'), {recursive: true});
  const attributes = '* -text -filter -ident -eol -working-tree-encoding\n';
  await writeFile(join(folder, '.git', 'info', 'attributes'), attributes);
  return made;
}

/**
 * Fetches the live branch and puts the folder on it, whatever an earlier try left there. With `known`, which the folder
 * stands on: that very object, where the wiki is still there.
 */
export async function checkOut(
  {local, remote}: WikiGit,
  url: string,
  known?: Tip,
): Promise<Result<Tip>> {
  const heads = await remote('ls-remote', '--symref', url, 'HEAD');
  if (!heads.ok) return heads;
  const branch = /^ref: (refs\/heads\/\S+)\tHEAD$/m.exec(heads.value)?.[1];
  const commit = /^([0-9a-f]+)\tHEAD$/m.exec(heads.value)?.[1];
  if (known !== undefined && known.commit === commit) return ok(known);
  // GitHub calls the branch of a wiki master; only a wiki without any commit names none.
  const ref = branch ?? 'refs/heads/master';
  const pointed = await local('symbolic-ref', 'HEAD', ref);
  if (!pointed.ok) return pointed;
  const refspec = `HEAD:${ref}`;
  if (branch === undefined) return ok({commit: undefined, names: [], refspec});
  const fetched = await remote('fetch', '--quiet', '--no-tags', '--depth=1', url, branch);
  if (!fetched.ok) return fetched;
  const reset = await local('reset', '--quiet', '--hard', 'FETCH_HEAD');
  if (!reset.ok) return reset;
  // The branch may have moved since it was asked for.
  const head = await local('rev-parse', 'HEAD');
  if (!head.ok) return head;
  const tree = await local('ls-tree', '-z', 'HEAD');
  if (!tree.ok) return tree;
  return ok({commit: head.value.trim(), names: filesOf(tree.value), refspec});
}

/** Only regular files are pages: a link could point anywhere, a folder's pages are not addressed by it. */
function filesOf(tree: string): readonly string[] {
  return tree.split('\0').flatMap((line) => /^100\d+ blob [^\t]+\t(.+)$/s.exec(line)?.[1] ?? []);
}

/** Reads the folder that {@link checkOut} prepared; nothing that is not in the commit is seen. */
export function snapshotOf({
  folder,
  tip: {names},
}: {
  readonly folder: string;
  readonly tip: Tip;
}): WikiSnapshot {
  const byFold = new Map(names.map((name) => [name.toLowerCase(), name]));
  const exact = new Set(names);
  const find = (name: string): string | undefined =>
    exact.has(name) ? name : byFold.get(name.toLowerCase());
  return {
    find,
    read: async (name) => {
      const file = find(name);
      return file === undefined ? undefined : readFile(join(folder, file));
    },
  };
}

export interface WikiCommit {
  readonly folder: string;
  readonly files: readonly WikiFile[];
  readonly message: string;
}

/** Commits these files and no other; undefined when they stand there already, byte for byte. */
export async function commitFiles(
  {local}: WikiGit,
  {folder, files, message}: WikiCommit,
): Promise<Result<string | undefined>> {
  if (files.length === 0) return ok();
  for (const {name, content} of files) {
    if (!/^\w[\w.-]*\.md$/.test(name)) throw new Error(`Internal error: wiki page named ${name}`);
    await writeFile(join(folder, name), content);
  }
  const added = await local('add', '--force', '--', ...files.map(({name}) => name));
  if (!added.ok) return added;
  const staged = await local('status', '--porcelain', '--untracked-files=no');
  if (!staged.ok) return staged;
  if (staged.value === '') return ok();
  const committed = await local('commit', '--quiet', '--no-verify', '--message', message);
  if (!committed.ok) return committed;
  const commit = await local('rev-parse', 'HEAD');
  return commit.ok ? ok(commit.value.trim()) : commit;
}
