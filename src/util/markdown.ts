import {plainText, withoutLastBreaks} from './text.ts';

/** A line of a page with the line ending it has; the ending is empty on a last line without one. */
export interface PageLine {
  readonly text: string;
  readonly end: string;
}

/** Where a table stands among the lines of a page: header, delimiter, then rows up to `end` (exclusive). */
export interface TablePlace {
  readonly header: number;
  readonly firstRow: number;
  readonly end: number;
}

/** Takes a page apart so that joining text and ending of every line gives the same page back. */
export function splitLines(page: string): readonly PageLine[] {
  return Array.from(page.matchAll(/([^\r\n]*)(\r\n|\n|\r|$)/g), ([, text = '', end = '']) => ({
    text,
    end,
  })).filter((line) => line.text !== '' || line.end !== '');
}

export function joinLines(lines: readonly PageLine[]): string {
  return lines.map((line) => line.text + line.end).join('');
}

/** The cells of a table row, trimmed; a pipe behind a backslash does not end a cell (GFM 4.10). */
export function cellsOf(row: string): readonly string[] {
  const bare = row
    .trim()
    .replace(/^\|/, '')
    .replace(/(?<!\\)\|$/, '');
  return bare.split(/(?<!\\)\|/).map((cell) => cell.trim());
}

/** What a page shows: which lines are live Markdown, and whether its end is inside a block that nobody closed. */
export interface LiveLines {
  readonly live: readonly boolean[];
  readonly openAtEnd: boolean;
}

/** Code fences, indented code, comments and raw HTML are text, whatever they hold (CommonMark 4.4 to 4.6). */
export function findLiveLines(lines: readonly PageLine[]): LiveLines {
  let closes: ((text: string) => boolean) | undefined;
  const live = lines.map(({text}) => {
    if (closes !== undefined) {
      if (closes(text)) closes = undefined;
      return false;
    }
    const opened = openedBlock(text);
    if (opened === undefined) return !/^(?: {4}| {0,3}\t)/.test(text);
    if (!opened.closedBySameLine) closes = opened.closes;
    return false;
  });
  return {live, openAtEnd: closes !== undefined};
}

interface OpenedBlock {
  readonly closes: (text: string) => boolean;
  readonly closedBySameLine: boolean;
}

function openedBlock(text: string): OpenedBlock | undefined {
  const fence = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})/.exec(text)?.[1];
  if (fence !== undefined) {
    const closing = new RegExp(`^ {0,3}${fence[0]}{${fence.length},}[ \\t]*$`);
    return {closes: (line) => closing.test(line), closedBySameLine: false};
  }
  if (/^ {0,3}<!--/.test(text)) return rawBlock(text, /-->/);
  if (/^ {0,3}<(?:pre|script|style|textarea)(?:[\s>]|$)/i.test(text)) {
    return rawBlock(text, /<\/(?:pre|script|style|textarea)>/i);
  }
  return undefined;
}

function rawBlock(text: string, closing: RegExp): OpenedBlock {
  return {closes: (line) => closing.test(line), closedBySameLine: closing.test(text)};
}

/** The first live table with these column names, spacing and case aside; undefined when the page has none. */
export function findTable(
  lines: readonly PageLine[],
  {live}: LiveLines,
  columns: readonly string[],
): TablePlace | undefined {
  const header = lines.findIndex(
    ({text}, index) =>
      live[index] === true &&
      live[index + 1] === true &&
      sameColumns(cellsOf(text.replace(/^(?:\ufeff|\u00ef\u00bb\u00bf)/, '')), columns) &&
      isDelimiter(lines[index + 1]?.text ?? '', columns.length),
  );
  if (header < 0) return undefined;
  const firstRow = header + 2;
  const rows = lines
    .slice(firstRow)
    .findIndex(({text}, index) => live[firstRow + index] !== true || !/(?<!\\)\|/.test(text));
  return {header, firstRow, end: rows < 0 ? lines.length : firstRow + rows};
}

function sameColumns(cells: readonly string[], columns: readonly string[]): boolean {
  return (
    cells.length === columns.length &&
    cells.every((cell, index) => cell.toLowerCase() === columns[index]?.toLowerCase())
  );
}

function isDelimiter(text: string, columns: number): boolean {
  const cells = cellsOf(text);
  return cells.length === columns && cells.every((cell) => /^:?-+:?$/.test(cell));
}

/** Text that Markdown and HTML leave alone, for use outside of code. */
export function escapeMarkdown(text: string): string {
  return escapeHtml(plainText(text)).replace(/[\\`*_{}[\]#|~]/g, '\\$&');
}

/** A cell of a table: one line, no column break, nothing that is HTML. */
export function escapeCell(text: string): string {
  return escapeHtml(plainText(text))
    .replace(/[\\|`]/g, '\\$&')
    .replace(/\s+/g, (blanks) => (blanks.includes('\n') ? '<br>' : blanks));
}

/** Code in a cell. `<code>` rather than backticks, because no backtick can close it. */
export function codeCell(text: string): string {
  return `<code>${codeText(text)}</code>`;
}

/** What stands in `<code>`: one line, and no character that Markdown would take for its own. */
export function codeText(text: string): string {
  return escapeHtml(plainText(text))
    .replace(/[\\|`*_[\]~]/g, (char) => `&#${char.charCodeAt(0)};`)
    .replace(/\s+/g, (blanks) => (blanks.includes('\n') ? ' ' : blanks));
}

export function escapeHtml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

/** A code block whose fence is longer than any run of backticks in it. */
export function codeBlock(text: string): string {
  const plain = withoutLastBreaks(plainText(text));
  // Runs may be many: as arguments of Math.max they would overflow the stack.
  const longest = (plain.match(/`+/g) ?? []).reduce((most, run) => Math.max(most, run.length), 0);
  const fence = '`'.repeat(Math.max(3, longest + 1));
  return `${fence}text\n${plain}\n${fence}`;
}
