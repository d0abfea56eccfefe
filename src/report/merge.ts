import type {RunOutcome} from '../build/index.ts';
import {type Failure, failure, failureClasses} from '../failure.ts';
import type {Plan, PlannedImage} from '../plan/index.ts';
import type {Outcome, StepName} from '../schedule/index.ts';
import type {ReportedImage, ReportedStep, TestCounts} from './types.ts';

/** `artifacts/report.json` of one runner, read back. Its text is from outside: nothing in it is trusted. */
export interface RunnerReport {
  readonly file: string;
  readonly tag: string;
  readonly outcome: RunOutcome;
  readonly images: readonly ReportedImage[];
}

/** One report of many, of which every line is confirmed by the plan. */
export interface Merged {
  readonly outcome: RunOutcome;
  readonly images: readonly ReportedImage[];
  /** What was ignored, and why. */
  readonly notes: readonly string[];
}

/** Where several runners report one image, the worst of it counts. */
const worstFirst: readonly Outcome[] = [
  'failed',
  'cancelled',
  'blocked',
  'built',
  'reused',
  'skipped',
];

/** More notes than these are counted. */
const mostNotes = 50;

/** The reports of the runners are no reports, or there is none. */
export class MergeError extends Error {
  override readonly name = 'MergeError';
}

/**
 * One report of many: every image of the plan once, in its order. A report is a claim: it counts only for images of
 * the plan at their own references, it cannot allow a failure (the spec does), and an image that no runner reported
 * has failed.
 */
export function mergeReports(plan: Plan, reports: readonly RunnerReport[]): Merged {
  const notes: string[] = [];
  const planned = new Map(plan.images.map((image) => [image.name, image]));
  const claims = new Map<string, ReportedImage>();
  const ofPlan = reports.filter(({file, tag}) => {
    if (tag !== plan.tag)
      notes.push(`${file} was ignored: it is of the tag ${quoted(tag)}, not ${plan.tag}.`);
    return tag === plan.tag;
  });
  for (const {file, images} of ofPlan) {
    for (const claim of images) {
      const image = planned.get(claim.image);
      if (image === undefined) {
        notes.push(`${file}: the unknown image ${quoted(claim.image)} was ignored.`);
      } else if (image.ref !== claim.ref) {
        notes.push(
          `${file}: the result of ${image.name} was ignored: it is of ${quoted(claim.ref)}, not ${image.ref}.`,
        );
      } else {
        const result = consistent(claim, image.spec.allowFailure);
        const known = claims.get(image.name);
        if (known === undefined || rank(result) < rank(known)) claims.set(image.name, result);
      }
    }
  }
  const images = plan.images.map((image) => confirmed(image, claims.get(image.name)));
  const more = notes.length - mostNotes;
  return {
    outcome: outcomeOf(images, ofPlan),
    images,
    notes: more > 0 ? [...notes.slice(0, mostNotes), `And ${more} more like these.`] : notes,
  };
}

/** @throws {MergeError} when there is no report at all */
export function requireReports(reports: readonly RunnerReport[]): void {
  if (reports.length > 0) return;
  throw new MergeError(
    'There is no report.json below artifacts/. Download the artifacts of the build jobs into artifacts/ first (docs/many-runners.md).',
  );
}

const aside: readonly StepName[] = ['manifest', 'prune'];

/** A good image has no failed step; whether a failure is allowed is the spec's to say. */
function consistent(claim: ReportedImage, mayFail: boolean): ReportedImage {
  const isGood =
    claim.outcome === 'built' || claim.outcome === 'reused' || claim.outcome === 'skipped';
  const hasFailed = claim.steps.some(
    (step) => step.failure !== undefined && !aside.includes(step.step),
  );
  const outcome = isGood && hasFailed ? 'failed' : claim.outcome;
  return {...claim, outcome, allowedFailure: outcome === 'failed' && mayFail};
}

/** What the runners say of an image that was to be worked on; their silence is a failure. */
function confirmed(image: PlannedImage, claim: ReportedImage | undefined): ReportedImage {
  const isIdle = image.action === 'skip';
  if (claim !== undefined && (isIdle || claim.outcome !== 'skipped')) return claim;
  const {name, ref, source} = image;
  const bare = {image: name, ref, blockedBy: undefined, size: undefined, allowedFailure: false};
  if (isIdle) return {...bare, digest: source?.digest, outcome: 'skipped', steps: []};
  const message =
    claim === undefined
      ? 'No runner reported it: its job did not finish, or its artifact was not downloaded.'
      : 'No runner worked on it: every report says that it is unchanged, but the plan has work for it.';
  const hint =
    'Look at the job of this image, and download the artifacts of all build jobs into artifacts/.';
  const step = image.action === 'build' ? 'build' : image.action;
  const missing = failure('not-found', message, {hint});
  const steps = [{step, durationMs: 0, failure: missing, notes: []}] as const;
  return {...bare, digest: undefined, outcome: 'failed', steps};
}

function outcomeOf(images: readonly ReportedImage[], reports: readonly RunnerReport[]): RunOutcome {
  const claimed = (word: RunOutcome): boolean => reports.some(({outcome}) => outcome === word);
  const isBad = images.some(({outcome, allowedFailure}) => outcome === 'failed' && !allowedFailure);
  const isStranded = images.some(({outcome}) => outcome === 'blocked');
  const isAllowed = images.some(({allowedFailure}) => allowedFailure);
  if (isBad || claimed('failed') || (isStranded && !isAllowed)) return 'failed';
  if (claimed('cancelled') || images.some(({outcome}) => outcome === 'cancelled'))
    return 'cancelled';
  return 'passed';
}

function rank({outcome}: ReportedImage): number {
  return worstFirst.indexOf(outcome);
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
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
    file,
    tag,
    outcome,
    images: images.map(
      (image, index) => readResult(record(image)) ?? refuse(`images[${index}] is not a result`),
    ),
  };
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
