import {createHash} from 'node:crypto';
import {lstat} from 'node:fs/promises';
import {join, relative} from 'node:path';
import picomatch from 'picomatch';
import {fail, failure, ok, type Result} from '../../failure.ts';
import {compileWatches, normalPath} from '../../util/globs.ts';
import {describeFile, hashFile, walkFiles} from './files.ts';
import {readIgnore} from './ignore.ts';

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
    const lines: string[] = [];
    for (const {name, path} of files) {
      lines.push(`${JSON.stringify(name)} ${await describeFile(path)}`);
    }
    const dockerfile = await hashFile(join(workspace, options.dockerfile));
    const hash = createHash('sha256').update(`${dockerfile}\n`);
    for (const line of lines.toSorted()) hash.update(`${line}\n`);
    return ok({digest: `sha256:${hash.digest('hex')}`, files: files.length});
  } catch (error) {
    const message = `${options.context}: ${problemOf(workspace, error as NodeJS.ErrnoException)}`;
    return fail(failure('spec-invalid', message));
  }
}

/** What is wrong with a file, and the fix. */
function problemOf(workspace: string, {code, path = '', message}: NodeJS.ErrnoException): string {
  const file = relative(workspace, path);
  if (code === 'EACCES')
    return `${file} cannot be read by this user. Make it readable, or name it in .dockerignore.`;
  // Node reads such a name with replacement characters, and finds no file of that name.
  if (code === 'ENOENT' && path.includes('\ufffd'))
    return `the name of ${file} is no UTF-8, which docker does not take either. Rename it, or name it in .dockerignore.`;
  return message;
}

interface Found {
  readonly name: string;
  readonly path: string;
}

/** Files and links of the context that `.dockerignore` lets in, without the folders to skip. */
export async function contextFiles(
  workspace: string,
  {context, dockerfile, skip}: Omit<ContextOptions, 'watch'>,
): Promise<readonly Found[]> {
  const root = join(workspace, context);
  const isIgnored = await readIgnore(workspace, {context, dockerfile});
  const skipped = new Set(skip);
  const files = await walkFiles(
    root,
    (path, isFolder) => !skipped.has(path) && !isIgnored(path, isFolder),
  );
  return files.map((name) => ({name, path: join(root, name)}));
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
    const isFile = stat?.isFile() || stat?.isSymbolicLink();
    const files = stat?.isDirectory()
      ? await walkFiles(join(workspace, base), (path) => path !== '.git')
      : [];
    const names = isFile ? [base] : files.map((path) => normalPath(`${base}/${path}`));
    for (const name of names) {
      if (watchers(name).size > 0)
        found.set(name, {name: `watch:${name}`, path: join(workspace, name)});
    }
  }
  return [...found.values()];
}
