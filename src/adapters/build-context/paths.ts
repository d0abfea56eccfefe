import {createHash} from 'node:crypto';
import {lstatSync, readlinkSync, realpathSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {type Kind, kindOf, type Look} from './files.ts';

/** Decides about one path, relative to the workspace, before anything below it is read. */
export type Visit = (path: string, isFolder: boolean) => boolean;

export interface PathsDigest {
  readonly text: string;
  readonly files: number;
  /** What is known of each file, by its path. */
  readonly entries: ReadonlyMap<string, string>;
}

/**
 * Hashes a file, or a folder with all that is in it, and what links lead to inside of the workspace: who runs tests
 * sees through links. Sockets, pipes and devices do not count. Undefined when there is no such file.
 * @param workspace absolute, without links
 * @throws {Error} of the file system
 */
export async function hashPath(
  look: Look,
  workspace: string,
  path: string,
  {visit, own}: {readonly visit: Visit; readonly own: readonly string[]},
): Promise<PathsDigest | undefined> {
  const found = await findPlace(look, workspace, path);
  if (found === undefined) return undefined;
  const hash = createHash('sha256');
  let files = 0;
  const entries = new Map<string, string>();
  const seen = new Map<string, string>();
  const add = (...words: readonly string[]): void => {
    hash.update(`${words.join(' ')}\n`);
  };
  const read = async (name: string, absolute: string, kind: string): Promise<void> => {
    if (kind === 'link') {
      // What is outside of the workspace is no part of the checkout.
      const real = realPathOf(absolute);
      const target = real !== undefined && isInside(workspace, real) ? real : undefined;
      const at = target && kindOf(lstatSync(target, {bigint: true}));
      if (target !== undefined && at === 'folder' && visit(name, true))
        return await read(name, target, at);
      if (!visit(name, false)) return;
      const link = JSON.stringify(readlinkSync(absolute));
      add('link', JSON.stringify(name), link);
      entries.set(name, `link ${link}`);
      files++;
      if (target !== undefined && at === 'file') await read(name, target, at);
    } else if (kind === 'file') {
      const file = await look.describe(absolute);
      add('file', JSON.stringify(name), file);
      entries.set(name, file);
      files++;
    } else if (kind === 'folder') {
      // Links can go round in circles, and lead to one folder on many ways.
      const first = seen.get(absolute);
      if (first !== undefined) return add('again', JSON.stringify(name), JSON.stringify(first));
      seen.set(absolute, name);
      for (const entry of await look.list(absolute)) {
        const below = name === '.' ? entry.name : `${name}/${entry.name}`;
        const place = join(absolute, entry.name);
        if (entry.name === '.git' || own.includes(place)) continue;
        const isFolder = entry.kind === 'folder';
        // Where a link leads is not known yet.
        if (
          entry.kind === 'link' ? visit(below, false) || visit(below, true) : visit(below, isFolder)
        )
          await read(below, place, entry.kind);
      }
    }
  };
  await read(path, found.place, found.kind);
  return {text: hash.digest('hex'), files, entries};
}

/** What the questions of one look know of folders: most of them are about files that are not there. */
interface Folders {
  /** Where folders really are, by their path in the workspace. */
  readonly real: Map<string, Promise<string | undefined>>;
  /** What is in them; undefined for one that cannot be listed. */
  readonly names: Map<string, Promise<ReadonlyMap<string, Kind> | undefined>>;
}

const known = new WeakMap<Look, Folders>();

async function findPlace(
  look: Look,
  workspace: string,
  path: string,
): Promise<{readonly place: string; readonly kind: Kind} | undefined> {
  if (path === '.') return {place: workspace, kind: 'folder'};
  const folders = known.get(look) ?? {real: new Map(), names: new Map()};
  known.set(look, folders);

  const namesIn = (folder: string): Promise<ReadonlyMap<string, Kind> | undefined> => {
    const listed = async () =>
      new Map((await look.list(folder)).map(({name, kind}) => [name, kind]));
    const names = folders.names.get(folder) ?? listed().catch(() => undefined);
    folders.names.set(folder, names);
    return names;
  };
  const follow = async (one: string): Promise<string | undefined> => {
    const folder = await realOf(dirname(one));
    if (folder === undefined) return undefined;
    const place = join(folder, basename(one));
    const names = await namesIn(folder);
    if (names === undefined) return realPathOf(place);
    const kind = names.get(basename(one));
    if (kind === 'link') return realPathOf(place);
    return kind === 'folder' ? place : undefined;
  };
  const realOf = (one: string): Promise<string | undefined> => {
    if (one === '.') return Promise.resolve(workspace);
    const real = folders.real.get(one) ?? follow(one);
    folders.real.set(one, real);
    return real;
  };

  const folder = await realOf(dirname(path));
  if (folder === undefined) return undefined;
  const names = await namesIn(folder);
  if (names?.has(basename(path)) === false) return undefined;
  const place = join(folder, basename(path));
  const stat = lstatSync(place, {bigint: true, throwIfNoEntry: false});
  return stat && {place, kind: kindOf(stat) ?? 'device'};
}

/** Undefined when it does not exist, or leads round in a circle. */
function realPathOf(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ELOOP' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

export function isInside(folder: string, path: string): boolean {
  return `${path}/`.startsWith(folder === '/' ? folder : `${folder}/`);
}
