/** What becomes of things: failures as data, results, what a run tells while it goes on. */
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
  'context-changed',
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

/** An answer that may not be had; `because` is one sentence for the log. */
export type Answer<T> =
  | {readonly ok: true; readonly value: T}
  | {readonly ok: false; readonly because: string};

/** A failure as a person reads it. */
export function failureText(subject: string, failure: Failure): string {
  const hint = failure.hint === undefined ? [] : [failure.hint];
  const tail = failure.tail.slice(-20).map((text) => `| ${text}`);
  return [`${subject}: ${failure.message} (${failure.class})`, ...hint, ...tail].join('\n');
}
