import {createHash} from 'node:crypto';
import {closeSync, lstatSync, openSync, readlinkSync, readSync} from 'node:fs';
import {readdir} from 'node:fs/promises';
import {join} from 'node:path';
import {setImmediate} from 'node:timers/promises';

/** Nothing keeps what is in it over an `await`, so that all files share it. */
const buffer = Buffer.allocUnsafe(256 * 1024);
const sliceMs = 20;
let sliceBegan = 0;

/**
 * What a fingerprint sees of a file: its kind, its executable bit (all that git keeps of the mode) and its content; of
 * a link its target. Read synchronously, in slices between which requests and signals have their turn: asked one by
 * one of the thread pool, a hundred thousand small files take ten times as long.
 * @throws {Error} of the file system
 */
export async function describeFile(path: string): Promise<string> {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) return `link ${JSON.stringify(readlinkSync(path))}`;
  return `${stat.mode & 0o111 ? 'program' : 'file'} ${await hashFile(path)}`;
}

/** SHA-256 of the content, in hex. */
export async function hashFile(path: string): Promise<string> {
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

async function breathe(): Promise<void> {
  if (performance.now() - sliceBegan < sliceMs) return;
  await setImmediate();
  sliceBegan = performance.now();
}

/** Decides about one path before anything below it is read. */
export type Visit = (path: string, isFolder: boolean) => boolean;

/**
 * Every file and link below a folder that `visit` lets in, relative to it and `/` separated; links are not followed,
 * and sockets, pipes and devices are nothing that git or docker carry. @throws {Error} of the file system
 */
export async function walkFiles(root: string, visit: Visit): Promise<readonly string[]> {
  const found: string[] = [];
  const folders = [''];
  for (const folder of folders) {
    for (const entry of await readdir(join(root, folder), {withFileTypes: true})) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (!visit(path, entry.isDirectory())) continue;
      if (entry.isDirectory()) folders.push(path);
      else if (entry.isFile() || entry.isSymbolicLink()) found.push(path);
    }
  }
  return found;
}
