import {readdir} from 'node:fs/promises';
import {join} from 'node:path';

/** Absolute paths of every file below these folders, sorted; a folder that does not exist has none. */
export async function filesBelow(folders: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(
    folders.map(async (folder) => {
      const entries = await readdir(folder, {recursive: true, withFileTypes: true}).catch(() => []);
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name));
    }),
  );
  return found.flat().toSorted();
}
