import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  type Stats,
  unlinkSync,
} from 'node:fs';
import {dirname, join} from 'node:path';
import {outputFolders} from '../../image/files.ts';

const ownFolders: ReadonlySet<string> = new Set(Object.values(outputFolders));

/** Something other than a file or a folder of ours is where one belongs. The message says what and where. */
export class PlaceError extends Error {
  override readonly name = 'PlaceError';
}

/** Whether a path relative to the workspace is in a folder of the action's own. */
export function isOwn(file: string): boolean {
  return ownFolders.has(componentsOf(file)[0] ?? '');
}

/**
 * Why these folders cannot be used, one sentence each: a link, a FIFO or a file is in the place of one, or a link or
 * FIFO in the place of a file in them. Tests drop what they like in the folders below.
 */
export function checkOwnFolders(
  root: string,
  list: (folder: string) => readonly string[],
): readonly string[] {
  return [...ownFolders].flatMap((folder) => {
    const stats = statsOf(join(root, folder));
    if (stats === undefined) return [];
    if (!stats.isDirectory()) return [sentence(folder, stats)];
    return list(join(root, folder)).flatMap((name) => {
      const inside = statsOf(join(root, folder, name));
      const isGood = inside === undefined || inside.isDirectory() || inside.isFile();
      return isGood ? [] : [sentence(`${folder}/${name}`, inside)];
    });
  });
}

/**
 * Makes the folders above a file of ours. `mayMend`: they were all right when the run began, so what is in the place of
 * one now was put there by its tests, and makes room; a folder that they closed is opened again.
 * @throws {PlaceError} for anything but a folder in the place of one
 */
export function makeFolders(root: string, folder: string, mayMend: boolean): void {
  let path = '';
  for (const component of componentsOf(folder)) {
    path = join(path, component);
    const stats = statsOf(join(root, path));
    if (stats?.isDirectory() === true) {
      if (mayMend && (stats.mode & ownerMode) !== ownerMode) chmodSync(join(root, path), 0o755);
      continue;
    }
    if (stats !== undefined && !mayMend) throw new PlaceError(sentence(path, stats));
    if (stats !== undefined) unlinkSync(join(root, path));
    mkdirSync(join(root, path), {recursive: true});
  }
}

const ownerMode = 0o700;

export interface OpenedFile {
  readonly descriptor: number;
  readonly inode: number;
}

/**
 * Opens a file of ours for writing, and for reading back. A new one takes the place of what an earlier run left; no
 * link is followed, not even a hard one, and a FIFO does not make us wait.
 * @throws {PlaceError}
 */
export function openOwn(
  root: string,
  file: string,
  {mode, mayMend}: {readonly mode: 'new' | 'append'; readonly mayMend: boolean},
): OpenedFile {
  makeFolders(root, dirname(file), mayMend);
  const path = join(root, file);
  let stats = statsOf(path);
  if (stats !== undefined && !stats.isFile()) {
    if (!mayMend) throw new PlaceError(sentence(file, stats));
    // A folder may hold what somebody wants: it only makes room.
    if (stats.isDirectory()) renameSync(path, `${path}.moved-${process.pid}`);
    else unlinkSync(path);
    stats = undefined;
  }
  if (stats !== undefined && (mode === 'new' || stats.nlink > 1)) unlinkSync(path);
  const {O_RDWR, O_CREAT, O_APPEND, O_EXCL, O_NOFOLLOW, O_NONBLOCK} = constants;
  const flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK;
  const descriptor = openSync(path, flags | (mode === 'new' ? O_EXCL : O_APPEND), 0o644);
  return checked(descriptor, file);
}

/**
 * Opens a file of ours for reading; undefined when there is none.
 * @throws {PlaceError} for anything but a file, and for a folder above it that is a link
 */
export function openOwnToRead(root: string, file: string): OpenedFile | undefined {
  let path = '';
  for (const component of componentsOf(dirname(file))) {
    path = join(path, component);
    const stats = statsOf(join(root, path));
    if (stats === undefined) return undefined;
    if (!stats.isDirectory()) throw new PlaceError(sentence(path, stats));
  }
  const stats = statsOf(join(root, file));
  if (stats === undefined) return undefined;
  if (!stats.isFile()) throw new PlaceError(sentence(file, stats));
  const {O_RDONLY, O_NOFOLLOW, O_NONBLOCK} = constants;
  return checked(openSync(join(root, file), O_RDONLY | O_NOFOLLOW | O_NONBLOCK), file);
}

/**
 * Removes a file of ours; nothing when there is none.
 * @throws {PlaceError} for anything but a file
 */
export function removeOwn(root: string, file: string): void {
  const opened = openOwnToRead(root, file);
  if (opened === undefined) return;
  closeSync(opened.descriptor);
  unlinkSync(join(root, file));
}

/** Whether the file is still where it was opened. */
export function isInPlace(root: string, file: string, {inode}: OpenedFile): boolean {
  return statsOf(join(root, file))?.ino === inode;
}

/** What was looked at may have been replaced since: what was opened counts. */
function checked(descriptor: number, file: string): OpenedFile {
  const stats = fstatSync(descriptor);
  if (stats.isFile()) return {descriptor, inode: stats.ino};
  closeSync(descriptor);
  throw new PlaceError(sentence(file, stats));
}

function componentsOf(path: string): readonly string[] {
  return path.split('/').filter((component) => component !== '' && component !== '.');
}

function statsOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

function sentence(path: string, stats: Stats): string {
  return `${path} is a ${kindOf(stats)}. The action writes its results there and follows nothing: remove it.`;
}

function kindOf(stats: Stats): string {
  if (stats.isSymbolicLink()) return 'symbolic link';
  if (stats.isFIFO()) return 'FIFO';
  if (stats.isSocket()) return 'socket';
  if (stats.isDirectory()) return 'folder';
  return stats.isFile() ? 'file' : 'device';
}
