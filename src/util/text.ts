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

/** A difference of sizes: `+1.2 MB`, `-300 kB`, `±0 B`. */
export function formatChange(bytes: number): string {
  if (bytes === 0) return '±0 B';
  return `${bytes > 0 ? '+' : '-'}${formatBytes(Math.abs(bytes))}`;
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

/** Without the line ends at its end. A loop: `/\n+$/` takes the square of the length of every run of line ends. */
export function withoutLastBreaks(text: string): string {
  let end = text.length;
  while (text[end - 1] === '\n') end--;
  return text.slice(0, end);
}

/**
 * Output of builds, tests and images is text from strangers, and so are names of files and branches. The runner takes
 * `::name::` at the start of a line (after white space) and `##[name]` anywhere in one as a command, and it ends lines
 * at CR as well as LF (actions/runner ActionCommand.cs, ProcessInvoker.cs).
 */

/** Longer lines take the runner seconds each (actions/runner#1031). */
const longestLine = {foreign: 4000, own: 12_000} as const;

/** The runner drops what is longer. */
const longestAnnotation = 4000;

/** Lines that may be printed as they are: each starts with `| ` and holds no live command. */
export function safeLines(text: string): readonly string[] {
  const lines = splitLines(text);
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => `| ${disarm(cut(line, longestLine.foreign))}`);
}

/** One line of our own that quotes text from outside: never two lines, never a command, never too long. */
export function safeLine(text: string): string {
  return atStart(disarm(cut(text.replace(/[\r\n]+/g, ' '), longestLine.own)));
}

/** The message of an annotation: it may have several lines, and is escaped as a whole when it is printed. */
export function safeMessage(text: string): string {
  return cut(splitLines(text).map(disarm).join('\n'), longestAnnotation);
}

function splitLines(text: string): string[] {
  return text.split(/\r\n|\r|\n/);
}

function disarm(line: string): string {
  return line.replaceAll('##[', '##\u200b[');
}

/** .NET trims more than JavaScript (U+0085), and skips what does not show when it compares. */
function atStart(line: string): string {
  return /^[\s\p{Cc}\p{Cf}]*:[\p{Cc}\p{Cf}]*:/u.test(line) ? `| ${line}` : line;
}

function cut(line: string, longest: number): string {
  // The notice is part of what may not be longer; cut twice, a line stays as it is.
  const rest = line.length - longest;
  if (rest <= 0) return line;
  const notice = ` … ${rest} more characters`;
  return `${line.slice(0, longest - notice.length)}${notice}`;
}

/** True when any of the messages holds the phrase, in any case. */
export function hasPhrase(messages: readonly string[], phrase: string): boolean {
  return messages.some((message) => message.toLowerCase().includes(phrase.toLowerCase()));
}

/** Where a page of docs/ is read: a user of the action has no copy of it. */
export function docsUrl(page: string): string {
  return `https://github.com/ucsd-ets/stack-action/blob/main/docs/${page}.md`;
}
