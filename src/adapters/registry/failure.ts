import {type Failure, fail, failure} from '../../failure.ts';
import {isPassing, isRateLimit} from '../../util/retry.ts';

/** What a request was about, for the words of its failure. */
interface Asked {
  readonly method: string;
  readonly ref: string;
}

/** A request that failed for good; `status` is undefined when there was no answer. */
export interface Trouble {
  readonly status: number | undefined;
  readonly body: string;
  /** As {@link wordsOf} gives it, with why it was given up. */
  readonly what: string;
}

/** Registries that keep a tag as it is say so with 400 (Quay, ECR), 403, 409 or 412. */
const immutable = /TAG_INVALID|immutable|cannot be overwritten|already exists/i;

/** The class of a failed request (RELIABILITY.md 2d.1), and what to do about it. */
export function registryFailure({method, ref}: Asked, {status, body, what}: Trouble): Failure {
  const base = {reason: 'registry', request: `${method} ${ref}`, status, tail: []} as const;
  const message = `${ref}: the registry answers ${what}.`;
  if (status === undefined) {
    return {
      ...base,
      class: 'registry-unavailable',
      message: `${ref}: the registry cannot be reached: ${what}.`,
    };
  }
  if (isRateLimit(status, body)) return {...base, class: 'rate-limit', message};
  if (status === 401) {
    return {
      ...base,
      class: 'auth',
      message,
      hint: 'Check the inputs "registry", "username" and "password".',
    };
  }
  if (status === 409 || (status < 500 && immutable.test(body))) {
    return {
      ...base,
      class: 'tag-conflict',
      message,
      hint: 'The registry does not let this tag move. Use another tag, or allow it in the settings of the repository.',
    };
  }
  if (status === 403) {
    return {
      ...base,
      class: 'permission',
      message,
      hint: 'The token needs "permissions: packages: write", and the package must be linked to this repository.',
    };
  }
  if (isPassing(status, body) || status >= 500)
    return {...base, class: 'registry-unavailable', message};
  return {...base, class: status === 404 ? 'not-found' : 'registry-inconsistent', message};
}

/** The run was cancelled while the registry was asked. */
export function cancelledFailure({ref}: Asked): Failure {
  return failure('cancelled', `${ref}: the run was cancelled while the registry was asked.`);
}

/** The registry shows something that it must not. */
export function inconsistent(
  method: string,
  ref: string,
  what: string,
): {readonly ok: false; readonly error: Failure} {
  return fail(
    failure('registry-inconsistent', `${ref}: the registry shows ${what}.`, {
      cause: {kind: 'http', request: `${method} ${ref}`, status: undefined},
    }),
  );
}

/** `403 DENIED: permission_denied`, or why there was no answer. */
export function wordsOf(answer: Error | {readonly status: number}, body: string): string {
  if (answer instanceof Error)
    return answer.message || (answer as NodeJS.ErrnoException).code || 'no answer';
  const found = /"code"\s*:\s*"([^"]+)"(?:[^}]*?"message"\s*:\s*"([^"]*)")?/.exec(body);
  const detail = found === null ? '' : ` ${found[1]}${found[2] ? `: ${found[2]}` : ''}`;
  return `${answer.status}${detail}`;
}
