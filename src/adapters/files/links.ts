import {lstat, readdir, realpath} from 'node:fs/promises';
import {join, relative, sep} from 'node:path';

/** Below its first level; enough for an image's folder, and a larger one is hashed file by file anyway. */
const mostEntries = 20_000;

/**
 * Where the files of a path really are, when links are on the way to it or inside it: paths relative to the root. Git
 * reports a change there, not at the link.
 * @param realRoot the root without links
 */
export async function findLinkedPlaces(
  root: string,
  realRoot: string,
  path: string,
): Promise<readonly string[]> {
  const places = new Set<string>();
  const add = async (absolute: string): Promise<string | undefined> => {
    const real = await realpath(absolute).catch(() => undefined);
    if (real === undefined) return undefined;
    const way = relative(realRoot, real).split(sep).join('/');
    places.add(way);
    return real;
  };
  const start = await add(join(root, path));
  const folders = start === undefined ? [] : [start];
  let seen = 0;
  for (const folder of folders) {
    const entries = await readdir(folder, {withFileTypes: true}).catch(() => []);
    for (const entry of entries) {
      if (folder !== start && ++seen > mostEntries) return [...places];
      const inside = join(folder, entry.name);
      if (entry.isDirectory()) folders.push(inside);
      else if (entry.isSymbolicLink()) {
        const real = await add(inside);
        const isFolder =
          real !== undefined && (await lstat(real).catch(() => undefined))?.isDirectory();
        // A link to a folder above would lead around for ever.
        if (real !== undefined && isFolder && !folder.startsWith(real) && !folders.includes(real)) {
          folders.push(real);
        }
      }
    }
  }
  places.delete(path);
  return [...places];
}
