/**
 * What builds and tests are made from, as hashes of files.
 * Enters: folders of the workspace, what a Dockerfile takes from its context, globs.
 * Leaves: one digest for each question; the same files give the same digest on every machine.
 * Not here: reading Dockerfiles (stack/dockerfile/), what else is in a fingerprint (fingerprint/).
 */
import {createHash} from 'node:crypto';
import {realpathSync} from 'node:fs';
import {basename, dirname, join, relative} from 'node:path';
import {type Failure, fail, failure, ok, type Result} from '../../failure.ts';
import {compileWatch, normalPath} from '../../util/globs.ts';
import {type Look, type Memory, openLook} from './files.ts';
import {compileIgnore, readIgnore} from './ignore.ts';
import {hashPath, isInside, type PathsDigest, type Visit} from './paths.ts';
import {compileRules, PatternError, type Rules} from './patterns.ts';
import {type ContextUses, hashSources, type Known} from './sources.ts';
import {openTree, type Tree} from './tree.ts';

export type {ContextSource, ContextUses} from './sources.ts';

/** Paths are relative to the workspace. */
export interface ContextRequest {
  readonly context: string;
  readonly dockerfile: string;
  readonly uses: ContextUses;
  /** Globs of files outside of it that count too. */
  readonly watch: readonly string[];
}

export interface HashOptions {
  /** Looks at the disk again; what an earlier look read is read again when its size, times or inode are others. */
  readonly fresh?: boolean;
}

export interface ContextHash {
  /** `sha256:<64 hex>` */
  readonly digest: string;
  readonly files: number;
  /** What docker would send although it never counts, relative to the context. */
  readonly own: readonly string[];
  /** The ignore file that could leave it out. */
  readonly ignoreFile: string;
  /** Files that an earlier look saw otherwise, and that this one needed. Files that are gone are not among them. */
  readonly changed: readonly string[];
}

/** Paths are relative to the workspace. */
export interface PathsRequest {
  readonly paths: readonly string[];
  /** Names that do not count, wherever they are: `__pycache__`, `*.pyc`. */
  readonly skip: readonly string[];
}

export interface PathsHash {
  /** `sha256:<64 hex>` */
  readonly digest: string;
  readonly files: number;
  /** Those of the paths that do not exist. */
  readonly missing: readonly string[];
  /** What is known of each file, by its path, for each of the paths. */
  readonly entries: readonly ReadonlyMap<string, string>[];
}

/** One for each run: what it read for one image, it does not read again for the next. */
export interface BuildContext {
  /**
   * Hashes what a build is made from: the Dockerfile, the files that docker takes from the context, and the watched
   * files; name, kind, executable bit and content of each.
   */
  hashContext(request: ContextRequest, options?: HashOptions): Promise<Result<ContextHash>>;
  /** Hashes files and folders as programs see them, links followed. */
  hashPaths(request: PathsRequest, options?: HashOptions): Promise<Result<PathsHash>>;
}

/** @param own names in the workspace that the action writes: they never count */
export function openContexts(workspace: string, own: readonly string[]): BuildContext {
  const memory: Memory = new Map();
  let planned: Session | undefined;
  const sessionOf = ({fresh = false}: HashOptions = {}): Session => {
    if (fresh) return openSession(workspace, own, openLook(memory));
    planned ??= openSession(workspace, own, openLook(memory));
    return planned;
  };
  return {
    hashContext: async (request, options) => {
      try {
        return ok(await hashContext(sessionOf(options), request));
      } catch (error) {
        return fail(refusal(request.context, problemOf(workspace, error)));
      }
    },
    hashPaths: async (request, options) => {
      try {
        return ok(await hashPaths(sessionOf(options), request));
      } catch (error) {
        return fail(refusal('the tests', problemOf(workspace, error)));
      }
    },
  };
}

function refusal(subject: string, problem: string): Failure {
  return failure('spec-invalid', `${subject}: ${problem}`);
}

/** What is wrong with a file, and the mend. */
function problemOf(workspace: string, error: unknown): string {
  const {code, path = '', message} = error as NodeJS.ErrnoException;
  const file = relative(workspace, path);
  if (code === 'EACCES')
    return `${file} cannot be read by this user. Make it readable, or name it in .dockerignore.`;
  // Node reads such a name with replacement characters, and finds no file of that name.
  if (code === 'ENOENT' && path.includes('\ufffd'))
    return `the name of ${file} is not valid UTF-8, which docker refuses too. Rename it, or name it in .dockerignore.`;
  return message;
}

/** What the questions of one look share. */
interface Session {
  readonly look: Look;
  /** Absolute, without links. */
  readonly workspace: string;
  readonly own: readonly string[];
  readonly trees: Map<string, Tree>;
  readonly rules: Map<string, Rules>;
  readonly known: Known;
  readonly paths: Map<string, Promise<PathsDigest | undefined>>;
}

function openSession(root: string, own: readonly string[], look: Look): Session {
  const workspace = realpathSync.native(root);
  return {
    look,
    workspace,
    own: own.map((name) => join(workspace, name)),
    trees: new Map(),
    rules: new Map(),
    known: {folders: new WeakMap(), sources: new WeakMap()},
    paths: new Map(),
  };
}

const everything = compileRules([]);

/** @param text of its ignore file; undefined when nothing is left out */
function treeOf(session: Session, root: string, text: string | undefined, name: string): Tree {
  const key = `${root}\0${text ?? ''}`;
  const found = session.trees.get(key);
  if (found !== undefined) return found;
  const rules = text === undefined ? everything : rulesOf(session, text, name);
  const made = openTree({look: session.look, root, rules, own: session.own});
  session.trees.set(key, made);
  return made;
}

function rulesOf(session: Session, text: string, name: string): Rules {
  const found = session.rules.get(text);
  if (found !== undefined) return found;
  try {
    const made = compileIgnore(text);
    session.rules.set(text, made);
    return made;
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    throw new PatternError(`${name}, ${error.message}`);
  }
}

async function hashContext(
  session: Session,
  {context, dockerfile, uses, watch}: ContextRequest,
): Promise<ContextHash> {
  const {look, workspace} = session;
  const root = realpathSync.native(join(workspace, context));
  const file = join(workspace, dockerfile);
  const folder = realpathSync.native(dirname(file));
  const ignore = await readIgnore(
    treeOf(session, folder, undefined, ''),
    basename(file),
    treeOf(session, root, undefined, ''),
  );
  const ignoreFile =
    ignore.name === '.dockerignore' ? join(context, ignore.name) : `${dockerfile}.dockerignore`;
  const tree = treeOf(session, root, ignore.text, ignoreFile);
  const {lines, files, own} = await hashSources(tree, uses, session.known);
  // Its executable bit means nothing to a build.
  const [, content] = (await look.describe(realpathSync.native(file))).split(' ');
  const watched = await hashWatched(session, watch);
  const hash = createHash('sha256');
  for (const line of [content, ...lines, ...watched.lines]) hash.update(`${line}\n`);
  return {
    digest: `sha256:${hash.digest('hex')}`,
    files: files + watched.files,
    own: [...own].toSorted(),
    ignoreFile,
    changed: [...look.changed].map((path) => relative(workspace, path)).toSorted(),
  };
}

async function hashWatched(
  session: Session,
  watch: readonly string[],
): Promise<{readonly lines: readonly string[]; readonly files: number}> {
  const lines: string[] = [];
  let files = 0;
  for (const pattern of new Set(watch.map(normalPath))) {
    const {base, mayHold, matches} = compileWatch(pattern);
    const visit: Visit = (path, isFolder) => (isFolder ? mayHold(path) : matches(path));
    const found = await digestOnce(session, `watch ${pattern}`, base, visit);
    files += found?.files ?? 0;
    if (found !== undefined && found.files > 0)
      lines.push(`watch ${JSON.stringify(pattern)} ${found.text}`);
  }
  return {lines: lines.toSorted(), files};
}

async function hashPaths(session: Session, {paths, skip}: PathsRequest): Promise<PathsHash> {
  const isSkipped = skipOf(skip);
  const skipped = skip.join();
  const hash = createHash('sha256');
  const missing: string[] = [];
  const entries: ReadonlyMap<string, string>[] = [];
  let files = 0;
  for (const path of [...new Set(paths.map(normalPath))].toSorted()) {
    const visit: Visit = (below) => !isSkipped(below.slice(below.lastIndexOf('/') + 1));
    const found = await digestOnce(session, `${skipped} ${path}`, path, visit);
    if (found === undefined) {
      missing.push(path);
      continue;
    }
    hash.update(`${JSON.stringify(path)} ${found.text}\n`);
    files += found.files;
    entries.push(found.entries);
  }
  return {digest: `sha256:${hash.digest('hex')}`, files, missing, entries};
}

function skipOf(skip: readonly string[]): (name: string) => boolean {
  const names = new Set(skip.filter((name) => !name.startsWith('*')));
  const ends = skip.filter((name) => name.startsWith('*')).map((name) => name.slice(1));
  return (name) => names.has(name) || ends.some((end) => name.endsWith(end));
}

async function digestOnce(
  {look, workspace, own, paths}: Session,
  key: string,
  path: string,
  visit: Visit,
): Promise<PathsDigest | undefined> {
  if (!isInside(workspace, join(workspace, path))) return undefined;
  const found = paths.get(key) ?? hashPath(look, workspace, path, {visit, own});
  paths.set(key, found);
  return await found;
}
