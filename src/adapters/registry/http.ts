import {Agent as HttpAgent, request as httpRequest, type IncomingMessage} from 'node:http';
import {Agent as HttpsAgent, request as httpsRequest} from 'node:https';

/** One HTTP exchange; header names are lower case. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
}

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'DELETE' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** Sends requests over connections that are kept alive, at most this many at once to a host. */
export interface HttpClient {
  /** @throws {Error} when there is no answer within the deadline */
  send(request: HttpRequest): Promise<HttpAnswer>;
  close(): void;
}

const mostConnections = 32;
const deadlineMs = 30_000;
/** Manifests and configs are small; what is larger is a layer or an attack. */
const largestBody = 8 * 1024 * 1024;

/** Requests end with the signal, or `grace` seconds after it (those that begin later: after their begin). */
export function createHttpClient(signal: AbortSignal | undefined, grace: number): HttpClient {
  const options = {keepAlive: true, maxSockets: mostConnections};
  const http = new HttpAgent(options);
  const https = new HttpsAgent(options);
  return {
    send: async ({method, url, headers, body}) => {
      const deadline = AbortSignal.timeout(deadlineMs);
      const cancelled = signal === undefined ? undefined : withGrace(signal, grace);
      const ends =
        cancelled === undefined ? deadline : AbortSignal.any([deadline, cancelled.signal]);
      const isPlain = url.protocol === 'http:';
      const {promise, resolve, reject} = Promise.withResolvers<HttpAnswer>();
      const request = (isPlain ? httpRequest : httpsRequest)(
        url,
        {
          method,
          agent: isPlain ? http : https,
          signal: ends,
          headers: {
            ...headers,
            ...(body === undefined ? {} : {'content-length': String(body.length)}),
          },
        },
        (answer) => readAnswer(answer).then(resolve, reject),
      );
      request.on('error', (error) => reject(deadline.aborted ? tooLate(url) : error));
      request.end(body);
      return promise.finally(() => cancelled?.forget());
    },
    close: () => {
      http.destroy();
      https.destroy();
    },
  };
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

function tooLate(url: URL): Error {
  return new Error(`no answer from ${url.host} within ${deadlineMs / 1000} s`);
}

async function readAnswer(answer: IncomingMessage): Promise<HttpAnswer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > largestBody) {
      answer.destroy();
      throw new Error(`an answer of more than ${largestBody / 1024 / 1024} MiB`);
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
