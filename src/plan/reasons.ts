import {unreachable} from '../util/unreachable.ts';
import type {BuildReason, PlannedAction, PlannedImage} from './types.ts';

/** One line for each image: the product's answer to "why was (wasn't) it built?". */
export function planLine(image: PlannedImage): string {
  return `${image.name}: ${actionWords[image.action]}: ${image.reasons.map(reasonWords).join('; ')}`;
}

const actionWords: Record<PlannedAction, string> = {
  build: 'build',
  reuse: 'reuse',
  test: 'test again',
  skip: 'skip',
};

/** A reason as words, without a full stop. */
export function reasonWords(reason: BuildReason): string {
  switch (reason.kind) {
    case 'changed':
      return `changed: ${someOf(reason.files)}`;
    case 'parent':
      return `its parent ${reason.image} is being rebuilt, or was since`;
    case 'needed':
      return `needed to build ${reason.image}, and not available in the registry`;
    case 'missing':
      return 'not in the registry at this tag';
    case 'first-run':
      return 'first run of this branch';
    case 'full-rebuild':
      return 'a commit message contains "full rebuild"';
    case 'default-branch':
      return 'push to the default branch';
    case 'requested':
      return 'requested by input "rebuild"';
    case 'build-all':
      return `changed for every image: ${someOf(reason.files)}`;
    case 'event':
      return `the event ${reason.event} builds everything`;
    case 'unknown-changes':
      return `could not determine what changed (${reason.because})`;
    case 'unknown-registry':
      // The cause is said once for all images, in a warning.
      return 'the registry could not be queried';
    case 'stale':
      return `${reason.ref} was built from different content than this checkout`;
    case 'untested':
      return `${reason.ref} has not passed these tests yet`;
    case 'unchanged':
      return 'nothing changed';
    case 'fingerprint':
      return `the same content already passed its tests as ${reason.ref}`;
    default:
      return unreachable(reason);
  }
}

function someOf(files: readonly string[]): string {
  const shown = files.slice(0, 3).join(', ');
  return files.length > 3 ? `${shown} and ${files.length - 3} more` : shown;
}
