import type {Registry} from '../adapters/registry/types.ts';
import type {ImageSpec, Plan} from '../stack/spec/types.ts';
import {type CacheKind, cachePlaces} from './build-cache.ts';

/** References that the build of an image reads its cache from, by name; all of them are there. */
export type Caches = ReadonlyMap<string, readonly string[]>;

interface CacheQuestion {
  readonly plan: Plan;
  readonly images: ReadonlyMap<string, ImageSpec>;
  readonly cache: CacheKind;
  readonly defaultBranch: string;
  readonly registry: Registry;
}

/**
 * Finds the caches of all images that will be built, in one batch of HEAD requests: the same tag, else the default
 * branch's, else stable, else none. A registry that cannot say has none; without a cache a build is only slower.
 */
export async function findCaches(question: CacheQuestion): Promise<Caches> {
  const {plan, images, registry} = question;
  const firstOf = async (refs: readonly string[]): Promise<readonly string[]> => {
    const answers = await Promise.all(refs.map((ref) => registry.head(ref, {once: true})));
    return refs.filter((_, index) => answers[index]?.state === 'present').slice(0, 1);
  };
  const builds = plan.images.filter(({action}) => action === 'build');
  const found = builds.map(async ({name, ref}): Promise<[string, readonly string[]]> => {
    const spec = images.get(name);
    if (spec === undefined) throw new Error(`Internal error: no image "${name}" in the spec`);
    const {stores, earlier} = cachePlaces({ref, spec}, question);
    return [name, (await Promise.all([firstOf(stores), firstOf(earlier)])).flat()];
  });
  return new Map(await Promise.all(found));
}
