import type {Failure, Result} from '../../failure.ts';
import {decideRetry} from '../../util/retry.ts';
import {formatDuration} from '../../util/text.ts';
import type {Work} from './context.ts';

/** What came of several attempts. */
export interface Attempts<T> {
  readonly result: Result<T>;
  /** How often it was tried again. */
  readonly retries: number;
}

/** Tries again while the failure is one that goes away; each further attempt is a line of the job log. */
export async function attemptOften<T>(
  {context, image, signal}: Work,
  {what, times}: {readonly what: string; readonly times: number},
  attempt: () => Promise<Result<T>>,
): Promise<Attempts<T>> {
  let waited = 0;
  let total = 0;
  for (let retries = 0; ; retries++) {
    const result = await attempt();
    if (result.ok || retries + 1 >= times || signal.aborted) return {result, retries};
    const seconds = retryWait(result.error, {number: retries + 1, waited, total}, Math.random());
    if (seconds === undefined) return {result, retries};
    waited = seconds;
    total += seconds;
    context.emit({
      kind: 'note',
      image: image.name,
      message: `${what}: attempt ${retries + 1} of ${times} failed: ${result.error.message} Retrying in ${formatDuration(seconds * 1000)}.`,
    });
    try {
      await context.wait(seconds, signal);
    } catch {
      return {result, retries};
    }
  }
}

/** dockerd itself spends 50 s on a blob that is refused with 5xx, so a push is tried less often. */
export const attempts = {push: 4, pull: 5, build: 3} as const;

/** docker keeps the registry's `Retry-After` to itself, so a short one is taken for granted. */
const leastAfterLimit = 3;

/** What was tried so far. */
export interface Tried {
  /** Attempts made, at least 1. */
  readonly number: number;
  /** Seconds waited before the last one, and in all. */
  readonly waited: number;
  readonly total: number;
}

/**
 * Seconds to wait before a docker command is tried again, or undefined when it is not to be: the failure does not go
 * away, or the registry asks for too much patience. The rules are those of requests to the registry.
 */
export function retryWait(failure: Failure, tried: Tried, random: number): number | undefined {
  const status = statuses[failure.class];
  if (status === undefined) return undefined;
  const body = failure.tail.join('\n');
  // docker tells no header, so no date has to be understood.
  const decision = decideRetry({status, body, retryAfter: undefined, ...tried}, 0, random);
  if (!decision.retry) return undefined;
  return status === 429 ? Math.max(leastAfterLimit, decision.seconds) : decision.seconds;
}

/** docker tells no status either, but its words were classified. */
const statuses: Partial<Record<Failure['class'], number>> = {
  'rate-limit': 429,
  'registry-unavailable': 503,
};
