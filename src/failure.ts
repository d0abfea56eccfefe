/** What becomes of things: failures as data, results, what a run tells while it goes on. */
import type {PlannedImage} from './stack/spec/types.ts';

/** Classes of failure of RELIABILITY.md 2d. */
export const failureClasses = [
  'spec-invalid',
  'auth',
  'permission',
  'rate-limit',
  'registry-unavailable',
  'not-found',
  'tag-conflict',
  'build-failed',
  'test-failed',
  'no-tests',
  'timeout',
  'disk-full',
  'daemon-lost',
  'oom-killed',
  'registry-inconsistent',
  'cancelled',
  'blocked-by-parent',
  'internal',
] as const;

export type FailureClass = (typeof failureClasses)[number];

interface FailureBase {
  readonly class: FailureClass;
  /** One sentence for a person, the image reference in full; never a secret. */
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
  /** The last lines of the output. */
  readonly tail: readonly string[];
}

/** An expected failure is data; an exception is a bug or bad configuration. */
export type Failure = FailureBase &
  (
    | {readonly reason: 'exit-code'; readonly command: string; readonly exitCode: number}
    | {readonly reason: 'timeout'; readonly command: string; readonly seconds: number}
    | {readonly reason: 'spawn'; readonly command: string; readonly code: string}
    | {readonly reason: 'registry'; readonly request: string; readonly status: number | undefined}
    | {readonly reason: 'cancelled'}
    | {readonly reason: 'internal'}
  );

/** Expected failures come back as values. */
export type Result<T> =
  | {readonly ok: true; readonly value: T}
  | {readonly ok: false; readonly failure: Failure};

/** The steps of one image, in this order (DESIGN.md section 5); `reuse` stands for all up to the push. */
export type StepName =
  | 'pull'
  | 'build'
  | 'test'
  | 'push'
  | 'reuse'
  | 'integration-test'
  | 'manifest'
  | 'prune';

export interface StepResult {
  readonly step: StepName;
  readonly durationMs: number;
  readonly failure: Failure | undefined;
  /** Worth a line though nothing failed: `no tests collected`, `pushed after 2 retries`. */
  readonly notes: readonly string[];
  /** Of a build: seconds of it that writing the cache took, as far as the builder says. */
  readonly cacheSeconds?: number;
}

export type Outcome = 'built' | 'reused' | 'skipped' | 'failed' | 'blocked' | 'cancelled';

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

/** Everything a run has to say while it goes on; report.ts turns it into words. */
export type RunEvent =
  | {readonly kind: 'image-started'; readonly image: PlannedImage}
  | {readonly kind: 'step-started'; readonly image: string; readonly step: StepName}
  | {readonly kind: 'step-finished'; readonly image: string; readonly result: StepResult}
  | {readonly kind: 'image-finished'; readonly result: ImageResult}
  | {readonly kind: 'note'; readonly image: string | undefined; readonly message: string}
  | {readonly kind: 'warning'; readonly image: string | undefined; readonly message: string};
