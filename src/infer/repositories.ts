import {parseReference, repositoryOf as withoutTag} from '../image/reference.ts';
import {namespaceOf, repositoryOf} from './similar.ts';
import type {Candidate, Edge, Origin} from './types.ts';

export interface Repository {
  readonly name: string;
  /** `tags in docker-bake.hcl:12`; empty where the name is the usual one for a repository on GitHub. */
  readonly readAt: string;
  /** False for a name with a part that nobody knows. */
  readonly isKnown: boolean;
}

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
  const first = new Map(
    request.images.map((image) => [image.key, ownName(image, request, wanted)]),
  );
  const common = commonNamespace([...first.values()].flatMap((one) => one?.name ?? []));
  const names = new Map(
    request.images.map(({key}) => [key, first.get(key) ?? usualName(key, common, request.origin)]),
  );
  return distinct(names);
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

function ownName(
  {key, tags, declaration}: Candidate,
  {edges}: RepositoryRequest,
  prefers: Preference,
): Repository | undefined {
  const pushable = tags.filter((tag) => namespaceOfTag(tag) !== '');
  const [best] = pushable.toSorted((one, other) => prefers(other) - prefers(one));
  if (best !== undefined) {
    const readAt = `tags in ${declaration?.place ?? 'the repository'}`;
    return {name: withoutTag(best), readAt, isKnown: true};
  }
  for (const edge of edges) {
    const reference = edge.parent === key ? parseReference(edge.ref) : undefined;
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
  const isKnown = owner !== '';
  return {name: `ghcr.io/${isKnown ? owner.toLowerCase() : 'owner'}/${key}`, readAt: '', isKnown};
}

/** Images that are tags of one repository elsewhere have one of their own here. */
function distinct(names: ReadonlyMap<string, Repository>): ReadonlyMap<string, Repository> {
  const groups = Map.groupBy(names, ([, {name}]) => name);
  return new Map(
    [...names].map(([key, repository]) => {
      const {name} = repository;
      if ((groups.get(name)?.length ?? 0) < 2) return [key, repository];
      const last = name.split('/').at(-1) ?? '';
      const own = key.startsWith(last) ? key : `${last}-${key}`;
      return [key, {...repository, name: name.replace(/[^/]*$/, own)}];
    }),
  );
}
