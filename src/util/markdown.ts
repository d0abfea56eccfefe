import {plainText, withoutLastBreaks} from './text.ts';

/** A line of a page with the line ending it has; the ending is empty on a last line without one. */
export interface PageLine {
  readonly text: string;
  readonly end: string;
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
