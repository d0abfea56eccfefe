import {
  code,
  differenceSections,
  failureSection,
  fitted,
  imageTable,
  placeLine,
  prose,
  type Section,
  titled,
} from './markdown/index.ts';
import type {RunFacts} from './types.ts';
import {byImportance, counted, headline} from './words.ts';

/** The comment is found again by this, its first line; it does not show. */
export const commentMarker = '<!-- stack-action -->';

/** GitHub refuses longer ones; it counts characters, and so many bytes are never more characters. */
const longestComment = 65_536 - 512;

/**
 * The one comment on a pull request, which each run of it writes anew: failures, what is built and why, what changes
 * inside the images, links.
 */
export function commentBody(facts: RunFacts): string {
  const {plan, report, run} = facts;
  const images = byImportance(report.images);
  const unchanged = images.filter(({outcome}) => outcome === 'skipped');
  const busy = images.filter(({outcome}) => outcome !== 'skipped');
  const names = unchanged.slice(0, 10).map(({image}) => code(image));
  const more = unchanged.length - names.length;
  const sections: Section[] = [
    titled(`### ${prose(headline(report.outcome, report.images))}`, placeLine(run, plan.tag)),
    {...failureSection(facts), most: longestComment / 2},
    {...imageTable(facts, busy), most: longestComment / 2},
    ...(unchanged.length === 0
      ? []
      : [
          {
            head: `${counted(unchanged.length, 'image')} unchanged: ${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}.`,
            rows: [],
            of: '',
          },
        ]),
    ...differenceSections(facts),
  ];
  const body = fitted(sections, longestComment, 'the step summary of the run');
  return `${commentMarker}\n${body}`;
}
