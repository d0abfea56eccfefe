import {checkWord, isDigest, isMode} from './arguments.ts';
import {expandWord, type LookUp} from './expand.ts';
import type {CopyWords} from './instructions.ts';
import type {DockerfileProblem} from './lines.ts';
import {type Mount, readMount} from './mounts.ts';
import {kindOfSource, readMountSource, readSource, type SourcePath} from './sources.ts';
import {type Command, type Dockerfile, type Stage, type StageGraph, scratch} from './stages.ts';

/** What a COPY, an ADD or a bind mount takes from the build context. */
export interface ContextSource extends SourcePath {
  /** `COPY --parents`, whose excludes are relative to another folder. */
  readonly parents?: boolean;
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
  /** What ARG and ENV give, the later one winning. */
  readonly variables: Variables;
  /** What ENV alone gives: a stage built on this one sees it again, over any ARG. */
  readonly env: Variables;
  /** The working directory; undefined when only the base image knows it. */
  directory: string | undefined;
  /** It begins with an image whose variables are not known here. */
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
  if (below !== undefined) {
    const {isOpen, directory} = below;
    // The ENV of an image comes back over the ARGs of the stage on it, and which ones it has is not known.
    const args = [...below.variables].map(
      ([name, value]) => [name, isOpen ? undefined : value] as const,
    );
    const variables: Variables = new Map([...args, ...below.env]);
    return {variables, env: new Map(below.env), directory, isOpen};
  }
  const isOpen = image !== scratch;
  const env: Variables = new Map(isOpen ? [] : [['PATH', defaultPath]]);
  return {variables: new Map(env), env, directory: isOpen ? undefined : '/', isOpen};
}

interface Known {
  readonly text: string;
  /** Variables in it that only the base image may know. */
  readonly unknown: readonly string[];
}

/** Undefined after a problem, which is reported. */
function expand(
  walk: Walk,
  scope: Scope,
  word: string,
  {line, isHeredoc = false}: {readonly line: number; readonly isHeredoc?: boolean},
): Known | undefined {
  const unknown = new Set<string>();
  const lookUp = lookUpIn(scope, unknown);
  const options = isHeredoc ? {ignoresQuotes: true} : {escapeChar: walk.escapeChar};
  const expanded = expandWord(word, lookUp, options);
  if (expanded.ok) return {text: expanded.text, unknown: [...unknown]};
  if (expanded.isMissingValue && unknown.size > 0) {
    doubt(walk, word, line, [...unknown]);
    return {text: '', unknown: [...unknown]};
  }
  walk.problems.push({line, message: `${shorten(word)}: ${expanded.message}.`});
  return undefined;
}

function lookUpIn(scope: Scope, unknown: Set<string>): LookUp {
  return (name) => {
    const value = scope.variables.get(name);
    if (value === undefined && (scope.isOpen || scope.variables.has(name))) unknown.add(name);
    return value;
  };
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
        const known = value.unknown.length > 0 ? undefined : value.text;
        scope.variables.set(name.text, known);
        scope.env.set(name.text, known);
      }
      return;
    }
    case 'words':
      runWords(walk, scope, command, instruction.words);
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

function runWords(
  walk: Walk,
  scope: Scope,
  {instruction: {keyword}, line}: Command,
  words: readonly string[],
): void {
  for (const word of words) {
    const value = expand(walk, scope, word, {line});
    if (value === undefined) continue;
    if (keyword === 'WORKDIR') {
      const isAbsolute = value.text.startsWith('/');
      const isKnown = value.unknown.length === 0 && (isAbsolute || scope.directory !== undefined);
      scope.directory = isKnown ? `${isAbsolute ? '' : scope.directory}/${value.text}` : undefined;
    } else if (value.unknown.length === 0) {
      const problem = checkWord(keyword, value.text);
      if (problem !== undefined) walk.problems.push({line, message: problem});
    }
  }
}

/** A given value wins, then the default, then the ARG before the first FROM. */
function runArg(
  walk: Walk,
  scope: Scope,
  name: string,
  written: string | undefined,
  line: number,
): void {
  const {variables} = scope;
  const given = walk.args.get(name);
  if (given !== undefined) variables.set(name, given);
  else if (written !== undefined) {
    const value = expand(walk, scope, written, {line});
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
  const checksumProblem = checksum && checkChecksum(checksum, paths);
  if (checksumProblem) refuse(checksumProblem);
  const [from] = command.sources;
  if (from !== undefined && !from.isDone) {
    refuse(`COPY --from=${words.from} uses a stage that comes later. Move that stage up.`);
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
      const parents = words.keepsParents;
      const source = readSource(path.text, parents);
      walk.sources.push({...source, parents, excludes: words.excludes, line, kind});
    }
  }
}

function checkChecksum(
  {text, unknown}: Known,
  [only, ...others]: readonly (Known | undefined)[],
): string | undefined {
  if (text === '' || unknown.length > 0) return undefined;
  const one = 'ADD --checksum needs exactly one source, which is a URL or a git repository.';
  if (only === undefined || others.length > 0) return one;
  if (only.unknown.length > 0) return undefined;
  const kind = kindOfSource(only.text);
  if (kind === 'context' && !only.text.startsWith('github.com/')) return one;
  if (kind !== 'url' || isDigest(text)) return;
  return `ADD --checksum=${text} is not a digest such as sha256:<64 hex digits>.`;
}

function runMount(
  walk: Walk,
  scope: Scope,
  {line}: Command,
  {text, source}: {readonly text: string; readonly source: Stage | undefined},
): void {
  const unknown = new Set<string>();
  const mount = readMount(text, (word) =>
    expandWord(word, lookUpIn(scope, unknown), {escapeChar: walk.escapeChar}),
  );
  const says = `RUN --mount=${shorten(text)}`;
  if (unknown.size > 0) doubt(walk, says, line, [...unknown]);
  else if (!mount.ok) walk.problems.push({line, message: `${says}: ${mount.error}`});
  else takeMount(walk, scope, mount.value, {line, source});
}

function takeMount(
  walk: Walk,
  {directory}: Scope,
  {type, from, source, target}: Mount,
  place: {readonly line: number; readonly source: Stage | undefined},
): void {
  const {line} = place;
  const refuse = (message: string): void => void walk.problems.push({line, message});
  // A cache without "from" begins empty: from scratch, which may even be the name of a stage.
  if ((from !== '' || type === 'cache') && place.source?.isDone === false) {
    refuse(`RUN --mount from ${from || scratch} uses a stage that comes later. Move it up.`);
  }
  if (type === 'secret' || type === 'ssh') return;
  const path = target.startsWith('/') ? target : directory && `${directory}/${target}`;
  if (path !== undefined && readMountSource(path).path === '') {
    refuse('RUN --mount needs a target below "/".');
  }
  if (type === 'bind' && from === '') {
    walk.sources.push({...readMountSource(source), excludes: [], line, kind: 'mount'});
  }
}

function doubt(walk: Walk, says: string, line: number, unknown: readonly string[]): void {
  walk.unresolved ??= `${shorten(says)} (line ${line}) uses ${unknown.join(', ')}, which only the base image can define`;
}
