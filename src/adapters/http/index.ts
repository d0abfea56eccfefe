import {request as httpRequest, type IncomingMessage} from 'node:http';
import {request as httpsRequest} from 'node:https';
import {createAgents, mostConnections} from './agents.ts';
import type {HttpAnswer, HttpClient, HttpOptions, HttpRequest} from './types.ts';

export {isInNetwork, proxyPasswords} from './proxies.ts';
export type {HttpAnswer, HttpClient, HttpOptions, HttpRequest, Trust} from './types.ts';

const deadlineMs = 30_000;
/** Manifests and configs are small; what is larger is a layer or an attack. */
const largestBody = 8 * 1024 * 1024;
const mostRedirects = 5;

/**
 * HTTP as docker on this machine does it: through the same proxies, with the same certificates.
 * Enters: requests, each with the registry whose certificates count.
 * Leaves: answers, within a deadline; redirects are followed without giving credentials away.
 * Not here: which login a request carries, and what an answer means (registry/).
 */
export function createHttpClient(options: HttpOptions): HttpClient {
  const {signal, grace = 0, version = '1'} = options;
  const agents = createAgents(options);
  const turnOf = createTurns();
  const exchange = (request: HttpRequest): Promise<HttpAnswer> =>
    turnOf(request.url.host, () => exchangeNow(request));
  const exchangeNow = async (request: HttpRequest): Promise<HttpAnswer> => {
    const {method, url, headers, body, limit = largestBody, patience = deadlineMs} = request;
    const agent = await agents.agentFor(request);
    const cancelled = signal === undefined ? undefined : withGrace(signal, grace);
    cancelled?.signal.throwIfAborted();
    const {promise, resolve, reject} = Promise.withResolvers<HttpAnswer>();
    // Not by a signal of each request: making, joining and forgetting those takes as long as the request.
    let ended: Error | undefined;
    const refuse = (error: unknown): void => reject(ended ?? error);
    const end = (error: Error): void => {
      ended ??= error;
      sent.destroy(ended);
    };
    const stop = (): void => end(asEnd(cancelled?.signal.reason));
    const deadline = setTimeout(() => end(tooLate(url, patience)), patience);
    const sent = (url.protocol === 'http:' ? httpRequest : httpsRequest)(
      url,
      {
        method,
        agent,
        headers: {
          'user-agent': `stack-action/${version}`,
          ...headers,
          ...(body === undefined ? {} : {'content-length': String(body.length)}),
        },
      },
      (answer) => readAnswer(answer, limit).then(resolve, refuse),
    );
    cancelled?.signal.addEventListener('abort', stop, {once: true});
    sent.on('error', refuse);
    sent.end(body);
    return promise.finally(() => {
      clearTimeout(deadline);
      cancelled?.signal.removeEventListener('abort', stop);
      cancelled?.forget();
    });
  };
  return {
    send: async (request) => {
      const knew = agents.usesSystem(request.url);
      try {
        return await exchange(request);
      } catch (error) {
        if (!isCertificateError(error) || !request.trust.verify || knew) throw error;
        agents.useSystem(request.url);
        return await exchange(request);
      }
    },
    close: agents.close,
  };
}

/**
 * Lets so many exchanges with a host run at once. The agent would do that as well, but a request that waits there is
 * made already: ten thousand of them take hundreds of megabytes, and their deadlines run.
 */
function createTurns(): <T>(host: string, work: () => Promise<T>) => Promise<T> {
  const running = new Map<string, number>();
  const waiting = new Map<string, (() => void)[]>();
  return async (host, work) => {
    const queue = waiting.get(host) ?? [];
    waiting.set(host, queue);
    const busy = running.get(host) ?? 0;
    if (busy < mostConnections) running.set(host, busy + 1);
    else await new Promise<void>((resolve) => queue.push(resolve));
    try {
      return await work();
    } finally {
      // The place goes to the next one, if there is one.
      const next = queue.shift();
      if (next === undefined) running.set(host, (running.get(host) ?? 1) - 1);
      else next();
    }
  };
}

/** What node and OpenSSL call a certificate that they do not trust. */
export function isCertificateError(error: unknown): boolean {
  const code = codeOf(error) ?? '';
  return /CERT|UNABLE_TO_(?:VERIFY|GET)|SELF_SIGNED|HOSTNAME_MISMATCH|INVALID_CA|CRL/.test(code);
}

/** The code of a failed connection; of several addresses that were tried, that of the first. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error instanceof AggregateError ? codeOf(error.errors[0]) : undefined;
}

/**
 * Follows redirects. Blobs are often redirected to a store on another host, and a token service may have moved:
 * neither must see the authorization. What has a body is sent again only where the answer says so (307, 308).
 */
export async function sendFollowing(http: HttpClient, first: HttpRequest): Promise<HttpAnswer> {
  let request = first;
  for (let left = mostRedirects; ; left--) {
    const answer = await http.send(request);
    const {status, headers} = answer;
    const isQuestion = request.method === 'GET' || request.method === 'HEAD';
    const isRedirect =
      status === 307 || status === 308 || (isQuestion && status > 300 && status < 304);
    if (!isRedirect || headers['location'] === undefined || left === 0) return answer;
    if (!URL.canParse(headers['location'], request.url.href)) return answer;
    const url = new URL(headers['location'], request.url);
    if (url.protocol !== 'https:' && url.protocol !== 'http:') return answer;
    const {authorization, ...others} = request.headers;
    const mayKeep = isSameHost(request.url, url) && authorization !== undefined;
    // A body may be a credential itself.
    if (!isQuestion && !isSameHost(request.url, url)) return answer;
    request = {...request, url, headers: mayKeep ? {...others, authorization} : others};
  }
}

/** The same host and port, never back to plain http; from the usual port of http to that of https is the same. */
export function isSameHost(from: URL, to: URL): boolean {
  if (from.hostname !== to.hostname || from.port !== to.port) return false;
  return from.protocol === to.protocol || to.protocol === 'https:';
}

function withGrace(
  signal: AbortSignal,
  seconds: number,
): {readonly signal: AbortSignal; forget(): void} {
  if (seconds === 0) return {signal, forget: () => undefined};
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const begin = (): void => {
    timer = setTimeout(() => controller.abort(signal.reason), seconds * 1000);
  };
  if (signal.aborted) begin();
  else signal.addEventListener('abort', begin, {once: true});
  const forget = (): void => {
    signal.removeEventListener('abort', begin);
    clearTimeout(timer);
  };
  return {signal: controller.signal, forget};
}

function asEnd(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('the run was cancelled');
}

function tooLate(url: URL, patience: number): Error {
  return new Error(`no answer from ${url.host} within ${patience / 1000} s`);
}

async function readAnswer(answer: IncomingMessage, limit: number): Promise<HttpAnswer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer) {
    if (!Buffer.isBuffer(chunk)) continue;
    size += chunk.length;
    if (size > limit) {
      answer.destroy();
      throw new Error(`an answer of more than ${sizeText(limit)}`);
    }
    chunks.push(chunk);
  }
  const headers = Object.entries(answer.headers).map(
    ([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value] as const,
  );
  return {
    status: answer.statusCode ?? 0,
    headers: Object.fromEntries(headers),
    body: Buffer.concat(chunks),
  };
}

function sizeText(bytes: number): string {
  const mib = bytes / 1024 / 1024;
  return Number.isInteger(mib) ? `${mib} MiB` : `${bytes} bytes`;
}
