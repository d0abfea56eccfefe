import type {JobLog} from '../adapters/github/log.ts';
import type {Emit, RunEvent} from '../build/index.ts';
import {fileNameOf, logNames} from '../image/tags.ts';
import {type Plan, planLine} from '../plan/index.ts';
import {formatDuration, safeLines} from '../util/text.ts';
import {unreachable} from '../util/unreachable.ts';
import {buildWarningAnnotations, failureAnnotation, mostAnnotations} from './annotations.ts';
import type {ReportedImage, ReportedStep} from './types.ts';
import {
  counted,
  culpritOf,
  dockerfilesOf,
  failedStep,
  failureWords,
  notDoneWords,
  stateWords,
  stepWords,
} from './words.ts';

export {
  type Annotation,
  annotate,
  annotationsOf,
  buildWarnings,
  failureAnnotation,
  findingAnnotations,
  limited,
  warnOf,
} from './annotations.ts';
export {buildCause, causeOf, testCause, testCounts} from './causes.ts';
export {commentBody, commentMarker} from './comment.ts';
export {recordDetails, reportFile, resultFile} from './file.ts';
export {htmlPage} from './html/index.ts';
export {logEnds} from './log-ends.ts';
export {stableLines} from './markdown/index.ts';
export {
  latestReports,
  MergeError,
  mergeReports,
  parseReport,
  plannedWork,
  requireReports,
} from './merge/index.ts';
export {imagesOutput, levelsOutput, matrixOutput, planJson, planOutput} from './outputs.ts';
export {createProgress, type Progress, progressSeconds} from './progress.ts';
export {
  promotionSummaryPage,
  type Refusal,
  refusedSummaryPage,
  tagPlanLines,
  tagReportLines,
} from './promotion.ts';
export {planSummaryPage, summaryPage} from './summary.ts';
export type * from './types.ts';
export {dockerfilesOf, failureSentence} from './words.ts';

/**
 * What people see of a run.
 * Enters: events while it goes on; plan, results and what is known of the images when it is over.
 * Leaves: the job log, annotations, the summary, the comment, report.json and report.html, the outputs: text only.
 * Not here: writing files, calling GitHub, timers (modes/); the pages of the wiki (page/, wiki/).
 */
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
  /** For the words about parents, and the places of failed builds. */
  readonly plan?: Plan;
}

/** The lines that answer "why was (wasn't) it built?", one for each image. */
export function reportPlan(log: JobLog, plan: Plan): void {
  const count = counted(plan.images.length, 'image');
  log.group(`Plan for ${plan.tag}: ${count}`, plan.images.map(planLine));
}

/** One is left for the sentence that fails the step. */
const mostErrors = mostAnnotations - 2;
/** One counts the rest; the others are left to what the run itself warns of. */
const mostBuildWarnings = 5;

/** Turns a run's events into the job log: one line as things happen, one closed group per image when it is done. */
export function createReporter(ports: ReporterPorts): Reporter {
  const {log, readLog, now, plan} = ports;
  const dockerfiles: ReadonlyMap<string, string> =
    plan === undefined ? new Map() : dockerfilesOf(plan);
  const parents = new Map(plan?.images.map((image) => [image.name, image.parents]));
  const failed: ReportedImage[] = [];
  const buildWarnings = new Set<string>();
  let printed: Promise<void> = Promise.resolve();
  let errors = 0;
  const line = (text: string): void => log.info(`${now().toISOString().slice(11, 19)} ${text}`);

  const showFailure = (result: ReportedImage): void => {
    const words = failureWords(result, dockerfiles.get(result.image));
    const annotation = failureAnnotation(result, dockerfiles.get(result.image));
    if (annotation === undefined || words === undefined) return;
    const text = [annotation.message, ...words.tail.slice(-20).map((last) => `| ${last}`)].join(
      '\n',
    );
    errors += 1;
    if (errors <= mostErrors) log[annotation.level](text, annotation.place);
    else log.group(`${result.image}: ${words.step} failed`, safeLines(text));
  };
  /** What docker's build checks found; images of one Dockerfile have the same. */
  const showBuildWarnings = ({image}: ReportedImage, output: string): void => {
    const dockerfile = dockerfiles.get(image);
    if (dockerfile === undefined || output === '') return;
    for (const {message, place} of buildWarningAnnotations(dockerfile, output.split('\n'))) {
      const key = `${dockerfile}:${place?.line}: ${message}`;
      if (buildWarnings.has(key)) continue;
      buildWarnings.add(key);
      if (buildWarnings.size <= mostBuildWarnings) log.warning(message, place);
    }
  };
  const finish = async (result: ReportedImage): Promise<void> => {
    const logs = await Promise.all(
      logNames.map(async (kind) => {
        const name = `${fileNameOf(result.ref)}.${kind}.log`;
        return {kind, name, text: await readLog(name)};
      }),
    );
    const lines = logs.flatMap(({name, text}) =>
      text === '' ? [] : [`${name}:`, ...safeLines(text)],
    );
    if (lines.length > 0) log.group(`${result.image}: ${stateWords(result)}`, lines);
    showBuildWarnings(result, logs.find(({kind}) => kind === 'build')?.text ?? '');
    showFailure(result);
  };
  const finished = (result: ReportedImage): void => {
    if (result.outcome === 'failed') failed.push(result);
    const culprit = culpritOf('failed', failed);
    const why = notDoneWords(result, parents.get(result.image), culprit);
    line(`${result.image}: ${why ?? goodWords(result)}`);
    printed = printed.then(() => finish(result));
  };
  const emit: Emit = (event: RunEvent) => {
    switch (event.kind) {
      case 'image-started':
        return line(`${event.image.name}: started (${event.image.ref})`);
      case 'step-started':
        return;
      case 'step-finished':
        return line(`${event.image}: ${stepLine(event.result)}`);
      case 'image-finished':
        return event.result.outcome === 'skipped' ? undefined : finished(event.result);
      case 'note':
        return line(about(event.image, event.message));
      case 'warning':
        return log.warning(about(event.image, event.message));
      default:
        return unreachable(event);
    }
  };
  const flush = async (): Promise<void> => {
    await printed;
    const more = errors - mostErrors;
    if (more > 0) log.error(`${counted(more, 'more image')} failed: see the log and the summary.`);
    errors = 0;
    const unshown = buildWarnings.size - mostBuildWarnings;
    if (unshown > 0)
      log.warning(
        `${counted(unshown, 'more warning')} of docker's build checks: see the build logs.`,
      );
    buildWarnings.clear();
  };
  return {emit, flush};
}

function about(image: string | undefined, message: string): string {
  return image === undefined ? message : `${image}: ${message}`;
}

function stepLine({step, durationMs, failure, notes}: ReportedStep): string {
  // What was stopped with its run, or because a parent failed, has not failed.
  const end =
    failure === undefined
      ? 'done in'
      : failure.class === 'cancelled'
        ? 'stopped after'
        : 'failed after';
  return [`${stepWords[step]} ${end} ${formatDuration(durationMs)}`, ...notes].join('; ');
}

function goodWords(result: ReportedImage): string {
  const step = failedStep(result);
  if (result.outcome === 'failed') {
    const allowed = result.allowedFailure ? ' (allowed to fail)' : '';
    return step === undefined ? `failed${allowed}` : `failed: ${stepWords[step.step]}${allowed}`;
  }
  const digest = result.digest === undefined ? '' : ` ${result.digest}`;
  return `${stateWords(result)}${digest}`;
}
