import type {Registry} from '../adapters/registry/index.ts';
import {repositoryOf} from '../image/reference.ts';
import {branchTag, stableTag} from '../image/tags.ts';
import type {Plan} from '../plan/index.ts';
import type {ImageSpec} from '../stack/spec/index.ts';

/** References that the build of an image reads its cache from, by name; all of them are there. */
export type Caches = ReadonlyMap<string, readonly string[]>;

interface CacheQuestion {
  readonly plan: Plan;
  readonly cache: CacheKind;
  readonly defaultBranch: string;
  readonly registry: Registry;
}

/**
 * Finds the caches of all images that will be built, in one batch of HEAD requests: the same tag, else the default
 * branch's, else stable, else none. A registry that cannot be queried counts as having none; without a cache a build is only slower.
 */
export async function findCaches(question: CacheQuestion): Promise<Caches> {
  const {plan, registry} = question;
  const firstOf = async (refs: readonly string[]): Promise<readonly string[]> => {
    const answers = await Promise.all(refs.map((ref) => registry.head(ref, {once: true})));
    return refs.filter((_, index) => answers[index]?.state === 'present').slice(0, 1);
  };
  const builds = plan.images.filter(({action}) => action === 'build');
  const found = builds.map(async (image): Promise<[string, readonly string[]]> => {
    const {stores, earlier} = cachePlaces(image, question);
    // The plan has looked at the image's own tag already.
    const own = earlier[0] === image.ref && image.before !== undefined;
    const old = own ? [image.ref] : firstOf(earlier.filter((ref) => ref !== image.ref));
    return [image.name, (await Promise.all([firstOf(stores), old])).flat()];
  });
  return new Map(await Promise.all(found));
}

/** Where an image's build may find cache; of each list the first that is there is read. */
export interface CachePlaces {
  /** `<image>:buildcache`, where `cache: registry` keeps it. */
  readonly stores: readonly string[];
  /** Where an earlier build may be, best first: the image's own tag, the default branch's, stable. */
  readonly earlier: readonly string[];
}

export function cachePlaces(
  {
    ref,
    spec,
  }: {
    readonly ref: string;
    readonly spec: Pick<ImageSpec, 'tagPrefix' | 'variant' | 'prepull'>;
  },
  {cache, defaultBranch}: {readonly cache: CacheKind; readonly defaultBranch: string},
): CachePlaces {
  const repository = repositoryOf(ref);
  const earlier = [
    ref,
    `${repository}:${branchTag(spec, defaultBranch)}`,
    `${repository}:${stableTag(spec)}`,
  ];
  return {
    stores: cache === 'registry' ? [storeOf(ref)] : [],
    earlier: cache === 'none' || !spec.prepull ? [] : [...new Set(earlier)],
  };
}

export type CacheKind = 'inline' | 'registry' | 'gha' | 'none';

export interface CacheRequest {
  readonly cache: CacheKind;
  /** The image's name in the spec; the scope of GitHub's cache. */
  readonly name: string;
  readonly ref: string;
  /** References that have cache to read, and are there. */
  readonly found: readonly string[];
  /** A run that does not push writes no cache either: pull requests from forks only read. */
  readonly isWritten: boolean;
  /** The builder can write more than inline metadata; docker's own with the old image store cannot. */
  readonly canExport: boolean;
}

export interface CacheOptions {
  readonly from: readonly string[];
  readonly to: readonly string[];
}

/**
 * `--cache-from` and `--cache-to`. BuildKit reads caches without pulling the image; one that is not there would be an
 * "ERROR" in the log. An export that fails must not fail the build.
 */
export function cacheOptions(request: CacheRequest): CacheOptions {
  const {cache, name, ref, isWritten, canExport} = request;
  if (cache === 'none') return {from: [], to: []};
  const found = request.found.map(registryCache);
  if (cache === 'inline' || !canExport) return {from: found, to: ['type=inline']};
  const isStored = cache === 'registry';
  const store = isStored ? registryCache(storeOf(ref)) : `type=gha,scope=${name}`;
  const options = `mode=max,ignore-error=true${isStored ? ',image-manifest=true,oci-mediatypes=true' : ''}`;
  return {from: isStored ? found : [store], to: isWritten ? [`${store},${options}`] : []};
}

function storeOf(ref: string): string {
  return `${repositoryOf(ref)}:buildcache`;
}

function registryCache(ref: string): string {
  return `type=registry,ref=${ref}`;
}
