import {
  type ContextUses,
  type Dockerfile,
  findUses,
  type ImageUse,
  readDockerfile,
} from './dockerfile/index.ts';
import {keysByRepository, type Reading, readEdges, type Surroundings} from './edges.ts';
import {lackingParents, type NeededPlatforms, neededPlatforms} from './platforms.ts';
import {findCycles, type ImageSpec, type Spec} from './spec/index.ts';

/** A Dockerfile and the name that messages give it. */
export interface DockerfileText {
  /** Relative to the workspace. */
  readonly file: string;
  readonly text: string;
}

/** What was read from the Dockerfiles. Every image of `spec` has an entry in each map. */
export interface ParentCheck {
  /** The images with the parents that their Dockerfiles name, besides those of `depend_on`. */
  readonly spec: Spec;
  readonly mistakes: readonly string[];
  readonly warnings: readonly string[];
  /** Edges that `depend_on` does not list, for the log. */
  readonly notes: readonly string[];
  /** References in full that this run does not build. */
  readonly externalBases: ReadonlyMap<string, readonly string[]>;
  /** Those of them that a build can be given by digest under the name that the Dockerfile has for them. */
  readonly pinnable: ReadonlyMap<string, readonly string[]>;
  /** Names of the parents whose layers the image begins with: none or one. */
  readonly bases: ReadonlyMap<string, readonly string[]>;
  /** By parent, its references exactly as the Dockerfile has them: the names of the named contexts. */
  readonly references: ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;
  /** For which platforms the image takes its parents. */
  readonly needed: ReadonlyMap<string, NeededPlatforms>;
  /** The platforms whose programs its build starts; undefined among them for that of the machine. */
  readonly runsOn: ReadonlyMap<string, readonly (string | undefined)[]>;
  /** What the image takes from its build context. */
  readonly contextUses: ReadonlyMap<string, ContextUses>;
  /** The BASE_TAG and BASE_IMAGE that a build gets, if any; `refOf` says where a parent is in this run. */
  readonly parentArgs: (
    image: ImageSpec,
    refOf: (name: string) => string | undefined,
  ) => ReadonlyMap<string, string>;
}

interface ReadImage {
  readonly image: ImageSpec;
  readonly file: string;
  readonly dockerfile: Dockerfile;
  readonly reading: Reading;
}

/**
 * Finds the parents of every image by reading its Dockerfile, and holds them against `depend_on` and `root`. An image
 * of the stack that a reached stage names is a parent, at any tag and under any spelling; by digest it is not.
 * `dockerfiles` is by name; an image that has none there is left alone.
 */
export function checkParents(
  spec: Spec,
  dockerfiles: ReadonlyMap<string, DockerfileText>,
  tagOf: (image: ImageSpec) => string,
): ParentCheck {
  const all = readAll(spec, dockerfiles, tagOf);
  const images = keptImages(spec, all);
  // Tracks share their Dockerfiles, so most findings of a track are those of the stack again.
  const mistakes = new Set<string>();
  const warnings = new Set<string>();
  const notes = new Set<string>();
  for (const read of all.values()) {
    const problems = [...read.dockerfile.problems, ...read.reading.problems];
    for (const {line, message} of problems) mistakes.add(`${read.file}:${line}:1: ${message}`);
    if (problems.length > 0 || !images.has(read.image.name)) continue;
    for (const warning of untraced(spec, read)) warnings.add(warning);
    for (const note of unlisted(spec, read)) notes.add(note);
    for (const mistake of wrongPlatforms(spec, read)) mistakes.add(mistake);
  }
  if (mistakes.size === 0) {
    for (const mistake of cycles(images, all)) mistakes.add(mistake);
    const roots = checkRoots(spec, images);
    for (const mistake of roots.mistakes) mistakes.add(mistake);
    for (const warning of roots.warnings) warnings.add(warning);
  }
  const byImage = <T>(choose: (reading: Reading | undefined) => T): ReadonlyMap<string, T> =>
    new Map([...images.keys()].map((name) => [name, choose(all.get(name)?.reading)]));
  return {
    spec: {...spec, images},
    mistakes: [...mistakes],
    warnings: [...warnings],
    notes: [...notes],
    externalBases: byImage((reading) => reading?.external ?? []),
    pinnable: byImage((reading) => reading?.pinnable ?? []),
    bases: byImage((reading) => basesOf(reading)),
    references: byImage((reading) => referencesOf(reading)),
    needed: byImage((reading) => neededPlatforms(reading?.edges ?? new Map())),
    runsOn: byImage((reading) => reading?.runsOn ?? []),
    contextUses: byImage((reading) => reading?.context ?? unread),
    parentArgs: (image, refOf) => {
      const ref = refOf(images.get(image.name)?.parents[0] ?? '');
      const args = all.get(image.name)?.reading.baseArgs ?? new Map<string, string>();
      if (ref === undefined || !args.has('BASE_IMAGE')) return args;
      return new Map([...args, ['BASE_IMAGE', ref]]);
    },
  };
}

const unread: ContextUses = {sources: [], unresolved: 'its Dockerfile could not be read'};

function readAll(
  spec: Spec,
  dockerfiles: ReadonlyMap<string, DockerfileText>,
  tagOf: (image: ImageSpec) => string,
): ReadonlyMap<string, ReadImage> {
  const parse = remember(readDockerfile);
  const triggersOf = remember((name: string): readonly string[] => {
    const image = spec.images.get(name);
    const text = dockerfiles.get(name)?.text;
    if (image === undefined || text === undefined || !/onbuild/i.test(text)) return [];
    return findUses(parse(text), {...image, args: image.buildArgs}).triggers;
  });
  const around: Surroundings = {spec, tagOf, keys: keysByRepository(spec), triggersOf};
  const all = new Map<string, ReadImage>();
  for (const image of spec.images.values()) {
    const found = dockerfiles.get(image.name);
    if (found === undefined) continue;
    const dockerfile = parse(found.text);
    const reading = readEdges(around, image, dockerfile);
    all.set(image.name, {image, file: found.file, dockerfile, reading});
  }
  return all;
}

function remember<T>(make: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const value = known.get(text) ?? make(text);
    known.set(text, value);
    return value;
  };
}

/** All images with all their parents; a track omits what is built on an image that it skips. */
function keptImages(
  spec: Spec,
  all: ReadonlyMap<string, ReadImage>,
): ReadonlyMap<string, ImageSpec> {
  const images = new Map<string, ImageSpec>();
  const children = new Map<string, string[]>();
  const left = new Set<string>();
  for (const [name, image] of spec.images) {
    const reading = all.get(name)?.reading;
    const parents = [...new Set([...image.parents, ...(reading?.edges.keys() ?? [])])];
    images.set(name, {...image, parents});
    for (const parent of parents) children.set(parent, [...(children.get(parent) ?? []), name]);
    if (image.track !== undefined && (reading?.skipped ?? []).length > 0) left.add(name);
  }
  for (const name of left) for (const child of children.get(name) ?? []) left.add(child);
  for (const name of left) images.delete(name);
  return images;
}

function basesOf(reading: Reading | undefined): readonly string[] {
  const edges = [...(reading?.edges ?? [])];
  return edges.flatMap(([name, uses]) => (uses.some(({isBase}) => isBase) ? [name] : []));
}

function referencesOf(reading: Reading | undefined): ReadonlyMap<string, readonly string[]> {
  const edges = [...(reading?.edges ?? [])];
  return new Map(
    edges.map(([name, uses]) => [name, [...new Set(uses.map(({reference}) => reference))]]),
  );
}

function keyPlace(spec: Spec, {position}: ImageSpec): string {
  return `${spec.file}:${position.line}:${position.column}`;
}

const words = {from: 'FROM', copy: 'COPY --from', mount: 'RUN --mount from'} as const;

function usePlace({file}: ReadImage, {line}: ImageUse): string {
  return `${file}:${line}:1`;
}

/** Parents of depend_on that the Dockerfile does not name. */
function untraced(spec: Spec, {image, file, reading}: ReadImage): readonly string[] {
  return image.parents.flatMap((name) => {
    const parent = spec.images.get(name);
    if (parent === undefined || reading.edges.has(name)) return [];
    const place = keyPlace(spec, image);
    return `${file}:1:1: depend_on of "${image.key}" (${place}) lists "${parent.key}", but no FROM, COPY --from or RUN --mount of a stage that is built uses ${parent.repository}. Remove it there, or add FROM ${parent.repository}.`;
  });
}

/** Edges of the Dockerfile that depend_on does not list. */
function unlisted(spec: Spec, read: ReadImage): readonly string[] {
  const {image, reading} = read;
  return [...reading.edges].flatMap(([name, [use]]) => {
    const parent = spec.images.get(name);
    if (parent === undefined || use === undefined || image.parents.includes(name)) return [];
    const line = `${words[use.kind]} ${use.written}`;
    const mend =
      image.dependOn === 'listed'
        ? ` Its depend_on (${keyPlace(spec, image)}) does not list it.`
        : '';
    return `${usePlace(read, use)}: ${line} makes "${parent.key}" a parent of "${image.key}".${mend}`;
  });
}

/** Parents that no machine has for a platform of their child. */
function wrongPlatforms(spec: Spec, read: ReadImage): readonly string[] {
  const {edges} = read.reading;
  return lackingParents(spec, read.image, neededPlatforms(edges)).map(({parent, ...said}) => {
    const [use] = edges.get(parent) ?? [];
    const place = use === undefined ? keyPlace(spec, read.image) : usePlace(read, use);
    return `${place}: ${said.message} ${said.mend}`;
  });
}

function cycles(
  images: ReadonlyMap<string, ImageSpec>,
  all: ReadonlyMap<string, ReadImage>,
): readonly string[] {
  const edges = new Map([...images].map(([name, {parents}]) => [name, parents]));
  return findCycles(edges).map((cycle) => {
    const steps = cycle.slice(0, -1).map((name, index) => {
      const read = all.get(name);
      const use = read?.reading.edges.get(cycle[index + 1] ?? '')?.[0];
      return {
        read,
        use,
        line: read && use && `${words[use.kind]} ${use.written} in ${read.file}:${use.line}`,
      };
    });
    const first = steps.find(({use}) => use !== undefined);
    const place = first?.read && first.use ? usePlace(first.read, first.use) : '';
    const lines = steps.flatMap(({line}) => line ?? []).join(', ');
    return `${place}: the images form a cycle: ${cycle.join(' -> ')} (${lines}). Remove one of these lines, or pin the image by digest.`;
  });
}

/** With `root`, an image in no tree is a mistake: the Python scripts dropped it silently. */
function checkRoots(
  spec: Spec,
  images: ReadonlyMap<string, ImageSpec>,
): {readonly mistakes: readonly string[]; readonly warnings: readonly string[]} {
  const mistakes: string[] = [];
  const warnings: string[] = [];
  if (spec.roots.length === 0) return {mistakes, warnings};
  for (const image of images.values()) {
    if (image.track !== undefined) continue;
    const isRoot = spec.roots.includes(image.key);
    const place = keyPlace(spec, image);
    if (!isRoot && image.parents.length === 0) {
      mistakes.push(
        `${place}: image "${image.key}" is neither listed in "root" nor depends on another image, so it would never be built. Add it to "root" or give it a depend_on.`,
      );
    } else if (isRoot && image.parents.length > 0) {
      const parents = image.parents.join(', ');
      warnings.push(
        `${place}: "root" lists "${image.key}", but its Dockerfile builds on ${parents}. Remove it from "root".`,
      );
    }
  }
  return {mistakes, warnings};
}
