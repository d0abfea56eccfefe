import {createHash} from 'node:crypto';
import {type BigIntStats, closeSync, lstatSync, openSync, readlinkSync, readSync} from 'node:fs';
import {readdir} from 'node:fs/promises';
import {join} from 'node:path';
import {setImmediate} from 'node:timers/promises';

export type Kind = 'file' | 'folder' | 'link' | 'pipe' | 'socket' | 'device';

export interface Entry {
  readonly name: string;
  readonly kind: Kind;
}

/**
 * One look at the disk: what is asked twice is answered from the first time. Paths are absolute, and no folder on the
 * way to a file is a link.
 */
export interface Look {
  /** What is in a folder, sorted by name; nothing when it is gone. @throws {Error} of the file system */
  list(folder: string): Promise<readonly Entry[]>;
  /**
   * What a fingerprint sees of a file: its executable bit (all that git keeps of the mode) and its content; of a link
   * its target. @throws {Error} of the file system
   */
  describe(path: string): Promise<string>;
  /** Files that are not what an earlier look saw, as far as this one has looked. */
  readonly changed: ReadonlySet<string>;
}

interface Known {
  /** Everything that changes when the file does. */
  readonly signature: string;
  /** False when the file was so young that a second change could have left the same signature. */
  readonly isSettled: boolean;
  readonly description: string;
  readonly first: string;
}

/** What the looks of a run share: a file is read again only when its signature is another. */
export type Memory = Map<string, Known>;

/** Some file systems keep times in steps of two seconds. */
const settledMs = 2500;

export function openLook(memory: Memory): Look {
  const lists = new Map<string, Promise<readonly Entry[]>>();
  const descriptions = new Map<string, string | Promise<string>>();
  const changed = new Set<string>();
  const isFirst = memory.size === 0;
  const read = async (path: string): Promise<string> => {
    const known = memory.get(path);
    const now = await examine(path, known);
    memory.set(path, now);
    descriptions.set(path, now.description);
    if (now.description !== now.first || (!isFirst && !known)) changed.add(path);
    return now.description;
  };
  return {
    list: (folder) => {
      const found = lists.get(folder) ?? listFolder(folder);
      lists.set(folder, found);
      return found;
    },
    describe: async (path) => {
      const found = descriptions.get(path) ?? read(path);
      descriptions.set(path, found);
      return await found;
    },
    changed,
  };
}

/**
 * Reads synchronously, in slices between which requests and signals have their turn: asked one by one of the thread
 * pool, a hundred thousand small files take ten times as long.
 */
async function examine(path: string, known: Known | undefined): Promise<Known> {
  await breathe();
  const startedAt = Date.now();
  const stat = lstatSync(path, {bigint: true});
  const signature = signatureOf(stat);
  if (known?.isSettled && known.signature === signature) return known;
  const description = stat.isSymbolicLink()
    ? `link ${JSON.stringify(readlinkSync(path))}`
    : `${stat.mode & 0o111n ? 'program' : 'file'} ${await hashFile(path)}`;
  const youngest = Math.max(Number(stat.ctimeMs), Number(stat.mtimeMs));
  return {
    signature,
    isSettled: youngest + settledMs < startedAt,
    description,
    first: known?.first ?? description,
  };
}

function signatureOf({dev, ino, size, mtimeNs, ctimeNs, mode}: BigIntStats): string {
  return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs} ${mode}`;
}

/** Nothing keeps what is in it over an `await`, so that all files share it. */
const buffer = Buffer.allocUnsafe(256 * 1024);

/** SHA-256 of the content, in hex. */
async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  const file = openSync(path, 'r');
  try {
    for (;;) {
      const read = readSync(file, buffer);
      if (read === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, read));
      await breathe();
    }
  } finally {
    closeSync(file);
  }
}

const sliceMs = 20;
let sliceBegan = 0;

async function breathe(): Promise<void> {
  if (performance.now() - sliceBegan < sliceMs) return;
  await setImmediate();
  sliceBegan = performance.now();
}

async function listFolder(folder: string): Promise<readonly Entry[]> {
  const entries = await readdir(folder, {withFileTypes: true}).catch(noneWhenGone);
  return entries
    .map((entry): Entry => {
      const kind = kindOf(entry);
      // Some file systems do not tell the kind with the name.
      return {
        name: entry.name,
        kind: kind ?? kindOf(lstatSync(join(folder, entry.name))) ?? 'device',
      };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function noneWhenGone(error: NodeJS.ErrnoException): [] {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
  throw error;
}

type Kinds = Pick<
  BigIntStats,
  | 'isFile'
  | 'isDirectory'
  | 'isSymbolicLink'
  | 'isFIFO'
  | 'isSocket'
  | 'isBlockDevice'
  | 'isCharacterDevice'
>;

export function kindOf(entry: Kinds): Kind | undefined {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'folder';
  if (entry.isSymbolicLink()) return 'link';
  if (entry.isFIFO()) return 'pipe';
  if (entry.isSocket()) return 'socket';
  return entry.isBlockDevice() || entry.isCharacterDevice() ? 'device' : undefined;
}
