import {
  choice,
  isChar,
  many,
  one,
  optional,
  type Part,
  type Place,
  sequence,
} from '../../util/automaton.ts';

/**
 * The part of Go's regular expressions that a `.dockerignore` pattern can turn into, which is looked for anywhere in a
 * path. Docker puts brackets, escapes, `|` and `{2}` into one as they are written, so that `\d` is a digit and
 * `foo\bar` has a word boundary in it. @throws {Error} for an expression that Go refuses
 */
export function parseGoRegexp(expression: string): Part {
  const reader: Reader = {chars: [...expression], at: 0};
  const part = readChoice(reader);
  if (reader.at < reader.chars.length) throw new Error('unexpected )');
  const isAnchored = expression.startsWith('^') && !expression.includes('|');
  return isAnchored ? part : sequence(anything, part, anything);
}

const anything = many(one(() => true));

interface Reader {
  readonly chars: readonly string[];
  at: number;
}

type Test = (char: number) => boolean;

const code = (char: string): number => char.codePointAt(0) ?? 0;

function readChoice(reader: Reader): Part {
  const options: Part[] = [];
  for (;;) {
    options.push(readSequence(reader));
    if (reader.chars[reader.at] !== '|') return choice(...options);
    reader.at++;
  }
}

function readSequence(reader: Reader): Part {
  const parts: Part[] = [];
  for (;;) {
    const char = reader.chars[reader.at];
    if (char === undefined || char === ')' || char === '|') return sequence(...parts);
    const begin = reader.at;
    const repeat = readRepeat(reader);
    if (repeat === undefined) {
      parts.push(readAtom(reader, char));
      continue;
    }
    const last = parts.pop();
    if (last === undefined) throw new Error('nothing to repeat');
    parts.push(repeat(last));
    const after = reader.at;
    if (readRepeat(reader) !== undefined || begin === after) throw new Error('repeated twice');
  }
}

/** Go refuses more. */
const mostRepeats = 1000;

/** `*`, `?`, `{2}`, `{2,}`, `{2,3}`; other braces are characters. */
function readRepeat(reader: Reader): ((part: Part) => Part) | undefined {
  const {chars, at} = reader;
  const char = chars[at];
  if (char === '*' || char === '?') {
    reader.at++;
    return char === '*' ? many : optional;
  }
  if (char !== '{') return undefined;
  const close = chars.indexOf('}', at);
  if (close < 0 || close > at + 20) return undefined;
  const [, low, comma, high] =
    /^\{(0|[1-9]\d*)(,?)(0|[1-9]\d*)?\}$/.exec(chars.slice(at, close + 1).join('')) ?? [];
  if (low === undefined || (comma === '' && high !== undefined)) return undefined;
  const least = Number(low);
  const most = comma === '' ? least : high === undefined ? undefined : Number(high);
  if (Math.max(least, most ?? 0) > mostRepeats || (most !== undefined && most < least))
    throw new Error('too many repeats');
  reader.at = close + 1;
  return (part) => {
    const copies = Array.from({length: least}, () => part);
    if (most === undefined) return sequence(...copies, many(part));
    return sequence(...copies, ...Array.from({length: most - least}, () => optional(part)));
  };
}

function readAtom(reader: Reader, char: string): Part {
  reader.at++;
  if (char === '^') return isAtBegin;
  if (char === '$') return isAtEnd;
  if (char === '.') return one((other) => other !== 10);
  if (char === '[') return one(readClass(reader));
  if (char === '\\') return readEscape(reader);
  if (char !== '(') return isChar(code(char));
  const inner = readChoice(reader);
  if (reader.chars[reader.at++] !== ')') throw new Error('missing )');
  return inner;
}

const isAtBegin: Part = {kind: 'place', holds: ({before}) => before === undefined};
const isAtEnd: Part = {kind: 'place', holds: ({after}) => after === undefined};

const isWord: Test = (char) => char < 128 && /\w/.test(String.fromCodePoint(char));
const isDigit: Test = (char) => char >= 48 && char <= 57;
const isSpace: Test = (char) => [9, 10, 12, 13, 32].includes(char);
const isBoundary = ({before, after}: Place): boolean =>
  (before !== undefined && isWord(before)) !== (after !== undefined && isWord(after));

const not =
  (test: Test): Test =>
  (char) =>
    !test(char);

const perlClasses: ReadonlyMap<string, Test> = new Map([
  ['d', isDigit],
  ['D', not(isDigit)],
  ['s', isSpace],
  ['S', not(isSpace)],
  ['w', isWord],
  ['W', not(isWord)],
]);

const places: ReadonlyMap<string, Part> = new Map<string, Part>([
  ['A', isAtBegin],
  ['z', isAtEnd],
  ['b', {kind: 'place', holds: isBoundary}],
  ['B', {kind: 'place', holds: (place) => !isBoundary(place)}],
]);

function readEscape(reader: Reader): Part {
  const char = reader.chars[reader.at] ?? '';
  const place = places.get(char);
  if (place !== undefined) {
    reader.at++;
    return place;
  }
  if (char === 'Q') {
    const begin = ++reader.at;
    while (reader.at < reader.chars.length) {
      if (reader.chars[reader.at] === '\\' && reader.chars[reader.at + 1] === 'E') break;
      reader.at++;
    }
    const quoted = reader.chars.slice(begin, reader.at);
    reader.at += 2;
    return sequence(...quoted.map((one) => isChar(code(one))));
  }
  const test = readEscapedClass(reader);
  return test === undefined ? isChar(readEscapedChar(reader)) : one(test);
}

/** After a backslash, in brackets or not: `d`, `pL`, `p{Greek}`. */
function readEscapedClass(reader: Reader): Test | undefined {
  const {chars, at} = reader;
  const char = chars[at] ?? '';
  const perl = perlClasses.get(char);
  if (perl !== undefined) reader.at++;
  if (char !== 'p' && char !== 'P') return perl;
  const end = chars[at + 1] === '{' ? chars.indexOf('}', at) : at + 1;
  if (end < 0) throw new Error('a class is not closed');
  const name = chars.slice(chars[at + 1] === '{' ? at + 2 : at + 1, end === at + 1 ? end + 1 : end);
  reader.at = end + 1;
  const isNegated = name[0] === '^';
  const test = unicodeClass(name.slice(isNegated ? 1 : 0).join(''));
  return isNegated === (char === 'P') ? test : not(test);
}

function unicodeClass(name: string): Test {
  for (const property of [name, `Script=${name}`]) {
    try {
      const expression = new RegExp(`^\\p{${property}}$`, 'u');
      return (char) => expression.test(String.fromCodePoint(char));
    } catch {}
  }
  throw new Error(`there is no class ${name}`);
}

const controls: ReadonlyMap<string, number> = new Map([
  ['a', 7],
  ['f', 12],
  ['n', 10],
  ['r', 13],
  ['t', 9],
  ['v', 11],
]);

function readEscapedChar(reader: Reader): number {
  const {chars} = reader;
  const char = chars[reader.at++];
  if (char === undefined) throw new Error('a backslash ends it');
  const control = controls.get(char);
  if (control !== undefined) return control;
  if (char === 'x') return readHex(reader);
  if (char >= '0' && char <= '7') {
    // One digit other than 0 would be a reference to a group, which Go does not have.
    const isOctal = (at: number): boolean => /^[0-7]$/.test(chars[at] ?? '');
    if (char !== '0' && !isOctal(reader.at)) throw new Error('a group is referred to');
    let value = Number(char);
    for (let more = 0; more < 2 && isOctal(reader.at); more++)
      value = value * 8 + Number(chars[reader.at++]);
    return value;
  }
  if (code(char) < 128 && !/[A-Za-z0-9]/.test(char)) return code(char);
  throw new Error(`unknown escape \\${char}`);
}

function readHex(reader: Reader): number {
  const {chars, at} = reader;
  const isLong = chars[at] === '{';
  const end = isLong ? chars.indexOf('}', at) : at + 2;
  const digits = chars.slice(isLong ? at + 1 : at, end < 0 ? at : end).join('');
  const value = Number.parseInt(digits, 16);
  if (!/^[0-9A-Fa-f]+$/.test(digits) || (!isLong && digits.length < 2) || value > 0x10ffff)
    throw new Error('bad \\x');
  reader.at = isLong ? end + 1 : end;
  return value;
}

const posixClasses: Readonly<Record<string, RegExp>> = {
  alnum: /^[0-9A-Za-z]$/,
  alpha: /^[A-Za-z]$/,
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is the class
  ascii: /^[\x00-\x7f]$/,
  blank: /^[\t ]$/,
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is the class
  cntrl: /^[\x00-\x1f\x7f]$/,
  digit: /^[0-9]$/,
  graph: /^[!-~]$/,
  lower: /^[a-z]$/,
  print: /^[ -~]$/,
  punct: /^[!-/:-@[-`{-~]$/,
  space: /^[\t\n\v\f\r ]$/,
  upper: /^[A-Z]$/,
  word: /^[0-9A-Za-z_]$/,
  xdigit: /^[0-9A-Fa-f]$/,
};

/** After `[`. */
function readClass(reader: Reader): Test {
  const {chars} = reader;
  const isNegated = chars[reader.at] === '^';
  if (isNegated) reader.at++;
  const tests: Test[] = [];
  const take = (): number => {
    const char = chars[reader.at++];
    if (char === undefined) throw new Error('a class is not closed');
    return char === '\\' ? readEscapedChar(reader) : code(char);
  };
  for (let first = true; first || chars[reader.at] !== ']'; first = false) {
    const named = readNamedClass(reader);
    if (named !== undefined) {
      tests.push(named);
      continue;
    }
    const low = take();
    const isRange = chars[reader.at] === '-' && chars[reader.at + 1] !== ']';
    if (isRange && chars[reader.at + 1] !== undefined) {
      reader.at++;
      const high = take();
      if (high < low) throw new Error('a range goes backwards');
      tests.push((char) => low <= char && char <= high);
    } else {
      tests.push((char) => char === low);
    }
  }
  reader.at++;
  return (char) => tests.some((test) => test(char)) !== isNegated;
}

function readNamedClass(reader: Reader): Test | undefined {
  const {chars, at} = reader;
  if (chars[at] === '\\') {
    reader.at++;
    const test = readEscapedClass(reader);
    if (test === undefined) reader.at = at;
    return test;
  }
  if (chars[at] !== '[' || chars[at + 1] !== ':') return undefined;
  const end = chars.indexOf(':', at + 2);
  if (end < 0 || chars[end + 1] !== ']') return undefined;
  const written = chars.slice(at + 2, end).join('');
  const isNegated = written.startsWith('^');
  const expression = posixClasses[isNegated ? written.slice(1) : written];
  if (expression === undefined) throw new Error(`there is no class ${written}`);
  reader.at = end + 2;
  return (char) => expression.test(String.fromCodePoint(char)) !== isNegated;
}
