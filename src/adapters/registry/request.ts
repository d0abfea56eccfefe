import {setTimeout as sleep} from 'node:timers/promises';
import type {Failure} from '../../failure.ts';
import {parseReference, type Reference} from '../../image/reference.ts';
import {decideRetry, isRateLimit} from '../../util/retry.ts';
import {
  createHttpClient,
  type HttpAnswer,
  type HttpClient,
  type HttpOptions,
  type HttpRequest,
  isSameHost,
  sendFollowing,
} from '../http/index.ts';
import {type Authorizer, createAuthorizer, type Endpoint} from './auth.ts';
import {asError, createEndpoints} from './endpoint.ts';
import {cancelledFailure, isUnreachable, registryFailure, wordsOf} from './failure.ts';
import {hostOf} from './network.ts';
import type {Credentials, KnownLogin, Logins} from './types.ts';

export interface RegistryOptions extends HttpOptions {
  /** Logins that are there already, by host; they come before `logins`. */
  readonly credentials?: ReadonlyMap<string, Credentials>;
  readonly logins?: Logins;
  /** Whether the engine lists a host as insecure; asked only where https does not work. */
  readonly isInsecure?: (host: string) => Promise<boolean>;
  /** Told before each further attempt, in one line. */
  readonly onRetry?: (note: string) => void;
  /** Waits between attempts; real time by default. */
  readonly wait?: (seconds: number) => Promise<void>;
}

/** A request within one repository. */
export interface RegistryRequest {
  readonly method: HttpRequest['method'];
  readonly ref: string;
  /** Below `/v2/<repository>/`, or an address that the registry gave. */
  readonly path: string | URL;
  readonly access: 'pull' | 'pull,push';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly limit?: number;
  /** A question whose answer matters little is asked once. */
  readonly once?: boolean;
  /** Where another question decides, only limits and silence are worth another attempt. */
  readonly isFastPath?: boolean;
}

export type RegistryAnswer =
  | {
      readonly ok: true;
      readonly answer: HttpAnswer;
      readonly isLoggedIn: boolean;
      /** `https://ghcr.io`: relative addresses in the answer begin here. */
      readonly origin: string;
    }
  | {
      readonly ok: false;
      readonly error: Failure;
      /** Undefined when there was no answer. */
      readonly status: number | undefined;
      /** 401 or 403 to a caller whose login is known. */
      readonly isDenied: boolean;
      /** How the request was authorized; undefined when it was not. */
      readonly scheme: 'basic' | 'bearer' | undefined;
      /** No token was given out. */
      readonly isTokenRefused: boolean;
      /** Where the login comes from; undefined when none is known. */
      readonly login: string | undefined;
    };

/** Sends a request with authorization and retries; any answer below 400 is ok, and 404 to a question. */
export type SendToRegistry = (request: RegistryRequest) => Promise<RegistryAnswer>;

export interface Sender {
  readonly send: SendToRegistry;
  readonly wait: (seconds: number) => Promise<void>;
  close(): void;
}

interface Host {
  readonly endpoint: Endpoint;
  readonly authorizer: Authorizer;
  readonly login: KnownLogin;
}

interface Sent {
  readonly answer: HttpAnswer;
  readonly header: string | undefined;
  /** The token service whose answer this is. */
  readonly tokenService?: string;
  /** What it sent, where its status says nothing of it. */
  readonly words?: string;
}

/** Credentials and connections of all hosts that a run talks to. */
export function createSender(options: RegistryOptions): Sender {
  const {signal, onRetry} = options;
  const http = createHttpClient(options);
  const wait = options.wait ?? ((seconds) => sleep(seconds * 1000, undefined, signal && {signal}));
  const findEndpoint = createEndpoints({...options, http, wait});
  const loginOf = createLoginOf(options);
  const authorizers = new Map<string, Authorizer>();
  // A host that gave no answer to one question, and to none since, will not answer fifty others either.
  const silent = new Set<string>();

  const reach = async (host: string, once: boolean): Promise<Host | Failure> => {
    const [found, login] = await Promise.all([findEndpoint(host, once), loginOf(host)]);
    if (!found.ok) return found.error;
    const {credentials} = login;
    const endpoint = found.value;
    const authorizer =
      authorizers.get(host) ?? createAuthorizer({host, endpoint, credentials, http});
    authorizers.set(host, authorizer);
    return {endpoint, authorizer, login};
  };

  const send: SendToRegistry = async (request) => {
    const reference = parseReference(request.ref);
    if (reference === undefined) throw new Error(`Internal error: ${request.ref} is no reference`);
    const {once = false} = request;
    const host = hostOf(reference.registry);
    const reached = await reach(host, once);
    if (!('endpoint' in reached)) {
      return {...unanswered, error: reached};
    }
    const {isLoggedIn} = reached.authorizer;
    const login = isLoggedIn ? reached.login.from : undefined;
    let [waited, total, silence] = [0, 0, 0];
    for (let number = 1; ; number++) {
      const began = Date.now();
      const sent = await sendOnce(http, request, {reference, ...reached}).catch(asError);
      const isAnswer = !(sent instanceof Error);
      const status = isAnswer ? sent.answer.status : undefined;
      if (isAnswer) silent.delete(host);
      else silence += (Date.now() - began) / 1000;
      if (isAnswer && sent.tokenService === undefined && isGood(request, sent.answer.status))
        return {ok: true, answer: sent.answer, isLoggedIn, origin: reached.endpoint.origin};
      const body = isAnswer ? Buffer.from(sent.answer.body).toString() : '';
      const decision = decideRetry(
        {
          status,
          isUnreachable: !isAnswer && isUnreachable(sent),
          body,
          retryAfter: isAnswer ? sent.answer.headers['retry-after'] : undefined,
          number,
          waited,
          total,
          silence,
        },
        Date.now(),
        Math.random(),
      );
      const words = wordsOf(isAnswer ? sent.answer : sent, body);
      const what = (isAnswer ? sent.words : undefined) ?? words;
      const isCancelled = signal?.aborted === true;
      const isEnough = request.isFastPath === true && isAnswer && isOwnAnswer(sent, body);
      if (!decision.retry || once || isCancelled || isEnough || silent.has(host)) {
        if (!isAnswer && !once && !isCancelled) silent.add(host);
        const because = decision.retry ? undefined : decision.because;
        const trouble = {
          status,
          body,
          what: because === undefined ? what : `${what} (given up: ${because})`,
          host,
          login,
          problem: reached.login.problem,
          tokenService: isAnswer ? sent.tokenService : undefined,
          isBasic: isAnswer && schemeOf(sent) === 'basic',
        };
        return {
          ok: false,
          error:
            isCancelled && !isAnswer
              ? cancelledFailure(request.ref)
              : registryFailure(request, trouble),
          status,
          isDenied: isLoggedIn && isRefusal(status) && !isRateLimit(status, body),
          scheme: isAnswer ? schemeOf(sent) : undefined,
          isTokenRefused: isAnswer && sent.tokenService !== undefined,
          login,
        };
      }
      const note = `${request.method} ${request.ref}: ${what}`;
      onRetry?.(`${note}; attempt ${number}, again in ${decision.seconds.toFixed(1)} s`);
      waited = decision.seconds;
      total += decision.seconds;
      // Ended by the signal, the next attempt is the last.
      await wait(decision.seconds).catch(() => undefined);
    }
  };
  return {send, wait, close: http.close};
}

const unanswered = {
  ok: false,
  status: undefined,
  isDenied: false,
  scheme: undefined,
  isTokenRefused: false,
  login: undefined,
} as const;

function createLoginOf({credentials, logins}: RegistryOptions): Logins {
  const given = new Map([...(credentials ?? [])].map(([name, one]) => [hostOf(name), one]));
  return async (host) => {
    const own = given.get(host);
    if (own !== undefined)
      return {credentials: own, from: 'the inputs "registry", "username" and "password"'};
    return (await logins?.(host)) ?? {credentials: undefined, from: ''};
  };
}

function isRefusal(status: number | undefined): boolean {
  return status === 401 || status === 403;
}

/** The registry's answer to the question itself: not a limit, and not the trouble of its token service. */
function isOwnAnswer({answer: {status}, tokenService}: Sent, body: string): boolean {
  const isLimit = status === 408 || status === 503 || isRateLimit(status, body);
  return tokenService === undefined && !isLimit;
}

/** That something is not there is an answer to a question, not to a PUT. */
function isGood({method}: RegistryRequest, status: number): boolean {
  return status < 400 || (status === 404 && method !== 'PUT' && method !== 'POST');
}

function schemeOf({header, tokenService}: Sent): 'basic' | 'bearer' | undefined {
  if (tokenService !== undefined || header?.startsWith('Bearer ') === true) return 'bearer';
  return header === undefined ? undefined : 'basic';
}

/** Sends a request with what its host wants to see, and again after each 401 while there is something else to show. */
async function sendOnce(
  http: HttpClient,
  {method, path, access, headers, body, limit}: RegistryRequest,
  {reference, endpoint, authorizer}: Host & {readonly reference: Reference},
): Promise<Sent> {
  const {repository} = reference;
  const base = new URL(`${endpoint.origin}/v2/${repository}/`);
  const url = path instanceof URL ? path : new URL(path, base);
  const send = (authorization: string | undefined): Promise<HttpAnswer> =>
    sendFollowing(http, {
      method,
      url,
      headers: {...headers, ...(authorization === undefined ? {} : {authorization})},
      trust: endpoint.trust,
      ...(body === undefined ? {} : {body}),
      ...(limit === undefined ? {} : {limit}),
    });
  // A store that takes uploads knows them by their address.
  if (!isSameHost(base, url)) return {answer: await send(undefined), header: undefined};
  const authorization = authorizer.authorize(`repository:${repository}:${access}`);
  let way = await authorization.first();
  let refusal: Sent | undefined;
  while (way.kind === 'send') {
    const sent: Sent = {answer: await send(way.header), header: way.header};
    if (sent.answer.status !== 401) return sent;
    refusal = sent;
    way = await authorization.next(sent.answer);
  }
  if (way.kind === 'token-service')
    return {
      answer: way.answer,
      header: undefined,
      tokenService: way.host,
      ...(way.words === undefined ? {} : {words: way.words}),
    };
  if (refusal === undefined) throw new Error('Internal error: a request was refused unsent');
  return refusal;
}
