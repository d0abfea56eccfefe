import type {RunOutcome} from '../build/index.ts';
import {type Plan, type PlannedImage, reasonWords} from '../plan/index.ts';
import type {Outcome, StepName} from '../schedule/index.ts';
import {formatBytes, formatDuration, safeLine} from '../util/text.ts';
import {buildTail, type Cause, causeOf} from './causes.ts';
import type {ReportedImage, ReportedStep, TestCounts} from './types.ts';

/** Those of an image that has begun, and was then ended, are others: {@link stateWords}. */
const outcomeWords: Record<Outcome, string> = {
  built: 'built',
  reused: 'reused',
  skipped: 'unchanged',
  failed: 'failed',
  blocked: 'not started',
  cancelled: 'not started',
};

/** What reads first. */
export const outcomeOrder: readonly Outcome[] = [
  'failed',
  'blocked',
  'cancelled',
  'built',
  'reused',
  'skipped',
];

export const stepWords: Record<StepName, string> = {
  pull: 'pull',
  build: 'build',
  test: 'tests',
  push: 'push',
  reuse: 'tagging of the tested image',
  'integration-test': 'integration tests',
  manifest: 'page',
  prune: 'clean-up',
};

export function byImportance<T extends {readonly outcome: Outcome}>(images: readonly T[]): T[] {
  return images.toSorted((a, b) => rank(a.outcome) - rank(b.outcome));
}

function rank(outcome: Outcome): number {
  return outcomeOrder.indexOf(outcome);
}

/** The step that failed; a step that was stopped with its run has not failed. */
export function failedStep(image: ReportedImage): ReportedStep | undefined {
  return image.steps.find(({failure}) => failure !== undefined && failure.class !== 'cancelled');
}

/** Two words at most, for the first column. */
export function stateWords(image: ReportedImage): string {
  if (image.outcome === 'failed' && image.allowedFailure) return 'failed (allowed)';
  if (isStopped(image)) return 'stopped';
  return outcomeWords[image.outcome];
}

function isUnfinished({outcome}: ReportedImage): boolean {
  return outcome === 'blocked' || outcome === 'cancelled';
}

/** It was under way when its parent failed or the run ended; that a cache was found for it is no beginning. */
function isStopped(image: ReportedImage): boolean {
  return isUnfinished(image) && image.steps.some(({step, failure}) => step !== 'pull' || failure);
}

/** Why an image did not get as far as it should; undefined for one that did, or failed itself. */
export function notDoneWords(
  image: ReportedImage,
  parents: readonly string[] | undefined,
  culprit?: string,
): string | undefined {
  const start = isStopped(image) ? 'stopped' : 'not started';
  if (image.outcome === 'blocked') {
    const by = image.blockedBy?.replace(/: [a-z-]+$/, '');
    if (by === undefined) return `${start}: an image that it is built on failed`;
    const isParent = parents === undefined || parents.includes(by);
    return isParent
      ? `${start}: its parent ${by} failed`
      : `${start}: ${by}, which its parents are built on, failed`;
  }
  if (image.outcome !== 'cancelled') return undefined;
  return culprit === undefined
    ? `${start}: the run was cancelled`
    : `${start}: ${culprit} failed first, and "fail-fast" is on`;
}

/** Whose failure ended a run that was not cancelled by a person. */
export function culpritOf(
  outcome: RunOutcome,
  images: readonly ReportedImage[],
): string | undefined {
  if (outcome === 'cancelled') return undefined;
  return images.find((image) => image.outcome === 'failed' && !image.allowedFailure)?.image;
}

/** The reasons as one sentence without a full stop. */
export function whyWords(planned: PlannedImage | undefined): string {
  return planned === undefined ? '' : planned.reasons.map(reasonWords).join('; ');
}

/** Where the Dockerfiles are, relative to the workspace: the places of failed builds. */
export function dockerfilesOf(plan: Plan): ReadonlyMap<string, string> {
  return new Map(plan.images.map(({name, spec}) => [name, spec.dockerfile]));
}

/** What failed, in words of the program that failed where it has any. */
export interface FailureWords {
  readonly step: string;
  readonly cause: string;
  readonly hint: string | undefined;
  readonly place: Cause['place'];
  readonly tail: readonly string[];
}

export function failureWords(image: ReportedImage, dockerfile?: string): FailureWords | undefined {
  const step = failedStep(image);
  if (step?.failure === undefined) return undefined;
  const {cause, place} = causeOf(step.step, step.failure, dockerfile);
  const {hint} = step.failure;
  const tail = step.step === 'build' ? buildTail(step.failure.tail) : step.failure.tail;
  return {step: stepWords[step.step], cause, hint, place, tail};
}

/** Of all tests of an image; undefined where none ran, or nobody counted. */
export function testsOf({steps}: ReportedImage): TestCounts | undefined {
  const counts = steps.flatMap(({tests}) => tests ?? []);
  if (counts.length === 0) return undefined;
  const sum = (of: keyof TestCounts): number => counts.reduce((all, one) => all + one[of], 0);
  return {passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped')};
}

/** `12 passed, 1 skipped`, `no tests`; undefined where it is not known. */
export function testWords(image: ReportedImage): string | undefined {
  const counts = testsOf(image);
  const notes = image.steps.flatMap((step) => step.notes);
  if (counts === undefined) {
    return notes.some((note) => /^no tests\b/.test(note)) ? 'no tests' : undefined;
  }
  return countWords(counts);
}

export function countWords({passed, failed, skipped}: TestCounts): string {
  const parts = [
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(passed > 0 ? [`${passed} passed`] : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
  ];
  return parts.length === 0 ? 'no tests' : parts.join(', ');
}

export function timeOf({steps}: ReportedImage): number {
  return steps.reduce((sum, step) => sum + step.durationMs, 0);
}

/** Nothing for an image that never began. */
export function timeWords(image: ReportedImage): string {
  const hasBegun = image.steps.length > 0 && (!isUnfinished(image) || isStopped(image));
  return hasBegun ? formatDuration(timeOf(image)) : '';
}

/** `355 MB (+12 MB)` */
export function sizeWords(size: number | undefined, change: number | undefined): string {
  if (size === undefined) return '';
  return change === undefined || change === 0
    ? formatBytes(size)
    : `${formatBytes(size)} (${changeWords(change)})`;
}

export function changeWords(change: number): string {
  return `${change < 0 ? '−' : '+'}${formatBytes(Math.abs(change))}`;
}

/** `2 images`, `1 image` */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** `Failed: 2 of 7 images failed (1 stopped, 4 built)`, `Passed: 7 images (3 built, 4 unchanged)`; each as its row says. */
export function headline(outcome: RunOutcome, images: readonly ReportedImage[]): string {
  const states = Map.groupBy(byImportance(images), stateWords);
  const failed = states.get('failed')?.length ?? 0;
  const rest = [...states]
    .filter(([state]) => state !== 'failed')
    .map(([state, {length}]) => `${length} ${state.replace(' (allowed)', ' as allowed')}`);
  const all = counted(images.length, 'image');
  const subject = failed === 0 ? all : `${failed} of ${all} failed`;
  return `${outcomeTitles[outcome]}: ${subject}${rest.length === 0 ? '' : ` (${rest.join(', ')})`}`;
}

const outcomeTitles: Record<RunOutcome, string> = {
  passed: 'Passed',
  failed: 'Failed',
  cancelled: 'Cancelled',
};

/** The sentence that fails the step; undefined after a run that passed. */
export function failureSentence(
  outcome: RunOutcome,
  images: readonly ReportedImage[],
  dockerfiles: ReadonlyMap<string, string> = new Map(),
): string | undefined {
  if (outcome === 'passed') return undefined;
  if (outcome === 'cancelled') return 'The run was cancelled.';
  const failed = images.filter((image) => image.outcome === 'failed' && !image.allowedFailure);
  const stranded = images.filter((image) => image.outcome === 'blocked');
  const unready = Map.groupBy(stranded, ({blockedBy}) => unreadyParent.exec(blockedBy ?? '')?.[1]);
  const blocked = unready.get(undefined) ?? [];
  const causes = failed.slice(0, 5).map((image) => {
    const words = failureWords(image, dockerfiles.get(image.image));
    // It is printed as a command of the runner's, which must hold no other.
    return safeLine(
      words === undefined ? image.image : `${image.image} (${words.step}): ${words.cause}`,
    );
  });
  const more = failed.length - causes.length;
  const rest = [
    ...(more > 0 ? [`And ${counted(more, 'more image')} failed.`] : []),
    ...(blocked.length === 0 ? [] : [blockedWords(blocked)]),
    ...[...unready].flatMap(([parent, below]) =>
      parent === undefined ? [] : [unreadyWords(parent, below)],
    ),
  ];
  const start =
    failed.length === 0 ? 'The run failed.' : `${counted(failed.length, 'image')} failed.`;
  return [start, ...causes, ...rest, 'The step summary and the artifact have the details.'].join(
    '\n',
  );
}

/** `Stopped or not started, because a parent failed: web, notebook.` */
function blockedWords(blocked: readonly ReportedImage[]): string {
  const states = [...new Set(blocked.map(stateWords))].toSorted().toReversed().join(' or ');
  const names = someOf(blocked.map(({image}) => image));
  return safeLine(
    `${states.charAt(0).toUpperCase()}${states.slice(1)}, because a parent failed: ${names}.`,
  );
}

/** How the schedule names a parent that another runner had to build. */
const unreadyParent = /^(.+): not built by an earlier leg of this run$/;

function unreadyWords(parent: string, below: readonly ReportedImage[]): string {
  const names = someOf(below.map(({image}) => image));
  return safeLine(
    `Not started: ${names}. ${below.length === 1 ? 'Its' : 'Their'} parent ${parent} was not built by an earlier leg of this run: look at the leg of ${parent}, and run that again first.`,
  );
}

function someOf(names: readonly string[]): string {
  const more = names.length - 10;
  return `${names.slice(0, 10).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
