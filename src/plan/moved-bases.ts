import {must} from './facts.ts';
import type {Plan} from './types.ts';

/** An external base that is another image now than when an image was built on it. */
export interface MovedBase {
  /** `debian:bookworm-slim` */
  readonly reference: string;
  readonly before: string;
  readonly now: string;
  /** The images that stand on the old one, in the order of the plan. */
  readonly images: readonly string[];
}

interface Base {
  readonly reference: string;
  readonly digest: string;
}

/**
 * Which bases moved since the images at the tag were built. Alone this makes nothing stale: a nightly run with
 * `reuse: always` builds what it names, and nothing else.
 * @param built by image, what its record says that it was built on; no entry where nothing is known
 * @param now by image, what its base is now
 */
export function movedBases(
  plan: Plan,
  built: ReadonlyMap<string, Base>,
  now: ReadonlyMap<string, Base>,
): readonly MovedBase[] {
  const moved = new Map<
    string,
    {reference: string; before: string; now: string; images: string[]}
  >();
  for (const {name} of plan.images) {
    const [old, current] = [built.get(name), now.get(name)];
    // Another reference is a change of the Dockerfile, which the plan tells by itself.
    if (old === undefined || old.reference !== current?.reference) continue;
    if (old.digest === current.digest) continue;
    const key = `${old.reference} ${old.digest}`;
    const entry = {reference: old.reference, before: old.digest, now: current.digest, images: []};
    if (!moved.has(key)) moved.set(key, entry);
    must(moved, key).images.push(name);
  }
  return [...moved.values()];
}

/** One line of the log for each base that moved. */
export function movedBaseLine({reference, before, now, images}: MovedBase): string {
  const some = images.slice(0, 3).join(', ');
  const names = images.length > 3 ? `${some} and ${images.length - 3} more` : some;
  return `stale base: ${reference} moved from ${short(before)} to ${short(now)} since ${names} ${images.length === 1 ? 'was' : 'were'} built`;
}

/** Enough of a digest to tell two apart. */
function short(digest: string): string {
  return digest.replace(/^(sha\d+:[0-9a-f]{12})[0-9a-f]*$/, '$1');
}
