import type {TagReport, TagState} from '../promote/index.ts';
import {
  block,
  blockLine,
  code,
  fitted,
  folded,
  largestSummary,
  placeLine,
  prose,
  references,
  tableRow as row,
  type Section,
  shortDigest,
  tableHead,
  titled,
} from './markdown/index.ts';
import type {RunContext} from './types.ts';
import {counted} from './words.ts';

/** A run that was refused before it did anything. */
export interface Refusal {
  /** `Nothing was built`, `Nothing was promoted`. */
  readonly title: string;
  /** Every cause, each a sentence or a `file:line:column: message`. */
  readonly causes: readonly string[];
  readonly hint?: string;
  /** The last lines of a program that said so. */
  readonly tail?: readonly string[];
  readonly run?: RunContext;
}

/** The step summary of a refused run: all causes at once, and what to do. */
export function refusedSummaryPage({title, causes, hint, tail = [], run}: Refusal): string {
  const place = placeLine(run);
  const lines = causes.map((cause) => `- ${placed(cause)}`);
  const sections: Section[] = [
    titled(`## ${prose(title)}`, place),
    {rows: lines, of: 'causes', most: largestSummary / 2},
    {head: hint === undefined ? '' : `**What to do:** ${prose(hint)}`, rows: [], of: ''},
    lastLines(tail),
  ];
  return fitted(sections, largestSummary, 'the log of this job');
}

function lastLines(tail: readonly string[]): Section {
  if (tail.length === 0) return {rows: [], of: ''};
  return {
    head: folded(
      'Last lines of the output',
      block(tail.slice(-40).map((line) => blockLine(line, 300))),
    ),
    rows: [],
    of: '',
  };
}

/** The place of a finding is code, its message text. */
function placed(cause: string): string {
  const found = /^([^\s:][^:]{0,300}:\d+(?::\d+)?): ([\s\S]+)$/.exec(cause);
  const [, place, message] = found ?? [];
  return place === undefined || message === undefined
    ? prose(cause)
    : `${code(place)}: ${prose(message)}`;
}

/** What a promotion is told by. */
export interface PromotionFacts {
  readonly report: TagReport;
  readonly source: string;
  readonly target: string;
  readonly dryRun: boolean;
  readonly warnings?: readonly string[];
  readonly run?: RunContext;
}

const tagWords: Record<TagState, string> = {
  unchanged: 'unchanged',
  moved: 'moved',
  deleted: 'deleted again',
  restored: 'rolled back',
  standing: 'could not be rolled back',
  untouched: 'not touched',
  conflict: 'moved by someone else',
  failed: 'failed',
  unknown: 'unknown',
};
const badStates: readonly string[] = [
  'failed',
  'conflict',
  'standing',
  'unknown',
  'restored',
  'deleted',
];

/** The step summary of `mode: tag`: from what to what, before and after. */
export function promotionSummaryPage({
  report,
  source,
  target,
  dryRun,
  warnings = [],
  run,
}: PromotionFacts): string {
  const {results} = report;
  const moved = results.filter(({state}) => state === 'moved').length;
  const wanted = results.filter(({move}) => move.before?.digest !== move.after?.digest).length;
  const start = dryRun
    ? `Dry run: ${wanted} of ${counted(results.length, 'tag')} would move`
    : {
        passed:
          moved === 0
            ? 'Promotion: every tag was up to date'
            : `Promoted ${counted(moved, 'image')}`,
        failed: 'The promotion failed',
        cancelled: 'The promotion was cancelled',
      }[report.outcome];
  const isGood = (state: TagState): number => (badStates.includes(state) ? 0 : 1);
  const rows = results
    .toSorted((a, b) => isGood(a.state) - isGood(b.state))
    .map(({move, state, shows}) =>
      row([
        dryRun && state === 'untouched' ? 'would move' : tagWords[state],
        code(move.name),
        digestCell(move.before?.digest),
        dryRun
          ? digestCell(move.after?.digest)
          : shows.state === 'unknown'
            ? 'unknown'
            : digestCell(shows.state === 'present' ? shows.digest : undefined),
      ]),
    );
  const causes = [
    ...new Set(
      results.flatMap(({failure}) =>
        failure === undefined ? [] : [[failure.message, failure.hint].filter(Boolean).join(' ')],
      ),
    ),
  ];
  const sections: Section[] = [
    titled(`## ${prose(start)}`, `From ${code(source)} to ${code(target)}.`, placeLine(run)),
    {
      rows: causes.map((cause) => `- ${placed(cause)}`),
      of: 'causes',
      most: 256 * 1024,
    },
    {
      rows: warnings.map((warning) => `- ${prose(warning)}`),
      of: 'warnings',
      most: 128 * 1024,
    },
    {head: tableHead(['State', 'Image', 'Before', 'After']), rows, of: 'images'},
    references(results.map(({move}) => `${move.source} -> ${move.target}`)),
  ];
  return fitted(sections, largestSummary, 'artifacts/promotion.json in the artifact');
}

function digestCell(digest: string | undefined): string {
  return digest === undefined ? 'none' : code(shortDigest(digest));
}
