import {parseReference} from '../../image/reference.ts';
import type {Position} from '../yaml/index.ts';
import {expandWord, type LookUp} from './expand.ts';
import type {ArgDefault, Dockerfile, DockerfileLine, DockerfileProblem} from './parse.ts';

export type {Dockerfile} from './parse.ts';
export {readDockerfile} from './parse.ts';

/** An image outside the Dockerfile that it needs: no stage, and not `scratch`. */
export interface ImageUse {
  /** `FROM`, `COPY --from` or `RUN --mount`. */
  readonly how: string;
  readonly written: string;
  /** With every variable expanded, and `:latest` where it has no tag. */
  readonly ref: string;
  readonly position: Position;
}

export interface ImageUses {
  readonly uses: readonly ImageUse[];
  /** The reference that the built stage begins with; undefined for `scratch`. */
  readonly base: string | undefined;
  readonly problems: readonly DockerfileProblem[];
}

export interface UseRequest {
  /** What is given with `--build-arg`. */
  readonly args: ReadonlyMap<string, string>;
  /** Empty for the machine's own, which counts as linux/amd64 here. */
  readonly platforms: readonly string[];
  readonly target: string | undefined;
}

const words = {from: 'FROM', copy: 'COPY --from', mount: 'RUN --mount'} as const;

/** Which images a Dockerfile needs with these args, over all its stages and platforms. */
export function findUses(dockerfile: Dockerfile, request: UseRequest): ImageUses {
  const uses = new Map<string, ImageUse>();
  const problems = new Map<string, DockerfileProblem>();
  let base: string | undefined;
  const platforms = request.platforms.length > 0 ? request.platforms : ['linux/amd64'];
  for (const platform of platforms) {
    const found = findForPlatform(dockerfile, request, platform);
    base = found.base;
    for (const use of found.uses) uses.set(`${placeOf(use)} ${use.ref}`, use);
    for (const problem of found.problems) problems.set(placeOf(problem), problem);
  }
  return {uses: [...uses.values()], base, problems: [...problems.values()]};
}

function placeOf({position}: {readonly position: Position}): string {
  return `${position.line}:${position.column}`;
}

interface Stage {
  readonly name: string;
  /** What its FROM leads to, through other stages. */
  readonly base: string | undefined;
}

/** What is known while the lines are read from top to bottom. */
interface Evaluation {
  readonly given: ReadonlyMap<string, string>;
  readonly automatic: ReadonlyMap<string, string>;
  readonly escapeChar: string;
  readonly globals: Map<string, string>;
  /** The ARGs of the stage that is being read; each FROM begins with none. */
  locals: Map<string, string> | undefined;
  readonly stages: Stage[];
  readonly uses: ImageUse[];
  readonly problems: DockerfileProblem[];
}

function findForPlatform(
  {lines, escapeChar}: Dockerfile,
  {args, target}: UseRequest,
  platform: string,
): ImageUses {
  const evaluation: Evaluation = {
    given: args,
    automatic: automaticArgs(platform),
    escapeChar,
    globals: new Map(),
    locals: undefined,
    stages: [],
    uses: [],
    problems: [],
  };
  for (const line of lines) {
    if (line.kind === 'arg') define(evaluation, line.args);
    else {
      const base = resolve(evaluation, line);
      if (line.kind !== 'from') continue;
      evaluation.stages.push({name: line.stage?.toLowerCase() ?? '', base});
      evaluation.locals = new Map();
    }
  }
  const {stages, uses, problems} = evaluation;
  const built = target === undefined ? stages.at(-1) : findTarget(stages, target);
  if (target !== undefined && built === undefined && stages.length > 0) {
    const names = stages.flatMap(({name}) => (name === '' ? [] : [name])).join(', ');
    const message = `has no stage "${target}", which "target" asks for. Stages: ${names || 'none has a name'}.`;
    problems.push({position: {line: 1, column: 1}, message});
  }
  return {uses, base: built?.base, problems};
}

/** An ARG: what is given wins, then its default, then, inside a stage, the ARG before the first FROM. */
function define(evaluation: Evaluation, args: readonly ArgDefault[]): void {
  const {given, globals, locals, escapeChar} = evaluation;
  const scope = locals ?? globals;
  const lookUp: LookUp = (name) => scope.get(name) ?? evaluation.automatic.get(name);
  for (const {name, value} of args) {
    const fallback = value === undefined ? undefined : expandWord(value, lookUp, escapeChar);
    const found = given.get(name) ?? fallback ?? (locals && globals.get(name));
    if (found !== undefined) scope.set(name, found);
  }
}

/** The reference that a line names, through stages; undefined for scratch and after a problem. */
function resolve(
  evaluation: Evaluation,
  line: Exclude<DockerfileLine, {kind: 'arg'}>,
): string | undefined {
  const {globals, locals, stages, escapeChar} = evaluation;
  const missing: string[] = [];
  const scope = line.kind === 'from' ? globals : (locals ?? globals);
  const lookUp: LookUp = (name) => {
    const value = scope.get(name) ?? evaluation.automatic.get(name);
    if (value === undefined) missing.push(name);
    return value;
  };
  const text = expandWord(line.image, lookUp, escapeChar);
  if (text === 'scratch' && line.kind === 'from') return undefined;
  const stage =
    line.kind !== 'from' && /^\d+$/.test(text)
      ? stages[Number(text)]
      : stages.findLast(({name}) => name !== '' && name === text.toLowerCase());
  if (stage !== undefined) return stage.base;
  const reference = parseReference(text);
  const how = words[line.kind];
  // Inside a stage ENV gives values too, which are not followed here: docker will tell.
  if (
    reference === undefined &&
    locals !== undefined &&
    line.kind !== 'from' &&
    missing.length > 0
  ) {
    return undefined;
  }
  if (reference === undefined) {
    const message = describeBad(`${how} ${line.image}`, text, missing);
    evaluation.problems.push({position: line.position, message});
    return undefined;
  }
  const isWhole = reference.tag !== undefined || reference.digest !== undefined;
  const ref = isWhole ? text : `${text}:latest`;
  evaluation.uses.push({how, written: line.image, ref, position: line.position});
  return ref;
}

function findTarget(stages: readonly Stage[], target: string): Stage | undefined {
  return (
    stages.findLast(({name}) => name === target.toLowerCase()) ??
    (/^\d+$/.test(target) ? stages[Number(target)] : undefined)
  );
}

function describeBad(says: string, text: string, missing: readonly string[]): string {
  const becomes = text === '' ? 'nothing' : `"${text}"`;
  if (missing.length === 0) return `${says}: ${becomes} is no valid image reference.`;
  const names = [...new Set(missing)].join(', ');
  return `${says} becomes ${becomes}, because ${names} has no value. Give it a default with ARG before the first FROM, or a value in build_args.`;
}

/** What BuildKit defines by itself; the build platform counts as the target's. */
function automaticArgs(platform: string): ReadonlyMap<string, string> {
  const [os = '', architecture = '', variant = ''] = platform.split('/');
  return new Map(
    ['TARGET', 'BUILD'].flatMap((side): readonly (readonly [string, string])[] => [
      [`${side}PLATFORM`, platform],
      [`${side}OS`, os],
      [`${side}ARCH`, architecture],
      [`${side}VARIANT`, variant],
    ]),
  );
}
