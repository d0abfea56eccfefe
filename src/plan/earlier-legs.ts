import {startsWith} from '../fingerprint/index.ts';
import {labels} from '../image/tags.ts';
import type {ImageSpec} from '../stack/spec/index.ts';
import {fits, isSelected, must, type PlanFacts, present} from './facts.ts';
import type {PlannedAction} from './types.ts';

/**
 * What earlier legs of the same run did, as far as the registry shows it. A leg decides for the images of other legs
 * what the whole run decided, and looks whether that was done.
 */

/** Other legs look after this image. One that is not published no other leg can hand on: each builds it for itself. */
export function isOutside(facts: PlanFacts, image: ImageSpec): boolean {
  return facts.parents === 'ready' && image.publish && !isSelected(facts, image);
}

/** Whether something was to be done with the image that no earlier leg has done. */
export function isLeftToDo(
  facts: PlanFacts,
  image: ImageSpec,
  {action}: {readonly action: PlannedAction},
): boolean {
  if (action === 'skip') return false;
  const standing = present(facts.atTag.get(image.name));
  if (standing === undefined || !fits(facts, image)) return true;
  // Pushed, and then its integration tests failed.
  if (facts.evidence.get(image.name)?.passed !== must(facts.hashes, image.name).tests) return true;
  if (isOfThisRun(facts, image)) return false;
  // Reused: the tag shows the very image that was proved.
  return action !== 'reuse' || present(facts.proofs.get(image.name))?.digest !== standing.digest;
}

/**
 * Something new was put under this image: by an earlier leg, whose parent is of this run and it is not; or by a run that
 * stopped or failed before it came to this image, which begins with other layers than the parent at the tag. The files
 * alone do not tell: the parent may have been built anew from the same. What this action did not build it cannot judge.
 */
function wasRedone(facts: PlanFacts, image: ImageSpec, parent: ImageSpec): boolean {
  const [own, base] = [image, parent].map(({name}) => present(facts.atTag.get(name)));
  if (own === undefined || base === undefined) return false;
  const isLeg = isOutside(facts, parent);
  if (isLeg && isOfThisRun(facts, parent) && !isOfThisRun(facts, image)) return true;
  const isKnown = [image, parent].every(({name}) => facts.evidence.has(name));
  return (
    (isLeg || isKnown) &&
    basesOf(facts, image).includes(parent.name) &&
    isSelected(facts, image) &&
    own.platform === base.platform &&
    !startsWith(own.diffIds, base.diffIds)
  );
}

/** The parent, if something new was put there; of one that is not published, what it begins with. */
export function redoneBelow(
  facts: PlanFacts,
  image: ImageSpec,
  parent: ImageSpec,
): readonly string[] {
  const below = parent.publish ? [parent.name] : basesOf(facts, parent);
  return below.filter((name) => wasRedone(facts, image, must(facts.images, name)));
}

/** What the layers begin with: where that is not published, what that begins with. */
function basesOf(facts: PlanFacts, {name}: ImageSpec): readonly string[] {
  return (facts.bases.get(name) ?? []).flatMap((base) => {
    const spec = must(facts.images, base);
    return spec.publish ? base : basesOf(facts, spec);
  });
}

/** Its label alone proves nothing, but what it says is only asked of images that are proved. */
function isOfThisRun({run, atTag, evidence}: PlanFacts, {name}: ImageSpec): boolean {
  const standing = present(atTag.get(name));
  if (run.runId === '' || !evidence.has(name)) return false;
  return standing?.labels.get(labels.run) === run.runId;
}
