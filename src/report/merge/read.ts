import type {RunOutcome} from '../../build/index.ts';
import {type Failure, failure, failureClasses} from '../../failure.ts';
import type {Plan} from '../../plan/index.ts';
import type {Outcome, StepName} from '../../schedule/index.ts';
import type {ImageDetails, ReportedImage, ReportedStep, TestCounts} from '../types.ts';
import {readDetails} from './details.ts';

/** `artifacts/report.json` of one runner, read back. Its text is from outside: nothing in it is trusted. */
export interface RunnerReport {
  readonly file: string;
  readonly tag: string;
  /** Of the run: 2 when its jobs were run again. */
  readonly attempt: number;
  readonly outcome: RunOutcome;
  readonly images: readonly ReportedImage[];
  /** By the name of the image. */
  readonly details: ReadonlyMap<string, ImageDetails>;
}

/** Where several runners report one image, the worst of it counts. */
export const worstFirst: readonly Outcome[] = [
  'failed',
  'cancelled',
  'blocked',
  'built',
  'reused',
  'skipped',
];

/** The reports of the runners are no reports, or there is none. */
export class MergeError extends Error {
  override readonly name = 'MergeError';
}

/**
 * The images that a plan had work for, as `mode: plan` wrote it; none where it is not the plan of this tag. It can only
 * ask for more reports, so nothing in it needs to be trusted.
 */
export function plannedWork(plan: Plan, text: string): readonly string[] {
  const written = record(parsed(text));
  if (written['tag'] !== plan.tag) return [];
  const images = Array.isArray(written['images']) ? written['images'].map(record) : [];
  return images.flatMap(({name, action}) =>
    typeof name === 'string' && action !== 'skip' ? [name] : [],
  );
}

/**
 * Reads one report.json.
 * @throws {MergeError} naming the file and what is wrong with it
 */
export function parseReport(file: string, text: string): RunnerReport {
  const refuse = (problem: string): never => {
    throw new MergeError(`${file}: ${problem}. Is it the report.json of this action?`);
  };
  const value = parsed(text);
  if (value === undefined) return refuse('not JSON');
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
    file,
    tag,
    attempt: amount(record(report['run'])['attempt']) ?? 1,
    outcome,
    images: images.map(
      (image, index) => readResult(record(image)) ?? refuse(`images[${index}] is not a result`),
    ),
    details: new Map(images.flatMap(readNamedDetails)),
  };
}

function readNamedDetails(image: unknown): readonly (readonly [string, ImageDetails])[] {
  const name = text(record(image)['image']);
  const details = readDetails(image);
  return name === undefined || details === undefined ? [] : [[name, details]];
}

function readResult(image: Fields): ReportedImage | undefined {
  const outcome = worstFirst.find((word) => word === image['outcome']);
  const name = text(image['image']);
  const ref = text(image['ref']);
  if (outcome === undefined || name === undefined || ref === undefined) return undefined;
  const digest = text(image['digest']);
  return {
    image: name,
    ref,
    outcome,
    digest: digest !== undefined && /^sha256:[0-9a-f]{64}$/.test(digest) ? digest : undefined,
    size: amount(image['size']),
    blockedBy: text(image['blocked_by']),
    allowedFailure: image['allowed_failure'] === true,
    steps: list(image['steps']).flatMap((step) => readStep(record(step)) ?? []),
  };
}

const stepNames: Record<StepName, true> = {
  pull: true,
  build: true,
  test: true,
  push: true,
  reuse: true,
  'integration-test': true,
  manifest: true,
  prune: true,
};

function isStep(name: unknown): name is StepName {
  return typeof name === 'string' && Object.hasOwn(stepNames, name);
}

function readStep(step: Fields): ReportedStep | undefined {
  const name = step['step'];
  const seconds = amount(step['seconds']);
  if (!isStep(name) || seconds === undefined) return undefined;
  const cacheSeconds = amount(step['cache_seconds']);
  const started = Date.parse(text(step['started']) ?? '');
  const tests = readTests(record(step['tests']));
  return {
    step: name,
    durationMs: seconds * 1000,
    failure: readFailure(record(step['failure'])),
    notes: texts(step['notes']),
    ...(cacheSeconds === undefined ? {} : {cacheSeconds}),
    ...(Number.isNaN(started) ? {} : {startedMs: started}),
    ...(tests === undefined ? {} : {tests}),
  };
}

function readTests(tests: Fields): TestCounts | undefined {
  const [passed, failed, skipped] = ['passed', 'failed', 'skipped'].map((key) =>
    amount(tests[key]),
  );
  if (passed === undefined || failed === undefined || skipped === undefined) return undefined;
  return {passed, failed, skipped};
}

/** What a person reads of it; what its command was, the report does not say. */
function readFailure(written: Fields): Failure | undefined {
  const message = text(written['message']);
  if (message === undefined) return undefined;
  const known = failureClasses.find((word) => word === written['class']) ?? 'internal';
  const hint = text(written['hint']);
  const place = record(written['place']);
  const file = text(place['file']);
  const line = amount(place['line']);
  return failure(known, message, {
    tail: texts(written['tail']),
    ...(hint === undefined ? {} : {hint}),
    ...(file === undefined || line === undefined ? {} : {place: {file, line}}),
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

type Fields = Readonly<Record<string, unknown>>;

/** Enough for every honest report, and little enough for the pages made of it. */
const longest = {text: 4000, list: 200} as const;

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value.slice(0, longest.list) : [];
}

function texts(value: unknown): readonly string[] {
  return list(value).flatMap((item) => text(item) ?? []);
}

function record(value: unknown): Fields {
  return typeof value === 'object' && value !== null
    ? Object.fromEntries(Object.entries(value))
    : {};
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value.slice(0, longest.text) : undefined;
}

function amount(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}
