import http from 'node:http';
import type {AddressInfo} from 'node:net';

/** What goes wrong with requests whose `METHOD /path` matches. */
export interface Fault {
  readonly match: RegExp;
  /** A status to answer with, the end of the connection, no answer at all, or the registry's own (after `before`). */
  readonly answer: number | 'reset' | 'hang' | 'pass';
  /** Only so many; all by default. */
  readonly first?: number;
  readonly code?: string;
  readonly message?: string;
  /** Header `Retry-After`, in seconds. */
  readonly retryAfter?: number;
  /** Is done, or waited for, before anything is answered. */
  readonly before?: () => Promise<void>;
}

export interface FaultProxy {
  /** `127.0.0.1:<port>` */
  readonly host: string;
  /** `METHOD /path` of every request, in order. */
  readonly seen: readonly string[];
  /** When something came in or went out, by the monotonic clock, in milliseconds. */
  readonly times: readonly number[];
  /** From here on these go wrong, and what went wrong before does not count. */
  setFaults(faults: readonly Fault[]): void;
  close(): Promise<void>;
}

/** Stands before a registry on this machine and breaks what it is told to. */
export async function startFaultProxy(
  registry: string,
  first: readonly Fault[],
): Promise<FaultProxy> {
  const [hostname, port] = registry.split(':');
  let faults: readonly Fault[] = [];
  let left: number[] = [];
  const setFaults: FaultProxy['setFaults'] = (next) => {
    faults = next;
    left = next.map((fault) => fault.first ?? Number.POSITIVE_INFINITY);
  };
  setFaults(first);
  const seen: string[] = [];
  const times: number[] = [];
  const server = http.createServer((request, response) => {
    const line = `${request.method} ${request.url}`;
    seen.push(line);
    times.push(performance.now());
    response.on('finish', () => times.push(performance.now()));
    const index = faults.findIndex(({match}, at) => match.test(line) && (left[at] ?? 0) > 0);
    const fault = faults[index];
    if (fault === undefined) return pass(request, response);
    left[index] = (left[index] ?? 0) - 1;
    const go = fault.answer === 'pass' ? pass : breakOff(fault);
    void (fault.before?.() ?? Promise.resolve()).then(() => go(request, response));
  });
  const pass: Handler = (request, response) => {
    const {url: path, method, headers} = request;
    const onward = http.request({hostname, port, path, method, headers}, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    times,
    setFaults,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type Handler = (request: http.IncomingMessage, response: http.ServerResponse) => void;

function breakOff({answer, code = 'UNKNOWN', message = 'injected', retryAfter}: Fault): Handler {
  return (request, response) => {
    request.resume();
    if (typeof answer === 'string') {
      if (answer === 'reset') request.socket.destroy();
      return;
    }
    response.writeHead(answer, {
      'content-type': 'application/json',
      ...(retryAfter === undefined ? {} : {'retry-after': String(retryAfter)}),
    });
    response.end(JSON.stringify({errors: [{code, message}]}));
  };
}
