import {createHash} from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import type {AddressInfo} from 'node:net';
import type {Behaviour} from './registry-kinds.ts';

/** What goes wrong; `METHOD /path` is matched. */
export interface Trouble {
  readonly match: RegExp;
  readonly status: number | 'reset' | 'hang';
  readonly times?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Seen {
  readonly line: string;
  readonly authorization: string | undefined;
  readonly userAgent: string | undefined;
  readonly body: string;
}

export interface RegistryServer {
  readonly host: string;
  readonly port: number;
  /** `METHOD /path`, in order, with what came as authorization. */
  readonly seen: Seen[];
  /** By `<repository> <tag or digest>`. */
  readonly manifests: Map<string, {readonly body: Buffer; readonly type: string}>;
  readonly blobs: Map<string, Buffer>;
  /** Uploads that were opened, and neither finished nor cancelled. */
  readonly uploads: Set<string>;
  /** Connections that were opened so far. */
  connections(): number;
  close(): Promise<void>;
}

export interface ServerOptions extends Behaviour {
  readonly troubles?: readonly Trouble[];
  /** Milliseconds before each answer. */
  readonly delay?: number;
  /** Tokens are good for so many requests. */
  readonly tokenUses?: number;
  /** Seconds until a token ends. */
  readonly tokenSeconds?: number;
  readonly tls?: {readonly key: string; readonly cert: string; readonly ca?: string};
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Everybody's login: `someone`, `right`. */
export const login = {username: 'someone', password: 'right'};
const password = `Basic ${Buffer.from('someone:right').toString('base64')}`;

/** What a request is let do. */
interface Caller {
  readonly isKnown: boolean;
  readonly scope: string;
}

type Reply = (status: number, headers?: Record<string, string>, body?: string | Buffer) => void;

/** A registry in memory: manifests, blobs, uploads, tags, authorization of both kinds, and trouble on request. */
export async function startRegistry(options: ServerOptions = {}): Promise<RegistryServer> {
  const {auth, troubles = [], delay = 0, tokenUses = 1e9, tokenSeconds = 300} = options;
  const left = troubles.map(({times}) => times ?? Number.POSITIVE_INFINITY);
  const seen: Seen[] = [];
  const manifests: RegistryServer['manifests'] = new Map();
  const blobs: RegistryServer['blobs'] = new Map();
  const uploads = new Set<string>();
  const pieces = new Map<string, Buffer>();
  const tokens = new Map<string, {uses: number; readonly caller: Caller}>();
  const scheme = options.tls === undefined ? 'http' : 'https';
  let host = '';

  const answer = (request: http.IncomingMessage, body: Buffer, response: http.ServerResponse) => {
    const line = `${request.method} ${request.url}`;
    const {authorization, 'user-agent': userAgent} = request.headers;
    seen.push({line, authorization, userAgent, body: body.toString()});
    const index = troubles.findIndex(({match}, at) => match.test(line) && (left[at] ?? 0) > 0);
    const trouble = troubles[index];
    if (trouble !== undefined) {
      left[index] = (left[index] ?? 0) - 1;
      if (trouble.status === 'hang') return;
      if (trouble.status === 'reset') return void request.socket.destroy();
      return void response.writeHead(trouble.status, trouble.headers).end(trouble.body ?? '');
    }
    const reply: Reply = (status, headers = {}, content = '') => {
      // Without a length node ends the connection after a HEAD.
      const length = {'content-length': String(Buffer.byteLength(content))};
      response.writeHead(status, {...length, ...headers});
      response.end(request.method === 'HEAD' ? undefined : content);
    };
    const url = new URL(request.url ?? '', `${scheme}://${host}`);
    if (url.pathname === '/token' || url.pathname === '/moved')
      return void giveToken(request, url, body, reply);
    const caller = callerOf(authorization);
    if (url.pathname === '/v2/') {
      if (caller === undefined && options.isPingOpen !== true) return void challenge(reply, url);
      return void reply(200, {}, '{}');
    }
    if (caller === undefined) {
      if (options.hidesWith404 === true) return void unknown(reply, 'NAME_UNKNOWN');
      return void challenge(reply, url);
    }
    serve({request, url, body, reply, caller});
  };

  const giveToken = (request: http.IncomingMessage, url: URL, body: Buffer, reply: Reply): void => {
    if (url.pathname === '/token' && options.redirectsToken === true)
      return void reply(307, {location: `/moved${url.search}`});
    const form = new URLSearchParams(body.toString());
    const isPost = request.method === 'POST';
    if (isPost && options.identityToken === undefined) return void reply(404);
    const isKnown = isPost
      ? form.get('grant_type') === 'refresh_token' &&
        form.get('refresh_token') === options.identityToken
      : request.headers.authorization === password;
    if (!isKnown) return void error(reply, 401, 'UNAUTHORIZED', 'incorrect username or password');
    const scope = isPost ? (form.get('scope') ?? '') : url.searchParams.getAll('scope').join(' ');
    const token = `t${tokens.size}`;
    tokens.set(`Bearer ${token}`, {uses: tokenUses, caller: {isKnown: true, scope}});
    const {tokenField = 'token'} = options;
    reply(200, {}, JSON.stringify({[tokenField]: token, expires_in: tokenSeconds}));
  };

  const callerOf = (authorization: string | undefined): Caller | undefined => {
    if (auth === undefined) return {isKnown: false, scope: 'pull,push'};
    if (auth === 'basic')
      return authorization === password ? {isKnown: true, scope: 'pull,push'} : undefined;
    const token = tokens.get(authorization ?? '');
    if (token === undefined || token.uses-- <= 0) return undefined;
    return token.caller;
  };

  const challenge = (reply: Reply, url: URL, more = ''): void => {
    const repository = /^\/v2\/(.+)\/(?:manifests|blobs|tags)\//.exec(url.pathname)?.[1];
    const scope = repository === undefined ? '' : `,scope="repository:${repository}:pull,push"`;
    const own =
      auth === 'basic'
        ? 'Basic realm="r"'
        : `Bearer realm="${scheme}://${host}/token",service="s"${scope}${more}`;
    const headers = (options.challenge ?? [own]).map((one) => one.replaceAll('{host}', host));
    error(reply, 401, 'UNAUTHORIZED', 'authentication required', {
      'www-authenticate': headers.join(', '),
    });
  };

  const serve = ({request, url, body, reply, caller}: Served): void => {
    const [, repository = '', rest = ''] =
      /^\/v2\/(.+?)\/((?:manifests|blobs|tags)\/.*)$/.exec(url.pathname) ?? [];
    const {method = ''} = request;
    const isThere = [...manifests.keys()].some((key) => key.startsWith(`${repository} `));
    const isWrite = method !== 'GET' && method !== 'HEAD';
    const mayWrite = options.isReadOnly !== true && caller.scope.includes('push');
    if (isWrite && !mayWrite) {
      if (auth === 'bearer') return void challenge(reply, url, ',error="insufficient_scope"');
      return void error(reply, 403, 'DENIED', 'requested access to the resource is denied');
    }
    if (isWrite && !isThere && options.needsRepository === true)
      return void unknown(reply, 'NAME_UNKNOWN');
    if (rest === 'tags/list') return void listTags(repository, isThere, url, reply);
    if (rest.startsWith('blobs/uploads/'))
      return void upload({repository, rest, method, url, body, reply});
    const name = rest.slice(rest.indexOf('/') + 1);
    if (rest.startsWith('blobs/')) return void sendBlob(name, reply);
    const {newRepository} = options;
    if (!isThere && !isWrite && newRepository !== undefined) {
      const status = newRepository[caller.scope.includes('push') ? 'push' : 'pull'];
      if (status === 401) return void challenge(reply, url, ',error="insufficient_scope"');
      if (status === 403) return void error(reply, 403, 'DENIED', 'denied');
      return void unknown(reply, 'NAME_UNKNOWN');
    }
    const key = `${repository} ${name}`;
    if (method === 'PUT')
      return void putManifest(key, request.headers['content-type'] ?? '', body, reply);
    if (method === 'DELETE') return void deleteManifest(key, reply);
    if (method === 'HEAD' && options.head !== undefined)
      return void error(reply, options.head, '', '');
    const found = manifests.get(key);
    if (found === undefined) return void unknown(reply, 'MANIFEST_UNKNOWN');
    reply(200, {'content-type': found.type, ...digestHeader(found.body)}, found.body);
  };

  const putManifest = (key: string, type: string, body: Buffer, reply: Reply): void => {
    const before = manifests.get(key);
    if (options.isImmutable === true && before !== undefined)
      return void error(
        reply,
        400,
        'TAG_INVALID',
        'cannot be overwritten: the repository is immutable',
      );
    manifests.set(key, {body, type});
    manifests.set(`${key.split(' ')[0]} ${digestOf(body)}`, {body, type});
    reply(201, digestHeader(body));
  };

  const deleteManifest = (key: string, reply: Reply): void => {
    if (options.deleteTag !== undefined)
      return void error(reply, options.deleteTag.status, options.deleteTag.code, 'unsupported');
    if (!manifests.delete(key)) return void unknown(reply, 'MANIFEST_UNKNOWN');
    reply(202);
  };

  const listTags = (repository: string, isThere: boolean, url: URL, reply: Reply): void => {
    if (!isThere) return void unknown(reply, 'NAME_UNKNOWN');
    const all = [...manifests.keys()]
      .map((key) => key.split(' '))
      .filter(([name, tag]) => name === repository && tag?.startsWith('sha256:') === false)
      .map(([, tag = '']) => tag)
      .toSorted();
    const last = url.searchParams.get('last') ?? '';
    const size = Math.min(options.pageSize ?? 1000, Number(url.searchParams.get('n') ?? 1000));
    const page = all.filter((tag) => tag > last).slice(0, size);
    const isEnd = page.at(-1) === all.at(-1);
    const {linkPrefix = ''} = options;
    const next = `${linkPrefix.replaceAll('{host}', host)}/v2/${repository}/tags/list?n=${size}&last=${page.at(-1)}`;
    reply(
      200,
      isEnd ? {} : {link: `<${next}>; rel="next"`},
      JSON.stringify({name: repository, tags: page}),
    );
  };

  const upload = ({repository, rest, method, url, body, reply}: Upload): void => {
    const id = rest.slice('blobs/uploads/'.length);
    if (method === 'POST') {
      const opened = `u${seen.length}`;
      uploads.add(opened);
      const {location = 'relative'} = options;
      const origin = {relative: '', absolute: `${scheme}://${host}`, plain: `http://${host}`};
      return void reply(202, {
        location: `${origin[location]}/v2/${repository}/blobs/uploads/${opened}?_state=a%2Bb`,
      });
    }
    if (!uploads.has(id) || url.searchParams.get('_state') !== 'a+b')
      return void error(reply, 404, 'BLOB_UPLOAD_UNKNOWN', 'upload unknown');
    if (method === 'DELETE') {
      const {cancel = 204} = options;
      if (cancel < 300) uploads.delete(id);
      return void reply(cancel);
    }
    // Docker sends a layer in pieces, and closes with an empty PUT.
    const sent = Buffer.concat([pieces.get(id) ?? Buffer.alloc(0), body]);
    if (method === 'PATCH') {
      pieces.set(id, sent);
      return void reply(202, {location: url.pathname + url.search, range: `0-${sent.length - 1}`});
    }
    pieces.delete(id);
    if (url.searchParams.get('digest') !== digestOf(sent))
      return void error(reply, 400, 'DIGEST_INVALID', 'digest');
    uploads.delete(id);
    blobs.set(digestOf(sent), sent);
    reply(201, digestHeader(sent));
  };

  const sendBlob = (digest: string, reply: Reply): void => {
    const found = blobs.get(digest);
    if (found === undefined) return void unknown(reply, 'BLOB_UNKNOWN_HERE');
    reply(200, {'content-type': 'application/octet-stream'}, found);
  };

  const digestHeader = (body: Buffer): Record<string, string> =>
    options.noDigestHeader === true ? {} : {'docker-content-digest': digestOf(body)};

  const unknown = (reply: Reply, code: string): void => {
    if (options.notFound === undefined) return void error(reply, 404, code, 'unknown');
    reply(404, {'content-type': options.notFound.type}, options.notFound.body);
  };

  const handle = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () =>
      setTimeout(() => answer(request, Buffer.concat(chunks), response), delay),
    );
  };
  const server =
    options.tls === undefined
      ? http.createServer(handle)
      : https.createServer(
          {
            ...options.tls,
            ...(options.tls.ca === undefined ? {} : {requestCert: true, rejectUnauthorized: true}),
          },
          handle,
        );
  let connections = 0;
  server.on('connection', () => {
    connections++;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const {port} = server.address() as AddressInfo;
  host = `127.0.0.1:${port}`;
  return {
    host,
    port,
    seen,
    manifests,
    blobs,
    uploads,
    connections: () => connections,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Served {
  readonly request: http.IncomingMessage;
  readonly url: URL;
  readonly body: Buffer;
  readonly reply: Reply;
  readonly caller: Caller;
}

interface Upload {
  readonly repository: string;
  readonly rest: string;
  readonly method: string;
  readonly url: URL;
  readonly body: Buffer;
  readonly reply: Reply;
}

function error(
  reply: Reply,
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): void {
  const body = JSON.stringify({errors: [{code, message}]});
  reply(status, {'content-type': 'application/json', ...headers}, body);
}
