import type {Place} from '../../failure.ts';
import type {Mask} from '../../util/masking.ts';
import {plainText, safeLine} from '../../util/text.ts';
import type {JobLog, RunLog} from '../github/log.ts';

/** Where a person reads: a terminal, or a file or pipe that the output was sent to. */
export interface Terminal {
  write(text: string): void;
  /** Whether control characters for colour do anything but harm. */
  readonly hasColour: boolean;
  /** Characters of a line of a terminal that can be written over; undefined for a file or a pipe. */
  readonly columns: number | undefined;
}

/** A log with a last line that is written over again and again. */
export interface TerminalLog extends JobLog {
  /** Shows what is going on; undefined takes it away. Missing on what is no terminal. */
  readonly status: ((text: string | undefined) => void) | undefined;
}

/** This process's own standard output. NO_COLOR, and anything that is no terminal, get plain text. */
export function openTerminal(): Terminal {
  const {stdout, env} = process;
  const isWished = !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  return {
    write: (text) => void stdout.write(text),
    hasColour: stdout.isTTY === true && isWished,
    // Read each time: a window may become narrower.
    get columns() {
      return stdout.isTTY === true && env['TERM'] !== 'dumb' ? stdout.columns || 80 : undefined;
    },
  };
}

/**
 * The log of a run for a person.
 * Enters: the lines of a run.
 * Leaves: the same lines on the terminal and in logs/run.log, secrets replaced.
 * Not here: commands of the runner; nothing that is printed here does anything to a workflow.
 */
export function openTerminalLog(
  terminal: Terminal,
  file: RunLog | undefined,
  mask: Mask,
): TerminalLog {
  /** Text of strangers: nothing in it moves the cursor, or does anything to a workflow that shows it. */
  const harmless = (text: string): string => safeLine(plainText(text).replace(/^(\s*)::/, '$1: :'));
  const paint = (code: string, text: string): string =>
    terminal.hasColour ? `\u001b[${code}m${text}\u001b[0m` : text;
  let last = '';
  const clear = (): string => (last === '' ? '' : '\r\u001b[K');
  const say = (text: string, code?: string): void => {
    const masked = mask.text(text);
    file?.write(Buffer.from(`${masked}\n`));
    terminal.write(`${clear()}${code === undefined ? masked : paint(code, masked)}\n${last}`);
  };
  const finding = (word: string, code: string, message: string): void => {
    for (const [index, line] of message.split('\n').entries()) {
      say(`${index === 0 ? `${word}: ` : '  '}${harmless(line)}`, code);
    }
  };
  return {
    info: (line) => say(harmless(line)),
    group: (title, lines) => {
      say(harmless(title), '1');
      for (const line of lines) say(`  ${harmless(line)}`);
    },
    warning: (message, place) => finding('Warning', '33', placed(message, place)),
    error: (message, place) => finding('Error', '31', placed(message, place)),
    status:
      terminal.columns === undefined
        ? undefined
        : (text) => {
            const before = clear();
            const room = (terminal.columns ?? 80) - 1;
            last = text === undefined ? '' : harmless(mask.text(text)).slice(0, room);
            if (before !== '' || last !== '') terminal.write(`${before}${last}`);
          },
  };
}

function placed(message: string, place: Place | undefined): string {
  if (place === undefined) return message;
  const {file, line, column} = place;
  // A finding begins with its place itself.
  if (message.startsWith(`${file}:${line}:`)) return message;
  return `${file}:${line}:${column === undefined ? '' : `${column}:`} ${message}`;
}
