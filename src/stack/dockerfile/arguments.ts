import {fail, ok, type Result} from '../../failure.ts';
import {readJsonWords, splitBlanks, splitWords, trim} from './words.ts';

/** What follows the keyword and its flags. */
export interface Arguments {
  readonly words: readonly string[];
  readonly isJson: boolean;
}

/** Splits the arguments of an instruction in the way of its kind. */
export function readArguments(
  keyword: string,
  rest: string,
  escapeChar: string,
): Result<Arguments, string> {
  const plain = (words: readonly string[]) => ok({words: rest === '' ? [] : words, isJson: false});
  switch (keyword) {
    case 'FROM':
    case 'EXPOSE':
      return plain(splitBlanks(rest));
    case 'ARG':
    case 'ENV':
    case 'LABEL':
      return ok({words: splitWords(rest, escapeChar), isJson: false});
    case 'COPY':
    case 'ADD':
    case 'VOLUME':
      return withJson(rest, splitBlanks(rest));
    case 'RUN':
    case 'CMD':
    case 'ENTRYPOINT':
    case 'SHELL':
      return withJson(rest, [rest]);
    case 'HEALTHCHECK': {
      const type = /^\S*/.exec(rest)?.[0] ?? '';
      const command = rest.slice(type.length).trimStart();
      const words = withJson(command, [command]);
      return words.ok ? ok({...words.value, words: [type, ...words.value.words]}) : words;
    }
    default:
      return plain([rest]);
  }
}

function withJson(rest: string, otherwise: readonly string[]): Result<Arguments, string> {
  const words = readJsonWords(rest);
  if (words === 'not-strings') {
    return fail('the JSON form takes strings only. Put every word in double quotes.');
  }
  if (words === 'not-json') return ok({words: rest === '' ? [] : otherwise, isJson: false});
  return ok({words, isJson: true});
}

/** Why docker refuses the arguments, by their number and form alone. */
export function checkArguments(
  keyword: string,
  words: readonly string[],
  isJson: boolean,
): string | undefined {
  switch (keyword) {
    case 'FROM':
      if (words.length === 1 || (words.length === 3 && /^as$/i.test(words[1] ?? ''))) break;
      return words.length === 0
        ? 'FROM has no image. Add one.'
        : 'FROM takes an image, or an image, AS and a name.';
    case 'COPY':
    case 'ADD':
      if (words.length < 2) return `${keyword} needs a source and a destination.`;
      break;
    case 'ARG':
    case 'ENV':
    case 'LABEL':
    case 'EXPOSE':
    case 'ONBUILD':
    case 'VOLUME':
    case 'HEALTHCHECK':
      if (words.length === 0 || words[0] === '') return `${keyword} needs at least one argument.`;
      if (keyword === 'VOLUME' && words.some((word) => trim(word) === ''))
        return 'a VOLUME is empty.';
      return keyword === 'HEALTHCHECK' ? checkHealth(words) : undefined;
    case 'MAINTAINER':
    case 'STOPSIGNAL':
    case 'USER':
    case 'WORKDIR':
      if (words.length !== 1) return `${keyword} needs exactly one argument.`;
      break;
    case 'SHELL':
      if (words.length === 0) return 'SHELL needs at least one argument.';
      if (!isJson) return 'SHELL must be written in the JSON form: SHELL ["bash", "-c"].';
      break;
  }
  return undefined;
}

const durationPattern = /^[+-]?(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/;

/** Why docker refuses the flags of a HEALTHCHECK. */
export function checkHealthFlags(flags: Flags): string | undefined {
  for (const [name, [value = '']] of flags) {
    const isGood = name === 'retries' ? /^\+?\d{1,9}$/.test(value) : durationPattern.test(value);
    if (value !== '' && !isGood)
      return `HEALTHCHECK --${name}=${value} is not a ${name === 'retries' ? 'number' : 'duration such as 30s'}.`;
  }
  return undefined;
}

function checkHealth([type = '', ...command]: readonly string[]): string | undefined {
  if (/^none$/i.test(type)) {
    return command.length === 0 ? undefined : 'HEALTHCHECK NONE takes no arguments.';
  }
  if (!/^cmd$/i.test(type)) return 'HEALTHCHECK is followed by CMD or NONE.';
  return command.length === 0 ? 'HEALTHCHECK CMD needs a command.' : undefined;
}

export type FlagKind = 'switch' | 'text' | 'texts';

/** The values of the flags of one instruction, by name without dashes. */
export type Flags = ReadonlyMap<string, readonly string[]>;

/** Reads the flags of an instruction as BuildKit's `bflag.go` does; an unknown or a repeated one is refused. */
export function readFlags(
  words: readonly string[],
  known: Readonly<Record<string, FlagKind>>,
): Result<Flags, string> {
  const flags = new Map<string, readonly string[]>();
  for (const word of words) {
    if (word === '--') break;
    if (!word.startsWith('--')) return fail(`the flag ${word} does not begin with "--".`);
    const equals = word.indexOf('=');
    const name = word.slice(2, equals < 0 ? undefined : equals);
    const value = equals < 0 ? undefined : word.slice(equals + 1);
    const kind = Object.hasOwn(known, name) ? known[name] : undefined;
    if (kind === undefined) return fail(`unknown flag --${name}.${namesOf(known)}`);
    const before = flags.get(name);
    if (before !== undefined && kind !== 'texts') return fail(`the flag --${name} is given twice.`);
    if (kind === 'switch') {
      if (!/^(?:true|false)?$/i.test(value ?? '') || value === '') {
        return fail(`--${name} is either true or false, not "${value}".`);
      }
      flags.set(name, [value?.toLowerCase() === 'false' ? 'false' : 'true']);
    } else if (value === undefined) return fail(`the flag --${name} needs a value.`);
    else flags.set(name, [...(before ?? []), value]);
  }
  return ok(flags);
}

function namesOf(known: Readonly<Record<string, FlagKind>>): string {
  const names = Object.keys(known).map((name) => `--${name}`);
  return names.length === 0 ? '' : ` Known flags: ${names.join(', ')}.`;
}

/** Whether `--chmod` takes it. */
export function isMode(mode: string): boolean {
  if (/^[0-7]+$/.test(mode)) return Number.parseInt(mode, 8) <= 0o7777;
  const clause = '[ugoa]*(?:[-+=](?:[rwxXst]*|[ugo]))+';
  return mode === '' || new RegExp(`^${clause}(?:,${clause})*$`).test(mode);
}

export function isDigest(text: string): boolean {
  return /^(?:sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$/.test(text);
}

/** Why docker refuses a word of an instruction once its variables have their values. */
export function checkWord(keyword: string, word: string): string | undefined {
  if (keyword === 'VOLUME' && word === '') return 'a VOLUME is empty.';
  if (keyword === 'STOPSIGNAL' && !isSignal(word)) return `"${word}" is not a signal.`;
  if (keyword === 'EXPOSE' && !isPort(word)) return `EXPOSE ${word} is not a port such as 80/tcp.`;
  return undefined;
}

const signals =
  'ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ'.split(
    ' ',
  );

function isSignal(word: string): boolean {
  if (/^[+-]?\d+$/.test(word)) return Number(word) !== 0;
  const name = word.toUpperCase().replace(/^SIG/, '');
  return (
    signals.includes(name) ||
    /^RTM(?:IN(?:\+(?:[1-9]|1[0-5]))?|AX(?:-(?:[1-9]|1[0-4]))?)$/.test(name)
  );
}

function isPort(word: string): boolean {
  const parts = word.split(':');
  const [ports = '', protocol = 'tcp', ...more] = (parts.at(-1) ?? '').split('/');
  const range = /^(\d+)(?:-(\d+))?$/.exec(ports);
  if (more.length > 0 || !/^(?:tcp|udp|sctp)$/i.test(protocol || 'tcp') || range === null)
    return false;
  const [begin, end] = [Number(range[1]), Number(range[2] ?? range[1])];
  return begin <= end && end <= 65_535;
}
