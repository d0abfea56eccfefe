import type {Presence} from '../adapters/registry/index.ts';
import type {Failure} from '../failure.ts';
import type {TagMove} from './plan.ts';

/** What became of one tag. */
export type TagState =
  /** It showed this digest before. */
  | 'unchanged'
  | 'moved'
  /** It was moved, and shows its old digest again, or is gone again. */
  | 'restored'
  /** It was moved, and could not be taken back. */
  | 'standing'
  /** Nobody touched it. */
  | 'untouched'
  /** Somebody else moved it at the same time: left as they made it. */
  | 'conflict'
  /** It was not moved. */
  | 'failed'
  /** The registry does not say, or was told to and does not show it yet. */
  | 'unknown';

export interface TagResult {
  readonly move: TagMove;
  readonly state: TagState;
  /** What the registry last said of it. */
  readonly shows: Presence;
  readonly failure: Failure | undefined;
}

export interface TagReport {
  readonly outcome: 'passed' | 'failed' | 'cancelled';
  readonly results: readonly TagResult[];
}

const stateWords: Record<TagState, string> = {
  unchanged: 'unchanged',
  moved: 'moved',
  restored: 'taken back',
  standing: 'stands at the new digest',
  untouched: 'not touched',
  conflict: 'conflict: somebody else moved it',
  failed: 'failed',
  unknown: 'the registry does not say what it shows',
};

/** What a tag shows when all is over; undefined for none, and where nobody can say. */
export function digestAfter({shows}: TagResult): string | undefined {
  return shows.state === 'present' ? shows.digest : undefined;
}

/** What the tag showed when this was planned. */
export function shownBefore({before}: TagMove): Presence {
  return before === undefined ? {state: 'absent'} : {state: 'present', digest: before};
}

/** The plan as a Markdown table, one row for each tag. */
export function tagPlanTable(moves: readonly TagMove[]): string {
  return table(
    ['Image', 'Source digest', 'Target tag', 'Digest now', 'Digest after'],
    moves.map(({source, digest, target, before}) => [
      source,
      digest,
      tagOf(target),
      before ?? 'none',
      before === digest ? 'unchanged' : digest,
    ]),
  );
}

/** What stands where, after the run. */
export function tagReportTable(report: TagReport): string {
  return table(
    ['Target', 'State', 'Digest', 'Before'],
    report.results.map((result) => [
      result.move.target,
      stateWords[result.state],
      digestAfter(result) ?? (result.shows.state === 'unknown' ? 'unknown' : 'none'),
      result.move.before ?? 'none',
    ]),
  );
}

/** `artifacts/promotion.json`: before and after, enough to undo it by hand. */
export function promotionFile(report: TagReport, dryRun: boolean): string {
  const value = {
    schema: 1,
    dry_run: dryRun,
    outcome: report.outcome,
    images: report.results.map((result) => ({
      image: result.move.name,
      source: result.move.source,
      target: result.move.target,
      digest: result.move.digest,
      before: result.move.before ?? null,
      after: digestAfter(result) ?? null,
      state: result.state,
      ...(result.failure === undefined ? {} : {message: result.failure.message}),
    })),
  };
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function tagOf(ref: string): string {
  return ref.slice(ref.lastIndexOf(':') + 1);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
