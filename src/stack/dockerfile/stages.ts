import {parseReference} from '../../image/reference.ts';
import {expandWord, type LookUp} from './expand.ts';
import {type Instruction, readInstruction} from './instructions.ts';
import {type DockerfileProblem, readLines} from './lines.ts';
import {automaticArgs, isPlatform} from './platform.ts';

/** A Dockerfile, read without any value for its ARGs. */
export interface Dockerfile {
  readonly escapeChar: string;
  readonly instructions: readonly Instruction[];
  /** What docker refuses whatever the values are. */
  readonly problems: readonly DockerfileProblem[];
  /** The frontend of `# syntax=`, where it is not Docker's own. */
  readonly syntax: string | undefined;
}

/** A stage, or an image that a COPY or a RUN names: BuildKit counts both alike. */
export interface Stage {
  readonly kind: 'from' | 'copy' | 'mount';
  readonly name: string | undefined;
  /** With every variable filled in. */
  readonly image: string;
  readonly written: string;
  readonly line: number;
  /** Of `FROM --platform`; undefined for the platform that is built. */
  readonly platform?: {readonly written: string; readonly value: string} | undefined;
  /** The earlier stage that it begins with; undefined for an image. */
  readonly base: Stage | undefined;
  readonly commands: Command[];
  readonly needs: Set<Stage>;
  /** Set once everything in it has been walked; a COPY can only take from such a stage. */
  isDone: boolean;
  hasTriggers: boolean;
}

export interface Command {
  readonly instruction: Instruction;
  /** Where a COPY takes from, and each mount of a RUN. */
  readonly sources: readonly Stage[];
  /** The line that a message names: for a trigger, that of its stage. */
  readonly line: number;
}

export interface StageRequest {
  readonly args: ReadonlyMap<string, string>;
  readonly target: string | undefined;
  readonly platform: string;
  /** The ONBUILD instructions of an image, by the reference that the Dockerfile has for it. */
  readonly onBuild: (reference: string) => readonly string[];
}

export interface StageGraph {
  readonly stages: readonly Stage[];
  readonly reached: ReadonlySet<Stage>;
  readonly target: Stage | undefined;
  readonly globals: ReadonlyMap<string, string>;
  readonly problems: readonly DockerfileProblem[];
}

interface Build {
  readonly escapeChar: string;
  readonly globals: ReadonlyMap<string, string>;
  readonly stages: Stage[];
  readonly byName: Map<string, Stage>;
  readonly problems: DockerfileProblem[];
}

export const scratch = 'scratch';

/** The stages of a Dockerfile and which of them its target needs, as BuildKit's `convert.go` finds them. */
export function findStages(dockerfile: Dockerfile, request: StageRequest): StageGraph {
  const {escapeChar, instructions} = dockerfile;
  const problems: DockerfileProblem[] = [];
  const globals = readGlobals(dockerfile, request, problems);
  const build: Build = {escapeChar, globals, stages: [], byName: new Map(), problems};
  const bodies = new Map<Stage, Instruction[]>();
  for (const instruction of instructions) {
    if (instruction.kind === 'from') bodies.set(addFrom(build, instruction), []);
    else [...bodies.values()].at(-1)?.push(instruction);
  }
  const target = findTarget(build, request.target);
  for (const [stage, body] of bodies) {
    for (const instruction of body) {
      stage.commands.push(addNeeds(build, stage, instruction, instruction.line));
    }
  }
  reportCircles(build);
  const reached = target === undefined ? new Set<Stage>() : resolve(build, target, request);
  return {stages: build.stages, reached, target, globals, problems};
}

function readGlobals(
  {instructions, escapeChar}: Dockerfile,
  request: StageRequest,
  problems: DockerfileProblem[],
): ReadonlyMap<string, string> {
  const froms = instructions.filter((one) => one.kind === 'from');
  const globals = new Map(automaticArgs(request.platform));
  globals.set('TARGETSTAGE', request.target || (froms.at(-1)?.stage ?? '') || 'default');
  for (const name of globals.keys())
    globals.set(name, request.args.get(name) ?? globals.get(name) ?? '');
  for (const instruction of instructions) {
    if (instruction.kind === 'from') break;
    if (instruction.kind !== 'arg') continue;
    for (const {name, value} of instruction.args) {
      const given = request.args.get(name);
      if (given !== undefined) globals.set(name, given);
      else if (value !== undefined) {
        const expanded = expandWord(value, (key) => globals.get(key), {escapeChar});
        if (expanded.ok) globals.set(name, expanded.text);
        else problems.push({line: instruction.line, message: `ARG ${name}: ${expanded.message}.`});
      }
    }
  }
  return globals;
}

function addFrom(build: Build, from: Extract<Instruction, {kind: 'from'}>): Stage {
  const {line} = from;
  const {image, missing} = expandImage(build, from.image, line);
  if (image === '') {
    build.problems.push({line, message: describeBad(`FROM ${from.image}`, image, missing)});
  }
  const stage = {kind: 'from', name: from.stage, image, written: from.image, line} as const;
  if (!from.platform) return add(build, stage, missing);
  const {image: value} = expandImage(build, from.platform, line);
  if (!isPlatform(value)) {
    const message = `FROM --platform=${from.platform} becomes "${value}", which is not a platform such as linux/amd64.`;
    build.problems.push({line, message});
  }
  return add(build, {...stage, platform: {written: from.platform, value}}, missing);
}

function expandImage(
  {escapeChar, globals, problems}: Build,
  word: string,
  line: number,
): {readonly image: string; readonly missing: readonly string[]} {
  const missing: string[] = [];
  const lookUp: LookUp = (name) => {
    const value = globals.get(name);
    if (value === undefined) missing.push(name);
    return value;
  };
  const expanded = expandWord(word, lookUp, {escapeChar});
  if (expanded.ok) return {image: expanded.text, missing};
  problems.push({line, message: `FROM ${word}: ${expanded.message}.`});
  return {image: scratch, missing};
}

type NewStage = Pick<Stage, 'kind' | 'name' | 'image' | 'written' | 'line' | 'platform'>;

function add(build: Build, stage: NewStage, missing: readonly string[] = []): Stage {
  // Names are lower case, and FROM does not change the case of what it looks for; COPY does.
  const base = build.byName.get(stage.image);
  const added: Stage = {
    ...stage,
    base,
    commands: [],
    needs: new Set(),
    isDone: false,
    hasTriggers: false,
  };
  build.stages.push(added);
  if (stage.name !== undefined) build.byName.set(stage.name, added);
  // Docker refuses a name that cannot be one even where no target reaches it.
  const isImage = base === undefined && stage.image !== scratch && stage.image !== '';
  if (isImage && parseReference(stage.image) === undefined) {
    const how = {from: 'FROM', copy: 'COPY --from', mount: 'RUN --mount from'}[stage.kind];
    const message = describeBad(`${how} ${stage.written}`, stage.image, missing);
    build.problems.push({line: stage.line, message});
  }
  return added;
}

function describeBad(says: string, text: string, missing: readonly string[]): string {
  const becomes = text === '' ? 'nothing' : `"${text}"`;
  if (missing.length === 0) return `${says}: ${becomes} is not a valid image reference.`;
  const names = [...new Set(missing)].join(', ');
  return `${says} becomes ${becomes}, because ${names} has no value. Give it a default with ARG before the first FROM, or a value in build_args.`;
}

function findTarget({stages, byName, problems}: Build, target: string | undefined) {
  if (target === undefined || target === '') return stages.at(-1);
  const found = byName.get(target.toLowerCase());
  if (found === undefined && stages.length > 0) {
    const names = [...byName.keys()].join(', ');
    const message = `there is no stage "${target}", which "target" asks for. Stages: ${names || 'none has a name'}.`;
    problems.push({line: 1, message});
  }
  return found;
}

function addNeeds(build: Build, stage: Stage, instruction: Instruction, line: number): Command {
  const sources: Stage[] = [];
  if (instruction.kind === 'copy' && instruction.from !== undefined) {
    const source = findCopySource(build, instruction.from, line);
    if (source !== undefined) sources.push(source);
  }
  if (instruction.kind === 'run') {
    for (const {from} of instruction.mounts) {
      const image = from === '' ? scratch : from;
      const known = build.byName.get(image.toLowerCase());
      const added = {kind: 'mount', name: undefined, image, written: image, line} as const;
      sources.push(known ?? add(build, added));
    }
  }
  for (const source of sources) stage.needs.add(source);
  return {instruction, sources, line};
}

function findCopySource(build: Build, from: string, line: number): Stage | undefined {
  const {escapeChar, problems, byName, stages} = build;
  const expanded = expandWord(from, () => undefined, {escapeChar});
  if (!expanded.ok || expanded.text !== from) {
    const message = from.includes('$')
      ? `Docker expands no variables in COPY --from. Write "FROM ${from} AS tools" before this stage, then "COPY --from=tools".`
      : `COPY --from=${from}: quotes and escapes are not allowed here.`;
    problems.push({line, message});
    return undefined;
  }
  if (/^[+-]?\d+$/.test(from)) {
    const stage = stages[Number(from)];
    if (stage === undefined) problems.push({line, message: `there is no stage ${from}.`});
    return stage;
  }
  const added = {kind: 'copy', name: undefined, image: from, written: from, line} as const;
  return byName.get(from.toLowerCase()) ?? add(build, added);
}

function reportCircles({stages, problems}: Build): void {
  const visited = new Set<Stage>();
  for (const start of stages) {
    const path: Stage[] = [];
    const onPath = new Set<Stage>();
    const visit = (stage: Stage): boolean => {
      if (onPath.has(stage)) return true;
      if (visited.has(stage)) return false;
      visited.add(stage);
      onPath.add(stage);
      path.push(stage);
      if ([...stage.needs].some(visit)) return true;
      onPath.delete(stage);
      path.pop();
      return false;
    };
    if (!visit(start)) continue;
    const names = path.map(({name, image}) => name ?? image).join(', ');
    problems.push({line: start.line, message: `stages form a cycle: ${names}.`});
    return;
  }
}

/** All that the target needs; ONBUILD instructions of its bases may add to it. */
function resolve(build: Build, target: Stage, request: StageRequest): ReadonlySet<Stage> {
  while (build.problems.length === 0) {
    const reached = new Set([target]);
    for (const {base, needs} of reached) {
      if (base !== undefined) reached.add(base);
      for (const stage of needs) reached.add(stage);
    }
    let hasNew = false;
    for (const stage of reached) {
      if (stage.hasTriggers) continue;
      stage.hasTriggers = true;
      if (runTriggers(build, stage, request)) hasNew = true;
    }
    if (!hasNew) return reached;
  }
  return new Set([target]);
}

function runTriggers(build: Build, stage: Stage, request: StageRequest): boolean {
  const triggers =
    stage.base === undefined
      ? stage.image === scratch
        ? []
        : request.onBuild(stage.image)
      : stage.base.commands.flatMap(({instruction}) =>
          instruction.kind === 'onbuild' ? [instruction.trigger] : [],
        );
  const commands: Command[] = [];
  for (const trigger of triggers) {
    const {lines, escapeChar, problems} = readLines(trigger);
    const [only] = lines;
    const isOne = lines.length === 1 && problems.length === 0;
    const read = only && isOne ? readInstruction(only, escapeChar) : undefined;
    if (!read?.ok) {
      const because = read ? read.error : 'it is not one instruction.';
      const message = `ONBUILD ${trigger} of ${stage.image} cannot run here: ${because}`;
      build.problems.push({line: stage.line, message});
    } else commands.push(addNeeds(build, stage, read.value, stage.line));
  }
  stage.commands.unshift(...commands);
  return commands.some(({sources}) => sources.length > 0);
}
