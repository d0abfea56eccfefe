import type {Dirent} from 'node:fs';
import {readdir} from 'node:fs/promises';
import {join} from 'node:path';

/** One entry that is no folder; `path` is relative to the root of the walk, `/` separated. */
export interface WalkedFile {
  readonly path: string;
  readonly entry: Dirent;
}

/** Decides about one path before anything below it is read. */
export type Visit = (path: string, isFolder: boolean) => boolean;

/** Everything below a folder that `visit` lets in, without following symbolic links. @throws {Error} of the file system */
export async function walkFiles(root: string, visit: Visit): Promise<readonly WalkedFile[]> {
  const found: WalkedFile[] = [];
  const folders = [''];
  for (const folder of folders) {
    for (const entry of await readdir(join(root, folder), {withFileTypes: true})) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (!visit(path, entry.isDirectory())) continue;
      if (entry.isDirectory()) folders.push(path);
      else found.push({path, entry});
    }
  }
  return found;
}
