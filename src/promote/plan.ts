import type {Lookup, Presence, Published} from '../adapters/registry/index.ts';
import {fail} from '../failure.ts';
import {passedTests, startsWith} from '../fingerprint/index.ts';
import {repositoryOf, tagPattern} from '../image/reference.ts';
import {fingerprintTag, labels, stableTag} from '../image/tags.ts';

/** From which tag to which; or why these two do not go together. */
export type TagNames =
  | {readonly ok: true; readonly prefix: string; readonly source: string; readonly target: string}
  | {readonly ok: false; readonly error: string};

/** The tag that every student gets. */
export const globalStableTag = 'stable';

/**
 * What a promotion goes from and to. A prefix may have any length; where it is none of the spec's (an older one), it
 * ends at the first `-`. `known` are the prefixes of the spec and its tracks.
 */
export function tagNames(
  target: 'stable' | 'global-stable',
  sourceTag: string,
  known: readonly string[],
): TagNames {
  const refuse = (problem: string): TagNames => fail(`source-tag "${sourceTag}" ${problem}`);
  if (!tagPattern.test(sourceTag)) return refuse('is no valid tag.');
  if (target === 'stable') {
    const prefix = prefixOf(sourceTag, known);
    if (prefix === undefined)
      return refuse('is not of the form <prefix>-<branch>, for example 2026.3-main.');
    if (sourceTag === stableTag(prefix)) {
      return refuse('is a stable tag already; "target: global-stable" promotes it further.');
    }
    return {ok: true, prefix, source: sourceTag, target: stableTag(prefix)};
  }
  const bare = sourceTag.endsWith('-stable') ? sourceTag.slice(0, -'-stable'.length) : sourceTag;
  const isPrefix =
    known.includes(bare) || (bare !== '' && !bare.includes('-') && bare !== globalStableTag);
  if (!isPrefix) {
    return refuse(
      'cannot become the global stable one: only <prefix>-stable can, for example 2026.3-stable.',
    );
  }
  return {ok: true, prefix: bare, source: stableTag(bare), target: globalStableTag};
}

function prefixOf(tag: string, known: readonly string[]): string | undefined {
  const fitting = known.filter(
    (prefix) => tag.startsWith(`${prefix}-`) && tag.length > prefix.length + 1,
  );
  const longest = fitting.toSorted((a, b) => b.length - a.length)[0];
  if (longest !== undefined) return longest;
  const dash = tag.indexOf('-');
  return dash > 0 && dash < tag.length - 1 ? tag.slice(0, dash) : undefined;
}

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
