import type {Lookup, Presence, Published} from '../adapters/registry/types.ts';
import {passedTests, startsWith} from '../fingerprint/proof.ts';
import {repositoryOf} from '../image/reference.ts';
import {fingerprintTag, labels} from '../image/tags.ts';

/** One image to promote, and all that was read about it. */
export interface TagFacts {
  readonly name: string;
  readonly source: string;
  readonly target: string;
  readonly lookup: Lookup;
  /** What the target tag shows now. */
  readonly current: Presence;
  /** What stands at the `fp-` tag of its fingerprint label; undefined for an image without that label. */
  readonly proof: Lookup | undefined;
  /** Parents whose layers the image begins with. */
  readonly bases: readonly string[];
}

/** One tag to move, parents first. */
export interface TagMove {
  readonly name: string;
  readonly source: string;
  readonly target: string;
  readonly digest: string;
  /** Undefined: the tag does not exist yet. */
  readonly before: string | undefined;
  /** The manifest or index itself: its bytes are the identity of the image. */
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  /** The commit that the image was built from, by its label. */
  readonly revision: string | undefined;
}

export interface TagPlan {
  readonly moves: readonly TagMove[];
  /** Every cause to move nothing. */
  readonly refusals: readonly string[];
  readonly warnings: readonly string[];
}

/** Decides whether this set may get its tag (DESIGN.md section 6); all causes against it are named at once. */
export function makeTagPlan(images: readonly TagFacts[]): TagPlan {
  const refusals: string[] = [];
  const warnings: string[] = [];
  const moves: TagMove[] = [];
  const byName = new Map(images.map((image) => [image.name, image]));
  if (images.length === 0)
    refusals.push('There is no image to promote: the spec publishes none of them.');
  for (const image of images) {
    const {name, source, target, lookup, current} = image;
    if (lookup.state === 'absent') refusals.push(`${source} is not in the registry.`);
    if (lookup.state === 'unknown')
      refusals.push(`${source}: the registry cannot say: ${lookup.because}`);
    if (current.state === 'unknown')
      refusals.push(`${target}: the registry cannot say: ${current.because}`);
    if (lookup.state !== 'present' || current.state === 'unknown') continue;
    refusals.push(...untested(image, lookup), ...misplaced(image, lookup.diffIds, byName));
    if (image.proof === undefined) {
      warnings.push(`${source} carries no fingerprint, so nothing proves that its tests passed.`);
    }
    moves.push({
      name,
      source,
      target,
      digest: lookup.digest,
      bytes: lookup.bytes,
      mediaType: lookup.mediaType,
      before: current.state === 'present' ? current.digest : undefined,
      revision: lookup.labels.get(labels.revision),
    });
  }
  return {moves, refusals, warnings};
}

/** The tag that proves that the image passed its tests; undefined for an image without a fingerprint. */
export function proofOf(source: string, lookup: Lookup): string | undefined {
  const label = lookup.state === 'present' ? lookup.labels.get(labels.fingerprint) : undefined;
  return label && `${repositoryOf(source)}:${fingerprintTag(label)}`;
}

function untested({source, proof}: TagFacts, image: Published): readonly string[] {
  if (proof === undefined || passedTests(image, proof)) return [];
  const tag = proofOf(source, {state: 'present', ...image});
  const shown = proof.state === 'present' ? `shows ${proof.digest}` : `is ${proof.state}`;
  return [
    `${source} (${image.digest}) did not pass its tests: ${tag} ${shown}. Run the build again, and promote when it is green.`,
  ];
}

function misplaced(
  {source, bases}: TagFacts,
  diffIds: readonly string[],
  byName: ReadonlyMap<string, TagFacts>,
): readonly string[] {
  return bases.flatMap((name) => {
    const parent = byName.get(name);
    if (parent?.lookup.state !== 'present' || startsWith(diffIds, parent.lookup.diffIds)) return [];
    return [
      `${source} does not sit on ${parent.source}, which is promoted with it. Build it again on that parent.`,
    ];
  });
}
