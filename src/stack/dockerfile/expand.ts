import {replacePattern, trimPrefix, trimSuffix} from './pattern.ts';
import {isSpace} from './words.ts';

/** What a variable stands for; undefined when it has no value. */
export type LookUp = (name: string) => string | undefined;

export interface ExpandOptions {
  readonly escapeChar?: string;
  /** Quotes stay in the result. */
  readonly keepsQuotes?: boolean;
  /** Escape characters stay in the result. */
  readonly keepsEscapes?: boolean;
  /** Quotes mean nothing: the body of a heredoc. */
  readonly ignoresQuotes?: boolean;
  /** A variable without value stays as it is written. */
  readonly keepsUnset?: boolean;
}

export type Expansion =
  | {readonly ok: true; readonly text: string; readonly words: readonly string[]}
  | {
      readonly ok: false;
      readonly message: string;
      /** The text is well-formed, but `${NAME:?}` asks for a value. */
      readonly isMissingValue: boolean;
    };

/**
 * Expands a word of a Dockerfile as BuildKit does (`shell/lex.go`): `$A`, `${A}`, the modifiers `:-` `-` `:+` `+`
 * `:?` `?`, the patterns `#` `##` `%` `%%` `/` `//`, quotes and the escape character.
 */
export function expandWord(word: string, lookUp: LookUp, options: ExpandOptions = {}): Expansion {
  if (!/[$'"\\`<\s]/.test(word)) return {ok: true, text: word, words: word === '' ? [] : [word]};
  try {
    const {text, words} = processUntil(newReader(word, lookUp, options), undefined, {
      keepsEscapes: options.keepsEscapes ?? false,
      doublesEscapes: false,
    });
    return {ok: true, text, words};
  } catch (error) {
    if (!(error instanceof BadWord)) throw error;
    return {ok: false, message: error.message, isMissingValue: error.isMissingValue};
  }
}

/** Ends the walk through nested braces; never leaves this file. */
class BadWord extends Error {
  readonly isMissingValue: boolean;

  constructor(message: string, isMissingValue = false) {
    super(message);
    this.isMissingValue = isMissingValue;
  }
}

interface Reader {
  /** By code point, as Go reads runes. */
  readonly chars: readonly string[];
  readonly lookUp: LookUp;
  readonly escapeChar: string;
  readonly options: ExpandOptions;
  at: number;
  /** The word under way. BuildKit shares it between nested braces, so nested ones empty it. */
  pending: string;
  keepsEscapes: boolean;
}

function newReader(word: string, lookUp: LookUp, options: ExpandOptions): Reader {
  const chars = Array.from(word.startsWith('\uFEFF') ? word.slice(1) : word);
  const escapeChar = options.escapeChar ?? '\\';
  const keepsEscapes = options.keepsEscapes ?? false;
  return {chars, lookUp, escapeChar, options, at: 0, pending: '', keepsEscapes};
}

const peek = (reader: Reader): string | undefined => reader.chars[reader.at];
const next = (reader: Reader): string | undefined => reader.chars[reader.at++];
const isAtEnd = (reader: Reader): boolean => reader.at >= reader.chars.length;

interface Mode {
  readonly keepsEscapes: boolean;
  /** In a pattern an escape character that is quoted must survive a second reading. */
  readonly doublesEscapes: boolean;
}

function processUntil(
  reader: Reader,
  stop: string | undefined,
  mode: Mode,
): {readonly text: string; readonly words: readonly string[]} {
  const before = reader.keepsEscapes;
  reader.keepsEscapes = mode.keepsEscapes;
  const words: string[] = [];
  const endWord = (): void => {
    if (reader.pending !== '') words.push(reader.pending);
    reader.pending = '';
  };
  const addSplit = (text: string): void => {
    for (const char of text) {
      if (isSpace(char)) endWord();
      else reader.pending += char;
    }
  };
  reader.pending = '';
  let text = '';
  while (!isAtEnd(reader)) {
    const char = peek(reader) ?? '';
    if (char === stop) {
      reader.at += 1;
      endWord();
      reader.keepsEscapes = before;
      return {text, words};
    }
    const special = processSpecial(reader, char, mode);
    if (special !== undefined) {
      text += special;
      if (char === '$') addSplit(special);
      else reader.pending += special;
      continue;
    }
    reader.at += 1;
    if (char !== reader.escapeChar) {
      addSplit(char);
      text += char;
      continue;
    }
    if (reader.keepsEscapes) {
      reader.pending += char;
      text += char;
    }
    const escaped = next(reader);
    if (escaped === undefined) break;
    reader.pending += escaped;
    text += escaped;
  }
  if (stop !== undefined) throw new BadWord(`a "${stop}" is missing`);
  endWord();
  reader.keepsEscapes = before;
  return {text, words};
}

function processSpecial(reader: Reader, char: string, mode: Mode): string | undefined {
  if (char === '$') return processDollar(reader);
  if (char === '<') return processLess(reader);
  if (reader.options.ignoresQuotes) return undefined;
  if (char === "'") return processSingleQuote(reader, mode.doublesEscapes);
  return char === '"' ? processDoubleQuote(reader, mode.doublesEscapes) : undefined;
}

/** `<<` takes the blanks after it along, so that `<< EOF` is one word. */
function processLess(reader: Reader): string {
  reader.at += 1;
  if (peek(reader) !== '<') return '<';
  reader.at += 1;
  let blanks = '';
  while (/^[\t\r ]$/.test(peek(reader) ?? '')) blanks += next(reader);
  return `<<${blanks}`;
}

function processSingleQuote(reader: Reader, doublesEscapes: boolean): string {
  const quote = reader.options.keepsQuotes ? "'" : '';
  reader.at += 1;
  let text = quote;
  while (true) {
    const char = next(reader);
    if (char === undefined) throw new BadWord('a single quote is not closed');
    if (char === "'") return text + quote;
    text += doublesEscapes && char === reader.escapeChar ? char + char : char;
  }
}

function processDoubleQuote(reader: Reader, doublesEscapes: boolean): string {
  const {keepsQuotes = false} = reader.options;
  const quote = keepsQuotes ? '"' : '';
  reader.at += 1;
  let text = quote;
  while (true) {
    const char = peek(reader);
    if (char === undefined) throw new BadWord('a double quote is not closed');
    if (char === '$') {
      text += processDollar(reader);
      continue;
    }
    reader.at += 1;
    if (char === '"') return text + quote;
    if (char !== reader.escapeChar) {
      text += char;
      continue;
    }
    const escaped = peek(reader);
    if (escaped === undefined) continue;
    if (escaped === '"' || escaped === '$' || escaped === reader.escapeChar) {
      text += (reader.keepsEscapes ? char : '') + escaped;
      reader.at += 1;
    } else {
      text += reader.keepsEscapes && (!keepsQuotes || doublesEscapes) ? char + char : char;
    }
  }
}

function processDollar(reader: Reader): string {
  const {lookUp, options} = reader;
  reader.at += 1;
  if (peek(reader) !== '{') {
    const name = processName(reader);
    if (name === '') return '$';
    const value = lookUp(name);
    return value ?? (options.keepsUnset ? `$${name}` : '');
  }
  reader.at += 1;
  if (isAtEnd(reader)) throw new BadWord('a "}" is missing');
  if (/^[{}:]$/.test(peek(reader) ?? '')) throw new BadWord('bad substitution: "${" needs a name');
  const name = processName(reader);
  const operator = next(reader);
  if (operator === undefined) throw new BadWord('a "}" is missing');
  if (operator === '}') return lookUp(name) ?? (options.keepsUnset ? `\${${name}}` : '');
  if (operator === '/') return processReplace(reader, name);
  if (!/^[:+\-?#%]$/.test(operator)) throw badModifier(operator);
  return processModifier(reader, name, operator);
}

function badModifier(modifier: string): BadWord {
  return new BadWord(`bad substitution: "${modifier}" is not a modifier that Docker knows`);
}

function processModifier(reader: Reader, name: string, first: string): string {
  const isColon = first === ':';
  const operator = isColon ? (next(reader) ?? '') : first;
  const isPattern = operator === '#' || operator === '%';
  if (isColon && isPattern) throw badModifier(first + operator);
  const {text: word} = processUntil(reader, '}', {
    keepsEscapes: isPattern,
    doublesEscapes: isPattern,
  });
  const value = reader.lookUp(name);
  if (value === undefined && reader.options.keepsUnset) {
    return `\${${name}${isColon ? ':' : ''}${operator}${word}}`;
  }
  const isSet = value !== undefined && !(isColon && value === '');
  switch (operator) {
    case '-':
      return isSet ? value : word;
    case '+':
      return isSet ? word : '';
    case '?':
      if (isSet) return value;
      throw new BadWord(`${name}: ${word || 'it has no value'}`, true);
    case '#':
    case '%':
      return trim(value ?? '', word, operator);
    default:
      throw badModifier(first + operator);
  }
}

function trim(value: string, word: string, operator: '#' | '%'): string {
  const isLongest = word.startsWith(operator);
  const pattern = isLongest ? word.slice(1) : word;
  const result = (operator === '#' ? trimPrefix : trimSuffix)(value, pattern, isLongest);
  if (result === undefined) throw badPattern(pattern);
  return result;
}

function processReplace(reader: Reader, name: string): string {
  const isAll = peek(reader) === '/';
  if (isAll) reader.at += 1;
  const {text: pattern} = processUntil(reader, '/', {keepsEscapes: true, doublesEscapes: true});
  const {text: replacement} = processUntil(reader, '}', {
    keepsEscapes: true,
    doublesEscapes: false,
  });
  const value = reader.lookUp(name);
  if (value === undefined && reader.options.keepsUnset) {
    return `\${${name}/${pattern}/${replacement}}`;
  }
  const result = replacePattern(value ?? '', {pattern, replacement, isAll});
  if (result === undefined) throw badPattern(pattern);
  return result;
}

function badPattern(pattern: string): BadWord {
  return new BadWord(`the pattern "${pattern}" has an escape that is not allowed`);
}

/** A name, a number, or one of the shell's special characters; empty when there is none. */
function processName(reader: Reader): string {
  const rest = reader.chars.slice(reader.at, reader.at + 1).join('');
  if (/^[@*#?\-$!0]$/.test(rest) && rest !== '0') {
    reader.at += 1;
    return rest;
  }
  const isNumber = /^\p{Nd}$/u.test(rest);
  const allowed = isNumber ? /^\p{Nd}$/u : /^[\p{L}\p{Nd}_]$/u;
  let name = '';
  while (!isAtEnd(reader) && allowed.test(peek(reader) ?? '')) name += next(reader);
  return name;
}
