import {expandWord} from './expand.ts';
import type {CopyWords} from './instructions.ts';
import type {DockerfileProblem} from './lines.ts';
import {type Mount, readMount} from './mounts.ts';
import {kindOfSource, readMountSource, readSource, type SourcePath} from './sources.ts';
import {type Command, type Dockerfile, type Stage, type StageGraph, scratch} from './stages.ts';

/** What a COPY, an ADD or a bind mount takes from the build context. */
export interface ContextSource extends SourcePath {
  readonly excludes: readonly string[];
  readonly line: number;
  readonly kind: 'copy' | 'add' | 'mount';
}

export interface Evaluated {
  readonly sources: readonly ContextSource[];
  /** Why some source cannot be known here, in one sentence. */
  readonly unresolved: string | undefined;
  readonly problems: readonly DockerfileProblem[];
}

/** Undefined is a value that only the base image knows. */
type Variables = Map<string, string | undefined>;

interface Walk {
  readonly escapeChar: string;
  readonly args: ReadonlyMap<string, string>;
  readonly globals: ReadonlyMap<string, string>;
  readonly sources: ContextSource[];
  readonly problems: DockerfileProblem[];
  unresolved: string | undefined;
}

interface Scope {
  readonly variables: Variables;
  /** It stands on an image, whose variables are not known here. */
  readonly isOpen: boolean;
}

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Walks the reached stages with the values of their variables, as BuildKit's `dispatch` does. */
export function evaluateStages(
  {escapeChar}: Dockerfile,
  {stages, reached, globals}: StageGraph,
  args: ReadonlyMap<string, string>,
): Evaluated {
  const walk: Walk = {escapeChar, args, globals, sources: [], problems: [], unresolved: undefined};
  const scopes = new Map<Stage, Scope>();
  for (const stage of stages) {
    if (stage.kind !== 'from' && stage.base === undefined) stage.isDone = true;
  }
  for (const stage of stages) {
    if (!reached.has(stage) || stage.isDone) continue;
    stage.isDone = true;
    const scope = scopeOf(stage, scopes);
    scopes.set(stage, scope);
    for (const command of stage.commands) runCommand(walk, scope, command);
  }
  const {sources, problems, unresolved} = walk;
  return {sources, problems, unresolved};
}

function scopeOf({base, image}: Stage, scopes: ReadonlyMap<Stage, Scope>): Scope {
  const below = base && scopes.get(base);
  if (below !== undefined) return {variables: new Map(below.variables), isOpen: below.isOpen};
  if (image === scratch) return {variables: new Map([['PATH', defaultPath]]), isOpen: false};
  return {variables: new Map(), isOpen: true};
}

interface Known {
  readonly text: string;
  /** Variables in it that only the base image may know. */
  readonly unknown: readonly string[];
}

/** Undefined after a problem, which is told. */
function expand(
  walk: Walk,
  scope: Scope,
  word: string,
  {line, isHeredoc = false}: {readonly line: number; readonly isHeredoc?: boolean},
): Known | undefined {
  const unknown = new Set<string>();
  const lookUp = (name: string): string | undefined => {
    const value = scope.variables.get(name);
    if (value === undefined && (scope.isOpen || scope.variables.has(name))) unknown.add(name);
    return value;
  };
  const options = isHeredoc ? {ignoresQuotes: true} : {escapeChar: walk.escapeChar};
  const expanded = expandWord(word, lookUp, options);
  if (expanded.ok) return {text: expanded.text, unknown: [...unknown]};
  if (expanded.isMissingValue && unknown.size > 0) return {text: '', unknown: [...unknown]};
  walk.problems.push({line, message: `${shorten(word)}: ${expanded.message}.`});
  return undefined;
}

const shorten = (word: string): string => (word.length > 60 ? `${word.slice(0, 57)}...` : word);

function runCommand(walk: Walk, scope: Scope, command: Command): void {
  const {instruction, line} = command;
  switch (instruction.kind) {
    case 'arg':
      for (const {name, value} of instruction.args) runArg(walk, scope, name, value, line);
      return;
    case 'env': {
      // All values are taken before the first is set: ENV A=1 B=$A knows the old A.
      const pairs = instruction.pairs.map((pair) =>
        pair.map((word) => expand(walk, scope, word, {line})),
      );
      for (const [name, value] of pairs) {
        if (name === undefined || value === undefined) continue;
        scope.variables.set(name.text, value.unknown.length > 0 ? undefined : value.text);
      }
      return;
    }
    case 'words':
      for (const word of instruction.words) expand(walk, scope, word, {line});
      return;
    case 'copy':
    case 'add':
      runCopy(walk, scope, command, {kind: instruction.kind, words: instruction});
      return;
    case 'run':
      for (const [index, {text}] of instruction.mounts.entries()) {
        runMount(walk, scope, command, {text, source: command.sources[index]});
      }
      return;
    default:
      return;
  }
}

/** A given value wins, then the default, then the ARG before the first FROM. */
function runArg(
  walk: Walk,
  {variables, isOpen}: Scope,
  name: string,
  written: string | undefined,
  line: number,
): void {
  const given = walk.args.get(name);
  if (given !== undefined) variables.set(name, given);
  else if (written !== undefined) {
    const value = expand(walk, {variables, isOpen}, written, {line});
    if (value !== undefined) {
      variables.set(name, value.unknown.length > 0 ? undefined : value.text);
    }
  } else {
    const value = walk.globals.get(name);
    if (value !== undefined) variables.set(name, value);
  }
}

interface CopyRequest {
  readonly kind: 'copy' | 'add';
  readonly words: CopyWords;
}

function runCopy(walk: Walk, scope: Scope, command: Command, {kind, words}: CopyRequest): void {
  const {line} = command;
  const name = kind.toUpperCase();
  const take = (word: string): Known | undefined => expand(walk, scope, word, {line});
  const [, mode, checksum] = [words.owner, words.mode, words.checksum].map(take);
  take(words.destination);
  const paths = words.sources.map(take);
  for (const {content, isExpanded} of words.heredocs) {
    if (isExpanded) expand(walk, scope, content, {line, isHeredoc: true});
  }
  const refuse = (message: string): void => void walk.problems.push({line, message});
  if (mode !== undefined && mode.unknown.length === 0 && !isMode(mode.text)) {
    refuse(`${name} --chmod=${mode.text} is neither an octal mode up to 7777 nor one such as u+x.`);
  }
  if (checksum !== undefined && checksum.text !== '') {
    const [only] = paths;
    const isRemote = only !== undefined && kindOfSource(only.text) !== 'context';
    if (paths.length !== 1 || (!isRemote && only?.unknown.length === 0)) {
      refuse('ADD --checksum needs exactly one source, which is a URL or a git repository.');
    }
  }
  const [from] = command.sources;
  if (from !== undefined && !from.isDone) {
    refuse(`COPY --from=${words.from} names a stage that comes later. Move that stage up.`);
  }
  for (const path of paths) {
    if (path === undefined) continue;
    if (path.unknown.length > 0) {
      if (from === undefined) doubt(walk, `${name} ${words.sources.join(' ')}`, line, path.unknown);
      continue;
    }
    const origin = kindOfSource(path.text);
    if (origin === 'bad-git')
      refuse(`${name} ${path.text}: the query of the git URL is not valid.`);
    if (origin !== 'context') {
      if (kind === 'copy') refuse(`COPY cannot take ${path.text}. Use ADD.`);
    } else if (from === undefined) {
      const source = readSource(path.text, words.keepsParents);
      walk.sources.push({...source, excludes: words.excludes, line, kind});
    }
  }
}

function isMode(mode: string): boolean {
  if (/^[0-7]+$/.test(mode)) return Number.parseInt(mode, 8) <= 0o7777;
  const clause = '[ugoa]*(?:[-+=](?:[rwxXst]*|[ugo]))+';
  return mode === '' || new RegExp(`^${clause}(?:,${clause})*$`).test(mode);
}

function runMount(
  walk: Walk,
  scope: Scope,
  {line}: Command,
  {text, source}: {readonly text: string; readonly source: Stage | undefined},
): void {
  const unknown = new Set<string>();
  const lookUp = (name: string): string | undefined => {
    const value = scope.variables.get(name);
    if (value === undefined && (scope.isOpen || scope.variables.has(name))) unknown.add(name);
    return value;
  };
  const mount = readMount(text, (word) => expandWord(word, lookUp, {escapeChar: walk.escapeChar}));
  if (unknown.size > 0) {
    doubt(walk, `RUN --mount=${shorten(text)}`, line, [...unknown]);
    return;
  }
  if (!mount.ok)
    walk.problems.push({line, message: `RUN --mount=${shorten(text)}: ${mount.error}`});
  else takeMount(walk, mount.value, {line, source});
}

function takeMount(
  walk: Walk,
  {type, from, source, target}: Mount,
  place: {readonly line: number; readonly source: Stage | undefined},
): void {
  const {line} = place;
  const refuse = (message: string): void => void walk.problems.push({line, message});
  if (from !== '' && place.source?.isDone === false) {
    refuse(`RUN --mount=from=${from} names a stage that comes later. Move that stage up.`);
  }
  if (type === 'secret' || type === 'ssh') return;
  if (target.startsWith('/') && readMountSource(target).path === '') {
    refuse('RUN --mount cannot have "/" as its target.');
  }
  if (type === 'bind' && from === '') {
    walk.sources.push({...readMountSource(source), excludes: [], line, kind: 'mount'});
  }
}

function doubt(walk: Walk, says: string, line: number, unknown: readonly string[]): void {
  walk.unresolved ??= `${shorten(says)} (line ${line}) uses ${unknown.join(', ')}, which only the base image can define`;
}
