/** What becomes of things: failures as data, results, what a run tells while it goes on. */
/** What can go wrong, as docs/reliability.md explains it. */
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
  'context-changed',
  'cancelled',
  'blocked-by-parent',
  'internal',
] as const;

export type FailureClass = (typeof failureClasses)[number];

/** How it was seen. */
export type FailureCause =
  | {readonly kind: 'exit'; readonly command: string; readonly exitCode: number}
  | {readonly kind: 'timeout'; readonly command: string; readonly seconds: number}
  | {readonly kind: 'spawn'; readonly command: string; readonly code: string}
  /** `status` is undefined when no answer came. */
  | {readonly kind: 'http'; readonly request: string; readonly status: number | undefined};

/** Where in the repository it can be mended; lines and columns count from 1. */
export interface Place {
  /** Relative to the workspace. */
  readonly file: string;
  readonly line: number;
  readonly column?: number;
}

/** An expected failure is data; an exception is a bug or bad configuration. */
export interface Failure {
  /** What went wrong; `internal` is a bug of this program and nothing else. */
  readonly class: FailureClass;
  /** One sentence for a person, the image reference in full; never a secret. */
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
  /** The last lines of the output. */
  readonly tail: readonly string[];
  readonly cause?: FailureCause;
  readonly place?: Place;
}

/** Expected failures come back as values; an answer that is only nice to have fails with one sentence. */
export type Result<T, E = Failure> =
  | {readonly ok: true; readonly value: T}
  | {readonly ok: false; readonly error: E};

export function ok(): {readonly ok: true; readonly value: undefined};
export function ok<T>(value: T): {readonly ok: true; readonly value: T};
export function ok(value?: unknown): {readonly ok: true; readonly value: unknown} {
  return {ok: true, value};
}

export function fail<E>(error: E): {readonly ok: false; readonly error: E} {
  return {ok: false, error};
}

/** The one way to make a failure. */
export function failure(
  kind: FailureClass,
  message: string,
  more: Partial<Pick<Failure, 'hint' | 'tail' | 'cause' | 'place'>> = {},
): Failure {
  return {class: kind, message, tail: [], ...more};
}

/** What helps against a full disk, wherever it was seen. */
export const diskFullHint =
  'Free space where Docker keeps its data. "docker builder prune" before this step empties the build cache, which keeps the layers of built images even after they were removed: "prune: true" in spec.yml helps at once only with images that were pulled. On a runner of GitHub: remove tools that the job does not need before this step (sudo rm -rf /usr/share/dotnet /usr/local/lib/android /opt/ghc), take a larger runner, or split the stack over several runners (mode: plan).';

/** The words of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Cause and mend in one line, for answers that hold one text. */
export function sentenceOf({message, hint}: Failure): string {
  return hint === undefined ? message : `${message} ${hint}`;
}

/** A failure as a person reads it. */
export function failureText(subject: string, failure: Failure): string {
  const hint = failure.hint === undefined ? [] : [failure.hint];
  const tail = failure.tail.slice(-20).map((text) => `| ${text}`);
  return [`${subject}: ${failure.message}`, ...hint, ...tail].join('\n');
}
