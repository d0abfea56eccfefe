/** A piece of HCL. A template is a quoted text or a heredoc, with the expressions in it still as text. */
export interface Token {
  readonly kind: 'name' | 'number' | 'template' | 'mark' | 'line';
  readonly text: string;
  /** Counted from 1. */
  readonly line: number;
}

const marks = ['...', '==', '!=', '<=', '>=', '&&', '||', '=>'];

/** Splits HCL into tokens; what is none is left out, as the reader then finds nothing it knows. */
export function readTokens(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let line = 1;
  const push = (kind: Token['kind'], value: string, length: number): void => {
    tokens.push({kind, text: value, line});
    for (const char of text.slice(at, at + length)) if (char === '\n') line += 1;
    at += length;
  };
  while (at < text.length) {
    const rest = text.slice(at, at + 4096);
    const char = rest.charAt(0);
    const blank = /^(?:[ \t\r]+|#[^\n]*|\/\/[^\n]*)/.exec(rest)?.[0];
    if (blank !== undefined) {
      at += blank.length;
    } else if (rest.startsWith('/*')) {
      const end = text.indexOf('*/', at + 2);
      const length = (end < 0 ? text.length : end + 2) - at;
      line += text.slice(at, at + length).split('\n').length - 1;
      at += length;
    } else if (char === '\n') push('line', '\n', 1);
    else if (char === '"') {
      const end = endOfTemplate(text, at);
      push('template', unescaped(text.slice(at + 1, end)), end + 1 - at);
    } else if (rest.startsWith('<<')) {
      const heredoc = readHeredoc(text, at);
      push('template', heredoc.value, heredoc.length);
    } else {
      const name = /^[A-Za-z_][\w-]*/.exec(rest)?.[0];
      const number = /^\d+(?:\.\d+)?/.exec(rest)?.[0];
      const mark = marks.find((one) => rest.startsWith(one)) ?? char;
      if (name !== undefined) push('name', name, name.length);
      else if (number !== undefined) push('number', number, number.length);
      else push('mark', mark, mark.length);
    }
  }
  return tokens;
}

/** Nobody nests texts and expressions so far; what does is read no further. */
export const deepest = 200;

/** Where the closing quote is; quotes inside `${…}` belong to the expression there. */
export function endOfTemplate(text: string, start: number, depth = 0): number {
  let at = start + 1;
  while (at < text.length) {
    const char = text.charAt(at);
    if (char === '\\') at += 2;
    else if (char === '"' || char === '\n') return at;
    else if (char === '$' && text.charAt(at + 1) === '{' && text.charAt(at - 1) !== '$') {
      at = endOfExpression(text, at + 2, depth + 1) + 1;
    } else at += 1;
  }
  return text.length;
}

/** Where the `}` of `${` is. */
export function endOfExpression(text: string, start: number, level = 0): number {
  if (level > deepest) return text.length;
  let depth = 0;
  let at = start;
  while (at < text.length) {
    const char = text.charAt(at);
    if (char === '"') at = endOfTemplate(text, at, level);
    else if (char === '{') depth += 1;
    else if (char === '}') {
      if (depth === 0) return at;
      depth -= 1;
    }
    at += 1;
  }
  return text.length;
}

function unescaped(text: string): string {
  const known: Readonly<Record<string, string>> = {n: '\n', t: '\t', r: '\r'};
  return text.replace(/\\(.)/g, (_, char: string) => known[char] ?? char);
}

function readHeredoc(text: string, at: number): {readonly value: string; readonly length: number} {
  const head = /^<<-?([A-Za-z_]\w*)[ \t]*\r?\n/.exec(text.slice(at, at + 200));
  if (head === null) return {value: '', length: 2};
  const body = at + head[0].length;
  const end = new RegExp(`^[ \\t]*${head[1]}[ \\t]*\\r?$`, 'm').exec(text.slice(body));
  if (end === null) return {value: text.slice(body), length: text.length - at};
  return {
    value: text.slice(body, body + end.index),
    length: head[0].length + end.index + end[0].length,
  };
}
