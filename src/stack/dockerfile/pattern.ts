/** One character, any one (`?`), or any run of them (`*`); none of the two stands for a line break. */
type Token = {readonly kind: 'char'; readonly char: string} | {readonly kind: 'one' | 'run'};

/** Reads a pattern of `${A#…}`; undefined when it escapes what needs no escape. */
function readPattern(pattern: string): readonly Token[] | undefined {
  const chars = Array.from(pattern);
  const tokens: Token[] = [];
  for (let at = 0; at < chars.length; at += 1) {
    const char = chars[at] ?? '';
    if (char === '*') tokens.push({kind: 'run'});
    else if (char === '?') tokens.push({kind: 'one'});
    else if (char !== '\\') tokens.push({kind: 'char', char});
    else {
      const escaped = chars[at + 1] ?? '';
      // "}" and "/" are escaped for ${}, and are read on the next round.
      if (escaped === '}' || escaped === '/') continue;
      if (!/^[*?\\]$/.test(escaped)) return undefined;
      tokens.push({kind: 'char', char: escaped});
      at += 1;
    }
  }
  return tokens;
}

/** Where matches that begin at `start` can end. Walked as a set, so that no pattern takes exponential time. */
function endsFrom(
  tokens: readonly Token[],
  value: readonly string[],
  start: number,
): ReadonlySet<number> {
  let ends = new Set([start]);
  for (const token of tokens) {
    const after = new Set<number>();
    for (const at of ends) {
      const char = value[at];
      if (token.kind === 'char') {
        if (char === token.char) after.add(at + 1);
      } else if (token.kind === 'one') {
        if (char !== undefined && char !== '\n') after.add(at + 1);
      } else {
        for (let end = at; !after.has(end); end += 1) {
          after.add(end);
          if (end >= value.length || value[end] === '\n') break;
        }
      }
    }
    ends = after;
  }
  return ends;
}

/** `${A#pattern}` and `${A##pattern}`. */
export function trimPrefix(value: string, pattern: string, isLongest: boolean): string | undefined {
  const tokens = readPattern(pattern);
  return tokens && cutStart(Array.from(value), tokens, isLongest).join('');
}

/** `${A%pattern}` and `${A%%pattern}`. */
export function trimSuffix(value: string, pattern: string, isLongest: boolean): string | undefined {
  const tokens = readPattern(pattern);
  if (tokens === undefined) return undefined;
  return cutStart(Array.from(value).toReversed(), tokens.toReversed(), isLongest)
    .toReversed()
    .join('');
}

function cutStart(
  value: readonly string[],
  tokens: readonly Token[],
  isLongest: boolean,
): readonly string[] {
  const ends = [...endsFrom(tokens, value, 0)];
  if (ends.length === 0) return value;
  return value.slice(isLongest ? Math.max(...ends) : Math.min(...ends));
}

interface Replacing {
  readonly pattern: string;
  readonly replacement: string;
  readonly isAll: boolean;
}

/** `${A/pattern/replacement}` and `${A//pattern/replacement}`. */
export function replacePattern(
  text: string,
  {pattern, replacement, isAll}: Replacing,
): string | undefined {
  const tokens = readPattern(pattern);
  if (tokens === undefined) return undefined;
  const value = Array.from(text);
  let result = '';
  let lastEnd = -1;
  for (let at = 0; at <= value.length; ) {
    const ends = [...endsFrom(tokens, value, at)];
    const end = ends.length === 0 ? undefined : Math.max(...ends);
    // An empty match right after another one does not count.
    if (end === undefined || (end === at && at === lastEnd)) {
      result += value[at] ?? '';
      at += 1;
      continue;
    }
    const found = value.slice(at, end).join('');
    if (!isAll) return result + replacement + value.slice(end).join('');
    result += fillTemplate(replacement, found);
    lastEnd = end;
    if (end === at) {
      result += value[at] ?? '';
      at += 1;
    } else at = end;
  }
  return result;
}

/** Go fills `$0`, `$1` and `${name}` in what replaces every match; there are no groups, so most are empty. */
function fillTemplate(template: string, found: string): string {
  return template.replace(/\$(?:\$|(\w+)|\{(\w+)\})/g, (all, plain, braced) => {
    if (all === '$$') return '$';
    return /^0+$/.test(plain ?? braced) ? found : '';
  });
}
