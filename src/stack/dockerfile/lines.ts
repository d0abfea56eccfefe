import {expandWord} from './expand.ts';
import {readJsonWords, splitCommand, trimStart} from './words.ts';

/** What Docker refuses, as a sentence that follows the place. */
export interface DockerfileProblem {
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

/** One instruction, its continued lines joined, and the heredocs that follow it. */
export interface LogicalLine {
  readonly keyword: string;
  readonly flags: readonly string[];
  readonly rest: string;
  /** The instruction as one line. */
  readonly text: string;
  readonly heredocs: readonly Heredoc[];
  /** Where it begins, from 1. */
  readonly line: number;
}

export interface Heredoc {
  readonly name: string;
  readonly content: string;
  /** Variables in it are expanded: no part of its name is quoted. */
  readonly isExpanded: boolean;
  /** `<<-`: tabs at the beginning of its lines do not count. */
  readonly cutsTabs: boolean;
}

export interface LogicalLines {
  readonly escapeChar: string;
  readonly lines: readonly LogicalLine[];
  readonly problems: readonly DockerfileProblem[];
}

/** BuildKit reads no longer lines, line break included. */
const maxLineBytes = 64 * 1024;

/** Splits a Dockerfile into instructions as BuildKit's `parser.go` does; what it refuses ends the reading. */
export function readLines(text: string): LogicalLines {
  const physical = splitPhysical(text);
  const lines: LogicalLine[] = [];
  const directives = {seen: new Set<string>(), isDone: false};
  let escapeChar = '\\';
  const refuse = (line: number, message: string): LogicalLines => ({
    escapeChar,
    lines,
    problems: [{line, message}],
  });
  const long = physical.findIndex((line) => line.length > 16_000 && isTooLong(line));
  if (long >= 0) return refuse(long + 1, 'the line is longer than the 65,535 bytes Docker reads.');
  let at = 0;
  /** The line without its break and, where it is a comment, without anything; a directive takes effect. */
  const process = (line: string): string | {readonly message: string} => {
    const found = readDirective(directives, line);
    if (found?.problem !== undefined) return {message: found.problem};
    if (found?.name === 'escape') escapeChar = found.value;
    return isComment(line) ? '' : line;
  };
  while (at < physical.length) {
    const first = process(trimStart(trimBreak(physical[at] ?? '')));
    if (typeof first !== 'string') return refuse(at + 1, first.message);
    at += 1;
    const start = at;
    let {text: joined, isContinued} = cutContinuation(first, escapeChar);
    if (!isContinued && joined === '') continue;
    while (isContinued && at < physical.length) {
      const raw = physical[at] ?? '';
      const line = process(trimBreak(raw));
      if (typeof line !== 'string') return refuse(at + 1, line.message);
      at += 1;
      if (isComment(raw) || trimStart(line) === '') continue;
      const part = cutContinuation(line, escapeChar);
      joined += part.text;
      isContinued = part.isContinued;
    }
    const {heredocs, end, problem} = takeHeredocs(joined, escapeChar, physical, at);
    if (problem !== undefined) return refuse(start, problem);
    at = end;
    lines.push({...splitCommand(joined, escapeChar), text: joined, heredocs, line: start});
  }
  return {escapeChar, lines, problems: []};
}

/** Physical lines with their line breaks; a byte order mark at the very beginning is dropped. */
function splitPhysical(text: string): readonly string[] {
  const lines = text.replace(/^\uFEFF/, '').split(/(?<=\n)/);
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

function isTooLong(line: string): boolean {
  const bytes = Buffer.byteLength(line);
  return bytes > maxLineBytes || (bytes === maxLineBytes && !line.endsWith('\n'));
}

function trimBreak(line: string): string {
  return line.replace(/[\r\n]+$/, '');
}

function isComment(line: string): boolean {
  return trimStart(line).startsWith('#');
}

/** Two escape characters in a row at the end continue nothing. */
function cutContinuation(
  line: string,
  escapeChar: string,
): {readonly text: string; readonly isContinued: boolean} {
  const end = line.replace(/[ \t]+$/, '');
  const isContinued = end.endsWith(escapeChar) && end.at(-2) !== escapeChar;
  return isContinued ? {text: end.slice(0, -1), isContinued} : {text: line, isContinued};
}

interface TakenHeredocs {
  readonly heredocs: readonly Heredoc[];
  /** The first physical line after them. */
  readonly end: number;
  readonly problem?: string;
}

function takeHeredocs(
  line: string,
  escapeChar: string,
  physical: readonly string[],
  start: number,
): TakenHeredocs {
  if (!line.includes('<<') || !mayHaveHeredocs(line, escapeChar)) return {heredocs: [], end: start};
  const heredocs: Heredoc[] = [];
  let at = start;
  for (const begin of heredocsOf(line)) {
    const content: string[] = [];
    const isEnd = (text: string): boolean =>
      (begin.cutsTabs ? trimBreak(text).replace(/^\t+/, '') : trimBreak(text)) === begin.name;
    while (at < physical.length && !isEnd(physical[at] ?? '')) {
      content.push(physical[at] ?? '');
      at += 1;
    }
    if (at >= physical.length) {
      const problem = `the heredoc is not closed. End it with a line that contains only ${begin.name}.`;
      return {heredocs, end: at, problem};
    }
    at += 1;
    heredocs.push({...begin, content: content.join('')});
  }
  return {heredocs, end: at};
}

function mayHaveHeredocs(line: string, escapeChar: string): boolean {
  const {keyword, rest} = splitCommand(line, escapeChar);
  const name = keyword.toLowerCase();
  if (name === 'onbuild') return rest !== '' && isHeredocCommand(splitCommand(rest, escapeChar));
  return isHeredocCommand({keyword, rest});
}

function isHeredocCommand(command: {readonly keyword: string; readonly rest: string}): boolean {
  const canHave = ['add', 'copy', 'run'].includes(command.keyword.toLowerCase());
  return canHave && !Array.isArray(readJsonWords(command.rest));
}

/** All that a line begins; quoted ones do not count. The escape character is always a backslash here. */
function heredocsOf(line: string): readonly Omit<Heredoc, 'content'>[] {
  const options = {keepsQuotes: true, keepsEscapes: true, keepsUnset: true};
  const found = expandWord(line, () => undefined, options);
  if (!found.ok) return [];
  return found.words.flatMap((word) => readHeredoc(word) ?? []);
}

/** A word such as `<<EOF`, `3<<-"EOF"` or `<< EOF`; undefined when it is something else. */
export function readHeredoc(word: string): Omit<Heredoc, 'content'> | undefined {
  const match = /^\d*<<(-?)[\t\n\f\r ]*([^<]*)$/.exec(word);
  const rest = match?.[2] ?? '';
  if (match === null || rest === '') return undefined;
  const plain = expandWord(rest, () => undefined, {keepsUnset: true});
  const quoted = expandWord(rest, () => undefined, {keepsUnset: true, keepsQuotes: true});
  if (!plain.ok || !quoted.ok || plain.words.length !== 1) return undefined;
  const name = plain.words[0] ?? '';
  const isExpanded = countQuotes(name) === countQuotes(quoted.words[0] ?? '');
  return {name, isExpanded, cutsTabs: match[1] === '-'};
}

function countQuotes(text: string): number {
  return text.replace(/[^'"]/g, '').length;
}

/** Parser directives come first; anything else, an empty line too, ends them. */
interface DirectiveState {
  readonly seen: Set<string>;
  isDone: boolean;
}

interface Directive {
  readonly name: string;
  readonly value: string;
  readonly problem?: string;
}

/** Reads `# escape=…` and its like; undefined when the line is not one, or comes too late to be one. */
function readDirective(state: DirectiveState, line: string, comment = '#'): Directive | undefined {
  if (state.isDone) return undefined;
  const text = line.startsWith(comment) ? trimStart(line.slice(comment.length)) : '';
  const match = /^([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=[\t\n\f\r ]*(.+?)[\t\n\f\r ]*$/.exec(text);
  const name = match?.[1]?.toLowerCase() ?? '';
  const value = match?.[2] ?? '';
  if (!['syntax', 'escape', 'check'].includes(name)) {
    state.isDone = true;
    return undefined;
  }
  if (state.seen.has(name)) {
    return {name, value, problem: `"# ${name}=" is given twice. Keep one.`};
  }
  state.seen.add(name);
  if (name === 'escape' && value !== '\\' && value !== '`') {
    return {name, value, problem: `"# escape=${value}": only \\ and \` can escape.`};
  }
  if (name === 'check') {
    const wrong = value.split(/;/, 3).find((option) => !isCheckOption(option));
    if (wrong !== undefined) {
      return {
        name,
        value,
        problem: `"# check=": "${wrong}" is not one of skip=, error=, experimental=.`,
      };
    }
  }
  return {name, value};
}

function isCheckOption(option: string): boolean {
  const match = /^[^\S\n]*(skip|experimental|error)[^\S\n]*=(.*)$/.exec(option);
  if (match === null) return false;
  return (
    match[1] !== 'error' ||
    /^(?:1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$/.test((match[2] ?? '').trim())
  );
}

/** The frontend that `# syntax=` asks for, in any of the forms BuildKit takes; undefined for its own. */
export function readSyntax(text: string): string | undefined {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  if (lines[0]?.startsWith('#!')) lines.shift();
  for (const comment of ['#', '//']) {
    const state: DirectiveState = {seen: new Set(), isDone: false};
    for (const line of lines) {
      const found = readDirective(state, line, comment);
      if (found === undefined) break;
      if (found.name === 'syntax') return found.value.split(' ')[0];
      if (found.problem !== undefined && state.seen.has(found.name)) break;
    }
  }
  return readJsonSyntax(lines.join('\n'));
}

function readJsonSyntax(text: string): string | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('syntax' in value)) return undefined;
    return typeof value.syntax === 'string' ? value.syntax : undefined;
  } catch {
    return undefined;
  }
}

/** Docker's own frontend, at any version: it reads what BuildKit reads. */
export function isOwnSyntax(syntax: string): boolean {
  return /^(?:(?:docker\.io|index\.docker\.io)\/)?docker\/dockerfile(?:-upstream)?(?::[\w.-]+)?(?:@.*)?$/.test(
    syntax,
  );
}
