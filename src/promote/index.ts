/**
 * Promotion: gives a tested set of images its tags, puts them back when one fails, and undoes a whole promotion.
 * Enters: the stack, from which tag to which, the registry and its records; or an earlier promotion.json.
 * Leaves: TagPlan (moves, refusals, warnings), then TagReport; the text of promotion.json.
 * Not here: the wiki (wiki/), files and outputs (modes/tag.ts), building and testing (build/).
 */
import {
  conflictIfLost,
  conflictIfSourceMoved,
  isFailed,
  isLost,
  moveTag,
  readAgain,
  resultOf,
  shownBefore,
  takeBack,
} from './move.ts';
import {presenceOf} from './presence.ts';
import type {MovePorts, TagMove, TagReport, TagResult} from './types.ts';

export type {PromotedTag, PromotionFile, PromotionRun} from './file.ts';
export {
  begunPromotion,
  donePromotion,
  largestPromotionFile,
  parsePromotion,
  promotionText,
  tellInterrupted,
} from './file.ts';
export {loadPromotedStack, readTagFacts, readTagRequest, type TagRequest} from './gather.ts';
export {makeTagPlan} from './plan.ts';
export {digestAfter, sentenceOf} from './report.ts';
export {checkRestore, planRestore, type RestoreRequest} from './restore.ts';
export type {FactPorts, MovePorts, TagMove, TagPlan, TagReport, TagState} from './types.ts';
export {presenceOf};

/**
 * Moves the tags: the same manifest bytes under the new tag, no layer. Registries have no
 * compare-and-swap, so each tag is read just before and just after its PUT, and the whole set again at the end.
 * Of two runs that move the same set at once, both can only pass if every PUT of one comes before the last reads of
 * the other: then the set is not mixed. When a tag fails for good, or the run is cancelled, those already moved get
 * their old digest back, and the report says which tag points where.
 */
export async function runTagPlan(moves: readonly TagMove[], ports: MovePorts): Promise<TagReport> {
  // What cannot be taken back comes last.
  const ordered = [
    ...moves.filter(({after}) => after !== undefined),
    ...moves.filter(({after}) => after === undefined),
  ];
  const results: TagResult[] = [];
  for (const move of ordered) {
    if (ports.signal.aborted) break;
    const isFirst = results.every(({state}) => state === 'unchanged');
    const moved = await moveTag(move, ports, isFirst);
    results.push(moved);
    if (isFailed(moved)) break;
  }
  const isWhole = results.length === ordered.length && !results.some(isFailed);
  const whole = isWhole ? await readWholeSet(results, ports) : results;
  const isHeld = isWhole && ports.holdsSources === true && !whole.some(isFailed);
  const read = isHeld ? await readSources(whole, ports) : whole;
  if (isWhole && !read.some(isFailed)) {
    return {
      outcome: read.every(({failure}) => failure === undefined) ? 'passed' : 'failed',
      results: read,
    };
  }
  const undone: TagResult[] = [];
  for (const one of read.toReversed()) {
    const isOurs = ['moved', 'deleted', 'unknown'].includes(one.state);
    undone.unshift(isOurs ? await takeBack(one, ports.registry) : one);
  }
  const untouched = ordered
    .slice(results.length)
    .map((move) => resultOf(move, 'untouched', shownBefore(move)));
  return {
    outcome: ports.signal.aborted ? 'cancelled' : 'failed',
    results: [...undone, ...untouched],
  };
}

/** The sources of a stable set are moved by promotions only: one that moved meanwhile may have been read half-way. */
function readSources(
  results: readonly TagResult[],
  {registry}: MovePorts,
): Promise<readonly TagResult[]> {
  return Promise.all(
    results.map(async (one) =>
      conflictIfSourceMoved(one, await presenceOf(registry, one.move.source)),
    ),
  );
}

/** The last look at the set. A tag that a rival moved and took back again is moved once more, and then all are read again. */
async function readWholeSet(
  results: readonly TagResult[],
  ports: MovePorts,
): Promise<readonly TagResult[]> {
  const read = await readAgain(results, ports);
  if (read.some(isFailed) || !read.some(isLost)) return read;
  const moved: TagResult[] = [];
  for (const one of read) moved.push(isLost(one) ? await moveTag(one.move, ports, false) : one);
  if (moved.some(isFailed)) return moved;
  return (await readAgain(moved, ports)).map(conflictIfLost);
}

/** What a dry run reports: nothing was touched. */
export function rehearseTagPlan(moves: readonly TagMove[]): TagReport {
  const results = moves.map((move) => {
    const isThere = move.before?.digest === move.after?.digest;
    return resultOf(move, isThere ? 'unchanged' : 'untouched', shownBefore(move));
  });
  return {outcome: 'passed', results};
}
