import type {Published} from '../adapters/registry/index.ts';
import {startsWith} from '../fingerprint/index.ts';
import {labels} from '../image/tags.ts';
import type {ImageSpec} from '../stack/spec/index.ts';
import {hasPlatform, must, type PlanFacts, present} from './facts.ts';
import type {BuildReason, PlannedAction} from './types.ts';

/** Reasons of rule 3.2: a fresh build is the wish, so a proof serves only a re-run of this very event. */
const freshReasons: ReadonlySet<BuildReason['kind']> = new Set([
  'full-rebuild',
  'default-branch',
  'event',
  'requested',
]);

/**
 * The image that takes the place of a build, or undefined when it must be built. It counts only when its label says
 * the fingerprint that its tag promises, when it is for this platform, and when it sits on exactly the parents that
 * this run uses.
 */
export function decideReuse(
  facts: PlanFacts,
  image: ImageSpec,
  reasons: readonly BuildReason[],
  actionOf: (name: string) => PlannedAction | undefined,
): Published | undefined {
  const proof = present(facts.proofs.get(image.name));
  if (facts.reuse === 'never' || proof === undefined) return undefined;
  const isTrue =
    proof.labels.get(labels.fingerprint) === must(facts.hashes, image.name).fingerprint &&
    hasPlatform(facts, image, proof);
  const isWanted =
    facts.reuse === 'always' ||
    isSameRun(facts, proof) ||
    !reasons.some(({kind}) => freshReasons.has(kind));
  const sitsRight = image.parents.every((parent) =>
    sitsOn(facts, {image, proof, parent, action: actionOf(parent)}),
  );
  return isTrue && isWanted && sitsRight ? proof : undefined;
}

/** A re-run of the same event goes on where its first attempt stopped. */
function isSameRun({run}: PlanFacts, proof: Published): boolean {
  return run.isRetry && run.runId !== '' && proof.labels.get(labels.run) === run.runId;
}

interface Seat {
  readonly image: ImageSpec;
  readonly proof: Published;
  readonly parent: string;
  readonly action: PlannedAction | undefined;
}

function sitsOn(facts: PlanFacts, {image, proof, parent, action}: Seat): boolean {
  if (action === 'build') return false;
  if (!facts.bases.get(image.name)?.includes(parent)) return true;
  const used = present((action === 'reuse' ? facts.proofs : facts.atTag).get(parent));
  return used !== undefined && startsWith(proof.diffIds, used.diffIds);
}
