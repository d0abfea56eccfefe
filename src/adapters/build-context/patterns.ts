import {normalize} from 'node:path/posix';
import {compileMatcher, type Matcher} from '../../util/automaton.ts';
import {refusesPattern} from './go-match.ts';
import {parseGoRegexp} from './go-regexp.ts';

/**
 * Lists of patterns as `.dockerignore` and `COPY --exclude` have them, with the rules of github.com/moby/patternmatcher
 * (`New`, `compile`, `MatchesUsingParentResults`), its mistakes included.
 */
export interface Rules {
  /** @param above what was found for the folder it lies in; undefined at the top */
  match(path: string, above: Match | undefined): Match;
  /** Whether anything below a folder that is left out may be taken back, so that docker looks into it. */
  mayTakeBack(folder: string): boolean;
  readonly isEmpty: boolean;
}

export interface Match {
  readonly isOut: boolean;
  /** Which patterns matched: each of them matches all that is below. */
  readonly matched: readonly boolean[];
}

/** A pattern that docker does not take either. */
export class PatternError extends Error {}

/** @throws {PatternError} */
export function compileRules(patterns: readonly string[]): Rules {
  const rules = patterns.flatMap(compileRule);
  const exceptions = rules.filter(({isException}) => isException);
  return {
    isEmpty: rules.length === 0,
    match: (path, above) => {
      let isOut = false;
      const matched = rules.map((rule, index) => {
        // A pattern that could change nothing is not looked at, also not for what is below: this is what the library
        // gets wrong.
        const isMatch =
          above?.matched[index] === true || (rule.isException === isOut && rule.matches(path));
        if (isMatch) isOut = !rule.isException;
        return isMatch;
      });
      return {isOut, matched};
    },
    mayTakeBack: (folder) =>
      exceptions.some(({prefix}) => prefix === undefined || `${prefix}/`.startsWith(`${folder}/`)),
  };
}

interface Rule {
  readonly isException: boolean;
  /** The literal beginning; undefined when it has wildcards other than a last `*` or `**`. */
  readonly prefix: string | undefined;
  matches(path: string): boolean;
}

function compileRule(written: string): readonly Rule[] {
  const trimmed = trimSpace(written);
  if (trimmed === '') return [];
  const cleaned = cleanPath(trimmed);
  const isException = cleaned.startsWith('!');
  const pattern = isException ? cleaned.slice(1) : cleaned;
  if (pattern === '') throw new PatternError('"!" needs a pattern after it');
  if (refusesPattern(pattern)) throw refusalOf(written);
  const start = pattern.replace(/\/\*\*$/, '').replace(/\/\*$/, '');
  const prefix = /[*[\]?^\\]/.test(start) ? undefined : start;
  return [{isException, prefix, matches: matcherOf(pattern)}];
}

function refusalOf(pattern: string): PatternError {
  return new PatternError(`"${pattern}" is not a valid pattern, and docker would refuse it too`);
}

/** Go's `strings.TrimSpace`, which does not take the byte order mark for a space. */
export function trimSpace(text: string): string {
  const isSpace = (char: string | undefined): boolean =>
    char !== undefined && char !== '\ufeff' && (char === '\u0085' || char.trim() === '');
  let begin = 0;
  let end = text.length;
  while (begin < end && isSpace(text[begin])) begin++;
  while (end > begin && isSpace(text[end - 1])) end--;
  return text.slice(begin, end);
}

/** Go's `filepath.Clean`. */
export function cleanPath(text: string): string {
  const cleaned = normalize(text);
  return cleaned.length > 1 && cleaned.endsWith('/') ? cleaned.slice(0, -1) : cleaned;
}

/** Most patterns are a name, or begin or end with `**`; the others become a regular expression to docker. */
function matcherOf(pattern: string): (path: string) => boolean {
  const {kind, expression} = translate(pattern);
  if (kind === 'exact') return (path) => path === pattern;
  if (kind === 'prefix') {
    const prefix = pattern.slice(0, -2);
    return (path) => path.startsWith(prefix);
  }
  if (kind === 'suffix') {
    const suffix = pattern.slice(2);
    return (path) => path.endsWith(suffix) || (suffix[0] === '/' && path === suffix.slice(1));
  }
  const {head, tail} = fixedEnds(pattern);
  // Docker compiles it when it is first needed, and refuses it no earlier.
  let compiled: Matcher | undefined;
  const matcher = (): Matcher => {
    try {
      compiled ??= compileMatcher(parseGoRegexp(expression));
      return compiled;
    } catch {
      throw refusalOf(pattern);
    }
  };
  return (path) => path.startsWith(head) && path.endsWith(tail) && matcher().matches(path);
}

/** What every match begins and ends with: most paths need no closer look. */
function fixedEnds(pattern: string): {head: string; tail: string} {
  const special = /[*?[\]\\^]/;
  if (/[[\]\\^{|}\ufeff]/.test(pattern)) return {head: '', tail: ''};
  const head = pattern.slice(0, pattern.search(special));
  const last = Math.max(pattern.lastIndexOf('*'), pattern.lastIndexOf('?'));
  // `**/` may stand for nothing, with its slash.
  const end = pattern.slice(last + 1);
  return {head, tail: end.startsWith('/') ? end.slice(1) : end};
}

type Kind = 'exact' | 'prefix' | 'suffix' | 'regexp';

/** `compile` of the library. */
function translate(pattern: string): {kind: Kind; expression: string} {
  const chars = [...pattern.replace(/^\ufeff/, '')];
  let kind: Kind = 'exact';
  let expression = '^';
  let at = 0;
  for (let index = 0; at < chars.length; index++) {
    const char = chars[at++] ?? '';
    if (char === '*' && chars[at] === '*') {
      at++;
      if (chars[at] === '/') at++;
      if (at < chars.length) {
        expression += '(.*/)?';
        kind = 'regexp';
      } else if (kind === 'exact') {
        kind = 'prefix';
      } else {
        expression += '.*';
        kind = 'regexp';
      }
      if (index === 0) kind = 'suffix';
    } else if (char === '*' || char === '?') {
      expression += char === '*' ? '[^/]*' : '[^/]';
      kind = 'regexp';
    } else if ('.+()$'.includes(char)) {
      // The library means to escape | { } as well, and does not.
      expression += `\\${char}`;
    } else if (char === '\\') {
      const next = chars[at++];
      expression += `\\${next ?? ''}`;
      if (next !== undefined) kind = 'regexp';
    } else {
      expression += char;
      if (char === '[' || char === ']') kind = 'regexp';
    }
  }
  return {kind, expression: `${expression}$`};
}
