import {parseReference, type Reference} from '../image/reference.ts';
import {findUses, readDockerfile} from '../stack/dockerfile/index.ts';
import {isVendor, officialImages} from './official.ts';
import {namespaceOf, plainName, repositoryOf, similarNames} from './similar.ts';
import type {Candidate, Edge, Origin, Todo} from './types.ts';

export interface EdgeRequest {
  readonly images: readonly Candidate[];
  /** Text of each Dockerfile by its path. */
  readonly dockerfiles: ReadonlyMap<string, string>;
  readonly origin: Origin;
}

export interface Edges {
  readonly edges: readonly Edge[];
  readonly todos: readonly Todo[];
}

/** A FROM, COPY --from or RUN --mount of one image, taken apart. */
interface Use {
  readonly child: Candidate;
  readonly how: string;
  readonly line: number;
  /** As the Dockerfile writes it, variables filled in, with a tag. */
  readonly ref: string;
  readonly reference: Reference;
}

const howWords = {from: 'FROM', copy: 'COPY --from', mount: 'RUN --mount'} as const;

/**
 * Finds whose images the Dockerfiles name. Sure is what something in the repository calls so; a name that only looks
 * like one is an edge where its owner is this repository's, as far as the other names show. What is left is a
 * question for a person: a missing edge costs a line, a wrong one builds the wrong thing.
 */
export function findEdges({images, dockerfiles, origin}: EdgeRequest): Edges {
  const todos: Todo[] = [];
  const uses = images.flatMap((child) => usesOf(child, dockerfiles, todos));
  const declared = declaredNames(images);
  const names = similarNames(
    images,
    uses.map(({reference}) => reference),
    origin,
  );
  const similar = (use: Use): readonly Candidate[] => names.find(use.reference);
  const whose = judgeNamespaces({uses, declared, similar, origin});
  const edges = new Map<string, Edge>();
  for (const use of uses) {
    const found = resolve(use, {images, declared, similar, whose});
    if (found.kind === 'todo') todos.push({key: use.child.key, sentence: found.sentence});
    if (found.kind !== 'image' || found.image === use.child) continue;
    const id = `${use.child.key} ${found.image.key}`;
    if (edges.has(id)) continue;
    const readAt = `${use.how} in ${use.child.dockerfile}:${use.line}`;
    edges.set(id, {child: use.child.key, parent: found.image.key, readAt, ref: use.ref});
  }
  return {edges: [...edges.values()], todos};
}

function usesOf(
  child: Candidate,
  dockerfiles: ReadonlyMap<string, string>,
  todos: Todo[],
): readonly Use[] {
  const dockerfile = readDockerfile(dockerfiles.get(child.dockerfile) ?? '');
  const {args, platforms, target} = child;
  const found = findUses(dockerfile, {args, platforms, target});
  for (const {line, message} of found.problems) {
    const place = `${child.dockerfile}:${line}`;
    todos.push({
      key: child.key,
      sentence: `${place}: ${message} If that is an image of this file, add it to depend_on.`,
    });
  }
  return found.images.flatMap(({reference: written, kind, line, isPinned}) => {
    const reference = parseReference(written);
    // By digest it is pinned on purpose, and no image that is still to be built.
    if (reference === undefined || isPinned) return [];
    const ref = reference.tag === undefined ? `${written}:latest` : written;
    return [{child, how: howWords[kind], line, ref, reference}];
  });
}

type Found =
  | {readonly kind: 'image'; readonly image: Candidate}
  | {readonly kind: 'todo'; readonly sentence: string}
  | {readonly kind: 'outside'};

interface Known {
  readonly images: readonly Candidate[];
  readonly declared: ReadonlyMap<string, readonly Candidate[]>;
  readonly similar: (use: Use) => readonly Candidate[];
  readonly whose: (namespace: string) => Whose;
}

/** Whether the names of an owner are those of this repository. */
type Whose = 'ours' | 'theirs' | 'unclear';

function resolve(use: Use, {images, declared, similar, whose}: Known): Found {
  const named = contextOf(use, images);
  if (named !== undefined) return {kind: 'image', image: named};
  const sure = byTag(use, declared.get(repositoryOf(use.reference)) ?? []);
  if (sure !== undefined) return sure;
  const others = similar(use);
  const [first] = others;
  if (first === undefined || others.includes(use.child)) return {kind: 'outside'};
  const namespace = namespaceOf(use.reference);
  const place = `${use.child.dockerfile}:${use.line}`;
  if (namespace === '') {
    // FROM base: Docker Hub has no such image of its own, so it can only be one that is built here.
    const isLocal = !officialImages.has(lastOf(use.reference));
    return isLocal && others.length === 1 ? {kind: 'image', image: first} : {kind: 'outside'};
  }
  const owner = whose(namespace);
  if (owner === 'theirs') return {kind: 'outside'};
  if (owner === 'ours' && others.length === 1) return {kind: 'image', image: first};
  const keys = others.map(({key}) => `"${key}"`).join(' or ');
  const sentence = `${place}: ${use.how} ${use.ref} may be ${keys} of this file. If it is, add it to depend_on.`;
  return {kind: 'todo', sentence};
}

/** A named context of bake or compose stands for whatever the Dockerfile calls so. */
function contextOf(use: Use, images: readonly Candidate[]): Candidate | undefined {
  const {declaration} = use.child;
  const bare = use.ref.replace(/:latest$/, '');
  const name = declaration?.contexts.get(use.ref) ?? declaration?.contexts.get(bare);
  return name === undefined
    ? undefined
    : images.find(
        (image) =>
          image.declaration?.source === declaration?.source && image.declaration?.name === name,
      );
}

/** Several images in one repository are told apart by their tags. */
function byTag(use: Use, owners: readonly Candidate[]): Found | undefined {
  const [only] = owners;
  if (only === undefined) return undefined;
  if (owners.length === 1) return {kind: 'image', image: only};
  const tag = use.reference.tag ?? 'latest';
  const exact = owners.filter(({tags}) =>
    tags.some((one) => (parseReference(one)?.tag ?? 'latest') === tag),
  );
  const fitting =
    exact.length > 0
      ? exact
      : owners.filter(({key}) => plainName(key).endsWith(`-${plainName(tag)}`));
  const [image] = fitting;
  if (image !== undefined && fitting.length === 1) return {kind: 'image', image};
  const keys = owners.map(({key}) => `"${key}"`).join(', ');
  const place = `${use.child.dockerfile}:${use.line}`;
  return {
    kind: 'todo',
    sentence: `${place}: ${use.how} ${use.ref} is one of ${keys}, and its tag does not tell which. Add the right one to depend_on.`,
  };
}

function declaredNames(images: readonly Candidate[]): ReadonlyMap<string, readonly Candidate[]> {
  const names = new Map<string, Candidate[]>();
  for (const image of images) {
    for (const tag of image.tags) {
      const reference = parseReference(tag);
      if (reference === undefined) continue;
      const name = repositoryOf(reference);
      const owners = names.get(name) ?? [];
      if (!owners.includes(image)) owners.push(image);
      names.set(name, owners);
    }
  }
  return names;
}

interface Evidence {
  readonly uses: readonly Use[];
  readonly declared: ReadonlyMap<string, readonly Candidate[]>;
  readonly similar: (use: Use) => readonly Candidate[];
  readonly origin: Origin;
}

/**
 * Whose names are ours: the owner of the repository, who the tags of bake files and workflows name, else an owner
 * of whom nearly every name is a folder here. Who has an image that another image of that very name begins with,
 * is another image: nothing is FROM itself.
 */
function judgeNamespaces({uses, declared, similar, origin}: Evidence): Known['whose'] {
  const owner = origin.owner.toLowerCase();
  const declaredOnes = new Set([...declared.keys()].map((name) => name.replace(/\/?[^/]*$/, '')));
  const groups = Map.groupBy(uses, ({reference}) => namespaceOf(reference));
  const isCertain = (namespace: string): boolean =>
    namespace !== '' &&
    (declaredOnes.has(namespace) || (owner !== '' && namespace.split('/').includes(owner)));
  const hasCertain = [...groups.keys()].some(isCertain);
  const judge = (namespace: string, group: readonly Use[]): Whose => {
    if (isCertain(namespace)) return 'ours';
    if (isVendor(namespace) || group.some((use) => similar(use).includes(use.child)))
      return 'theirs';
    // One owner that is known for sure leaves no room for a second that only looks like one.
    if (hasCertain) return 'unclear';
    const names = Map.groupBy(group, ({reference}) => repositoryOf(reference)).values();
    const all = [...names].flatMap((same) => same.slice(0, 1));
    const matched = all.filter((use) => similar(use).length > 0).length;
    const isMost = matched * 2 >= all.length && (matched > 1 || all.length === 1);
    return matched > 0 && isMost ? 'ours' : 'unclear';
  };
  const known = new Map([...groups].map(([name, group]) => [name, judge(name, group)]));
  return (namespace) => known.get(namespace) ?? 'unclear';
}

function lastOf(reference: Reference): string {
  return reference.repository.split('/').at(-1) ?? '';
}
