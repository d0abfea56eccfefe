import {join, normalize} from 'node:path/posix';
import {split} from 'shlex';
import type {Declaration} from '../types.ts';

/** What a variable stands for; undefined when that is not known. */
export type Lookup = (name: string) => string | undefined;

export interface CommandSource {
  readonly path: string;
  readonly source: Declaration['source'];
  /** Where the commands run, relative to the repository. */
  readonly folder: string;
  readonly lookUp: Lookup;
}

const buildCommand =
  /(?:^|[\s;&|(@-])(?:docker|podman|nerdctl)\s+(?:buildx\s+build|image\s+build|build)\s+([\s\S]*)$/;
/** Options of `docker build` that take no value. */
const alone =
  /^(?:--(?:push|load|pull|no-cache|quiet|rm|force-rm|squash|compress|provenance=\S+|sbom=\S+|debug|check)|-q)$/;

/** Characters of a command that a person wrote. */
const longest = 32 * 1024;

/** Every `docker build` in a shell script, the recipes of a Makefile, or a step of a workflow. */
export function readCommands(text: string, source: CommandSource): readonly Declaration[] {
  return logicalLines(text).flatMap(({line, text: command}) => {
    const rest = command.length > longest ? undefined : buildCommand.exec(command)?.[1];
    // Comments, and lines that only print a command.
    if (
      rest === undefined ||
      /^\s*#/.test(command) ||
      /\b(?:echo|printf)\s[^;&|]*$/.test(command.slice(0, command.length - rest.length))
    )
      return [];
    const declaration = readBuild(rest, line, source);
    return declaration === undefined ? [] : [declaration];
  });
}

/** `A = b`, `A := b`, `A ?= b` and `export A=b` of a Makefile or a script; `$(shell …)` is not known. */
export function readVariables(text: string): Lookup {
  const raw = new Map<string, string>();
  for (const {text: line} of logicalLines(text)) {
    const [, name, value] =
      /^(?:export\s+|readonly\s+|local\s+)?([A-Za-z_]\w*)\s*(?::=|\?=|::=|=)\s*(.*?)\s*$/.exec(
        line,
      ) ?? [];
    // The second value may hold for one target or one branch only.
    if (name !== undefined && value !== undefined)
      raw.set(name, raw.has(name) ? '$(unknown)' : value);
  }
  const lookUp = (name: string, seen: readonly string[]): string | undefined => {
    const value = raw.get(name)?.replace(/^(["'])(.*)\1$/, '$2');
    if (value === undefined || seen.includes(name)) return undefined;
    return expandWords(value, (inner) => lookUp(inner, [...seen, name]));
  };
  return (name) => lookUp(name, []);
}

/** `$(A)`, `${A}`, `${A:-b}` and `$A`; undefined as soon as one is not known. */
export function expandWords(text: string, lookUp: Lookup): string | undefined {
  let isKnown = true;
  const expanded = text.replace(
    /\$\$|\$\(([^()]*)\)|\$\{([A-Za-z_]\w*)(?::?-([^}]*))?\}|\$([A-Za-z_]\w*)|\$(.)/g,
    (
      _,
      paren: string | undefined,
      brace: string | undefined,
      fallback: string | undefined,
      bare: string | undefined,
    ) => {
      const name = paren ?? brace ?? bare;
      const value =
        name === undefined || !/^\w+$/.test(name) ? undefined : (lookUp(name) ?? fallback);
      if (value === undefined) isKnown = false;
      return value ?? '';
    },
  );
  return isKnown && !/[`\0]/.test(expanded) ? expanded : undefined;
}

function readBuild(rest: string, line: number, source: CommandSource): Declaration | undefined {
  const words = shellWords(rest);
  if (words === undefined) return undefined;
  const options = new Map<string, string[]>();
  const positional: string[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    const [, long, attached] = /^--([\w-]+)(?:=([\s\S]*))?$/.exec(word) ?? [];
    const short = /^-([tf])(.*)$/.exec(word);
    const name = long ?? (short?.[1] === 't' ? 'tag' : short?.[1] === 'f' ? 'file' : undefined);
    if (word.startsWith('-') && word !== '-') {
      if (alone.test(word)) continue;
      const value = attached ?? (short?.[2] ? short[2].replace(/^=/, '') : words[++at]);
      if (name !== undefined && value !== undefined)
        options.set(name, [...(options.get(name) ?? []), value]);
    } else positional.push(word);
  }
  const known = (text: string | undefined): string | undefined =>
    text === undefined ? undefined : expandWords(text, source.lookUp);
  const given = known(positional.at(-1));
  if (positional.length !== 1 || given === undefined || /^(?:-|[a-z+]+:\/\/.*|git@.*)$/.test(given))
    return undefined;
  const context = normalize(join(source.folder, given)).replace(/(?<=.)\/$/, '');
  const file = options.get('file')?.at(-1);
  const dockerfile = file === undefined ? join(context, 'Dockerfile') : known(file);
  if (dockerfile === undefined) return undefined;
  const args = (options.get('build-arg') ?? []).flatMap((pair) => {
    const [, name, value] = /^(\w+)=([\s\S]*)$/.exec(pair) ?? [];
    const text = known(value);
    return name === undefined || text === undefined ? [] : [[name, text] as const];
  });
  return {
    source: source.source,
    place: `${source.path}:${line}`,
    name: undefined,
    context,
    dockerfile: normalize(file === undefined ? dockerfile : join(source.folder, dockerfile)),
    target: known(options.get('target')?.at(-1)),
    args: new Map(args),
    tags: (options.get('tag') ?? []).flatMap(
      (tag) => known(tag) ?? repositoryPart(tag, known) ?? [],
    ),
    platforms: (known(options.get('platform')?.at(-1)) ?? '')
      .split(',')
      .filter((one) => one !== ''),
    contexts: new Map(),
  };
}

/** Of `org/name:$(TAG)` the name is known, and the tag is of no matter. */
function repositoryPart(
  tag: string,
  known: (text: string) => string | undefined,
): string | undefined {
  const [, repository] =
    /^([^:]*(?::\d+\/[^:]*)?):[^/]*$/.exec(
      tag.replace(/\$[({][^)}]*[)}]/g, (found) => found.replaceAll(':', '\u0001')),
    ) ?? [];
  return repository === undefined ? undefined : known(repository.replaceAll('\u0001', ':'));
}

/** Words of one command; variables stay as they are. */
function shellWords(text: string): readonly string[] | undefined {
  // `$(…)` may hold blanks, and a shell would not split there.
  const held = text.replace(/\$\([^()]*\)/g, (found) => found.replaceAll(' ', '\u0002'));
  const end = held.search(/(?:^|\s)(?:&&|\|\||[;|>]|2>)|;/);
  try {
    return split(end < 0 ? held : held.slice(0, end)).map((word) => word.replaceAll('\u0002', ' '));
  } catch {
    return undefined;
  }
}

/** Lines with those that go on (`\` at the end) joined, and the number of the first. */
function logicalLines(text: string): readonly {readonly line: number; readonly text: string}[] {
  const lines: {line: number; text: string}[] = [];
  let isOpen = false;
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const goesOn = /\\\s*$/.test(raw);
    const part = raw.replace(/\\\s*$/, ' ');
    const last = lines.at(-1);
    if (isOpen && last !== undefined) last.text += part;
    else lines.push({line: index + 1, text: part});
    isOpen = goesOn;
  }
  return lines;
}
