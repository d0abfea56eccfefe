import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {text} from 'node:stream/consumers';
import {asComment, asCommit, asComparison, asFile, type FakeFile} from './github-shapes.ts';

/** What the pretended repository `o/r` holds; a test fills it. */
export interface GitHubWorld {
  /** Where the client reaches the server: links to the next page begin with it. */
  publicUrl: string;
  /** Files of pull request 5; any other is 404. */
  files: readonly FakeFile[];
  /** By `from...to`; an unknown pair is 404. */
  comparisons: Readonly<Record<string, {status: string; files: readonly FakeFile[]}>>;
  /** Messages by commit; an unknown commit is 404. */
  messages: Readonly<Record<string, string>>;
  /** Comments of pull request 5 by id. */
  readonly comments: Map<number, string>;
  /** Who wrote them; the job's own token where nobody is named. Undefined is a user who is gone. */
  readonly authors: Map<number, string | undefined>;
  /** What GraphQL calls the user of the token; undefined where it is not reached. */
  viewer: string | undefined;
  /** Sent with `failures`. */
  failureMessage: string;
  /** So many requests are answered with this status before any real answer. */
  failures: {readonly status: number; readonly times: number};
}

export interface GitHubServer extends AsyncDisposable {
  readonly url: string;
  readonly world: GitHubWorld;
  /** `GET /path?query` of every request that arrived. */
  readonly requests: string[];
}

interface Reply {
  readonly status?: number;
  readonly json: unknown;
  readonly link?: string | undefined;
}

/** A server on loopback that answers as GitHub's API does to the calls of this project. */
export async function startGitHubServer(): Promise<GitHubServer> {
  const requests: string[] = [];
  const world: GitHubWorld = {
    publicUrl: '',
    files: [],
    comparisons: {},
    messages: {},
    comments: new Map(),
    authors: new Map(),
    viewer: undefined,
    failureMessage: 'Sorry',
    failures: {status: 503, times: 0},
  };
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    const call = `${request.method} ${decodeURIComponent(url.pathname)}`;
    requests.push(`${call}${url.search}`);
    const reply = replyTo(world, call, url, await text(request));
    response.writeHead(reply.status ?? 200, {
      'content-type': 'application/json; charset=utf-8',
      ...(reply.link === undefined ? {} : {link: reply.link}),
    });
    response.end(JSON.stringify(reply.json));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const {port} = server.address() as AddressInfo;
  world.publicUrl = `http://127.0.0.1:${port}`;
  return {
    url: world.publicUrl,
    world,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const notFound: Reply = {status: 404, json: {message: 'Not Found'}};

function replyTo(world: GitHubWorld, call: string, url: URL, body: string): Reply {
  const {status, times} = world.failures;
  if (times > 0) {
    world.failures = {status, times: times - 1};
    return {status, json: {message: world.failureMessage}};
  }
  const pair = /^GET \/repos\/o\/r\/compare\/(.+)$/.exec(call)?.[1] ?? '';
  const comparison = world.comparisons[pair];
  if (comparison !== undefined) return {json: asComparison(pair, comparison)};
  const commit = /^GET \/repos\/o\/r\/commits\/(.+)$/.exec(call)?.[1] ?? '';
  const message = world.messages[commit];
  if (message !== undefined) return {json: asCommit(commit, message)};
  if (call === 'GET /repos/o/r/pulls/5/files') return page(world, url, world.files.map(asFile));
  if (call === 'POST /graphql' && world.viewer !== undefined) {
    return {json: {data: {viewer: {login: world.viewer}}}};
  }
  return replyToComment(world, call, url, body);
}

function replyToComment(world: GitHubWorld, call: string, url: URL, body: string): Reply {
  const {comments} = world;
  if (call === 'GET /repos/o/r/issues/5/comments') {
    return page(
      world,
      url,
      [...comments].map(([id, comment]) => asComment(id, comment, authorOf(world, id))),
    );
  }
  const id = Number(/^PATCH \/repos\/o\/r\/issues\/comments\/(\d+)$/.exec(call)?.[1]);
  const isNew = call === 'POST /repos/o/r/issues/5/comments';
  if (!isNew && !comments.has(id)) return notFound;
  const written = isNew ? 1 + Math.max(0, ...comments.keys()) : id;
  comments.set(written, JSON.parse(body).body);
  return {
    status: isNew ? 201 : 200,
    json: asComment(written, comments.get(written) ?? '', authorOf(world, written)),
  };
}

function authorOf({authors}: GitHubWorld, id: number): string | undefined {
  return authors.has(id) ? authors.get(id) : 'github-actions[bot]';
}

/** As GitHub cuts lists: `per_page` items, and the address of the next page in a header. */
function page(world: GitHubWorld, url: URL, items: readonly unknown[]): Reply {
  const size = Number(url.searchParams.get('per_page') ?? 30);
  const number = Number(url.searchParams.get('page') ?? 1);
  const next = new URL(url.pathname + url.search, world.publicUrl);
  next.searchParams.set('page', `${number + 1}`);
  return {
    json: items.slice((number - 1) * size, number * size),
    link: number * size < items.length ? `<${next.href}>; rel="next"` : undefined,
  };
}
