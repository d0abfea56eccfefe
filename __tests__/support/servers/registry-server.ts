import {createHash} from 'node:crypto';
import http from 'node:http';
import type {AddressInfo} from 'node:net';

/** What goes wrong; `METHOD /path` is matched. */
export interface Trouble {
  readonly match: RegExp;
  readonly status: number | 'reset' | 'hang';
  readonly times?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface RegistryServer {
  readonly host: string;
  /** `METHOD /path`, in order, with what came as authorization. */
  readonly seen: {readonly line: string; readonly authorization: string | undefined}[];
  /** By `<repository> <tag or digest>`. */
  readonly manifests: Map<string, {readonly body: Buffer; readonly type: string}>;
  readonly blobs: Map<string, Buffer>;
  /** Connections that were opened so far. */
  connections(): number;
  close(): Promise<void>;
}

export interface ServerOptions {
  readonly auth?: 'basic' | 'bearer';
  readonly troubles?: readonly Trouble[];
  /** Milliseconds before each answer. */
  readonly delay?: number;
  /** Tokens are good for so many requests. */
  readonly tokenUses?: number;
  /** Seconds until a token ends. */
  readonly tokenSeconds?: number;
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

const password = `Basic ${Buffer.from('someone:right').toString('base64')}`;

/** A registry in memory: manifests and blobs, authorization of both kinds, and trouble on request. */
export async function startRegistry({
  auth,
  troubles = [],
  delay = 0,
  tokenUses = 1e9,
  tokenSeconds = 300,
}: ServerOptions = {}): Promise<RegistryServer> {
  const left = troubles.map(({times}) => times ?? Number.POSITIVE_INFINITY);
  const seen: RegistryServer['seen'] = [];
  const manifests: RegistryServer['manifests'] = new Map();
  const blobs: RegistryServer['blobs'] = new Map();
  const tokens = new Map<string, number>();
  let host = '';
  const answer = (
    request: http.IncomingMessage,
    body: Buffer,
    response: http.ServerResponse,
  ): void => {
    const line = `${request.method} ${request.url}`;
    const {authorization} = request.headers;
    seen.push({line, authorization});
    const index = troubles.findIndex(({match}, at) => match.test(line) && (left[at] ?? 0) > 0);
    const trouble = troubles[index];
    if (trouble !== undefined) {
      left[index] = (left[index] ?? 0) - 1;
      if (trouble.status === 'hang') return;
      if (trouble.status === 'reset') return void request.socket.destroy();
      return void response.writeHead(trouble.status, trouble.headers).end(trouble.body ?? '');
    }
    if (request.url?.startsWith('/token')) {
      if (authorization !== password) return void response.writeHead(401).end();
      const token = `t${tokens.size}`;
      tokens.set(`Bearer ${token}`, tokenUses);
      return void response.end(JSON.stringify({token, expires_in: tokenSeconds}));
    }
    if (!isAllowed(authorization)) {
      const challenge =
        auth === 'basic'
          ? 'Basic realm="r"'
          : `Bearer realm="http://${host}/token",service="s",scope="a,b"`;
      return void response.writeHead(401, {'www-authenticate': challenge}).end();
    }
    serve(request, body, response);
  };
  const isAllowed = (authorization: string | undefined): boolean => {
    if (auth === undefined) return true;
    if (auth === 'basic') return authorization === password;
    const uses = tokens.get(authorization ?? '') ?? 0;
    tokens.set(authorization ?? '', uses - 1);
    return uses > 0;
  };
  const serve = (
    request: http.IncomingMessage,
    body: Buffer,
    response: http.ServerResponse,
  ): void => {
    const [, repository = '', kind = '', name = ''] =
      /^\/v2\/(.+)\/(manifests|blobs)\/(.+)$/.exec(request.url ?? '') ?? [];
    const key = `${repository} ${name}`;
    if (request.method === 'PUT') {
      manifests.set(key, {body, type: request.headers['content-type'] ?? ''});
      return void response.writeHead(201, {'docker-content-digest': digestOf(body)}).end();
    }
    if (request.method === 'DELETE')
      return void response.writeHead(manifests.delete(key) ? 202 : 404).end();
    const found = kind === 'blobs' ? blobs.get(name) : manifests.get(key)?.body;
    if (found === undefined) {
      const error = JSON.stringify({
        errors: [{code: 'MANIFEST_UNKNOWN', message: 'manifest unknown'}],
      });
      const headers = {'content-type': 'application/json', 'content-length': error.length};
      return void response.writeHead(404, headers).end(error);
    }
    const type = manifests.get(key)?.type ?? 'application/json';
    // Without a length node ends the connection after a HEAD.
    response.writeHead(200, {
      'content-type': type,
      'content-length': found.length,
      'docker-content-digest': digestOf(found),
    });
    response.end(request.method === 'HEAD' ? undefined : found);
  };
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () =>
      setTimeout(() => answer(request, Buffer.concat(chunks), response), delay),
    );
  });
  let connections = 0;
  server.on('connection', () => {
    connections++;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    seen,
    manifests,
    blobs,
    connections: () => connections,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
