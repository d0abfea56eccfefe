/**
 * One report of the reports of many runners.
 * Enters: the plan of this checkout, and the text of each report.json, which anyone may have written.
 * Leaves: a result for each image of the plan, what is known beside it, and notes on what was ignored.
 * Not here: finding the files (modes/report.ts), joining platforms (modes/platforms.ts).
 */
import type {RunOutcome} from '../../build/index.ts';
import {failure} from '../../failure.ts';
import type {Plan, PlannedImage} from '../../plan/index.ts';
import type {StepName} from '../../schedule/index.ts';
import {docsUrl} from '../../util/text.ts';
import type {ImageDetails, ReportedImage} from '../types.ts';
import {MergeError, type RunnerReport, worstFirst} from './read.ts';

export {MergeError, parseReport, plannedWork, type RunnerReport} from './read.ts';

/** One report of many, of which every line is confirmed by the plan. */
export interface Merged {
  readonly outcome: RunOutcome;
  readonly images: readonly ReportedImage[];
  /** What the runners know beside the results that count; by the name of the image. */
  readonly details: ReadonlyMap<string, ImageDetails>;
  /** What was ignored, and why. */
  readonly notes: readonly string[];
}

/** More notes than these are counted. */
const mostNotes = 50;

/**
/**
 * What counts of the reports of a run whose jobs were run again: for each image the last attempt that worked on it.
 * Artifacts of earlier attempts stay with the run, and the legs of the next may be others.
 */
export function latestReports(reports: readonly RunnerReport[]): readonly RunnerReport[] {
  const last = new Map<string, number>();
  for (const {attempt, images} of reports)
    for (const {ref, outcome} of images)
      if (outcome !== 'skipped') last.set(ref, Math.max(attempt, last.get(ref) ?? 0));
  return reports.flatMap((report) => {
    const images = report.images.filter(
      ({ref, outcome}) => outcome === 'skipped' || report.attempt === last.get(ref),
    );
    if (images.length === report.images.length) return [report];
    if (images.every(({outcome}) => outcome === 'skipped')) return [];
    // What it calls itself was about all of them; those that are left speak for themselves.
    return [{...report, images, outcome: 'passed'}];
  });
}

/**
 * One report of many: every image of the plan once, in its order. A report is a claim: it counts only for images of
 * the plan at their own references, it cannot allow a failure (the spec does), and an image that no runner reported
 * has failed.
 * @param awaited images that somebody was to work on, though nothing is left to do with them now
 */
export function mergeReports(
  plan: Plan,
  reports: readonly RunnerReport[],
  awaited: ReadonlySet<string> = new Set(),
): Merged {
  const notes: string[] = [];
  const planned = new Map(plan.images.map((image) => [image.name, image]));
  const claims = new Map<string, ReportedImage>();
  const details = new Map<string, ImageDetails>();
  const ofPlan = reports.filter(({file, tag}) => {
    if (tag !== plan.tag)
      notes.push(`${file} was ignored: it is of the tag ${quoted(tag)}, not ${plan.tag}.`);
    return tag === plan.tag;
  });
  for (const {file, images, details: own} of ofPlan) {
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
        if (known !== undefined && rank(result) >= rank(known)) continue;
        claims.set(image.name, result);
        details.delete(image.name);
        const said = own.get(image.name);
        if (said !== undefined) details.set(image.name, said);
      }
    }
  }
  const images = plan.images.map((image) => confirmed(image, claims.get(image.name), awaited));
  const more = notes.length - mostNotes;
  return {
    outcome: outcomeOf(images, ofPlan),
    images,
    details,
    notes: more > 0 ? [...notes.slice(0, mostNotes), `And ${more} more like these.`] : notes,
  };
}

/** @throws {MergeError} when there is no report at all */
export function requireReports(reports: readonly RunnerReport[]): void {
  if (reports.length > 0) return;
  throw new MergeError(
    `There is no report.json below artifacts/. Download the artifacts of the build jobs into artifacts/ first: ${docsUrl('many-runners')}`,
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
function confirmed(
  image: PlannedImage,
  claim: ReportedImage | undefined,
  awaited: ReadonlySet<string>,
): ReportedImage {
  const isIdle = image.action === 'skip' && !awaited.has(image.name);
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
  const step = image.action === 'skip' ? 'build' : image.action;
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
