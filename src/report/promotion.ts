import type {TagMove, TagReport, TagState} from '../promote/index.ts';
import {
  block,
  blockLine,
  cell,
  code,
  fitted,
  folded,
  help,
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
    help,
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

/** What a promotion, or the undoing of one, is told by. */
export interface PromotionFacts {
  readonly report: TagReport;
  /** The tag that was promoted; undefined where an earlier promotion was undone. */
  readonly source: string | undefined;
  readonly target: string;
  readonly dryRun: boolean;
  readonly warnings?: readonly string[];
  /** What went wrong beside the tags: the wiki. */
  readonly problem?: string;
  readonly run?: RunContext;
}

/** What became of a tag, in the log and in the summary. */
const tagStateWords: Record<TagState, string> = {
  unchanged: 'unchanged',
  moved: 'moved',
  deleted: 'deleted again',
  restored: 'rolled back',
  standing: 'could not be rolled back',
  untouched: 'not touched',
  conflict: 'conflict: moved by someone else',
  failed: 'failed',
  unknown: 'unknown: the registry gave no answer',
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
export function promotionSummaryPage(facts: PromotionFacts): string {
  const {report, source, target, dryRun, warnings = [], problem, run} = facts;
  const {results} = report;
  const isGood = (state: TagState): number => (badStates.includes(state) ? 0 : 1);
  const rows = results
    .toSorted((a, b) => isGood(a.state) - isGood(b.state))
    .map(({move, state, shows}) =>
      row([
        dryRun && state === 'untouched' ? 'would move' : cell(tagStateWords[state]),
        code(move.name),
        code(tagOf(move.target)),
        digestCell(move.before?.digest),
        dryRun
          ? digestCell(move.after?.digest)
          : shows.state === 'unknown'
            ? 'unknown'
            : digestCell(shows.state === 'present' ? shows.digest : undefined),
      ]),
    );
  const causes = [
    ...(problem === undefined ? [] : [problem]),
    ...new Set(
      results.flatMap(({failure}) =>
        failure === undefined ? [] : [[failure.message, failure.hint].filter(Boolean).join(' ')],
      ),
    ),
  ];
  const path =
    source === undefined
      ? `Each tag gets what it pointed to before the promotion to ${code(target)}.`
      : `From ${code(source)} to ${code(target)}.`;
  const sections: Section[] = [
    titled(`## ${prose(promotionTitle(facts))}`, path, placeLine(run)),
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
    {head: tableHead(['State', 'Image', 'Tag', 'Before', 'After']), rows, of: 'tags'},
    references(
      results.map(
        ({move}) => `${move.after === undefined ? 'none' : move.source} -> ${move.target}`,
      ),
    ),
  ];
  return fitted(sections, largestSummary, 'artifacts/promotion.json in the artifact');
}

function promotionTitle({report, source, dryRun, problem}: PromotionFacts): string {
  const {results, outcome} = report;
  const isUndone = source === undefined;
  if (dryRun) {
    const wanted = results.filter(({move}) => move.before?.digest !== move.after?.digest);
    const would = isUndone ? 'would be restored' : 'would move';
    return `Dry run: ${wanted.length} of ${counted(results.length, 'tag')} ${would}`;
  }
  const what = isUndone ? 'restore' : 'promotion';
  if (outcome !== 'passed')
    return `The ${what} ${outcome === 'failed' ? 'failed' : 'was cancelled'}`;
  // An image may have got several tags.
  const moved = new Set(
    results.filter(({state}) => state !== 'unchanged').map(({move}) => move.name),
  );
  const done =
    moved.size === 0
      ? `${isUndone ? 'Restore' : 'Promotion'}: every tag was up to date`
      : `${isUndone ? 'Restored' : 'Promoted'} ${counted(moved.size, 'image')}`;
  return problem === undefined ? done : `${done}, but the wiki was not updated`;
}

function tagOf(reference: string): string {
  return reference.slice(reference.lastIndexOf(':') + 1);
}

function digestCell(digest: string | undefined): string {
  return digest === undefined ? 'none' : code(shortDigest(digest));
}

/** The plan of a promotion for the log, one row for each tag. */
export function tagPlanLines(moves: readonly TagMove[]): readonly string[] {
  return logTable(
    ['Image', 'Target tag', 'Digest now', 'Digest after'],
    moves.map(({source, target, before, after}) => [
      source,
      tagOf(target),
      before?.digest ?? 'none',
      before?.digest === after?.digest ? 'unchanged' : (after?.digest ?? 'none'),
    ]),
  );
}

/** Which tag points where after the run, for the log. */
export function tagReportLines({results}: TagReport): readonly string[] {
  return logTable(
    ['Target', 'State', 'Digest', 'Before'],
    results.map(({move, state, shows}) => [
      move.target,
      tagStateWords[state],
      shows.state === 'present' ? shows.digest : shows.state === 'unknown' ? 'unknown' : 'none',
      move.before?.digest ?? 'none',
    ]),
  );
}

function logTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): readonly string[] {
  return [tableHead(head), ...rows.map(row)].join('\n').split('\n');
}
