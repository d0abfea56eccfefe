/** What the pages of a run are made of. Everything optional is left out of a page when it is not known. */
import type {ImageResult, RunOutcome, StepResult} from '../build/index.ts';
import type {Plan} from '../plan/index.ts';

export interface TestCounts {
  readonly passed: number;
  /** Failed, or could not be run. */
  readonly failed: number;
  readonly skipped: number;
}

export interface ReportedStep extends StepResult {
  /** Milliseconds since 1970: without it there is no timeline. */
  readonly startedMs?: number;
  readonly tests?: TestCounts;
}

/** An {@link ImageResult} is one. */
export interface ReportedImage extends Omit<ImageResult, 'steps'> {
  readonly steps: readonly ReportedStep[];
}

/** One package that is not as it was; without `before` it was added, without `after` removed. */
export interface PackageChange {
  /** `pip`, `conda`, `apt`, `R`. */
  readonly manager: string;
  readonly name: string;
  readonly before?: string;
  readonly after?: string;
}

/** How an image differs from the one it replaces. */
export interface Difference {
  /** What it was compared with: the reference, and the beginning of its digest. */
  readonly against: string;
  /** Managers (`pip`, …) whose packages both list; of all others nothing is known. */
  readonly compared: readonly string[];
  /** Bytes more (or fewer) than before. */
  readonly sizeChange?: number;
  /** What this image changed itself; what it inherits is reported at the parent that caused it. */
  readonly packages: readonly PackageChange[];
  /** Images of the stack whose changes came with them, and are reported there. */
  readonly inherited?: readonly string[];
  /** The base image moved: short digests or references. */
  readonly base?: {readonly before: string; readonly after: string};
}

/** What the stable tag of an image points to, as a plan tells it. */
export interface StableImage {
  readonly ref: string;
  readonly digest: string;
  /** What is at the tag of the run, beside it. */
  readonly atTag: 'same' | 'other' | 'nothing';
  readonly commit?: {readonly sha: string; readonly subject?: string};
  /** ISO 8601: when it was built. */
  readonly created?: string;
  readonly size?: number;
  /** From stable to what is at the tag. */
  readonly difference?: Difference;
}

/** Known of an image beside its result. */
export interface ImageDetails {
  /** Where it can be looked at: its package, or its page in the wiki. */
  readonly url?: string;
  readonly difference?: Difference;
  /** Oldest first. */
  readonly layers?: readonly {readonly command: string; readonly size: number}[];
  readonly packages?: readonly {
    readonly manager: string;
    readonly name: string;
    readonly version: string;
  }[];
  /** The end of its logs, for report.html. */
  readonly logs?: readonly {readonly name: string; readonly lines: readonly string[]}[];
  /** Worth a line that is no step's: an info command that failed. */
  readonly notes?: readonly string[];
}

/** Where the run happened and where its things are; URLs that are not http(s) are not linked. */
export interface RunContext {
  readonly runId?: string;
  readonly attempt?: number;
  readonly runUrl?: string;
  readonly event?: string;
  readonly branch?: string;
  readonly pullRequest?: number;
  readonly commit?: {readonly sha: string; readonly url?: string; readonly subject?: string};
  /** Known only once the artifact is uploaded. */
  readonly artifactUrl?: string;
  readonly wikiUrl?: string;
}

/** One run, as the pages and report.json tell it. */
export interface RunFacts {
  readonly plan: Plan;
  readonly report: {readonly outcome: RunOutcome; readonly images: readonly ReportedImage[]};
  readonly run?: RunContext;
  /** By the name of the image. */
  readonly details?: ReadonlyMap<string, ImageDetails>;
  /** Worth a line for the whole run: what `mode: report` ignored. */
  readonly notes?: readonly string[];
}
