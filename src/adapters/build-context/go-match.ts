import {
  compileMatcher,
  isChar,
  type Matcher,
  many,
  notSlash,
  one,
  type Part,
  sequence,
} from '../../util/automaton.ts';

/** Whether Go's `filepath.Match`, and so COPY, finds wildcards in it. */
export function hasWildcards(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if ('*?['.includes(text[at] ?? '')) return true;
  }
  return false;
}

/**
 * A pattern of Go's `filepath.Match`, which is what COPY takes. Other than in a shell, a class such as `[^a]` may
 * stand for a slash. @throws {Error} for a pattern that Go refuses
 */
export function compileGoMatch(pattern: string): Matcher {
  return compileMatcher(parseGoMatch(pattern));
}

/** @throws {Error} for a pattern that Go refuses */
export function parseGoMatch(pattern: string): Part {
  const chars = [...pattern];
  const parts: Part[] = [];
  let at = 0;
  const take = (): number => {
    const char = chars[at++];
    if (char === undefined) throw new Error('the pattern ends too early');
    return char.codePointAt(0) ?? 0;
  };
  const takeInClass = (): number => {
    if (chars[at] === '-' || chars[at] === ']') throw new Error('a class is malformed');
    if (chars[at] === '\\') at++;
    return take();
  };
  while (at < chars.length) {
    const char = chars[at++];
    if (char === '*') {
      if (chars[at] !== '*') parts.push(many(notSlash));
    } else if (char === '?') {
      parts.push(notSlash);
    } else if (char === '[') {
      const isNegated = chars[at] === '^';
      if (isNegated) at++;
      const ranges: [number, number][] = [];
      while (ranges.length === 0 || chars[at] !== ']') {
        const low = takeInClass();
        if (chars[at] !== '-') {
          ranges.push([low, low]);
          continue;
        }
        at++;
        ranges.push([low, takeInClass()]);
      }
      at++;
      parts.push(
        one((other) => ranges.some(([low, high]) => low <= other && other <= high) !== isNegated),
      );
    } else {
      // A backslash makes the next character a plain one.
      if (char !== '\\') at--;
      parts.push(isChar(take()));
    }
  }
  return sequence(...parts);
}

/**
 * Whether `filepath.Match(pattern, ".")` fails, which is how docker checks a pattern. Go reads a pattern in chunks, each
 * up to the next `*`, and finds no fault in those behind the first that does not match.
 */
export function refusesPattern(pattern: string): boolean {
  let rest = [...pattern];
  let name = ['.'];
  while (rest.length > 0) {
    const hasStar = rest[0] === '*';
    const begin = rest.findIndex((char) => char !== '*');
    if (begin < 0) return false;
    const end = endOfChunk(rest, begin);
    const chunk = rest.slice(begin, end).join('');
    rest = rest.slice(end);
    let part: Part;
    try {
      part = parseGoMatch(chunk);
    } catch {
      return true;
    }
    const matcher = compileMatcher(part);
    const isLast = rest.length === 0;
    // How much of the name is left behind the chunk, at the earliest place where it matches.
    const left = [name, ...(hasStar && name.length > 0 ? [[]] : [])].flatMap((text) =>
      [0, 1]
        .filter(
          (length) => length <= text.length && matcher.matches(text.slice(0, length).join('')),
        )
        .map((length) => text.slice(length)),
    );
    const next = left.find((text) => text.length === 0 || !isLast);
    if (next === undefined) return false;
    name = next;
  }
  return false;
}

function endOfChunk(chars: readonly string[], begin: number): number {
  let isInClass = false;
  for (let at = begin; at < chars.length; at++) {
    const char = chars[at];
    if (char === '\\') at++;
    else if (char === '[') isInClass = true;
    else if (char === ']') isInClass = false;
    else if (char === '*' && !isInClass) return at;
  }
  return chars.length;
}
