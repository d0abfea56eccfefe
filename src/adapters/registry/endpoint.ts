import {type Failure, fail, ok, type Result} from '../../failure.ts';
import {isLoopback} from '../../image/reference.ts';
import {decideRetry, isPassing} from '../../util/retry.ts';
import {codeOf, type HttpAnswer, type HttpClient, type Trust} from '../http/index.ts';
import {type Endpoint, parseChallenges} from './auth.ts';
import {hostFailure, isFinal, isUnreachable, registryFailure, wordsOf} from './failure.ts';
import {apiHostOf, hub} from './network.ts';

export interface EndpointOptions {
  readonly http: HttpClient;
  /** Whether the engine lists the host as insecure; asked only where https does not work. */
  readonly isInsecure?: (host: string) => Promise<boolean>;
  readonly signal?: AbortSignal;
  readonly onRetry?: (note: string) => void;
  readonly wait: (seconds: number) => Promise<void>;
}

/** `once`: an answer that would only be nice to have is not worth a second try. */
export type FindEndpoint = (host: string, once: boolean) => Promise<Result<Endpoint>>;

/**
 * Finds each host once, for all references on it. A name that does not resolve, or a certificate that nobody knows, is
 * one failure for the whole run; a host that only gave no answer is asked again, but without patience.
 */
export function createEndpoints(options: EndpointOptions): FindEndpoint {
  const settled = new Map<string, Result<Endpoint>>();
  const pending = new Map<string, Promise<Result<Endpoint>>>();
  const silent = new Set<string>();
  /** What the nice-to-have questions met: one of them on a host is enough. */
  const missed = new Map<string, Result<Endpoint>>();
  const find = async (host: string, once: boolean): Promise<Result<Endpoint>> => {
    const found = await search(host, options, once || silent.has(host));
    if (found.ok) {
      silent.delete(host);
      settled.set(host, found);
    } else if (found.error.isFinal) {
      settled.set(host, fail(found.error.failure));
    } else if (once) {
      missed.set(host, fail(found.error.failure));
    } else {
      silent.add(host);
    }
    return found.ok ? found : fail(found.error.failure);
  };
  return async (host, once) => {
    const known = settled.get(host) ?? (once ? missed.get(host) : undefined);
    if (known !== undefined) return known;
    const key = `${host} ${once}`;
    const running = pending.get(key) ?? find(host, once).finally(() => pending.delete(key));
    pending.set(key, running);
    return running;
  };
}

/** Milliseconds for the first answer of a host, where nothing depends on it: a plan does not wait for a firewall. */
const shortPatience = 4000;

interface Unfound {
  readonly failure: Failure;
  /** It would be the same for every reference on this host. */
  readonly isFinal: boolean;
}

async function search(
  host: string,
  options: EndpointOptions,
  once: boolean,
): Promise<Result<Endpoint, Unfound>> {
  let [waited, total, silence] = [0, 0, 0];
  for (let number = 1; ; number++) {
    const began = Date.now();
    const patience = once ? shortPatience : undefined;
    const found = await tryWays(host, options, patience).catch(asError);
    if ('origin' in found) return ok(found);
    const isAnswer = !(found instanceof Error);
    if (!isAnswer) silence += (Date.now() - began) / 1000;
    const body = isAnswer ? Buffer.from(found.body).toString() : '';
    const attempt = {
      status: isAnswer ? found.status : undefined,
      isUnreachable: !isAnswer && isUnreachable(found),
      body,
      retryAfter: isAnswer ? found.headers['retry-after'] : undefined,
      // A resolver that has no answer now mostly has none in ten seconds either.
      number: codeOf(found) === 'EAI_AGAIN' ? number + 3 : number,
      waited,
      total,
      silence,
    };
    const decision = decideRetry(attempt, Date.now(), Math.random());
    const isCancelled = options.signal?.aborted === true;
    const isSame = !isAnswer && isFinal(found);
    const what = wordsOf(found, body);
    if (!decision.retry || once || isCancelled || isSame) {
      const because = decision.retry ? undefined : decision.because;
      const words = because === undefined ? what : `${what} (given up: ${because})`;
      const error = isAnswer
        ? busyFailure(host, {status: found.status, body, what: words})
        : hostFailure(host, found, isCancelled);
      return fail({failure: error, isFinal: isSame && !isCancelled});
    }
    options.onRetry?.(
      `${host}: ${what}; attempt ${number}, again in ${decision.seconds.toFixed(1)} s`,
    );
    waited = decision.seconds;
    total += decision.seconds;
    await options.wait(decision.seconds).catch(() => undefined);
  }
}

/** The registry itself says that it cannot answer now. */
function busyFailure(
  host: string,
  trouble: {readonly status: number; readonly body: string; readonly what: string},
): Failure {
  const asked = {method: 'GET', ref: host};
  return registryFailure(asked, {...trouble, host, login: undefined, tokenService: undefined});
}

/** As docker: https; where the engine takes a host as insecure, https with any certificate, then plain http. */
async function tryWays(
  host: string,
  {http, isInsecure}: EndpointOptions,
  patience: number | undefined,
): Promise<Pong> {
  const send: Ask = (origin, trust) => ping(http, origin, trust, patience);
  if (isLoopback(host)) return tryInsecure(send, host);
  try {
    return await send(`https://${apiHostOf(host)}`, {host, verify: true});
  } catch (error) {
    const cannotBe = host === hub || isUnresolved(error) || isInsecure === undefined;
    if (cannotBe || !(await isInsecure(host))) throw error;
    return tryInsecure(send, host);
  }
}

type Ask = (origin: string, trust: Trust) => Promise<Pong>;

async function tryInsecure(ask: Ask, host: string): Promise<Pong> {
  const trust = {host, verify: false};
  try {
    return await ask(`https://${host}`, trust);
  } catch {
    return await ask(`http://${host}`, trust);
  }
}

function isUnresolved(error: unknown): boolean {
  return ['ENOTFOUND', 'EAI_AGAIN'].includes(codeOf(error) ?? '');
}

/** Where the registry is, or its answer that it is too busy to say. */
type Pong = Endpoint | HttpAnswer;

/** Any answer but "not now" will do: a registry that is broken says so again when it is asked something. */
async function ping(
  http: HttpClient,
  origin: string,
  trust: Trust,
  patience: number | undefined,
): Promise<Pong> {
  const answer = await http.send({
    method: 'GET',
    url: new URL(`${origin}/v2/`),
    headers: {},
    trust,
    ...(patience === undefined ? {} : {patience}),
  });
  if (isPassing(answer.status, Buffer.from(answer.body).toString())) return answer;
  const isChallenge = answer.status === 401;
  const offered = parseChallenges(answer.headers['www-authenticate']);
  return {origin, trust, challenges: isChallenge ? offered : []};
}

export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
