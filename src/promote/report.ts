import {sentenceOf as failureSentence} from '../failure.ts';
import {linesByCause} from '../util/same-cause.ts';
import {digestIn} from './presence.ts';
import type {TagReport, TagResult, TagState} from './types.ts';

/** What a tag points to when all is over; undefined for none, and where it is not known. */
export function digestAfter({shows}: TagResult): string | undefined {
  return digestIn(shows);
}

/** Why the promotion failed, and what the tags point to now, in a few sentences; undefined when it passed. */
export function sentenceOf({outcome, results}: TagReport, what = 'promotion'): string | undefined {
  if (outcome === 'passed') return undefined;
  const causes = linesByCause(
    results.flatMap(({failure, move}) =>
      failure === undefined ? [] : {ref: move.target, because: failureSentence(failure)},
    ),
  );
  const inState = (wanted: TagState): string =>
    results
      .filter(({state}) => state === wanted)
      .map(({move}) => move.target)
      .join(', ');
  const [standing, unknown, conflict] = [
    inState('standing'),
    inState('unknown'),
    inState('conflict'),
  ];
  const ends = [
    ...(conflict === ''
      ? []
      : [
          'The tags of this set may now be from different promotions. Re-run the one that you want.',
        ]),
    ...(standing === '' ? [] : [`These tags could not be rolled back: ${standing}.`]),
    ...(unknown === '' ? [] : [`It is not known what these tags point to: ${unknown}.`]),
  ];
  const start = outcome === 'cancelled' ? `The ${what} was cancelled.` : `The ${what} failed.`;
  const isUndone = results.some(({state}) => state === 'restored');
  const undone = isUndone ? 'All tags were rolled back.' : 'No tag was moved.';
  const all = ends.length === 0 ? [undone] : ends;
  return [start, ...causes, ...all].join(' ');
}
