import type {ImageResult, RunReport} from '../build/index.ts';
import {type Plan, reasonWords} from '../plan/index.ts';
import {escapeCell} from '../util/markdown.ts';
import {formatBytes, formatDuration} from '../util/text.ts';

/** The runner drops a summary over 1 MiB whole; some room is left for the last line. */
const largestSummary = 1024 * 1024 - 4096;

const heading = '| Image | Outcome | Reason | Duration | Size | Digest |';

/** The step summary of a run: one row for each image, cut at a row when it would be too large. */
export function summaryPage(plan: Plan, report: RunReport): string {
  const planned = new Map(plan.images.map((image) => [image.name, image]));
  const rows = report.images.map((result) => {
    const reasons = planned.get(result.image)?.reasons.map(reasonWords).join('; ') ?? '';
    return row([
      result.image,
      outcomeOf(result),
      reasons,
      formatDuration(result.steps.reduce((sum, step) => sum + step.durationMs, 0)),
      result.size === undefined ? '' : formatBytes(result.size),
      result.digest ?? '',
    ]);
  });
  const failures = report.images.flatMap(failureOf);
  return page(
    [`## ${plan.tag}: ${report.outcome}`, '', heading, '|---|---|---|---|---|---|'],
    rows,
    failures,
  );
}

/** The step summary of `mode: plan`. */
export function planSummaryPage(plan: Plan): string {
  const rows = plan.images.map((image) =>
    row([image.name, image.action, image.reasons.map(reasonWords).join('; '), image.ref]),
  );
  return page(
    [`## Plan for ${plan.tag}`, '', '| Image | Action | Reason | Reference |', '|---|---|---|---|'],
    rows,
    [],
  );
}

function row(cells: readonly string[]): string {
  return `| ${cells.map(escapeCell).join(' | ')} |`;
}

function outcomeOf(result: ImageResult): string {
  return result.blockedBy === undefined
    ? result.outcome
    : `${result.outcome} by ${result.blockedBy}`;
}

function failureOf(result: ImageResult): readonly string[] {
  return result.steps.flatMap(({step, failure}) =>
    failure === undefined || failure.class === 'cancelled'
      ? []
      : [`- **${escapeCell(result.image)}**, ${step}: ${escapeCell(failure.message)}`],
  );
}

function page(head: readonly string[], rows: readonly string[], after: readonly string[]): string {
  const lines = [...head];
  let size = Buffer.byteLength(head.join('\n'));
  const all = [...rows, ...(after.length > 0 ? ['', ...after] : [])];
  for (const [index, line] of all.entries()) {
    size += Buffer.byteLength(line) + 1;
    if (size > largestSummary) {
      lines.push(
        '',
        `… ${all.length - index} more lines: see artifacts/report.json in the artifact.`,
      );
      break;
    }
    lines.push(line);
  }
  return `${lines.join('\n')}\n`;
}
