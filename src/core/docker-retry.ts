import {isPassing} from './failures.ts';
import type {Failure} from './types.ts';

/** dockerd itself spends 50 s on a blob that is refused with 5xx, so a push is tried less often. */
export const attempts = {push: 4, pull: 5, build: 3} as const;

const longestWait = 120;

/**
 * Seconds to wait before the next attempt, or undefined when there is to be none: the failure does not go away, or
 * the registry asks for more than two minutes. Decorrelated jitter of 1 to 60 s (RELIABILITY.md 2d.2, 2d.3).
 */
export function retryWait(failure: Failure, previous: number, random: number): number | undefined {
  if (!isPassing(failure)) return undefined;
  const asked = retryAfter(failure.tail.join('\n'));
  if (asked !== undefined && asked > longestWait) return undefined;
  const jitter = Math.min(60, 1 + random * (Math.max(previous, 1) * 3 - 1));
  return Math.max(asked ?? 0, jitter);
}

const units: Readonly<Record<string, number>> = {ms: 0.001, s: 1, m: 60, h: 3600};

/** GHCR writes it into the message: `retry-after: 10.305464ms, allowed: 2000/minute`. In seconds. */
function retryAfter(text: string): number | undefined {
  const found = /retry-after:\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h)?\b/i.exec(text);
  if (found === null) return undefined;
  return Number(found[1]) * (units[found[2]?.toLowerCase() ?? 's'] ?? 1);
}
