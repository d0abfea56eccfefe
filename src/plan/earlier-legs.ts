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
 * An earlier leg put something new under this image: its parent is of this run and it is not, or it begins with other
 * layers than the parent at the tag. The files alone do not tell: the parent may have been built anew from the same.
 */
export function wasRedone(facts: PlanFacts, image: ImageSpec, parent: ImageSpec): boolean {
  const [own, base] = [image, parent].map(({name}) => present(facts.atTag.get(name)));
  if (!isOutside(facts, parent) || own === undefined || base === undefined) return false;
  if (isOfThisRun(facts, parent) && !isOfThisRun(facts, image)) return true;
  const isBuiltOn = facts.bases.get(image.name)?.includes(parent.name) === true;
  return isBuiltOn && isSelected(facts, image) && !startsWith(own.diffIds, base.diffIds);
}

/** Its label alone proves nothing, but what it says is only asked of images that are proved. */
function isOfThisRun({run, atTag, evidence}: PlanFacts, {name}: ImageSpec): boolean {
  const standing = present(atTag.get(name));
  if (run.runId === '' || !evidence.has(name)) return false;
  return standing?.labels.get(labels.run) === run.runId;
}
