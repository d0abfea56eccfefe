import {readFile} from 'node:fs/promises';
import {join, relative} from 'node:path';
import {dirname, normalize} from 'node:path/posix';
import {messageOf} from '../../failure.ts';
import {escapePattern} from '../../util/text.ts';

/**
 * The ignore file of a build: `<Dockerfile>.dockerignore` wins over `.dockerignore`.
 * @throws {Error} naming the file and the line that docker does not take either
 */
export async function readIgnore(
  workspace: string,
  {context, dockerfile}: {readonly context: string; readonly dockerfile: string},
): Promise<IsIgnored> {
  for (const name of [`${dockerfile}.dockerignore`, join(context, '.dockerignore')]) {
    const file = join(workspace, name);
    const text = await readFile(file, 'utf8').catch(undefinedWhenMissing);
    if (text === undefined) continue;
    try {
      return compileIgnore(text);
    } catch (error) {
      const cause = messageOf(error);
      throw new Error(`${relative(workspace, file)}, ${cause}`);
    }
  }
  return () => false;
}

function undefinedWhenMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

/** True when the path, relative to the context, is kept out of the build. A folder is asked before what is in it. */
export type IsIgnored = (path: string, isFolder: boolean) => boolean;

interface IgnorePattern {
  readonly isException: boolean;
  /** The literal beginning of an exception; undefined when it has wildcards other than a last `*` or `**`. */
  readonly prefix: string | undefined;
  matches(path: string): boolean;
}

/**
 * The rules of a `.dockerignore` file as BuildKit applies them. There is no kept library that does: the one for
 * JavaScript follows Docker 19.03, which let in more. Sources: github.com/moby/patternmatcher (`ignorefile.ReadAll`,
 * `compile`, `MatchesUsingParentResults`) and github.com/tonistiigi/fsutil (`filter.go`).
 * @throws {Error} naming a line that docker does not take either
 */
export function compileIgnore(text: string): IsIgnored {
  const patterns = readPatterns(text);
  const exceptions = patterns.filter(({isException}) => isException);
  /** For each folder that was asked, which patterns matched it. */
  const folders = new Map<string, readonly boolean[]>();

  return (path, isFolder) => {
    const above = folders.get(dirname(path));
    let isOut = false;
    const matched = patterns.map((pattern, index) => {
      // What matched the folder matches all in it. A pattern that could change nothing is not looked at, also not for
      // what is below: this is what the library gets wrong.
      const isMatch =
        above?.[index] === true || (pattern.isException === isOut && pattern.matches(path));
      if (isMatch) isOut = !pattern.isException;
      return isMatch;
    });
    if (!isFolder) return isOut;
    folders.set(path, matched);
    // A folder is left out as a whole, and never read, when no exception can mean something below it.
    return isOut && exceptions.every(({prefix}) => prefix !== undefined && !isBelow(prefix, path));
  };
}

function isBelow(prefix: string, folder: string): boolean {
  return `${prefix}/`.startsWith(`${folder}/`);
}

function readPatterns(text: string): readonly IgnorePattern[] {
  const patterns: IgnorePattern[] = [];
  text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .forEach((line, index) => {
      const written = line.trim();
      if (line.startsWith('#') || written === '') return;
      const isException = written.startsWith('!');
      const cleaned = cleanPath(isException ? written.slice(1).trim() : written);
      if (cleaned === '' || (isException && cleaned === '/'))
        throw new Error(`line ${index + 1}: "!" names nothing`);
      try {
        patterns.push(compilePattern(cleaned, isException));
      } catch {
        throw new Error(`line ${index + 1}: "${written}" is no pattern that docker knows`);
      }
    });
  return patterns;
}

/** Go's `filepath.Clean`, and no slash at the beginning. */
function cleanPath(text: string): string {
  if (text === '') return '';
  const cleaned = normalize(text);
  const bare = cleaned.length > 1 ? cleaned.replace(/\/$/, '') : cleaned;
  return bare.length > 1 && bare.startsWith('/') ? bare.slice(1) : bare;
}

function compilePattern(text: string, isException: boolean): IgnorePattern {
  const start = text.replace(/\/\*\*$/, '').replace(/\/\*$/, '');
  const prefix = /[*[\]?^]/.test(start) ? undefined : start;
  return {isException, prefix, matches: matcherOf(text)};
}

const special = /[*?[\]\\]/;

function matcherOf(text: string): (path: string) => boolean {
  if (!special.test(text)) return (path) => path === text;
  const end = text.replace(/^\*\*/, '');
  if (end !== text && !special.test(end)) {
    return (path) => path.endsWith(end) || `/${path}` === end;
  }
  const expression = new RegExp(`^${expressionOf(text)}$`, 'su');
  return (path) => expression.test(path);
}

const parts = /\*\*\/?|\*|\?|\[(?:\\.|[^\]\\])+\]|\\.|./gsu;

function expressionOf(pattern: string): string {
  return pattern.replace(parts, (part, offset: number) => {
    if (part.startsWith('**')) return offset + part.length === pattern.length ? '.*' : '(?:.*/)?';
    if (part === '*') return '[^/]*';
    if (part === '?') return '[^/]';
    if (part === '[' || part === '\\') throw new Error('not closed');
    if (part.startsWith('\\')) return escapePattern(part.slice(1));
    // Ranges and a first ^ mean in brackets what they mean to docker.
    if (part.startsWith('[')) return `[${part.slice(1, -1).replaceAll('[', '\\[')}]`;
    return escapePattern(part);
  });
}
