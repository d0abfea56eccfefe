import {fail, ok, type Result} from '../../failure.ts';
import {findNearest} from '../../util/nearest.ts';
import {
  checkArguments,
  checkHealthFlags,
  type FlagKind,
  type Flags,
  readArguments,
  readFlags,
} from './arguments.ts';
import {type Heredoc, type LogicalLine, readHeredoc} from './lines.ts';
import {readMountFrom} from './mounts.ts';
import {splitBlanks, splitCommand, splitWords} from './words.ts';

/** One instruction of a Dockerfile; words are as written, with variables and quotes. */
export type Instruction = {readonly line: number; readonly keyword: string} & (
  | {
      readonly kind: 'from';
      readonly image: string;
      readonly stage: string | undefined;
      readonly platform: string | undefined;
    }
  | {readonly kind: 'arg'; readonly args: readonly ArgDefault[]}
  | {readonly kind: 'env'; readonly pairs: readonly (readonly [string, string])[]}
  | ({readonly kind: 'copy' | 'add'} & CopyWords)
  | {readonly kind: 'run'; readonly mounts: readonly RunMount[]}
  | {readonly kind: 'onbuild'; readonly trigger: string}
  /** Its words are only expanded, because docker refuses what cannot be. */
  | {readonly kind: 'words'; readonly words: readonly string[]}
  | {readonly kind: 'other'}
);

export interface ArgDefault {
  readonly name: string;
  readonly value: string | undefined;
}

export interface RunMount {
  readonly text: string;
  /** Empty when it has none. */
  readonly from: string;
}

export interface CopyWords {
  readonly from: string | undefined;
  readonly sources: readonly string[];
  readonly destination: string;
  readonly heredocs: readonly Heredoc[];
  readonly excludes: readonly string[];
  readonly keepsParents: boolean;
  /** `--chown`, `--chmod` and `--checksum`, empty when missing. */
  readonly owner: string;
  readonly mode: string;
  readonly checksum: string;
}

type Read = Result<Instruction, string>;

/** What a logical line means, or why docker refuses it, as BuildKit's `instructions/parse.go` decides it. */
export function readInstruction(source: LogicalLine, escapeChar: string): Read {
  const keyword = source.keyword.toUpperCase();
  const base = {line: source.line, keyword};
  const known = flagsOf[keyword];
  if (known === undefined) {
    const nearest = findNearest(keyword, Object.keys(flagsOf));
    const meant = nearest === undefined ? '' : ` Did you mean ${nearest}?`;
    return fail(`unknown instruction ${source.keyword}.${meant}`);
  }
  const other = ok<Instruction>({...base, kind: 'other'});
  const args = readArguments(keyword, source.rest, escapeChar);
  if (!args.ok) return args;
  const {words, isJson} = args.value;
  const problem = checkArguments(keyword, words, isJson);
  if (problem !== undefined) return fail(problem);
  // ARG, HEALTHCHECK NONE and STOPSIGNAL look at no flag.
  if (keyword === 'ARG') return readArg(base, words);
  if (keyword === 'STOPSIGNAL') return ok({...base, kind: 'words', words});
  if (keyword === 'HEALTHCHECK' && /^none$/i.test(words[0] ?? '')) return other;
  const flags = readFlags(source.flags, known);
  if (!flags.ok) return fail(`${keyword}: ${flags.error}`);
  switch (keyword) {
    case 'FROM':
      return readFrom(base, words, flags.value);
    case 'ENV':
    case 'LABEL':
      return readPairs(base, source.rest, words, escapeChar);
    case 'COPY':
    case 'ADD':
      return readCopy(base, words, flags.value, source.heredocs);
    case 'RUN':
      return readRun(base, flags.value);
    case 'ONBUILD':
      return readOnBuild(base, source, escapeChar);
    case 'HEALTHCHECK': {
      const wrong = checkHealthFlags(flags.value);
      return wrong === undefined ? other : fail(wrong);
    }
    case 'EXPOSE':
    case 'WORKDIR':
    case 'USER':
    case 'VOLUME':
      return ok({...base, kind: 'words', words});
    default:
      return other;
  }
}

const copyFlags = {chown: 'text', chmod: 'text', link: 'switch', exclude: 'texts'} as const;

const flagsOf: Readonly<Record<string, Readonly<Record<string, FlagKind>>>> = {
  FROM: {platform: 'text'},
  ARG: {},
  ENV: {},
  LABEL: {},
  COPY: {from: 'text', ...copyFlags, parents: 'switch'},
  ADD: {...copyFlags, 'keep-git-dir': 'switch', checksum: 'text', unpack: 'switch'},
  RUN: {mount: 'texts', network: 'text', security: 'text', device: 'texts'},
  CMD: {},
  ENTRYPOINT: {},
  EXPOSE: {},
  HEALTHCHECK: {
    interval: 'text',
    timeout: 'text',
    'start-period': 'text',
    'start-interval': 'text',
    retries: 'text',
  },
  MAINTAINER: {},
  ONBUILD: {},
  SHELL: {},
  STOPSIGNAL: {},
  USER: {},
  VOLUME: {},
  WORKDIR: {},
};

type Base = Pick<Instruction, 'line' | 'keyword'>;

function readFrom(base: Base, words: readonly string[], flags: Flags): Read {
  const [image = '', , name] = words;
  const stage = name?.toLowerCase();
  if (stage !== undefined && !/^[a-z][a-z0-9-_.]*$/.test(stage)) {
    return fail(
      `"${name}" is not a valid name of a stage: letters, digits, "-", "_" and ".", beginning with a letter.`,
    );
  }
  return ok({...base, kind: 'from', image, stage, platform: flags.get('platform')?.[0]});
}

function readArg(base: Base, words: readonly string[]): Read {
  const args: ArgDefault[] = [];
  for (const word of words) {
    const equals = word.indexOf('=');
    if (equals === 0) return fail(`ARG ${word} has no name.`);
    const name = equals < 0 ? word : word.slice(0, equals);
    args.push({name, value: equals < 0 ? undefined : word.slice(equals + 1)});
  }
  return ok({...base, kind: 'arg', args});
}

/** `NAME=value …`, or the old `NAME value`. */
function readPairs(base: Base, rest: string, words: readonly string[], escapeChar: string): Read {
  const pairs: (readonly [string, string])[] = [];
  if (!words[0]?.includes('=')) {
    const [name = '', value] = splitBlanks(rest, true);
    if (value === undefined) return fail(`${base.keyword} needs a name and a value.`);
    pairs.push([name, value]);
  } else {
    for (const word of splitWords(rest, escapeChar)) {
      const equals = word.indexOf('=');
      if (equals < 0) return fail(`${base.keyword}: "${word}" has no "=". Write NAME=value.`);
      pairs.push([word.slice(0, equals), word.slice(equals + 1)]);
    }
  }
  if (pairs.some(([name]) => name === '')) return fail(`${base.keyword} has an empty name.`);
  if (base.keyword === 'ENV') return ok({...base, kind: 'env', pairs});
  return ok({...base, kind: 'words', words: pairs.flat()});
}

function readCopy(
  base: Base,
  words: readonly string[],
  flags: Flags,
  heredocs: readonly Heredoc[],
): Read {
  const {keyword} = base;
  const destination = words.at(-1) ?? '';
  if (readHeredoc(destination) !== undefined) {
    return fail(`${keyword} cannot have a heredoc as its destination.`);
  }
  const first = (name: string): string => flags.get(name)?.[0] ?? '';
  const isHeredoc = (word: string): boolean => readHeredoc(word) !== undefined;
  return ok({
    ...base,
    kind: keyword === 'COPY' ? 'copy' : 'add',
    from: first('from') || undefined,
    sources: words.slice(0, -1).filter((word) => !isHeredoc(word)),
    destination,
    heredocs: words.slice(0, -1).some(isHeredoc) ? heredocs : [],
    excludes: flags.get('exclude') ?? [],
    keepsParents: first('parents') === 'true',
    owner: first('chown'),
    mode: first('chmod'),
    checksum: first('checksum'),
  });
}

function readRun(base: Base, flags: Flags): Read {
  const network = flags.get('network')?.[0] ?? 'default';
  if (!['default', 'none', 'host'].includes(network)) {
    return fail(`RUN --network is default, none or host, not "${network}".`);
  }
  const security = flags.get('security')?.[0] ?? 'sandbox';
  if (!['sandbox', 'insecure'].includes(security)) {
    return fail(`RUN --security is sandbox or insecure, not "${security}".`);
  }
  const mounts: RunMount[] = [];
  for (const text of flags.get('mount') ?? []) {
    const from = readMountFrom(text);
    if (!from.ok) return from;
    mounts.push({text, from: from.value});
  }
  return ok({...base, kind: 'run', mounts});
}

function readOnBuild(base: Base, source: LogicalLine, escapeChar: string): Read {
  const inner = splitCommand(source.rest, escapeChar);
  const keyword = inner.keyword.toUpperCase();
  if (['ONBUILD', 'FROM', 'MAINTAINER'].includes(keyword)) {
    return fail(`ONBUILD cannot be followed by ${keyword}.`);
  }
  if (Object.hasOwn(flagsOf, keyword)) {
    const args = readArguments(keyword, inner.rest, escapeChar);
    if (!args.ok) return args;
    if ((keyword === 'ENV' || keyword === 'LABEL') && args.value.words.length > 0) {
      const pairs = readPairs({...base, keyword}, inner.rest, args.value.words, escapeChar);
      // An empty name is found when the trigger runs.
      if (!pairs.ok && !pairs.error.endsWith('empty name.')) return pairs;
    }
  }
  const bodies = source.heredocs.map(({content, name}) => `\n${content}${name}`);
  const trigger = source.text.replace(/^[\t\n\f\r ]*ONBUILD[\t\n\f\r ]*/i, '') + bodies.join('');
  return ok({...base, kind: 'onbuild', trigger});
}
