import {parseReference, repositoryOf as withoutTag} from '../image/reference.ts';
import {namespaceOf, repositoryOf} from './similar.ts';
import type {Candidate, Edge, Origin} from './types.ts';

export interface Repository {
  readonly name: string;
  /** `tags in docker-bake.hcl:12`; empty where the name is the usual one for a repository on GitHub. */
  readonly readAt: string;
  /** False for a name with a part that nobody knows. */
  readonly isKnown: boolean;
  /** What the image's tags begin with, where the repository is not its alone. */
  readonly variant?: string | undefined;
  /** The repository of several images whose tags do not tell them apart; here each has its own. */
  readonly sharedName?: string;
}

/** What every tag begins with, until somebody chooses. */
export const usualPrefix = '1';

export interface RepositoryRequest {
  readonly images: readonly Candidate[];
  readonly edges: readonly Edge[];
  readonly origin: Origin;
}

/**
 * The repository of each image: what tags in the repository say, what other Dockerfiles call it, the place where
 * its neighbours are, else `ghcr.io/<owner>/<key>`.
 */
export function nameRepositories(request: RepositoryRequest): ReadonlyMap<string, Repository> {
  const wanted = preference(request);
  const asParent = Map.groupBy(request.edges, ({parent}) => parent);
  const first = new Map(
    request.images.map((image) => [
      image.key,
      ownName(image, asParent.get(image.key) ?? [], wanted),
    ]),
  );
  const common = commonNamespace([...first.values()].flatMap((one) => one?.name ?? []));
  const names = new Map(
    request.images.map(({key}) => [key, first.get(key) ?? usualName(key, common, request.origin)]),
  );
  return distinct(names, request.images);
}

/** A higher number for a namespace that more images have: one login is better than two. */
type Preference = (tag: string) => number;

function preference({images, origin}: RepositoryRequest): Preference {
  const counts = new Map<string, number>();
  for (const {tags} of images) {
    for (const namespace of new Set(tags.map(namespaceOfTag)))
      counts.set(namespace, (counts.get(namespace) ?? 0) + 1);
  }
  const owner = origin.owner.toLowerCase();
  return (tag) => {
    const namespace = namespaceOfTag(tag);
    const isHome = owner !== '' && namespace === `ghcr.io/${owner}`;
    return (
      (counts.get(namespace) ?? 0) + (isHome ? 0.5 : 0) + (tag.startsWith('ghcr.io/') ? 0.2 : 0)
    );
  };
}

/** A name without an owner is for one machine: nobody could push it. */
function namespaceOfTag(tag: string): string {
  const reference = parseReference(tag);
  return reference === undefined ? '' : namespaceOf(reference);
}

/** @param edges those from the image to its children */
function ownName(
  {tags, declaration}: Candidate,
  edges: readonly Edge[],
  prefers: Preference,
): Repository | undefined {
  const pushable = tags.filter((tag) => namespaceOfTag(tag) !== '');
  const [best] = pushable.toSorted((one, other) => prefers(other) - prefers(one));
  if (best !== undefined) {
    const readAt = `tags in ${declaration?.place ?? 'the repository'}`;
    return {name: withoutTag(best), readAt, isKnown: true};
  }
  for (const edge of edges) {
    const reference = parseReference(edge.ref);
    if (reference === undefined || namespaceOf(reference) === '') continue;
    return {name: repositoryOf(reference), readAt: edge.readAt, isKnown: true};
  }
  return undefined;
}

/** The namespace of most names; undefined when there are none. */
function commonNamespace(names: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const name of names) {
    const namespace = name.replace(/\/[^/]*$/, '');
    counts.set(namespace, (counts.get(namespace) ?? 0) + 1);
  }
  return [...counts].toSorted(([, one], [, other]) => other - one)[0]?.[0];
}

function usualName(key: string, common: string | undefined, {owner}: Origin): Repository {
  if (common !== undefined) return {name: `${common}/${key}`, readAt: '', isKnown: true};
  const isKnown = /^[A-Za-z0-9]+(?:-+[A-Za-z0-9]+)*$/.test(owner);
  return {name: `ghcr.io/${isKnown ? owner.toLowerCase() : 'owner'}/${key}`, readAt: '', isKnown};
}

/**
 * Several images whose tags tell them apart share their repository, each with the variant that its tags begin or end
 * with; one of them may have none. Where the tags do not tell, each has a repository of its own here.
 */
function distinct(
  names: ReadonlyMap<string, Repository>,
  images: readonly Candidate[],
): ReadonlyMap<string, Repository> {
  const byKey = new Map(images.map((image) => [image.key, image]));
  const groups = Map.groupBy(names, ([, {name}]) => name);
  const shared = new Map<string, Repository>();
  for (const [name, group] of groups) {
    const members = group.flatMap(([key]) => byKey.get(key) ?? []);
    const variants = members.length > 1 ? variantsOf(name, members) : undefined;
    const last = name.split('/').at(-1) ?? '';
    for (const [key, repository] of group) {
      const variant = variants?.get(key);
      const own = key.startsWith(last) || last.length > 80 ? key : `${last}-${key}`;
      if (group.length < 2) shared.set(key, repository);
      else if (variants !== undefined) shared.set(key, {...repository, variant});
      else shared.set(key, {...repository, name: name.replace(/[^/]*$/, own), sharedName: name});
    }
  }
  return new Map(
    [...names.keys()].flatMap((key) => {
      const one = shared.get(key);
      return one === undefined ? [] : [[key, one] as const];
    }),
  );
}

/** By key the variant of each image of one repository, undefined for the plain one; nothing where the tags do not tell. */
function variantsOf(
  repository: string,
  images: readonly Candidate[],
): ReadonlyMap<string, string | undefined> | undefined {
  const variants = new Map<string, string | undefined>();
  for (const {key, tags} of images) {
    const own = tags.filter((tag) => withoutTag(tag) === repository);
    const words = own.map((tag) => parseReference(tag)?.tag ?? 'latest');
    // Only a tag that is written out tells anything: what variables become, nobody knows here.
    if (words.length === 0) return undefined;
    const plain = words.map((word) => word.replace(/^latest-|-latest$/g, ''));
    const [shortest] = plain.toSorted((one, other) => one.length - other.length);
    variants.set(key, words.includes('latest') ? undefined : shortest);
  }
  const all = [...variants.values()];
  const isValid = all.every((one) => one === undefined || /^[A-Za-z0-9_][\w.-]{0,31}$/.test(one));
  // The prefix that init writes is "1": a variant of that name would share its stable tag.
  return isValid && new Set(all).size === all.length && !all.includes(usualPrefix)
    ? variants
    : undefined;
}
