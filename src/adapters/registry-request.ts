import {setTimeout as sleep} from 'node:timers/promises';
import type {Failure} from '../core/outcomes.ts';
import {isLoopback, parseReference, type Reference} from '../core/references.ts';
import {decideRetry, isRateLimit} from '../core/retry.ts';
import {type Authorizer, type Credentials, createAuthorizer} from './registry-auth.ts';
import type {HttpAnswer, HttpClient, HttpRequest} from './registry-http.ts';

export interface RegistryOptions {
  /** By host, as image references name it. */
  readonly credentials: ReadonlyMap<string, Credentials>;
  readonly signal?: AbortSignal;
  /** Told before each further attempt, in one line. */
  readonly onRetry?: (note: string) => void;
  /** Waits between attempts; real time by default. */
  readonly wait?: (seconds: number) => Promise<void>;
}

/** A request within one repository. */
export interface RegistryRequest {
  readonly method: HttpRequest['method'];
  readonly ref: string;
  /** Below `/v2/<repository>/`. */
  readonly path: string;
  readonly access: 'pull' | 'pull,push';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** A question whose answer matters little is asked once. */
  readonly once?: boolean;
}

export type RegistryAnswer =
  | {readonly ok: true; readonly answer: HttpAnswer}
  | {readonly ok: false; readonly failure: Failure};

/** Sends a request with authorization and retries; any answer below 400, and 404, is ok. */
export type SendToRegistry = (request: RegistryRequest) => Promise<RegistryAnswer>;

const hubHost = 'registry-1.docker.io';

/** How this run waits: in real time, unless a test has no patience. */
export function waitOf({wait, signal}: RegistryOptions): (seconds: number) => Promise<void> {
  return wait ?? ((seconds) => sleep(seconds * 1000, undefined, signal && {signal}));
}

/** Credentials and connections of all hosts that a run talks to. */
export function createSender(http: HttpClient, options: RegistryOptions): SendToRegistry {
  const wait = waitOf(options);
  const authorizers = new Map<string, Authorizer>();
  // Who gave no answer to one question will not answer fifty others either.
  const silent = new Set<string>();
  const authorizerOf = (host: string): Authorizer => {
    const known =
      authorizers.get(host) ?? createAuthorizer(host, options.credentials.get(host), http);
    authorizers.set(host, known);
    return known;
  };
  const sendOnce = async (request: RegistryRequest, reference: Reference): Promise<HttpAnswer> => {
    const authorizer = authorizerOf(reference.registry);
    const scope = `repository:${reference.repository}:${request.access}`;
    const send = (authorization: string | undefined): Promise<HttpAnswer> => {
      const headers = {
        ...request.headers,
        ...(authorization === undefined ? {} : {authorization}),
      };
      const {method, body} = request;
      const url = urlOf(reference, request.path);
      return follow(http, {method, url, headers, ...(body === undefined ? {} : {body})});
    };
    const sent = authorizer.headerFor(scope);
    const first = await send(sent);
    if (first.status !== 401) return first;
    const isLetIn = await authorizer.answer(scope, first.headers['www-authenticate'], sent);
    return isLetIn ? send(authorizer.headerFor(scope)) : first;
  };
  return async (request) => {
    const reference = parseReference(request.ref);
    if (reference === undefined) throw new Error(`Internal error: ${request.ref} is no reference`);
    let waited = 0;
    let total = 0;
    for (let number = 1; ; number++) {
      const result = await sendOnce(request, reference).catch((error: unknown) => error as Error);
      if (!(result instanceof Error) && (result.status < 400 || result.status === 404)) {
        return {ok: true, answer: result};
      }
      const body = result instanceof Error ? '' : Buffer.from(result.body).toString();
      const status = result instanceof Error ? undefined : result.status;
      const retryAfter = result instanceof Error ? undefined : result.headers['retry-after'];
      const attempt = {status, body, retryAfter, number, waited, total};
      const decision = decideRetry(attempt, Date.now(), Math.random());
      const what = result instanceof Error ? wordsOf(result) : describe(result.status, body);
      const isHopeless = options.signal?.aborted === true || silent.has(reference.registry);
      if (!decision.retry || request.once === true || isHopeless) {
        if (status === undefined) silent.add(reference.registry);
        const because = decision.retry || number === 1 ? '' : ` (given up: ${decision.because})`;
        return {ok: false, failure: failureOf(request, status, body, `${what}${because}`)};
      }
      const line = `${request.method} ${request.ref}: ${what}; attempt ${number}, again in ${decision.seconds.toFixed(1)} s`;
      options.onRetry?.(line);
      waited = decision.seconds;
      total += decision.seconds;
      // Ended by the signal, the next attempt is the last.
      await wait(decision.seconds).catch(() => undefined);
    }
  };
}

function urlOf({registry, repository}: Reference, path: string): URL {
  const host = registry === 'docker.io' ? hubHost : registry;
  return new URL(`${isLoopback(host) ? 'http' : 'https'}://${host}/v2/${repository}/${path}`);
}

/** Blobs are often redirected to a store on another host, which must not see the authorization. */
async function follow(http: HttpClient, request: HttpRequest): Promise<HttpAnswer> {
  const answer = await http.send(request);
  const location = answer.headers['location'];
  if (
    request.method !== 'GET' ||
    answer.status < 300 ||
    answer.status >= 400 ||
    location === undefined
  ) {
    return answer;
  }
  const url = new URL(location, request.url);
  const {authorization, ...others} = request.headers;
  const isSameHost = url.host === request.url.host;
  const headers = isSameHost && authorization !== undefined ? {...others, authorization} : others;
  return http.send({...request, url, headers});
}

function wordsOf(error: Error): string {
  const code = (error as NodeJS.ErrnoException).code;
  return error.message || code || 'no answer';
}

function describe(status: number, body: string): string {
  const found = /"code"\s*:\s*"([^"]+)"(?:[^}]*?"message"\s*:\s*"([^"]*)")?/.exec(body);
  const detail = found === null ? '' : ` ${found[1]}${found[2] ? `: ${found[2]}` : ''}`;
  return `${status}${detail}`;
}

function failureOf(
  request: RegistryRequest,
  status: number | undefined,
  body: string,
  what: string,
): Failure {
  const base = {
    reason: 'registry',
    request: `${request.method} ${request.ref}`,
    status,
    tail: [],
  } as const;
  const message = `${request.ref}: the registry answers ${what}.`;
  if (status === undefined) {
    return {
      ...base,
      class: 'registry-unavailable',
      message: `${request.ref}: the registry cannot be reached: ${what}.`,
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
  if (status === 403) {
    return {
      ...base,
      class: 'permission',
      message,
      hint: 'The token needs "permissions: packages: write", and the package must be linked to this repository.',
    };
  }
  if (status >= 500) return {...base, class: 'registry-unavailable', message};
  return {
    ...base,
    class: status === 400 || status === 409 ? 'tag-conflict' : 'registry-inconsistent',
    message,
  };
}
