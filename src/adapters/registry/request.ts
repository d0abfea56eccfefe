import {setTimeout as sleep} from 'node:timers/promises';
import {type Failure, fail} from '../../failure.ts';
import {isLoopback, parseReference, type Reference} from '../../image/reference.ts';
import {decideRetry} from '../../util/retry.ts';
import {type Authorizer, createAuthorizer} from './auth.ts';
import {cancelledFailure, registryFailure, wordsOf} from './failure.ts';
import type {HttpAnswer, HttpClient, HttpRequest} from './http.ts';
import type {Credentials} from './types.ts';

export interface RegistryOptions {
  /** By host, as image references or `docker login` name it. */
  readonly credentials: ReadonlyMap<string, Credentials>;
  /** Ends waits, and requests too unless there is a grace. */
  readonly signal?: AbortSignal;
  /** Seconds that a request may take when the signal came: no PUT is cut short that would be done in time. */
  readonly grace?: number;
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
  | {readonly ok: false; readonly error: Failure};

/** Sends a request with authorization and retries; any answer below 400 is ok, and 404 unless something was put. */
export type SendToRegistry = (request: RegistryRequest) => Promise<RegistryAnswer>;

const hubHost = 'registry-1.docker.io';
const mostRedirects = 5;
const unreachableCodes: ReadonlySet<string | undefined> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

/** How this run waits: in real time, unless a test has no patience. */
export function waitOf({wait, signal}: RegistryOptions): (seconds: number) => Promise<void> {
  return wait ?? ((seconds) => sleep(seconds * 1000, undefined, signal && {signal}));
}

/** Credentials and connections of all hosts that a run talks to. */
export function createSender(http: HttpClient, options: RegistryOptions): SendToRegistry {
  const wait = waitOf(options);
  const sendOnce = createAuthorizedSender(http, options.credentials);
  // Who gave no answer to one question, and to none since, will not answer fifty others either.
  const silent = new Set<string>();
  return async (request) => {
    const reference = parseReference(request.ref);
    if (reference === undefined) throw new Error(`Internal error: ${request.ref} is no reference`);
    const host = reference.registry;
    let [waited, total, silence] = [0, 0, 0];
    for (let number = 1; ; number++) {
      const began = Date.now();
      const result = await sendOnce(request, reference).catch((error: unknown) => error as Error);
      const isAnswer = !(result instanceof Error);
      if (isAnswer) silent.delete(host);
      else silence += (Date.now() - began) / 1000;
      if (isAnswer && isGood(request, result)) return {ok: true, answer: result};
      const body = isAnswer ? Buffer.from(result.body).toString() : '';
      const status = isAnswer ? result.status : undefined;
      const retryAfter = isAnswer ? result.headers['retry-after'] : undefined;
      const isUnreachable =
        !isAnswer && unreachableCodes.has((result as NodeJS.ErrnoException).code);
      const decision = decideRetry(
        {status, isUnreachable, body, retryAfter, number, waited, total, silence},
        Date.now(),
        Math.random(),
      );
      const what = wordsOf(result, body);
      const isCancelled = options.signal?.aborted === true;
      if (!decision.retry || request.once === true || isCancelled || silent.has(host)) {
        if (isCancelled && !isAnswer) return fail(cancelledFailure(request));
        if (!isAnswer && request.once !== true) silent.add(host);
        const because = decision.retry ? undefined : decision.because;
        const words = because === undefined ? what : `${what} (given up: ${because})`;
        return fail(registryFailure(request, {status, body, what: words}));
      }
      options.onRetry?.(
        `${request.method} ${request.ref}: ${what}; attempt ${number}, again in ${decision.seconds.toFixed(1)} s`,
      );
      waited = decision.seconds;
      total += decision.seconds;
      // Ended by the signal, the next attempt is the last.
      await wait(decision.seconds).catch(() => undefined);
    }
  };
}

/** That something is not there is an answer to a question, not to a PUT. */
function isGood({method}: RegistryRequest, {status}: HttpAnswer): boolean {
  return status < 400 || (status === 404 && method !== 'PUT');
}

/** Sends a request with what its host wants to see, and once more when that was refused. */
function createAuthorizedSender(
  http: HttpClient,
  credentials: RegistryOptions['credentials'],
): (request: RegistryRequest, reference: Reference) => Promise<HttpAnswer> {
  const authorizers = new Map<string, Authorizer>();
  const logins = new Map([...credentials].map(([name, login]) => [hostOf(name), login]));
  const authorizerOf = (host: string): Authorizer => {
    const known = authorizers.get(host) ?? createAuthorizer(host, logins.get(host), http);
    authorizers.set(host, known);
    return known;
  };
  return async ({method, path, access, headers, body}, reference) => {
    const authorizer = authorizerOf(reference.registry);
    const scope = `repository:${reference.repository}:${access}`;
    const url = urlOf(reference, path);
    const send = (authorization: string | undefined): Promise<HttpAnswer> =>
      follow(http, {
        method,
        url,
        headers: {...headers, ...(authorization === undefined ? {} : {authorization})},
        ...(body === undefined ? {} : {body}),
      });
    const sent = authorizer.headerFor(scope);
    const first = await send(sent);
    if (first.status !== 401) return first;
    const way = await authorizer.answer(scope, first.headers['www-authenticate'], sent);
    if (way.kind === 'trouble') return way.answer;
    return way.kind === 'in' ? send(way.header) : first;
  };
}

/** `docker login` also takes `https://index.docker.io/v1/`, which references call docker.io. */
function hostOf(name: string): string {
  const host = name.replace(/^https?:\/\//, '').split('/')[0] ?? name;
  return host === 'index.docker.io' || host === hubHost ? 'docker.io' : host;
}

function urlOf({registry, repository}: Reference, path: string): URL {
  const host = registry === 'docker.io' ? hubHost : registry;
  return new URL(`${isLoopback(host) ? 'http' : 'https'}://${host}/v2/${repository}/${path}`);
}

/** Blobs are often redirected to a store on another host, which must not see the authorization. */
async function follow(http: HttpClient, first: HttpRequest): Promise<HttpAnswer> {
  let request = first;
  for (let left = mostRedirects; ; left--) {
    const answer = await http.send(request);
    const {location} = answer.headers;
    const isRedirect = answer.status >= 300 && answer.status < 400 && location !== undefined;
    const isQuestion = request.method === 'GET' || request.method === 'HEAD';
    if (!isRedirect || !isQuestion || left === 0) return answer;
    const url = new URL(location, request.url);
    const {authorization, ...others} = request.headers;
    const mayKeep = url.origin === request.url.origin && authorization !== undefined;
    request = {...request, url, headers: mayKeep ? {...others, authorization} : others};
  }
}
