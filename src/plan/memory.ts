import {recordTag} from '../image/tags.ts';
import type {ImageSpec} from '../stack/spec/index.ts';

/** Where the registry remembers what the tests of an image with `publish: false` said. */
export interface Memory {
  /** Of an image that is published. */
  readonly repository: string;
  /** In place of the digest that it never gets: a hash of all that it is made from. */
  readonly digest: string;
}

/**
 * An image that is never pushed has no repository of its own, and its red tests must not be forgotten all the same: its
 * record is kept beside the nearest image that is built on it, else beside the nearest that it is built on, else beside
 * any of the stack. Undefined where nothing of the stack is published: then it is tested in each run.
 */
export function memoryOf(
  images: ReadonlyMap<string, ImageSpec>,
  {name}: Pick<ImageSpec, 'name'>,
  content: string,
): Memory | undefined {
  const own = images.get(name);
  if (own === undefined || own.publish) return undefined;
  const all = [...images.values()];
  const below = nearest([own], (one) => all.filter(({parents}) => parents.includes(one.name)));
  const above = nearest([own], ({parents}) =>
    parents.flatMap((parent) => images.get(parent) ?? []),
  );
  const repository = (below ?? above ?? all.find(({publish}) => publish))?.repository;
  return repository === undefined ? undefined : {repository, digest: content};
}

export function memoryRef({repository, digest}: Memory): string {
  return `${repository}:${recordTag(digest)}`;
}

function nearest(
  start: readonly ImageSpec[],
  next: (image: ImageSpec) => readonly ImageSpec[],
): ImageSpec | undefined {
  const seen = new Set(start);
  for (const one of seen) {
    if (one.publish) return one;
    for (const other of next(one)) seen.add(other);
  }
  return undefined;
}
