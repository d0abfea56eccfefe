import type {Failure} from '../../failure.ts';
import {decideRetry} from '../../util/retry.ts';

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
