import {createHash} from 'node:crypto';
import {createReadStream} from 'node:fs';
import {lstat, readFile, readlink} from 'node:fs/promises';
import {join} from 'node:path';
import picomatch from 'picomatch';
import type {Result} from '../core/outcomes.ts';
import {normalPath} from '../core/paths.ts';
import {compileWatches} from '../core/watch.ts';
import {readIgnore} from './dockerignore.ts';
import {walkFiles} from './file-walk.ts';

/** Paths are relative to the workspace. */
export interface ContextOptions {
  readonly context: string;
  readonly dockerfile: string;
  /** Folders of the context that never count, relative to it. */
  readonly skip: readonly string[];
  /** Globs of files outside of it that count too. */
  readonly watch: readonly string[];
}

export interface ContextHash {
  /** `sha256:<64 hex>` */
  readonly digest: string;
  readonly files: number;
}

/** Reads of all contexts together: more only wait for the disk. */
const mostReads = 16;
let reading = 0;
const waiting: (() => void)[] = [];

/**
 * Hashes what a build is made from: the Dockerfile, every file of the context that `.dockerignore` lets in, and the
 * watched files; path, kind, executable bit and content of each. Links count by their target and are not followed;
 * folders without files, sockets and pipes do not count, as git and docker do not carry them.
 */
export async function hashContext(
  workspace: string,
  options: ContextOptions,
): Promise<Result<ContextHash>> {
  try {
    const files = [
      ...(await contextFiles(workspace, options)),
      ...(await watchedFiles(workspace, options.watch)),
    ];
    const lines = await Promise.all(
      files.map(async ({name, path}) => `${JSON.stringify(name)} ${await describeFile(path)}`),
    );
    const dockerfile = await readFile(join(workspace, options.dockerfile));
    const hash = createHash('sha256').update(`${sha256(dockerfile)}\n`);
    for (const line of lines.toSorted()) hash.update(`${line}\n`);
    return {ok: true, value: {digest: `sha256:${hash.digest('hex')}`, files: files.length}};
  } catch (error) {
    const {code, path, message} = error as NodeJS.ErrnoException;
    const what =
      code === 'EACCES' ? `${path ?? options.context} cannot be read by this user` : message;
    return {
      ok: false,
      failure: {
        reason: 'internal',
        class: 'spec-invalid',
        message: `${options.context}: ${what}. Make it readable, or name it in .dockerignore.`,
        tail: [],
      },
    };
  }
}

interface Found {
  readonly name: string;
  readonly path: string;
}

/** Files and links of the context that `.dockerignore` lets in, without the folders to skip. */
export async function contextFiles(
  workspace: string,
  {context, dockerfile, skip}: ContextOptions,
): Promise<readonly Found[]> {
  const root = join(workspace, context);
  const isIgnored = await readIgnore(root, join(workspace, dockerfile));
  const skipped = new Set(skip);
  const files = await walkFiles(
    root,
    (path, isFolder) => !skipped.has(path) && !isIgnored(path, isFolder),
  );
  return files
    .filter(({entry}) => entry.isFile() || entry.isSymbolicLink())
    .map(({path}) => ({name: path, path: join(root, path)}));
}

async function watchedFiles(
  workspace: string,
  watch: readonly string[],
): Promise<readonly Found[]> {
  const found = new Map<string, Found>();
  for (const pattern of watch) {
    const watchers = compileWatches([{pattern, key: pattern}]);
    const base = normalPath(picomatch.scan(normalPath(pattern), {nonegate: true}).base);
    const stat = await lstat(join(workspace, base)).catch(() => undefined);
    if (stat === undefined) continue;
    const files = stat.isDirectory()
      ? await walkFiles(join(workspace, base), (path) => path !== '.git')
      : [];
    const names = stat.isDirectory()
      ? files.map(({path}) => normalPath(`${base}/${path}`))
      : [base];
    for (const name of names) {
      if (watchers(name).size > 0)
        found.set(name, {name: `watch:${name}`, path: join(workspace, name)});
    }
  }
  return [...found.values()];
}

async function describeFile(path: string): Promise<string> {
  await slot();
  try {
    const stat = await lstat(path);
    if (stat.isSymbolicLink()) return `link ${JSON.stringify(await readlink(path))}`;
    // Of the mode git keeps only this bit, so only this is the same on every machine.
    const kind = stat.mode & 0o111 ? 'program' : 'file';
    return `${kind} ${stat.size < 1024 * 1024 ? sha256(await readFile(path)) : await streamHash(path)}`;
  } finally {
    reading--;
    waiting.shift()?.();
  }
}

async function slot(): Promise<void> {
  if (reading >= mostReads) await new Promise<void>((resolve) => waiting.push(resolve));
  reading++;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function streamHash(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, {highWaterMark: 1024 * 1024}))
    hash.update(chunk as Buffer);
  return hash.digest('hex');
}
