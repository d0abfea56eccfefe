import {stringify} from 'yaml';
import type {ImageResult, RunOutcome, RunReport, StepResult} from '../build/index.ts';
import {type Failure, failure, failureClasses} from '../failure.ts';
import type {Plan} from '../plan/index.ts';
import type {Outcome} from '../schedule/index.ts';

/** `artifacts/<name>.yaml`: the result of one image, readable by any safe YAML loader. */
export function resultFile(result: ImageResult): string {
  return stringify(resultValue(result));
}

/** `artifacts/report.json`: the whole run. */
export function reportFile(plan: Plan, report: RunReport): string {
  const value = {
    schema: 1,
    tag: plan.tag,
    outcome: report.outcome,
    images: report.images.map(resultValue),
  };
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function resultValue(result: ImageResult): object {
  return {
    image: result.image,
    ref: result.ref,
    outcome: result.outcome,
    success:
      result.outcome !== 'failed' && result.outcome !== 'blocked' && result.outcome !== 'cancelled',
    ...(result.digest === undefined ? {} : {digest: result.digest}),
    ...(result.size === undefined ? {} : {size: result.size}),
    ...(result.blockedBy === undefined ? {} : {blocked_by: result.blockedBy}),
    ...(result.allowedFailure ? {allowed_failure: true} : {}),
    steps: result.steps.map(({step, durationMs, failure, notes, cacheSeconds}) => ({
      step,
      seconds: Math.round(durationMs) / 1000,
      ...(cacheSeconds === undefined ? {} : {cache_seconds: cacheSeconds}),
      ...(notes.length === 0 ? {} : {notes}),
      ...(failure === undefined ? {} : {failure: failureValue(failure)}),
    })),
  };
}

function failureValue(failure: Failure): object {
  const {message, hint, tail} = failure;
  return {
    class: failure.class,
    message,
    ...(hint === undefined ? {} : {hint}),
    ...(failure.cause?.kind === 'exit' ? {exit_code: failure.cause.exitCode} : {}),
    tail,
  };
}

/** `artifacts/report.json` of one runner, read back. Its text is from outside: nothing in it is trusted. */
export interface RunnerReport {
  readonly tag: string;
  readonly outcome: RunOutcome;
  readonly images: readonly ImageResult[];
}

/** Where several runners speak of one image, the first of these that any of them says is the truth. */
const precedence: readonly Outcome[] = [
  'failed',
  'cancelled',
  'built',
  'reused',
  'blocked',
  'skipped',
];

/**
 * One report of many: every image once, in the order of first appearance.
 * @throws {MergeError} when the reports are of different tags, or there is none
 */
export function mergeReports(reports: readonly RunnerReport[]): RunnerReport {
  const tags = [...new Set(reports.map((report) => report.tag))];
  const [tag] = tags;
  if (tag === undefined) {
    throw new MergeError(
      'There is no report.json below artifacts/. Download the artifacts of the build jobs into artifacts/ first (docs/many-runners.md).',
    );
  }
  if (tags.length > 1)
    throw new MergeError(`The reports are of different tags: ${tags.join(', ')}.`);
  const images = new Map<string, ImageResult>();
  for (const result of reports.flatMap((report) => report.images)) {
    const known = images.get(result.image);
    const isFirst = known === undefined || rank(result) < rank(known);
    if (isFirst) images.set(result.image, result);
  }
  const outcomes = reports.map((report) => report.outcome);
  const outcome = outcomes.includes('failed')
    ? 'failed'
    : outcomes.includes('cancelled')
      ? 'cancelled'
      : 'passed';
  return {tag, outcome, images: [...images.values()]};
}

/** The reports of the runners do not fit together, or are no reports. */
export class MergeError extends Error {
  override readonly name = 'MergeError';
}

function rank(result: ImageResult): number {
  return precedence.indexOf(result.outcome);
}

/**
 * Reads one report.json.
 * @throws {MergeError} naming the file and what is wrong with it
 */
export function parseReport(file: string, text: string): RunnerReport {
  const refuse = (problem: string): never => {
    throw new MergeError(`${file}: ${problem}. Is it the report.json of this action?`);
  };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse('not JSON');
  }
  const report = record(value);
  if (report['schema'] !== 1) return refuse('not of schema 1');
  const tag = report['tag'];
  const outcome = (['passed', 'failed', 'cancelled'] as const).find(
    (word) => word === report['outcome'],
  );
  const images = report['images'];
  if (typeof tag !== 'string' || outcome === undefined || !Array.isArray(images)) {
    return refuse('tag, outcome or images is missing');
  }
  return {
    tag,
    outcome,
    images: images.map(
      (image, index) => readResult(record(image)) ?? refuse(`images[${index}] is no result`),
    ),
  };
}

function readResult(image: Readonly<Record<string, unknown>>): ImageResult | undefined {
  const outcome = precedence.find((word) => word === image['outcome']);
  const name = text(image['image']);
  const ref = text(image['ref']);
  if (outcome === undefined || name === undefined || ref === undefined) return undefined;
  const steps = Array.isArray(image['steps']) ? image['steps'] : [];
  return {
    image: name,
    ref,
    outcome,
    digest: text(image['digest']),
    size: typeof image['size'] === 'number' ? image['size'] : undefined,
    blockedBy: text(image['blocked_by']),
    allowedFailure: image['allowed_failure'] === true,
    steps: steps.flatMap((step) => readStep(record(step)) ?? []),
  };
}

const stepNames = [
  'pull',
  'build',
  'test',
  'push',
  'reuse',
  'integration-test',
  'manifest',
  'prune',
] as const;

function readStep(step: Readonly<Record<string, unknown>>): StepResult | undefined {
  const name = stepNames.find((word) => word === step['step']);
  const seconds = step['seconds'];
  if (name === undefined || typeof seconds !== 'number') return undefined;
  const cacheSeconds = step['cache_seconds'];
  return {
    step: name,
    durationMs: seconds * 1000,
    failure: readFailure(record(step['failure'])),
    notes: texts(step['notes']),
    ...(typeof cacheSeconds === 'number' ? {cacheSeconds} : {}),
  };
}

/** What a person reads of it; what its command was, the report does not say. */
function readFailure(written: Readonly<Record<string, unknown>>): Failure | undefined {
  const message = text(written['message']);
  if (message === undefined) return undefined;
  const known = failureClasses.find((word) => word === written['class']) ?? 'internal';
  const hint = text(written['hint']);
  return failure(known, message, {
    tail: texts(written['tail']),
    ...(hint === undefined ? {} : {hint}),
  });
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
