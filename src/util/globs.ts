import {
  choice,
  compileMatcher,
  isChar,
  type Matcher,
  many,
  notSlash,
  one,
  optional,
  type Part,
  sequence,
} from './automaton.ts';

/** The folders a file lies in, `/` separated: `a/b/c` -> `a/b`, `a`, `.` */
export function foldersOf(file: string): readonly string[] {
  const folders: string[] = [];
  for (let end = file.lastIndexOf('/'); end > 0; end = file.lastIndexOf('/', end - 1)) {
    folders.push(file.slice(0, end));
  }
  return [...folders, '.'];
}

/** Without `./` before and `/` after; `.` for the workspace itself. */
export function normalPath(path: string): string {
  let begin = 0;
  while (path.startsWith('./', begin)) {
    begin += 2;
    while (path[begin] === '/') begin++;
  }
  let end = path.length;
  while (end > begin && path[end - 1] === '/') end--;
  return path.slice(begin, end) || '.';
}

/** Whether pytest collects a file of this name. */
export function isPytestFile(file: string): boolean {
  return /^test_.*\.py$|_test\.py$/.test(file.slice(file.lastIndexOf('/') + 1));
}

export interface Watch {
  /** The file or folder that its beginning without wildcards names. */
  readonly base: string;
  /** False when it names a file, or a folder with all that is in it. */
  readonly isGlob: boolean;
  matches(file: string): boolean;
  /** Whether something in this folder could match. */
  mayHold(folder: string): boolean;
}

/**
 * Compiles one `watch` glob: `*`, `?`, `**`, `[a-z]`, `[!a]`, `{a,b}`, `\` and the forms `@(a|b)`, `+(a)`, `*(a)`,
 * `?(a)`; `!(a)` is taken for `*`, which counts more files. A pattern without any of these names a file, or a folder
 * with all that is in it. A leading dot of a name is matched like any character.
 */
export function compileWatch(pattern: string): Watch {
  const glob = normalPath(pattern);
  const segments = glob.split('/');
  const firstGlob = segments.findIndex((segment) => hasWildcards(segment));
  if (firstGlob < 0) {
    const base = withoutEscapes(glob);
    const isIn = (path: string): boolean => base === '.' || `${path}/`.startsWith(`${base}/`);
    return {
      base,
      isGlob: false,
      matches: isIn,
      mayHold: (folder) => isIn(folder) || base.startsWith(`${folder}/`),
    };
  }
  // Compiled when it is first asked: most globs of a large stack never are.
  let matcher: Matcher | undefined;
  const compiled = (): Matcher => {
    matcher ??= compileMatcher(parseGlob(glob));
    return matcher;
  };
  return {
    base: normalPath(withoutEscapes(segments.slice(0, firstGlob).join('/'))),
    isGlob: true,
    matches: (file) => compiled().matches(file),
    mayHold: (folder) => folder === '.' || compiled().mayBegin(`${folder}/`),
  };
}

/**
 * Compiles the `watch` globs of all images into one question: whose globs match this file? A glob is looked at only
 * for files below its fixed first folders, and equal globs of many images are one.
 */
export function compileWatches(
  watches: Iterable<{readonly pattern: string; readonly key: string}>,
): (file: string) => ReadonlySet<string> {
  const byBase = new Map<string, Map<string, {watch: Watch; keys: Set<string>}>>();
  for (const {pattern, key} of watches) {
    const glob = normalPath(pattern);
    const watch = compileWatch(glob);
    const matchers = byBase.get(watch.base) ?? new Map<string, {watch: Watch; keys: Set<string>}>();
    byBase.set(watch.base, matchers);
    const matcher = matchers.get(glob) ?? {watch, keys: new Set<string>()};
    matchers.set(glob, matcher);
    matcher.keys.add(key);
  }
  return (file) => {
    const keys = new Set<string>();
    if (byBase.size === 0) return keys;
    for (const place of [file, ...foldersOf(file)]) {
      for (const {keys: watchers, watch} of byBase.get(place)?.values() ?? []) {
        if (watch.matches(file)) for (const key of watchers) keys.add(key);
      }
    }
    return keys;
  };
}

function hasWildcards(segment: string): boolean {
  return /[*?[{]|[+@!]\(/.test(segment.replace(/\\./gsu, ''));
}

function withoutEscapes(text: string): string {
  return text.replace(/\\(.)/gsu, '$1');
}

/** Deeper nesting is taken as written. */
const deepest = 20;

interface Reader {
  readonly chars: readonly string[];
  /** Where each brace and group is closed; one that is not is a character as any other. */
  readonly closes: ReadonlyMap<number, number>;
  readonly lastBracket: number;
  at: number;
}

function parseGlob(glob: string): Part {
  const chars = [...glob];
  const closes = findCloses(chars);
  return readParts({chars, closes, lastBracket: chars.lastIndexOf(']'), at: 0}, () => false);
}

/** In one pass, so that a thousand open braces cost no more than a thousand letters. */
function findCloses(chars: readonly string[]): ReadonlyMap<number, number> {
  const closes = new Map<number, number>();
  const open: number[] = [];
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at] ?? '';
    const last = open.at(-1);
    if (char === '\\') at++;
    else if (char === '{' || (char === '(' && isGroup(chars, at - 1))) {
      if (open.length < deepest) open.push(at);
    } else if (last !== undefined && (chars[last] === '{' ? '}' : ')') === char) {
      closes.set(last, at);
      open.pop();
    }
  }
  return closes;
}

function isGroup(chars: readonly string[], at: number): boolean {
  return '@+*?!'.includes(chars[at] ?? ' ') && chars[at + 1] === '(';
}

/** Reads until a character that ends it, which is not taken. */
function readParts(reader: Reader, isEnd: (char: string, at: number) => boolean): Part {
  const parts: Part[] = [];
  for (;;) {
    const char = reader.chars[reader.at];
    if (char === undefined || isEnd(char, reader.at)) return sequence(...parts);
    parts.push(readPart(reader, char));
  }
}

const star = many(notSlash);

function readPart(reader: Reader, char: string): Part {
  const {chars, at} = reader;
  if (isGroup(chars, at) && reader.closes.has(at + 1)) return readGroup(reader, char);
  if (char === '{' && reader.closes.has(at)) {
    const options = readOptions(reader, at, ',');
    // Without a comma the braces are characters.
    return options.length > 1 ? choice(...options) : sequence(isChar(123), ...options, isChar(125));
  }
  if (char === '[') {
    const part = readClass(reader);
    if (part !== undefined) return part;
  }
  if (char === '*') return readStars(reader);
  if (char === '/' && chars[at + 1] === '*' && chars[at + 2] === '*' && isLast(reader, at + 3)) {
    // `lib/**` is `lib` too: a folder that became a file has changed.
    reader.at = at + 3;
    return optional(sequence(isChar(47), many(one(() => true))));
  }
  const isEscape = char === '\\' && chars[at + 1] !== undefined;
  reader.at = at + (isEscape ? 2 : 1);
  if (char === '?') return notSlash;
  return isChar((isEscape ? chars[at + 1] : char)?.codePointAt(0) ?? 0);
}

/** At the end of the glob, or of an option in braces. */
function isLast({chars, closes}: Reader, at: number): boolean {
  const char = chars[at];
  return char === undefined || (closes.size > 0 && ',|})'.includes(char));
}

/** `**` between slashes is any number of folders; elsewhere it means no more than `*`. */
function readStars(reader: Reader): Part {
  const {chars, at} = reader;
  let end = at;
  while (chars[end] === '*') end++;
  const isWhole = end - at >= 2 && (at === 0 || chars[at - 1] === '/');
  reader.at = end;
  if (!isWhole) return star;
  if (isLast(reader, end)) return many(one(() => true));
  if (chars[end] !== '/') return star;
  reader.at = end + 1;
  return many(sequence(star, isChar(47)));
}

function readGroup(reader: Reader, kind: string): Part {
  const any = choice(...readOptions(reader, reader.at + 1, '|'));
  if (kind === '!') return star;
  if (kind === '?') return optional(any);
  if (kind === '*') return many(any);
  return kind === '+' ? sequence(any, many(any)) : any;
}

function readOptions(reader: Reader, open: number, separator: string): readonly Part[] {
  const close = reader.closes.get(open);
  const options: Part[] = [];
  reader.at = open;
  do {
    reader.at++;
    options.push(readParts(reader, (char, at) => char === separator || at === close));
  } while (reader.at !== close && reader.at < reader.chars.length);
  reader.at++;
  return options;
}

/** `[a-z]`, `[!a]`, `[^a]`; undefined when it is never closed: then the bracket is a character. */
function readClass(reader: Reader): Part | undefined {
  const {chars} = reader;
  if (reader.lastBracket < reader.at) return undefined;
  let at = reader.at + 1;
  const isNegated = chars[at] === '!' || chars[at] === '^';
  if (isNegated) at++;
  const ranges: [number, number][] = [];
  const take = (): number => {
    if (chars[at] === '\\' && chars[at + 1] !== undefined) at++;
    return chars[at++]?.codePointAt(0) ?? 0;
  };
  for (let first = true; first || chars[at] !== ']'; first = false) {
    if (chars[at] === undefined || chars[at] === '/') return undefined;
    const low = take();
    const isRange = chars[at] === '-' && chars[at + 1] !== undefined && chars[at + 1] !== ']';
    if (isRange) at++;
    ranges.push([low, isRange ? take() : low]);
  }
  reader.at = at + 1;
  return one(
    (char) =>
      char !== 47 && ranges.some(([low, high]) => low <= char && char <= high) !== isNegated,
  );
}

/** By folder, the files in it and below it. */
export function byFolder(files: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const folders = new Map<string, string[]>();
  for (const file of files) {
    for (const folder of foldersOf(file)) {
      const known = folders.get(folder);
      if (known === undefined) folders.set(folder, [file]);
      else known.push(file);
    }
  }
  return folders;
}
