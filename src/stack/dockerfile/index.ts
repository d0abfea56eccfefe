/**
 * Dockerfiles, read as BuildKit reads them.
 * Enters: the text, then the build args, the target and the platforms of one image.
 * Leaves: the images that its reached stages use, what they take from the build context, and what docker refuses.
 * Not here: which of those images belong to the stack (stack/parents.ts), reading files, asking registries.
 */
import {normalPlatform} from '../../image/platforms.ts';
import {parseReference} from '../../image/reference.ts';
import {type ContextSource, evaluateStages} from './evaluate.ts';
import {readInstruction} from './instructions.ts';
import {type DockerfileProblem, isOwnSyntax, readLines, readSyntax} from './lines.ts';
import {type Dockerfile, findStages, type Stage, scratch} from './stages.ts';

export type {ContextSource} from './evaluate.ts';
export type {DockerfileProblem} from './lines.ts';
export type {Dockerfile} from './stages.ts';

/** An image outside the Dockerfile that a reached stage uses: no stage, and not `scratch`. */
export interface ImageUse {
  /** As the Dockerfile has it, with every variable filled in; without a tag where it has none. */
  readonly reference: string;
  /** Literally. */
  readonly written: string;
  readonly kind: 'from' | 'copy' | 'mount';
  readonly line: number;
  /** By digest. */
  readonly isPinned: boolean;
  /** The image that is built begins with its layers. */
  readonly isBase: boolean;
  /** Which of its platforms is taken; undefined for that of the machine. */
  readonly platform: string | undefined;
}

/** Which files of the build context the reached stages take. */
export interface ContextUses {
  readonly sources: readonly ContextSource[];
  /** One sentence why the whole context counts; undefined when `sources` is all. */
  readonly unresolved: string | undefined;
}

export interface DockerfileUses {
  readonly images: readonly ImageUse[];
  readonly context: ContextUses;
  /** The platforms whose programs a RUN starts; undefined among them for that of the machine. */
  readonly runsOn: readonly (string | undefined)[];
  /** The ONBUILD instructions that the image leaves to its children. */
  readonly triggers: readonly string[];
  /** What docker refuses with these values. */
  readonly problems: readonly DockerfileProblem[];
}

export interface UseRequest {
  /** What is given with `--build-arg`. */
  readonly args: ReadonlyMap<string, string>;
  /** Empty for the machine's own, which counts as linux/amd64 here. */
  readonly platforms: readonly string[];
  readonly target: string | undefined;
  /** The ONBUILD instructions of an image that the Dockerfile names; none where it is missing. */
  readonly onBuild?: (reference: string) => readonly string[];
}

/** Reads a Dockerfile without any value for its ARGs. What docker would refuse anyway is in `problems`. */
export function readDockerfile(text: string): Dockerfile {
  const asked = readSyntax(text);
  const syntax = asked === undefined || isOwnSyntax(asked) ? undefined : asked;
  const {escapeChar, lines, problems: refused} = readLines(text);
  const problems = [...refused];
  const instructions = lines.flatMap((line) => {
    const read = readInstruction(line, escapeChar);
    if (read.ok) return [read.value];
    problems.push({line: line.line, message: read.error});
    return [];
  });
  const first = instructions.findIndex(({kind}) => kind === 'from');
  for (const {line, keyword, kind} of instructions.slice(0, first < 0 ? undefined : first)) {
    if (kind === 'arg') continue;
    problems.push({line, message: `${keyword} before the first FROM; only ARG is allowed there.`});
  }
  if (first < 0 && problems.length === 0) {
    problems.push({line: 1, message: 'the Dockerfile has no FROM. Add one.'});
  }
  // Another frontend has rules of its own.
  if (syntax !== undefined) return {escapeChar, instructions, problems: [], syntax};
  return {escapeChar, instructions, problems: problems.toSorted((a, b) => a.line - b.line), syntax};
}

/** The names of all its ARGs: what is given for another name has no effect. */
export function declaredArgs({instructions}: Dockerfile): ReadonlySet<string> {
  const args = instructions.flatMap((one) => (one.kind === 'arg' ? one.args : []));
  return new Set(args.map(({name}) => name));
}

/** What a Dockerfile uses with these args, over all the platforms. */
export function findUses(dockerfile: Dockerfile, request: UseRequest): DockerfileUses {
  if (dockerfile.problems.length > 0) {
    const context = {sources: [], unresolved: undefined};
    return {images: [], context, runsOn: [], triggers: [], problems: []};
  }
  const platforms = request.platforms.length > 0 ? request.platforms : ['linux/amd64'];
  const all = platforms.map((platform) => usesOn(dockerfile, request, platform));
  const [only] = all;
  if (only !== undefined && all.length === 1) return only;
  const unresolved = all.find(({context}) => context.unresolved !== undefined);
  return {
    images: distinct(all.flatMap(({images}) => images)),
    context: {
      sources: distinct(all.flatMap(({context}) => context.sources)),
      unresolved: unresolved?.context.unresolved,
    },
    runsOn: [...new Set(all.flatMap(({runsOn}) => runsOn))],
    triggers: all.at(-1)?.triggers ?? [],
    problems: distinct(all.flatMap(({problems}) => problems)),
  };
}

function distinct<T>(values: readonly T[]): readonly T[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}

function usesOn(dockerfile: Dockerfile, request: UseRequest, platform: string): DockerfileUses {
  const {args, target} = request;
  const onBuild = request.onBuild ?? (() => []);
  const graph = findStages(dockerfile, {args, target, platform, onBuild});
  const isRefused = graph.problems.length > 0;
  const evaluated = isRefused ? undefined : evaluateStages(dockerfile, graph, args);
  const syntax = args.get('BUILDKIT_SYNTAX') ?? dockerfile.syntax;
  const isOther = syntax !== undefined && !isOwnSyntax(syntax);
  const base = baseOf(graph.target);
  const reached = isRefused ? [] : [...graph.reached];
  const images = reached.filter(isImage);
  const built = request.platforms.length > 0 ? platform : '';
  const running = reached.filter(({commands}) =>
    commands.some(({instruction}) => instruction.kind === 'run'),
  );
  return {
    runsOn: [...new Set(running.map((stage) => platformOf(baseOf(stage) ?? stage, built)))],
    images: images
      .map((stage) => toUse(stage, stage === base, built))
      .toSorted((a, b) => a.line - b.line),
    context: {
      sources: evaluated?.sources ?? [],
      unresolved:
        describeDoubt(isOther ? syntax : undefined, platform) ??
        evaluated?.unresolved ??
        describeTriggers(images, onBuild),
    },
    triggers: (graph.target?.commands ?? []).flatMap(({instruction}) =>
      instruction.kind === 'onbuild' ? [instruction.trigger] : [],
    ),
    problems: isOther ? [] : [...graph.problems, ...(evaluated?.problems ?? [])],
  };
}

function describeDoubt(syntax: string | undefined, platform: string): string | undefined {
  if (syntax !== undefined) return `it is read by another frontend, ${syntax}`;
  return platform.startsWith('windows') ? 'paths of Windows images are not followed' : undefined;
}

/** Images made to be built upon have ONBUILD instructions, and their tags say so: node:20-onbuild. */
function describeTriggers(
  images: readonly Stage[],
  onBuild: (reference: string) => readonly string[],
): string | undefined {
  const unknown = images.find(
    ({kind, image}) =>
      kind === 'from' &&
      /onbuild/i.test(parseReference(image)?.tag ?? '') &&
      onBuild(image).length === 0,
  );
  return unknown && `${unknown.image} (line ${unknown.line}) has ONBUILD instructions`;
}

const isImage = ({base, image}: Stage): boolean => base === undefined && image !== scratch;

function baseOf(target: Stage | undefined): Stage | undefined {
  let stage = target;
  while (stage?.base !== undefined) stage = stage.base;
  return stage;
}

/** @param target the platform that is built; empty for the machine's */
function toUse(stage: Stage, isBase: boolean, target: string): ImageUse {
  const {image: reference, written, kind, line} = stage;
  const isPinned = parseReference(reference)?.digest !== undefined;
  return {reference, written, kind, line, isPinned, isBase, platform: platformOf(stage, target)};
}

/** $BUILDPLATFORM, and an architecture alone, are only known where it is built. */
function platformOf({platform}: Stage, target: string): string | undefined {
  const wanted = platform?.value ?? target;
  const isOpen = /BUILD/.test(platform?.written ?? '') || !wanted.includes('/');
  return isOpen ? undefined : normalPlatform(wanted);
}
