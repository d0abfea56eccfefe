import {chmod, cp, mkdir, mkdtemp, rm} from 'node:fs/promises';
import {basename, join, resolve} from 'node:path';

/** Copies of files in a folder of a moment, ready for `docker cp`. */
export interface Staged {
  /** Holds the copies, and an empty folder `logs` that anyone may write to. */
  readonly folder: string;
  /** What each path is called in it, in the order of the request; no two alike. */
  readonly names: readonly string[];
  remove(): Promise<void>;
}

export interface StageRequest {
  /** Relative to the workspace. */
  readonly paths: readonly string[];
  readonly tempDir: string;
  /** The name of the folder. */
  readonly name: string;
}

export async function stageFiles(
  root: string,
  {paths, tempDir, name}: StageRequest,
): Promise<Staged> {
  const place = await mkdtemp(join(tempDir, 'stack-tests-'));
  const folder = join(place, name);
  await mkdir(join(folder, 'logs'), {recursive: true});
  // The user of the image is not ours, and writes here.
  await chmod(join(folder, 'logs'), 0o777);
  const names: string[] = [];
  for (const path of paths) {
    const own = basename(path);
    const free = ['logs', ...names].includes(own) ? `${names.length}-${own}` : own;
    names.push(free);
    await cp(resolve(root, path), join(folder, free), {recursive: true, dereference: true});
  }
  return {folder, names, remove: () => rm(place, {recursive: true, force: true})};
}
