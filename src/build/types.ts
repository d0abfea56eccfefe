/** Results of images and steps, and the events of a run. Data only. */

import type {Failure} from '../failure.ts';
import type {PlannedImage} from '../plan/index.ts';
import type {Outcome, StepName} from '../schedule/index.ts';

/** What pytest counted. */
export interface TestCounts {
  readonly passed: number;
  /** Failed, or could not be run. */
  readonly failed: number;
  readonly skipped: number;
}

export interface StepResult {
  readonly step: StepName;
  /** Milliseconds since 1970. */
  readonly startedMs?: number;
  readonly durationMs: number;
  readonly failure: Failure | undefined;
  /** Worth a line though nothing failed: `no tests collected`, `pushed after 2 retries`. */
  readonly notes: readonly string[];
  /** Of a build: seconds of it that writing the cache took, as far as the builder says. */
  readonly cacheSeconds?: number;
  readonly tests?: TestCounts;
}

export interface ImageResult {
  readonly image: string;
  readonly ref: string;
  /** In the registry, `sha256:…`; undefined when nothing was pushed. */
  readonly digest: string | undefined;
  readonly outcome: Outcome;
  readonly steps: readonly StepResult[];
  /** The image and step that stopped this one, when blocked: `datascience-notebook: test`. */
  readonly blockedBy: string | undefined;
  /** Bytes of all layers; undefined when not known. */
  readonly size: number | undefined;
  /** Failed, but the spec allows it: does not fail the run. */
  readonly allowedFailure: boolean;
}

export type RunOutcome = 'passed' | 'failed' | 'cancelled';

export interface RunReport {
  readonly outcome: RunOutcome;
  readonly images: readonly ImageResult[];
}

/** Everything that happens in a run; report/ turns it into words. */
export type RunEvent =
  | {readonly kind: 'image-started'; readonly image: PlannedImage}
  | {readonly kind: 'step-started'; readonly image: string; readonly step: StepName}
  | {readonly kind: 'step-finished'; readonly image: string; readonly result: StepResult}
  | {readonly kind: 'image-finished'; readonly result: ImageResult}
  | {readonly kind: 'note'; readonly image: string | undefined; readonly message: string}
  | {readonly kind: 'warning'; readonly image: string | undefined; readonly message: string};

/** Takes the events of a run. */
export type Emit = (event: RunEvent) => void;

/** Runs one step of one image; steps/ implements it, runPlan calls it in the order of the schedule. */
export type RunStep = (
  image: PlannedImage,
  step: StepName,
  signal: AbortSignal,
) => Promise<StepResult>;

/** What is known of an image when its steps are over. */
export interface ImageFacts {
  readonly digest: string | undefined;
  readonly size: number | undefined;
}
