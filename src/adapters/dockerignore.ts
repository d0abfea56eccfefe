import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import dockerignore from '@balena/dockerignore';

/** True when the path, relative to the context, is kept out of the build. */
export type IsIgnored = (path: string, isFolder: boolean) => boolean;

/**
 * The ignore file of a build: `<Dockerfile>.dockerignore` wins over `.dockerignore`. A folder is kept out as a whole
 * only when no exception (`!`) can let in something below it.
 */
export async function readIgnore(root: string, dockerfile: string): Promise<IsIgnored> {
  const text =
    (await readText(`${dockerfile}.dockerignore`)) ?? (await readText(join(root, '.dockerignore')));
  if (text === undefined) return () => false;
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  // The type names a default export that the CommonJS module does not have.
  const create = dockerignore as unknown as (options: {ignorecase: boolean}) => dockerignore.Ignore;
  const matcher = create({ignorecase: false}).add(lines);
  const hasExceptions = lines.some((line) => line.trim().startsWith('!'));
  return (path, isFolder) => !(isFolder && hasExceptions) && matcher.ignores(path);
}

async function readText(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}
