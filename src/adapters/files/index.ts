import {closeSync, readdirSync, readFileSync, writeSync} from 'node:fs';
import {
  link,
  lstat,
  mkdir,
  readdir,
  readFile,
  realpath,
  rm,
  rmdir,
  stat,
  writeFile,
} from 'node:fs/promises';
import {basename, dirname, join, relative, resolve, sep} from 'node:path';
import {createMask, type Mask} from '../../util/masking.ts';
import {findLinkedPlaces} from './links.ts';
import {type LogFile, type LogOptions, openLog, readExcerpt} from './log.ts';
import {checkOwnFolders, isOwn, makeFolders, openOwn, openOwnToRead, removeOwn} from './own.ts';
import {type Staged, type StageRequest, stageFiles} from './stage.ts';

export type {LogFile, LogOptions} from './log.ts';
export {PlaceError} from './own.ts';

/** Files of the workspace, by paths relative to it. In the action's own folders no link is followed. */
export interface Workspace {
  readonly root: string;
  /** The absolute path of a file of the workspace. */
  path(file: string): string;
  /** Text of a file; undefined when it does not exist. */
  read(file: string): Promise<string | undefined>;
  /** Size in bytes; undefined when it does not exist. */
  size(file: string): Promise<number | undefined>;
  isFolder(path: string): Promise<boolean>;
  /** Writes a file and the folders above it; secrets become `***`. */
  write(file: string, text: string): Promise<void>;
  /** Writes a new file, whole or not at all; false where something has that name already, be it a link to nothing. */
  create(file: string, text: string): Promise<boolean>;
  /** Removes a file; nothing when there is none. */
  remove(file: string): Promise<void>;
  /** Where the files of a path really are, when links are on the way to it or inside it. */
  linkedPlaces(path: string): Promise<readonly string[]>;
  /** Makes a folder of the action's own, and gives its absolute path. */
  makeFolder(folder: string): Promise<string>;
  /** Removes a folder in which nothing is. */
  removeIfEmpty(folder: string): Promise<void>;
  /** Copies files and folders to a folder of a moment, links followed. */
  stage(request: StageRequest): Promise<Staged>;
  /** False when the path, symbolic links followed, leaves the workspace. */
  isInside(path: string): Promise<boolean>;
  /** Opens a log in a folder of the action's own; secrets become `***`. */
  openLog(file: string, options?: LogOptions): LogFile;
  /** The text of a log, bounded; empty when there is none. */
  readExcerpt(file: string): Promise<string>;
  /** Why the action's own folders cannot be used, one sentence each: look before the first write. */
  checkOutputs(): readonly string[];
}

/**
 * The one door for text that is written to the workspace.
 * Enters: the folder that the repository was checked out into, and the mask of the run.
 * Leaves: files; everything that is written has passed the mask, and in the action's own folders (logs/, artifacts/,
 * manifests/) nothing but regular files and folders is written, read or followed.
 * Not here: the job log and the summary (github/), what a file says (report/, page/), uploading (github/artifact.ts).
 */
export function openWorkspace(root: string, mask: Mask = createMask()): Workspace {
  const path = (file: string): string => resolve(root, file);
  const own = (file: string): string | undefined => {
    const inside = relative(root, path(file));
    return isOwn(inside) ? inside : undefined;
  };
  let realRoot: Promise<string> | undefined;
  const withoutLinks = (): Promise<string> => {
    realRoot ??= realpath(root);
    return realRoot;
  };
  /** The folders were looked at when the run began, and were all right. */
  let mayMend = false;
  return {
    root,
    path,
    read: async (file) => {
      const place = own(file);
      if (place === undefined) return unlessMissing(readFile(path(file), 'utf8'));
      const opened = openOwnToRead(root, place);
      if (opened === undefined) return undefined;
      try {
        return readFileSync(opened.descriptor, 'utf8');
      } finally {
        closeSync(opened.descriptor);
      }
    },
    size: async (file) => (await unlessMissing(stat(path(file))))?.size,
    isFolder: async (file) => (await unlessMissing(stat(path(file))))?.isDirectory() ?? false,
    write: async (file, text) => {
      const place = own(file);
      if (place !== undefined) return writeOwn(root, place, {text: mask.text(text), mayMend});
      await mkdir(dirname(path(file)), {recursive: true});
      await writeFile(path(file), mask.text(text));
    },
    create: (file, text) => createFile(path(file), mask.text(text)),
    remove: async (file) => {
      const place = own(file);
      if (place === undefined) await rm(path(file), {force: true});
      else removeOwn(root, place);
    },
    makeFolder: async (folder) => {
      makeFolders(root, relative(root, path(folder)), mayMend);
      return path(folder);
    },
    removeIfEmpty: (folder) => rmdir(path(folder)).catch(() => undefined),
    stage: (request) => stageFiles(root, request),
    linkedPlaces: async (file) => findLinkedPlaces(root, await withoutLinks(), file),
    isInside: async (file) => {
      const real = await unlessMissing(realpath(path(file)));
      if (real === undefined) return true;
      const way = relative(await withoutLinks(), real);
      return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !way.startsWith(sep));
    },
    openLog: (file, options) =>
      openLog({root, file: relative(root, path(file)), mask, mayMend}, options),
    readExcerpt: async (file) => readExcerpt(root, relative(root, path(file))),
    checkOutputs: () => {
      const unusable = checkOwnFolders(root, namesIn);
      mayMend = unusable.length === 0;
      return unusable;
    },
  };
}

/** A second name for a file that is complete: it is given at once, and never to what is there already. */
async function createFile(path: string, text: string): Promise<boolean> {
  await mkdir(dirname(path), {recursive: true});
  const draft = join(dirname(path), `.${basename(path)}.${process.pid}`);
  try {
    await writeFile(draft, text, {flag: 'wx'});
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, {force: true});
  }
}

function writeOwn(
  root: string,
  file: string,
  {text, mayMend}: {readonly text: string; readonly mayMend: boolean},
): void {
  const {descriptor} = openOwn(root, file, {mode: 'new', mayMend});
  try {
    const bytes = Buffer.from(text);
    for (let from = 0; from < bytes.length; ) from += writeSync(descriptor, bytes, from);
  } finally {
    closeSync(descriptor);
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

async function unlessMissing<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** Absolute paths of every file below these folders, sorted; a folder that does not exist has none. */
export async function filesBelow(folders: readonly string[]): Promise<readonly string[]> {
  const entries = await entriesBelow(folders);
  return entries.flatMap(({path, isFile}) => (isFile ? [path] : []));
}

export interface Entry {
  /** Absolute. */
  readonly path: string;
  /** False for links, FIFOs and the like, and for folders that cannot be listed. */
  readonly isFile: boolean;
}

/** Everything below these folders but the folders that can be listed, sorted; no link is followed. */
export async function entriesBelow(folders: readonly string[]): Promise<readonly Entry[]> {
  const found: Entry[] = [];
  const queue: string[] = [];
  for (const path of folders) {
    const stats = await unlessMissing(lstat(path));
    if (stats?.isDirectory() === true) queue.push(path);
    else if (stats !== undefined) found.push({path, isFile: stats.isFile()});
  }
  for (const folder of queue) {
    const entries = await readdir(folder, {withFileTypes: true}).catch((error: unknown) => {
      const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      if (!isMissing) found.push({path: folder, isFile: false});
      return [];
    });
    for (const entry of entries) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) queue.push(path);
      else found.push({path, isFile: entry.isFile()});
    }
  }
  return found.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}
