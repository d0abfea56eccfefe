import {createHash} from 'node:crypto';

/** Both as `sha256:<64 hex>`. */
export interface Fingerprint {
  /** Everything the image is made from, external base digests included. */
  readonly fingerprint: string;
  /** The same without the external base digests. */
  readonly content: string;
}

/** What one image is made from; parents by name. */
export interface FingerprintInputs {
  /** Dockerfile, build context and watched files. */
  readonly contextDigest: string;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly target: string | undefined;
  readonly platforms: readonly string[];
  readonly parents: readonly string[];
  readonly externalBases: readonly {readonly ref: string; readonly digest: string | undefined}[];
}

/** Changes whenever the same files would be hashed otherwise: then nothing old is reused. */
const formatVersion = 1;

/**
 * The fingerprints of a stack (DESIGN.md section 4). Registry, owner, tag, time and commit are in none of them.
 * @param order names, parents first
 */
export function fingerprintsOf(
  order: readonly string[],
  inputs: ReadonlyMap<string, FingerprintInputs>,
): ReadonlyMap<string, Fingerprint> {
  const known = new Map<string, Fingerprint>();
  for (const name of order) {
    const image = inputs.get(name);
    if (image === undefined) throw new Error(`Internal error: nothing is known of ${name}`);
    const parents = image.parents.toSorted().map((parent) => known.get(parent));
    const own = {
      formatVersion,
      context: image.contextDigest,
      buildArgs: [...image.buildArgs].toSorted(([a], [b]) => (a < b ? -1 : 1)),
      target: image.target ?? null,
      platforms: image.platforms.toSorted(),
    };
    const bases = image.externalBases.map(({ref, digest}) => digest ?? ref).toSorted();
    known.set(name, {
      fingerprint: hash({...own, parents: parents.map((parent) => parent?.fingerprint), bases}),
      content: hash({...own, parents: parents.map((parent) => parent?.content)}),
    });
  }
  return known;
}

function hash(value: object): string {
  return `sha256:${createHash('sha256').update(JSON.stringify(value)).digest('hex')}`;
}
