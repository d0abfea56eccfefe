const blank = /[\t\v\f\r ]+/;
const goSpace = /^(?!\uFEFF)[\s\u0085]$/;

/** What Go counts as white space. */
export function isSpace(char: string): boolean {
  return goSpace.test(char);
}

export function trimStart(text: string): string {
  let at = 0;
  while (at < text.length && isSpace(text.charAt(at))) at += 1;
  return text.slice(at);
}

export function trim(text: string): string {
  let end = text.length;
  while (end > 0 && isSpace(text.charAt(end - 1))) end -= 1;
  return trimStart(text.slice(0, end));
}

/** Splits at runs of blanks, at most into two parts where `isOnce`. */
export function splitBlanks(text: string, isOnce = false): readonly string[] {
  if (!isOnce) return text.split(blank);
  const found = blank.exec(text);
  if (found === null) return [text];
  return [text.slice(0, found.index), text.slice(found.index + found[0].length)];
}

export interface SplitLine {
  readonly keyword: string;
  readonly flags: readonly string[];
  readonly rest: string;
}

/** The keyword, the `--flags` right after it, and what is left. */
export function splitCommand(line: string, escapeChar: string): SplitLine {
  const [keyword = '', args] = splitBlanks(trim(line), true);
  if (args === undefined) return {keyword, flags: [], rest: ''};
  const {flags, rest} = takeFlags(args, escapeChar);
  return {keyword, flags, rest: trim(rest)};
}

/** BuildKit walks over the bytes here, not the characters, so this does as well. */
function takeFlags(
  args: string,
  escapeChar: string,
): {readonly flags: readonly string[]; readonly rest: string} {
  if (!args.startsWith('--') && !isSpace(args.charAt(0))) return {flags: [], rest: args};
  const line = Buffer.from(args, 'utf8').toString('latin1');
  const restFrom = (at: number): string => Buffer.from(line.slice(at), 'latin1').toString('utf8');
  const flags: string[] = [];
  let at = 0;
  while (at < line.length) {
    if (isSpace(line.charAt(at))) {
      at += 1;
      continue;
    }
    if (!line.startsWith('--', at)) return {flags, rest: restFrom(at)};
    const word = takeFlag(line, at, escapeChar);
    at = word.end;
    if (word.text === '--') return {flags, rest: restFrom(at)};
    if (word.text !== '' || word.isQuoted) flags.push(word.text);
  }
  return {flags, rest: ''};
}

function takeFlag(
  line: string,
  start: number,
  escapeChar: string,
): {readonly text: string; readonly isQuoted: boolean; readonly end: number} {
  let text = '';
  let quote = '';
  let isQuoted = false;
  let at = start;
  for (; at < line.length; at += 1) {
    const char = line.charAt(at);
    if (quote === '' && isSpace(char)) break;
    if (quote === '' && (char === "'" || char === '"')) {
      quote = char;
      isQuoted = true;
    } else if (char === quote) quote = '';
    else if (char === escapeChar) {
      at += 1;
      text += line.charAt(at);
    } else text += char;
  }
  return {text, isQuoted, end: Math.min(at, line.length)};
}

/** The words of ENV, LABEL and ARG; quotes and escapes stay in them. */
export function splitWords(rest: string, escapeChar: string): readonly string[] {
  const words: string[] = [];
  const chars = Array.from(rest);
  let word = '';
  let quote = '';
  let isStarted = false;
  let isQuoted = false;
  const end = (): void => {
    if (isStarted && (word !== '' || isQuoted)) words.push(word);
    word = '';
    isStarted = false;
    isQuoted = false;
  };
  for (let at = 0; at < chars.length; at += 1) {
    const char = chars[at] ?? '';
    if (quote === '' && isSpace(char)) {
      end();
      continue;
    }
    isStarted = true;
    if (quote === '' && (char === "'" || char === '"')) {
      quote = char;
      isQuoted = true;
    } else if (char === quote) quote = '';
    else if (char === escapeChar && quote !== "'") {
      // At the very end it is dropped.
      if (at + 1 === chars.length) continue;
      at += 1;
      word += char + (chars[at] ?? '');
      continue;
    }
    word += char;
  }
  end();
  return words;
}

/** The JSON form of an instruction: its strings, `not-json`, or an array of something else. */
export function readJsonWords(rest: string): readonly string[] | 'not-json' | 'not-strings' {
  const text = trimStart(rest);
  if (!text.startsWith('[')) return 'not-json';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'not-json';
  }
  if (!Array.isArray(value)) return 'not-json';
  const words = value.filter((word): word is string => typeof word === 'string');
  return words.length === value.length ? words : 'not-strings';
}
