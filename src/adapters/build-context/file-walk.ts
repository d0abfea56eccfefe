import {readdir} from 'node:fs/promises';
import {join} from 'node:path';

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
