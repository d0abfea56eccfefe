/** What a variable stands for; undefined when it has no value. */
export type LookUp = (name: string) => string | undefined;

interface Expansion {
  readonly word: string;
  readonly lookUp: LookUp;
  readonly escapeChar: string;
}

/** A part of the word, expanded, and where the rest begins. */
interface Part {
  readonly text: string;
  readonly end: number;
}

/**
 * Expands a word of a Dockerfile as BuildKit does: `$A`, `${A}`, the modifiers `:-` `-` `:+` `+` `:?` `?`, the
 * patterns `#` `##` `%` `%%` `/` `//`, quotes and the escape character. A variable without a value is empty.
 */
export function expandWord(word: string, lookUp: LookUp, escapeChar = '\\'): string {
  if (!/[$'"\\`]/.test(word)) return word;
  return expandUntil({word, lookUp, escapeChar}, 0, undefined).text;
}

function expandUntil(expansion: Expansion, start: number, closing: string | undefined): Part {
  const {word, escapeChar} = expansion;
  let text = '';
  let isQuoted = false;
  let at = start;
  while (at < word.length) {
    const char = word.charAt(at);
    if (char === closing && !isQuoted) break;
    if (char === escapeChar) {
      text += word.charAt(at + 1);
      at += 2;
    } else if (char === '"') {
      isQuoted = !isQuoted;
      at += 1;
    } else if (char === "'" && !isQuoted) {
      const end = word.indexOf("'", at + 1);
      text += word.slice(at + 1, end < 0 ? word.length : end);
      at = end < 0 ? word.length : end + 1;
    } else if (char === '$') {
      const part = expandVariable(expansion, at);
      text += part.text;
      at = part.end;
    } else {
      text += char;
      at += 1;
    }
  }
  return {text, end: at};
}

function expandVariable(expansion: Expansion, at: number): Part {
  const {word, lookUp} = expansion;
  const isBraced = word.charAt(at + 1) === '{';
  const begin = isBraced ? at + 2 : at + 1;
  const name = /^[A-Za-z_][A-Za-z0-9_]*/.exec(word.slice(begin))?.[0];
  if (name === undefined) return {text: '$', end: at + 1};
  const after = begin + name.length;
  if (!isBraced) return {text: lookUp(name) ?? '', end: after};
  const operator = /^(?::?[-+?]|##?|%%?|\/\/?)/.exec(word.slice(after))?.[0] ?? '';
  const operand = expandUntil(expansion, after + operator.length, '}');
  return {text: modify(lookUp(name), operator, operand.text), end: operand.end + 1};
}

function modify(value: string | undefined, operator: string, operand: string): string {
  const isSet = operator.startsWith(':')
    ? value !== undefined && value !== ''
    : value !== undefined;
  switch (operator.replace(':', '')) {
    case '-':
      return isSet ? (value ?? '') : operand;
    case '+':
      return isSet ? operand : '';
    case '#':
    case '##':
      return cutPrefix(value ?? '', operand, operator === '##');
    case '%':
    case '%%':
      return cutSuffix(value ?? '', operand, operator === '%%');
    case '/':
    case '//':
      return replacePattern(value ?? '', operand, operator === '//');
    default:
      return value ?? '';
  }
}

function patternSource(glob: string): string {
  return glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
}

function cutPrefix(value: string, glob: string, isLongest: boolean): string {
  const pattern = new RegExp(`^${patternSource(glob)}$`, 's');
  const ends = Array.from({length: value.length + 1}, (_, index) => index);
  const end = (isLongest ? ends.toReversed() : ends).find((at) => pattern.test(value.slice(0, at)));
  return value.slice(end ?? 0);
}

function cutSuffix(value: string, glob: string, isLongest: boolean): string {
  const pattern = new RegExp(`^${patternSource(glob)}$`, 's');
  const starts = Array.from({length: value.length + 1}, (_, index) => index);
  const start = (isLongest ? starts : starts.toReversed()).find((at) =>
    pattern.test(value.slice(at)),
  );
  return value.slice(0, start ?? value.length);
}

function replacePattern(value: string, operand: string, isAll: boolean): string {
  const slash = operand.indexOf('/');
  const glob = slash < 0 ? operand : operand.slice(0, slash);
  const replacement = slash < 0 ? '' : operand.slice(slash + 1);
  if (glob === '') return value;
  return value.replace(new RegExp(patternSource(glob), isAll ? 'gs' : 's'), () => replacement);
}
