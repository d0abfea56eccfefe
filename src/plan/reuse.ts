import type {Published} from '../adapters/registry/types.ts';
import {startsWith} from '../fingerprint/proof.ts';
import {fingerprintTag, labels} from '../image/tags.ts';
import type {BuildReason, ImageSpec, PlannedAction} from '../stack/spec/types.ts';
import type {PlanFacts} from './facts.ts';

/** Reasons of rule 3.2: a fresh build of everything is the wish, so a twin serves only a re-run. */
const freshReasons: ReadonlySet<BuildReason['kind']> = new Set([
  'full-rebuild',
  'default-branch',
  'first-run',
  'event',
  'requested',
]);

/**
 * The reference of the tested twin that stands in for a build, or undefined when the image must be built
 * (DESIGN.md section 4). A twin counts only when its label says the fingerprint its tag promises, and when it
 * sits on exactly the parent that this run uses.
 */
export function decideReuse(
  facts: PlanFacts,
  image: ImageSpec,
  reasons: readonly BuildReason[],
  actionOf: (name: string) => PlannedAction | undefined,
): string | undefined {
  const fingerprint = facts.hashes.get(image.name)?.fingerprint;
  const twin = facts.twins.get(image.name);
  if (facts.reuse === 'never' || fingerprint === undefined || twin?.state !== 'present') {
    return undefined;
  }
  const isTrue = twin.labels.get(labels.fingerprint) === fingerprint;
  const isWanted = isSameRun(facts, twin) || allows(facts, image, reasons);
  const sitsRight = image.parents.every((parent) =>
    sitsOn(facts, image, twin, parent, actionOf(parent)),
  );
  return isTrue && isWanted && sitsRight
    ? `${image.repository}:${fingerprintTag(fingerprint)}`
    : undefined;
}

/** Who says `always` trusts the tests that the twin passed, for example those of the pull request now merged. */
function allows(facts: PlanFacts, image: ImageSpec, reasons: readonly BuildReason[]): boolean {
  if (facts.reuse === 'always') return true;
  return !reasons.some(({kind}) => freshReasons.has(kind)) && !testsChanged(facts, image, reasons);
}

/** The twin passed other tests than the ones that this checkout has. */
function testsChanged(
  facts: PlanFacts,
  image: ImageSpec,
  reasons: readonly BuildReason[],
): boolean {
  return reasons.some(
    (reason) =>
      (reason.kind === 'changed' || reason.kind === 'build-all') &&
      reason.files.some((file) => facts.isTestFile(image, file)),
  );
}

/** A re-run of the same event goes on where its first attempt stopped. */
function isSameRun({run}: PlanFacts, twin: Published): boolean {
  if (run.commit === '' || twin.labels.get(labels.revision) !== run.commit) return false;
  return run.commitNamesEvent || (run.isRetry && twin.labels.get(labels.run) === run.runId);
}

function sitsOn(
  facts: PlanFacts,
  image: ImageSpec,
  twin: Published,
  parent: string,
  action: PlannedAction | undefined,
): boolean {
  if (action === 'build') return false;
  if (!facts.bases.get(image.name)?.includes(parent)) return true;
  const used = (action === 'reuse' ? facts.twins : facts.atTag).get(parent);
  return used?.state === 'present' && startsWith(twin.diffIds, used.diffIds);
}
