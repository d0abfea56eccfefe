import {parseReference, repositoryKey} from '../image/reference.ts';
import {variantOf} from '../image/tags.ts';
import {
  type ContextUses,
  type Dockerfile,
  type DockerfileProblem,
  type DockerfileUses,
  declaredArgs,
  findUses,
  type ImageUse,
} from './dockerfile/index.ts';
import {type ImageSpec, nameInTrack, type Spec} from './spec/index.ts';

/** What is known of the stack while the Dockerfile of one image is read. */
export interface Surroundings {
  readonly spec: Spec;
  readonly tagOf: (image: ImageSpec) => string;
  /** Keys of the images of a repository, however its name is spelled. */
  readonly keys: ReadonlyMap<string, readonly string[]>;
  /** The ONBUILD instructions of an image of the stack, by name. */
  readonly triggersOf: (name: string) => readonly string[];
}

/** The Dockerfile of one image, read with the values that its build gets. */
export interface Reading {
  /** Parents by name, with each line that names them. */
  readonly edges: ReadonlyMap<string, readonly ImageUse[]>;
  /** Keys of images of the stack that the image's track skips. */
  readonly skipped: readonly string[];
  /** References of all other images, in full. */
  readonly external: readonly string[];
  /** Those of them that a named context can stand for. */
  readonly pinnable: readonly string[];
  readonly context: ContextUses;
  readonly runsOn: DockerfileUses['runsOn'];
  readonly problems: readonly DockerfileProblem[];
  /** BASE_TAG and BASE_IMAGE as far as this build needs and can take them. */
  readonly baseArgs: ReadonlyMap<string, string>;
}

/** Keys by repository; more than one where several images share theirs. */
export function keysByRepository(spec: Spec): ReadonlyMap<string, readonly string[]> {
  const main = [...spec.images.values()].filter(({track}) => track === undefined);
  const named = Map.groupBy(main, ({repository}) => repositoryKey(repository) ?? repository);
  return new Map([...named].map(([name, images]) => [name, images.map(({key}) => key)]));
}

/**
 * Finds the images of the stack that a Dockerfile is built on. BASE_TAG and BASE_IMAGE are given as the Python scripts gave
 * them, but never over a value of build_args, never to an image without parents, only where there is such an ARG, and
 * only where they lead to no image outside of the stack.
 */
export function readEdges(around: Surroundings, image: ImageSpec, dockerfile: Dockerfile): Reading {
  const plain = readWith(around, image, dockerfile, new Map());
  if (image.dependOn === 'empty') return plain;
  const offered = offeredArgs(around, image, plain);
  const declared = declaredArgs(dockerfile);
  const usable = [...offered].filter(([name]) => declared.has(name) && !image.buildArgs.has(name));
  const isPlainGood = plain.problems.length === 0;
  for (const names of [['BASE_TAG', 'BASE_IMAGE'], ['BASE_TAG'], ['BASE_IMAGE']]) {
    const given = new Map(usable.filter(([name]) => names.includes(name)));
    if (given.size < names.length) continue;
    const reading = readWith(around, image, dockerfile, given);
    const leadsOut =
      isPlainGood && !reading.external.every((reference) => plain.external.includes(reference));
    const hasParents = image.parents.length > 0 || reading.edges.size > 0;
    if (reading.problems.length === 0 && hasParents && !leadsOut) return reading;
  }
  return plain;
}

function offeredArgs(
  {spec, tagOf}: Surroundings,
  image: ImageSpec,
  {edges}: Reading,
): ReadonlyMap<string, string> {
  const [first = ''] = [...image.parents, ...edges.keys()];
  const parent = spec.images.get(first);
  const args = new Map([['BASE_TAG', tagOf(image)]]);
  if (parent !== undefined) args.set('BASE_IMAGE', `${parent.repository}:${tagOf(parent)}`);
  return args;
}

function readWith(
  around: Surroundings,
  image: ImageSpec,
  dockerfile: Dockerfile,
  baseArgs: ReadonlyMap<string, string>,
): Reading {
  const uses = findUses(dockerfile, {
    args: new Map([...baseArgs, ...image.buildArgs]),
    platforms: image.platforms,
    target: image.target,
    onBuild: (reference) => {
      const key = keyOf(around, image, reference);
      return key === undefined ? [] : around.triggersOf(nameOf(image, key));
    },
  });
  const edges = new Map<string, ImageUse[]>();
  const hidden: DockerfileProblem[] = [];
  const external = new Set<string>();
  const skipped = new Set<string>();
  // What the image begins with comes first: BASE_IMAGE is the first parent.
  for (const use of uses.images.toSorted((a, b) => Number(b.isBase) - Number(a.isBase))) {
    const key = keyOf(around, image, use.reference);
    const name = key === undefined ? '' : nameOf(image, key);
    if (key === undefined || use.isPinned || image.dependOn === 'empty') {
      external.add(inFull(use.reference));
    } else if (!around.spec.images.has(name)) skipped.add(key);
    else {
      edges.set(name, [...(edges.get(name) ?? []), use]);
      const line = stageNamed(dockerfile, use.reference);
      if (line === undefined) continue;
      const message = `the stage has the name of the image ${use.written}, which docker would take in its place. Give the stage another name.`;
      hidden.push({line, message});
    }
  }
  const {context, runsOn} = uses;
  const problems = [...uses.problems, ...hidden];
  return {
    edges,
    skipped: [...skipped],
    external: [...external],
    pinnable: image.buildArgs.has('BUILDKIT_SYNTAX')
      ? []
      : [...external].filter((reference) => isPinnable(dockerfile, reference)),
    context,
    runsOn,
    problems,
    baseArgs,
  };
}

/** By digest it is pinned already; other frontends need not know named contexts. */
function isPinnable(dockerfile: Dockerfile, reference: string): boolean {
  const parsed = parseReference(reference);
  if (dockerfile.syntax !== undefined || parsed === undefined) return false;
  return parsed.digest === undefined && stageNamed(dockerfile, reference) === undefined;
}

/** The line of a stage whose place a named context of this reference would take: `FROM python AS python`. */
function stageNamed({instructions}: Dockerfile, reference: string): number | undefined {
  const tag = parseReference(reference)?.tag ?? 'latest';
  const key = repositoryKey(reference);
  const stage = instructions.find(
    (one) => one.kind === 'from' && one.stage !== undefined && repositoryKey(one.stage) === key,
  );
  return tag === 'latest' ? stage?.line : undefined;
}

/** The image of the stack that a reference means; an image may take files from its own last release. */
function keyOf(around: Surroundings, image: ImageSpec, reference: string): string | undefined {
  const keys = around.keys.get(repositoryKey(reference) ?? '') ?? [];
  const key = keys.length > 1 ? ownerOf(around, image, {keys, reference}) : keys[0];
  return key === image.key ? undefined : (key ?? nickname(around, image, reference));
}

/**
 * `FROM base`, as a Dockerfile says that got its parent from a bake file or by the tag of an earlier `docker build`: the
 * parent of depend_on that is called so. Without depend_on it is an image of Docker Hub.
 */
function nickname({spec}: Surroundings, image: ImageSpec, reference: string): string | undefined {
  if (image.dependOn !== 'listed' || reference.includes('/')) return undefined;
  const name = reference.replace(/[:@].*/, '');
  const parents = image.parents.flatMap((parent) => spec.images.get(parent) ?? []);
  const isCalled = ({key, repository}: ImageSpec): boolean =>
    key === name || repository.endsWith(`/${name}`);
  return parents.find(isCalled)?.key;
}

/** Which of several images in one repository has a tag: the tag decides, and then the variant in it, the longest first. */
function ownerOf(
  {spec, tagOf}: Surroundings,
  image: ImageSpec,
  {keys, reference}: {readonly keys: readonly string[]; readonly reference: string},
): string | undefined {
  const tag = parseReference(reference)?.tag ?? 'latest';
  const images = keys.flatMap((key) => spec.images.get(nameOf(image, key)) ?? []);
  return images.find((one) => tagOf(one) === tag)?.key ?? variantOf(images, tag)?.key;
}

function nameOf({track}: ImageSpec, key: string): string {
  return track === undefined ? key : nameInTrack(key, track);
}

function inFull(reference: string): string {
  const parsed = parseReference(reference);
  const isWhole = parsed?.tag !== undefined || parsed?.digest !== undefined;
  return isWhole ? reference : `${reference}:latest`;
}
