import {findNearest} from '../util/nearest.ts';
import {helpText} from './help.ts';
import {type Flag, flags, version} from './table.ts';

export {localEvent} from './event.ts';

/**
 * The command line: `stack-action <mode> [--input value]`.
 * Enters: the words after the program's name.
 * Leaves: the inputs of a run by the names of action.yml, or a text to print and an exit code.
 * Not here: checking what an input may be (run/), printing, ending the process (index.ts).
 */
export type CommandLine = TextCommand | RunCommandLine;

/** `--help`, `--version`, or what is wrong with the words. */
export interface TextCommand {
  readonly kind: 'text';
  readonly text: string;
  readonly exitCode: number;
}

export interface RunCommandLine {
  readonly kind: 'run';
  /** The value of an input of action.yml; empty text where neither a flag nor a default gives one. */
  readonly input: (name: string) => string;
}

/** A command that cannot be understood, as opposed to a run that failed. */
export const wrongUsage = 2;

/** The runner starts the bundle itself and without words; the command of package.json has another file name. */
export function isCommandLine(argv: readonly string[]): boolean {
  return argv.length > 2 || !/(?:^|[/\\])(?:index|post)\.[jt]s$/.test(argv[1] ?? '');
}

const modes = ['build', 'plan', 'tag', 'report', 'init', 'doctor'] as const;

/** Reads the words after the program's name. The last sentence of every complaint says what to type instead. */
export function readCommandLine(words: readonly string[]): CommandLine {
  if (words.some((word) => word === '--help' || word === '-h' || word === 'help')) {
    return {kind: 'text', text: helpText(version, flags), exitCode: 0};
  }
  if (words.includes('--version')) return {kind: 'text', text: version, exitCode: 0};
  const values = new Map<string, string>();
  for (let at = 0; at < words.length; ) {
    const read = readWord(words, at, values);
    if (typeof read === 'string') return wrong(read);
    at = read;
  }
  const mode = values.get('mode');
  if (mode === undefined) return wrong(`No mode was given. Choose one: ${modes.join(', ')}.`);
  return {kind: 'run', input: inputsOf(mode, values)};
}

/** Reads one flag or the mode, and gives where the next one begins, or what is wrong. */
function readWord(
  words: readonly string[],
  at: number,
  values: Map<string, string>,
): number | string {
  const word = words[at] ?? '';
  if (!word.startsWith('-')) return readMode(word, at, values);
  const [, name = '', attached] = /^--([^=]*)(?:=([\s\S]*))?$/.exec(word) ?? [];
  const negated = /^no-(.+)$/.exec(name)?.[1];
  const positive = flags.find((flag) => flag.name === negated && flag.isSwitch);
  if (positive !== undefined && attached === undefined) {
    return give(values, positive, 'false') ?? at + 1;
  }
  const flag = flags.find((one) => one.name === name);
  if (flag === undefined) return unknownFlag(word);
  const next = words[at + 1];
  if (attached !== undefined) return give(values, flag, attached) ?? at + 1;
  if (flag.isSwitch && (next === undefined || !isSwitchValue(next))) {
    return give(values, flag, 'true') ?? at + 1;
  }
  if (next === undefined || next.startsWith('--')) {
    return `--${name} needs a value: --${name} VALUE.`;
  }
  return give(values, flag, next) ?? at + 2;
}

function readMode(word: string, at: number, values: Map<string, string>): number | string {
  const first = values.get('mode');
  if (first !== undefined) {
    return `"${word}" is one word too many after the mode "${first}". Inputs are flags: --images ${word}.`;
  }
  if (modes.some((mode) => mode === word)) {
    values.set('mode', word);
    return at + 1;
  }
  return `Unknown mode "${word}".${meant(word, modes)} Modes: ${modes.join(', ')}.`;
}

function isSwitchValue(word: string): boolean {
  return /^(?:true|false|auto)$/i.test(word);
}

/** A list collects; everything else has one value. Gives a complaint, or undefined. */
function give(
  values: Map<string, string>,
  {name, isList}: Flag,
  value: string,
): string | undefined {
  const before = values.get(name);
  if (before !== undefined && !isList) {
    return `--${name} was given twice, as "${before}" and "${value}". Give it once.`;
  }
  if (name === 'mode' && !modes.some((mode) => mode === value.toLowerCase())) {
    return `Unknown mode "${value}".${meant(value, modes)} Modes: ${modes.join(', ')}.`;
  }
  values.set(name, before === undefined ? value : `${before},${value}`);
  return undefined;
}

function unknownFlag(word: string): string {
  const name = word.replace(/=[\s\S]*$/, '');
  const names = flags.map((flag) => `--${flag.name}`);
  return `Unknown flag ${name}.${meant(name, names)} --help lists them all.`;
}

function meant(word: string, known: readonly string[]): string {
  const nearest = findNearest(word, known);
  return nearest === undefined ? '' : ` Did you mean "${nearest}"?`;
}

function wrong(sentence: string): TextCommand {
  return {kind: 'text', text: sentence, exitCode: wrongUsage};
}

/**
 * The defaults of action.yml, but nothing leaves the machine unless `--push true` is given: then `auto` means for
 * the wiki what it means for the action.
 */
function inputsOf(mode: string, values: ReadonlyMap<string, string>): (name: string) => string {
  const pushes = values.get('push')?.toLowerCase() === 'true';
  const cautious: Readonly<Record<string, string>> = {
    push: 'false',
    wiki: 'false',
    ...(mode === 'tag' ? {'dry-run': 'true'} : {}),
  };
  const defaults = new Map(flags.map(({name, fallback}) => [name, fallback]));
  return (name) => {
    const given = values.get(name);
    if (pushes) return given ?? defaults.get(name) ?? '';
    // `--dry-run false` alone does not move tags: one switch decides about everything that leaves.
    if (mode === 'tag' && name === 'dry-run') return 'true';
    return given ?? cautious[name] ?? defaults.get(name) ?? '';
  };
}
