import {setTimeout as sleep} from 'node:timers/promises';
import type {Result} from '../../failure.ts';
import {formatDuration} from '../../util/text.ts';
import type {Work} from './context.ts';
import {retryWait} from './docker-retry.ts';

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
  const wait = context.wait ?? sleepFor;
  let waited = 0;
  let total = 0;
  for (let retries = 0; ; retries++) {
    const result = await attempt();
    if (result.ok || retries + 1 >= times || signal.aborted) return {result, retries};
    const seconds = retryWait(result.failure, {number: retries + 1, waited, total}, Math.random());
    if (seconds === undefined) return {result, retries};
    waited = seconds;
    total += seconds;
    context.emit({
      kind: 'note',
      image: image.name,
      message: `${what}: attempt ${retries + 1} of ${times} failed (${result.failure.class}): ${result.failure.message} Again in ${formatDuration(seconds * 1000)}.`,
    });
    try {
      await wait(seconds, signal);
    } catch {
      return {result, retries};
    }
  }
}

function sleepFor(seconds: number, signal: AbortSignal): Promise<void> {
  return sleep(seconds * 1000, undefined, {signal});
}
