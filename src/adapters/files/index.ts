import {mkdir, readdir, readFile, realpath, rm, stat, writeFile} from 'node:fs/promises';
import {dirname, join, relative, resolve, sep} from 'node:path';
import {findLinkedPlaces} from './links.ts';

export type {LogFile} from './log.ts';
export {openLog, readExcerpt} from './log.ts';

/** Files of the workspace, by paths relative to it. */
export interface Workspace {
  readonly root: string;
  /** The absolute path of a file of the workspace. */
  path(file: string): string;
  /** Text of a file; undefined when it does not exist. */
  read(file: string): Promise<string | undefined>;
  /** Size in bytes; undefined when it does not exist. */
  size(file: string): Promise<number | undefined>;
  isFolder(path: string): Promise<boolean>;
  /** Writes a file and the folders above it. */
  write(file: string, text: string): Promise<void>;
  /** Removes a file; nothing when there is none. */
  remove(file: string): Promise<void>;
  /** Where the files of a path really are, when links are on the way to it or inside it. */
  linkedPlaces(path: string): Promise<readonly string[]>;
  /** False when the path, symbolic links followed, leaves the workspace. */
  isInside(path: string): Promise<boolean>;
}

/** Opens the folder that the repository was checked out into. */
export function openWorkspace(root: string): Workspace {
  const path = (file: string): string => resolve(root, file);
  return {
    root,
    path,
    read: (file) => unlessMissing(readFile(path(file), 'utf8')),
    size: async (file) => (await unlessMissing(stat(path(file))))?.size,
    isFolder: async (file) => (await unlessMissing(stat(path(file))))?.isDirectory() ?? false,
    write: async (file, text) => {
      await mkdir(dirname(path(file)), {recursive: true});
      await writeFile(path(file), text);
    },
    remove: (file) => rm(path(file), {force: true}),
    linkedPlaces: (file) => findLinkedPlaces(root, file),
    isInside: async (file) => {
      const real = await unlessMissing(realpath(path(file)));
      if (real === undefined) return true;
      const way = relative(await realpath(root), real);
      return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !way.startsWith(sep));
    },
  };
}

/** Paths of what a run writes in the workspace (DESIGN.md section 1). */
export const outputFolders = {
  logs: 'logs',
  artifacts: 'artifacts',
  manifests: 'manifests',
} as const;

/** The job log as a file. */
export const runLog = join(outputFolders.logs, 'run.log');

async function unlessMissing<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

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
