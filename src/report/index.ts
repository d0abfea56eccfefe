import type {JobLog} from '../adapters/github/log.ts';
import type {Emit, ImageResult, RunEvent, StepResult} from '../build/index.ts';
import {type Failure, failureText} from '../failure.ts';
import {fileNameOf, logNames} from '../image/tags.ts';
import {type Plan, planLine} from '../plan/index.ts';
import type {Outcome} from '../schedule/index.ts';
import {formatDuration, safeLines} from '../util/text.ts';
import {unreachable} from '../util/unreachable.ts';

export {mergeReports, parseReport, reportFile, resultFile} from './file.ts';
export {imagesOutput, levelsOutput, matrixOutput, planJson, planOutput} from './outputs.ts';
export {planSummaryPage, summaryPage} from './summary.ts';

/** Turns a run's events into the job log: one line as things happen, one closed group per image when it is done. */
export interface Reporter {
  readonly emit: Emit;
  /** Resolves when every group is printed. */
  flush(): Promise<void>;
}

/** What the reporter needs: where to write, and how to read what the steps logged. */
export interface ReporterPorts {
  readonly log: JobLog;
  /** The text of a log file below logs/, bounded. */
  readonly readLog: (fileName: string) => Promise<string>;
  readonly now: () => Date;
}

const outcomeWords: Record<Outcome, string> = {
  built: 'built',
  reused: 'reused',
  skipped: 'skipped',
  failed: 'FAILED',
  blocked: 'blocked',
  cancelled: 'cancelled',
};

/** The lines that answer "why was (wasn't) it built?", one for each image. */
export function reportPlan(log: JobLog, plan: Plan): void {
  log.group(`Plan for ${plan.tag}: ${plan.images.length} images`, plan.images.map(planLine));
}

export function createReporter({log, readLog, now}: ReporterPorts): Reporter {
  let printed: Promise<void> = Promise.resolve();
  const line = (text: string): void => log.info(`${now().toISOString().slice(11, 19)} ${text}`);
  const finish = async (result: ImageResult): Promise<void> => {
    const parts = await Promise.all(
      logNames.map(async (kind) => {
        const name = `${fileNameOf(result.ref)}.${kind}.log`;
        const text = await readLog(name);
        return text === '' ? [] : [`${name}:`, ...safeLines(text)];
      }),
    );
    const lines = parts.flat();
    if (lines.length > 0) log.group(`${result.image}: ${outcomeWords[result.outcome]}`, lines);
    for (const text of failureLines(result)) log.error(text);
  };
  const emit: Emit = (event: RunEvent) => {
    switch (event.kind) {
      case 'image-started':
        return line(`${event.image.name}: started (${event.image.ref})`);
      case 'step-started':
        return;
      case 'step-finished':
        return line(`${event.image}: ${stepWords(event.result)}`);
      case 'image-finished':
        if (event.result.outcome === 'skipped') return;
        line(`${event.result.image}: ${finishWords(event.result)}`);
        printed = printed.then(() => finish(event.result));
        return;
      case 'note':
        return line(about(event.image, event.message));
      case 'warning':
        return log.warning(about(event.image, event.message));
      default:
        return unreachable(event);
    }
  };
  return {emit, flush: () => printed};
}

function about(image: string | undefined, message: string): string {
  return image === undefined ? message : `${image}: ${message}`;
}

function stepWords({step, durationMs, failure, notes}: StepResult): string {
  return [`${step} ${endWords(failure)} ${formatDuration(durationMs)}`, ...notes].join('; ');
}

/** What was stopped with its run, or because a parent failed, has not failed. */
function endWords(failure: Failure | undefined): string {
  if (failure === undefined) return 'done in';
  return failure.class === 'cancelled' ? 'stopped after' : 'FAILED in';
}

function finishWords(result: ImageResult): string {
  const blocked = result.blockedBy === undefined ? '' : ` by ${result.blockedBy}`;
  const digest = result.digest === undefined ? '' : ` ${result.digest}`;
  return `${outcomeWords[result.outcome]}${blocked}${digest}`;
}

/** One annotation for each failed step: what, why, what to do, the last lines. */
function failureLines(result: ImageResult): readonly string[] {
  if (result.outcome === 'cancelled' || result.outcome === 'blocked') return [];
  return result.steps.flatMap(({step, failure}) =>
    failure === undefined ? [] : [failureText(`${result.image}: ${step}`, failure)],
  );
}
