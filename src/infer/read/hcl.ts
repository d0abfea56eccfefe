import {deepest, endOfExpression, readTokens, type Token} from './tokens.ts';

/** An expression of HCL; `unknown` is everything that is not read here. */
export type Expression =
  | {readonly kind: 'text'; readonly text: string}
  | {readonly kind: 'join'; readonly parts: readonly Expression[]}
  | {readonly kind: 'literal'; readonly value: boolean | number | undefined}
  | {readonly kind: 'name'; readonly name: string}
  | {readonly kind: 'field'; readonly of: Expression; readonly key: Expression}
  | {readonly kind: 'list'; readonly items: readonly Expression[]}
  | {readonly kind: 'map'; readonly entries: readonly (readonly [Expression, Expression])[]}
  | {readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[]}
  | {
      readonly kind: 'compare';
      readonly sign: string;
      readonly sides: readonly [Expression, Expression];
    }
  | {readonly kind: 'not'; readonly of: Expression}
  | {readonly kind: 'choose'; readonly parts: readonly [Expression, Expression, Expression]}
  | {readonly kind: 'unknown'};

export interface Block {
  readonly kind: string;
  readonly label: string;
  readonly line: number;
  readonly fields: ReadonlyMap<string, Expression>;
}

const unknown: Expression = {kind: 'unknown'};

/** A place in the tokens that moves on. */
interface Cursor {
  readonly tokens: readonly Token[];
  at: number;
  /** How far what is being read is nested. */
  depth: number;
}

/** One level further in; at the deepest one the rest is passed over. */
function nested<T>(cursor: Cursor, otherwise: T, read: () => T): T {
  if (cursor.depth >= deepest) {
    cursor.at = cursor.tokens.length;
    return otherwise;
  }
  cursor.depth += 1;
  const found = read();
  cursor.depth -= 1;
  return found;
}

/** The top blocks of a bake file: `target "x" {…}`, `variable`, `group`, `function`. */
export function readBlocks(text: string): readonly Block[] {
  const cursor: Cursor = {tokens: readTokens(text), at: 0, depth: 0};
  const blocks: Block[] = [];
  while (cursor.at < cursor.tokens.length) {
    const first = take(cursor);
    if (first?.kind !== 'name') continue;
    const label = peek(cursor)?.kind === 'template' ? (take(cursor)?.text ?? '') : '';
    if (peek(cursor)?.text !== '{') {
      skipLine(cursor);
      continue;
    }
    take(cursor);
    blocks.push({kind: first.text, label, line: first.line, fields: readFields(cursor)});
  }
  return blocks;
}

function readFields(cursor: Cursor): ReadonlyMap<string, Expression> {
  const fields = new Map<string, Expression>();
  for (;;) {
    skipLines(cursor);
    const token = take(cursor);
    if (token === undefined || token.text === '}') return fields;
    if (peek(cursor)?.text === '=') {
      take(cursor);
      fields.set(token.text, readExpression(cursor, true));
      skipToEnd(cursor);
    } else if (peek(cursor)?.text === '{') {
      // A block inside a block, such as `validation`, says nothing about images.
      take(cursor);
      nested(cursor, undefined, () => readFields(cursor));
    } else if (peek(cursor)?.kind === 'template') take(cursor);
  }
}

/** What could not be read of an expression ends with its line, or where its brackets do. */
function skipToEnd(cursor: Cursor): void {
  let depth = 0;
  for (;;) {
    const token = peek(cursor);
    if (token === undefined) return;
    if (depth === 0 && (token.kind === 'line' || token.text === '}')) return;
    if (/^[[({]$/.test(token.text) && token.kind === 'mark') depth += 1;
    if (/^[\])}]$/.test(token.text) && token.kind === 'mark') depth -= 1;
    cursor.at += 1;
  }
}

function readExpression(cursor: Cursor, endsWithLine: boolean): Expression {
  return nested(cursor, unknown, () => readChoice(cursor, endsWithLine));
}

function readChoice(cursor: Cursor, endsWithLine: boolean): Expression {
  if (!endsWithLine) skipLines(cursor);
  const condition = readOr(cursor, endsWithLine);
  if (!isMark(cursor, '?')) return condition;
  take(cursor);
  const yes = readExpression(cursor, false);
  skipLines(cursor);
  if (!isMark(cursor, ':')) return unknown;
  take(cursor);
  return {kind: 'choose', parts: [condition, yes, readExpression(cursor, endsWithLine)]};
}

const levels: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['==', '!='],
  ['<', '>', '<=', '>='],
  ['+', '-'],
  ['*', '/', '%'],
];

function readOr(cursor: Cursor, endsWithLine: boolean, level = 0): Expression {
  const signs = levels[level];
  if (signs === undefined) return readUnary(cursor, endsWithLine);
  let left = readOr(cursor, endsWithLine, level + 1);
  for (;;) {
    if (!endsWithLine) skipLines(cursor);
    const sign = peek(cursor);
    if (sign?.kind !== 'mark' || !signs.includes(sign.text)) return left;
    take(cursor);
    const right = readOr(cursor, endsWithLine, level + 1);
    left = {kind: 'compare', sign: sign.text, sides: [left, right]};
  }
}

function readUnary(cursor: Cursor, endsWithLine: boolean): Expression {
  if (isMark(cursor, '!')) {
    take(cursor);
    return {kind: 'not', of: nested(cursor, unknown, () => readUnary(cursor, endsWithLine))};
  }
  let value = readPrimary(cursor);
  for (;;) {
    if (isMark(cursor, '.')) {
      take(cursor);
      value = {kind: 'field', of: value, key: {kind: 'text', text: take(cursor)?.text ?? ''}};
    } else if (isMark(cursor, '[')) {
      take(cursor);
      value = {kind: 'field', of: value, key: readExpression(cursor, false)};
      close(cursor, ']');
    } else return value;
  }
}

function readPrimary(cursor: Cursor): Expression {
  const token = take(cursor);
  if (token === undefined) return unknown;
  if (token.kind === 'template') return readTemplate(token.text, cursor.depth);
  if (token.kind === 'number') return {kind: 'literal', value: Number(token.text)};
  if (token.kind === 'name') {
    if (token.text === 'true' || token.text === 'false')
      return {kind: 'literal', value: token.text === 'true'};
    if (token.text === 'null') return {kind: 'literal', value: undefined};
    if (!isMark(cursor, '(')) return {kind: 'name', name: token.text};
    take(cursor);
    return {kind: 'call', name: token.text, args: readItems(cursor, ')')};
  }
  if (token.text === '(') {
    const inside = readExpression(cursor, false);
    close(cursor, ')');
    return inside;
  }
  if (token.text === '[') return readList(cursor);
  if (token.text === '{') return readMap(cursor);
  // Not ours to eat: the end of what is around.
  cursor.at -= 1;
  return unknown;
}

function readList(cursor: Cursor): Expression {
  skipLines(cursor);
  if (peek(cursor)?.text === 'for') {
    skipUntil(cursor, ']');
    return unknown;
  }
  return {kind: 'list', items: readItems(cursor, ']')};
}

function readItems(cursor: Cursor, end: string): readonly Expression[] {
  const items: Expression[] = [];
  for (;;) {
    skipLines(cursor);
    if (peek(cursor) === undefined || isMark(cursor, end)) {
      take(cursor);
      return items;
    }
    const before = cursor.at;
    items.push(readExpression(cursor, false));
    skipLines(cursor);
    if (isMark(cursor, ',')) take(cursor);
    else if (!isMark(cursor, end) && cursor.at === before) cursor.at += 1;
  }
}

function readMap(cursor: Cursor): Expression {
  const entries: (readonly [Expression, Expression])[] = [];
  skipLines(cursor);
  if (peek(cursor)?.text === 'for') {
    skipUntil(cursor, '}');
    return unknown;
  }
  for (;;) {
    while (peek(cursor)?.kind === 'line' || isMark(cursor, ',')) take(cursor);
    const token = peek(cursor);
    if (token === undefined || isMark(cursor, '}')) {
      take(cursor);
      return {kind: 'map', entries};
    }
    take(cursor);
    const key =
      token.kind === 'template' ? readTemplate(token.text, cursor.depth) : textOf(token.text);
    if (isMark(cursor, '=') || isMark(cursor, ':')) {
      take(cursor);
      entries.push([key, readExpression(cursor, true)]);
    }
  }
}

/** `a${b}c`; `$${` is a dollar and a brace. */
function readTemplate(text: string, depth: number): Expression {
  const parts: Expression[] = [];
  let literal = '';
  for (let at = 0; at < text.length; ) {
    if (text.startsWith('$${', at)) {
      literal += '${';
      at += 3;
    } else if (text.startsWith('${', at)) {
      const end = endOfExpression(text, at + 2);
      parts.push(textOf(literal), readInner(text.slice(at + 2, end), depth));
      literal = '';
      at = end + 1;
    } else if (text.startsWith('%{', at)) return unknown;
    else {
      literal += text.charAt(at);
      at += 1;
    }
  }
  return parts.length === 0 ? textOf(literal) : {kind: 'join', parts: [...parts, textOf(literal)]};
}

function readInner(text: string, depth: number): Expression {
  const cursor: Cursor = {tokens: readTokens(text), at: 0, depth};
  const inner = readExpression(cursor, false);
  skipLines(cursor);
  return cursor.at < cursor.tokens.length ? unknown : inner;
}

const textOf = (text: string): Expression => ({kind: 'text', text});
const peek = (cursor: Cursor): Token | undefined => cursor.tokens[cursor.at];
const isMark = (cursor: Cursor, text: string): boolean =>
  peek(cursor)?.kind === 'mark' && peek(cursor)?.text === text;

function take(cursor: Cursor): Token | undefined {
  const token = cursor.tokens[cursor.at];
  cursor.at += 1;
  return token;
}

function skipLines(cursor: Cursor): void {
  while (peek(cursor)?.kind === 'line') cursor.at += 1;
}

function skipLine(cursor: Cursor): void {
  while (peek(cursor) !== undefined && peek(cursor)?.kind !== 'line') cursor.at += 1;
}

function close(cursor: Cursor, mark: string): void {
  skipLines(cursor);
  if (isMark(cursor, mark)) take(cursor);
}

function skipUntil(cursor: Cursor, end: string): void {
  let depth = 0;
  for (;;) {
    const token = take(cursor);
    if (token === undefined) return;
    if (token.kind !== 'mark') continue;
    if (depth === 0 && token.text === end) return;
    if (/^[[({]$/.test(token.text)) depth += 1;
    if (/^[\])}]$/.test(token.text)) depth -= 1;
  }
}
