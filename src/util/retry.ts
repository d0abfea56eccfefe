/** What is known after a failed request to a registry. */
export interface Attempt {
  /** Undefined when there was no answer: reset, time-out, refused. */
  readonly status: number | undefined;
  /** The error body, for limits that hide in a 403. */
  readonly body: string;
  /** Header `Retry-After`: seconds or a date. */
  readonly retryAfter: string | undefined;
  /** Counted from 1. */
  readonly number: number;
  /** Seconds waited before this attempt. */
  readonly waited: number;
  /** Seconds waited in all. */
  readonly total: number;
  /** There is nothing that could answer: refused, no such host, no way to it. */
  readonly isUnreachable?: boolean;
  /** Seconds in which requests were open and no answer came, in all. */
  readonly silence?: number;
}

export type RetryDecision =
  | {readonly retry: true; readonly seconds: number}
  /** `because` is undefined where it would answer the same again, which needs no words. */
  | {readonly retry: false; readonly because: string | undefined};

const mostAttempts = 5;
const longestWait = 120;
const longestTotal = 600;
/** Two deadlines without an answer: the host is down, and a run must not take minutes to find out. */
const longestSilence = 60;
const passingStatuses: ReadonlySet<number> = new Set([408, 429, 499, 500, 502, 503, 504, 522]);

/** A limit on requests, also where it looks like a refusal (GHCR's secondary limit is a 403). */
export function isRateLimit(status: number | undefined, body: string): boolean {
  return status === 429 || /secondary rate limit|toomanyrequests/i.test(body);
}

/** Trouble that is mostly over soon; a blob can be unknown where the store lags behind the registry. */
export function isPassing(status: number | undefined, body: string): boolean {
  if (status === undefined || passingStatuses.has(status) || isRateLimit(status, body)) return true;
  return /BLOB_UNKNOWN|blob unknown|unknown blob/i.test(body);
}

/** What is tried again, and after how long. */
export function decideRetry(attempt: Attempt, now: number, random: number): RetryDecision {
  const {status, body} = attempt;
  const stop = (because?: string): RetryDecision => ({retry: false, because});
  if (!isPassing(status, body)) return stop();
  const asked = Math.max(headerSeconds(attempt.retryAfter, now), bodySeconds(body));
  if (asked > longestWait) return stop(`it asks to wait ${Math.ceil(asked)} s, which is too long`);
  if (attempt.number >= mostAttempts) return stop(`${mostAttempts} attempts`);
  if ((attempt.silence ?? 0) >= longestSilence) return stop(`no answer for ${longestSilence} s`);
  const seconds = Math.max(asked, jitter(attempt, random));
  if (attempt.total + seconds > longestTotal) return stop(`${longestTotal} s of waiting in all`);
  return {retry: true, seconds};
}

/** Decorrelated, 1 to 60 s. A host that is not there is not waited for: the run is to fail soon. */
function jitter({isUnreachable, waited}: Attempt, random: number): number {
  const [least, most] = isUnreachable === true ? [0.3, 3] : [1, 60];
  return Math.min(most, least + random * (Math.max(waited, least) * 3 - least));
}

function headerSeconds(value: string | undefined, now: number): number {
  if (value === undefined) return 0;
  if (/^\d+(\.\d+)?$/.test(value.trim())) return Number(value);
  const date = Date.parse(value);
  return Number.isNaN(date) ? 0 : Math.max(0, (date - now) / 1000);
}

const units: Readonly<Record<string, number>> = {ms: 0.001, s: 1, m: 60, h: 3600};

/** `retry-after: 10.305464ms, allowed: 2000/minute` stands in the body of some registries. */
function bodySeconds(body: string): number {
  const found = /retry-after:\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h)?\b/i.exec(body);
  return found === null ? 0 : Number(found[1]) * (units[found[2]?.toLowerCase() ?? 's'] ?? 1);
}
