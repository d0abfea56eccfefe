/** `850 ms`, `12.3 s`, `4 min 05 s`, `1 h 02 min` */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

const byteUnits = ['kB', 'MB', 'GB', 'TB'] as const;

/** Decimal units, as docker prints sizes: `0 B`, `978 B`, `1.2 kB`, `355 MB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} B`;
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < byteUnits.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ${byteUnits[unit]}`;
}

/** Escape sequences of terminals: CSI, OSC, and the short ones. */
const ansi =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
  /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[ -/]*[0-~])/g;

/** What would move, colour, hide or reorder text; tab and line feed stay. */
const controls =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Text as a person would read it: no colours, no control or bidi characters, one kind of line end. */
export function plainText(text: string): string {
  return text.replace(ansi, '').replace(/\r\n?/g, '\n').replace(controls, '');
}

/** Text that Markdown and HTML leave alone, for use outside of code. */
export function escapeMarkdown(text: string): string {
  return escapeHtml(plainText(text)).replace(/[\\`*_{}[\]#|~]/g, '\\$&');
}

/** A cell of a table: one line, no column break, nothing that is HTML. */
export function escapeCell(text: string): string {
  return escapeHtml(plainText(text))
    .replace(/[\\|`]/g, '\\$&')
    .replace(/\s*\n\s*/g, '<br>');
}

/** Code in a cell. `<code>` rather than backticks, because no backtick can close it. */
export function codeCell(text: string): string {
  const escaped = escapeHtml(plainText(text))
    .replace(/[\\|`*_[\]~]/g, (char) => `&#${char.charCodeAt(0)};`)
    .replace(/\s*\n\s*/g, ' ');
  return `<code>${escaped}</code>`;
}

export function escapeHtml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

/** A code block whose fence is longer than any run of backticks in it. */
export function codeBlock(text: string): string {
  const plain = plainText(text).replace(/\n+$/, '');
  const longest = Math.max(0, ...(plain.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(Math.max(3, longest + 1));
  return `${fence}text\n${plain}\n${fence}`;
}

/** What a regular expression takes for exactly this text, with or without its flag `u`. */
export function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
