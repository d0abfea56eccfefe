import {execFileSync, spawn} from 'node:child_process';
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';

/** Decides about a request before git sees it: a status to answer with, `drop` its answer, or undefined. */
export type Intercept = (request: {
  readonly method: string;
  readonly url: string;
}) => number | 'drop-answer' | undefined | Promise<number | 'drop-answer' | undefined>;

/** Wikis of a GitHub server: bare repositories behind `git http-backend` and a token check. */
export interface WikiServer {
  readonly url: string;
  /** Adds the wiki of `owner/name` with these files; none means a wiki without a commit. */
  addWiki(repository: string, files?: Readonly<Record<string, string | Uint8Array>>): BareWiki;
  /** Every request as `METHOD path`. */
  readonly requests: readonly string[];
  intercept(decide: Intercept | undefined): void;
  close(): Promise<void>;
}

/** A wiki as its server keeps it; `push` is what somebody else's clone does. */
export interface BareWiki {
  readonly folder: string;
  git(...args: readonly string[]): string;
  read(file: string): Buffer;
  files(): readonly string[];
  push(files: Readonly<Record<string, string | Uint8Array>>): void;
}

const author = ['-c', 'user.name=Somebody', '-c', 'user.email=somebody@example.com'];
const gitEnv = {PATH: process.env['PATH'] ?? '', GIT_CONFIG_NOSYSTEM: '1', HOME: '/nonexistent'};

export async function startWikiServer(token: string): Promise<WikiServer> {
  const root = mkdtempSync(join(tmpdir(), 'wiki-server-'));
  const requests: string[] = [];
  let decide: Intercept | undefined;

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const {method = 'GET', url = '/'} = request;
    requests.push(`${method} ${url}`);
    const basic = Buffer.from(`x-access-token:${token}`).toString('base64');
    if (request.headers.authorization !== `Basic ${basic}`) {
      response.writeHead(401, {'www-authenticate': 'Basic realm="GitHub"'}).end('denied');
      return;
    }
    const decision = await decide?.({method, url});
    if (typeof decision === 'number') {
      request.resume();
      response.writeHead(decision).end('no');
      return;
    }
    await runBackend(root, request, response, decision === 'drop-answer');
  };

  const server = createServer((request, response) => {
    answer(request, response).catch((error) => response.destroy(error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const {port} = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    intercept: (next) => {
      decide = next;
    },
    addWiki: (repository, files) => addWiki(join(root, `${repository}.wiki.git`), files),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(root, {recursive: true, force: true});
    },
  };
}

function addWiki(folder: string, files: Parameters<WikiServer['addWiki']>[1]): BareWiki {
  rmSync(folder, {recursive: true, force: true});
  mkdirSync(folder, {recursive: true});
  const git = (...args: readonly string[]): Buffer =>
    execFileSync('git', ['--git-dir', folder, ...args], {env: gitEnv, stdio: 'pipe'});
  git('init', '--quiet', '--bare', '--initial-branch=master');
  git('config', 'http.receivepack', 'true');
  const wiki: BareWiki = {
    folder,
    git: (...args) => git(...args).toString(),
    read: (file) => git('show', `HEAD:${file}`),
    files: () => git('ls-tree', '--name-only', 'HEAD').toString().trim().split('\n'),
    push: (changed) => {
      const clone = mkdtempSync(join(tmpdir(), 'wiki-clone-'));
      const run = (...args: readonly string[]): Buffer =>
        execFileSync('git', [...author, ...args], {cwd: clone, env: gitEnv, stdio: 'pipe'});
      run('clone', '--quiet', folder, '.');
      for (const [name, content] of Object.entries(changed)) {
        mkdirSync(dirname(join(clone, name)), {recursive: true});
        writeFileSync(join(clone, name), content);
      }
      run('add', '--all');
      run('commit', '--quiet', '--message', 'by hand');
      run('push', '--quiet', folder, 'HEAD:refs/heads/master');
      rmSync(clone, {recursive: true, force: true});
    },
  };
  if (files !== undefined) wiki.push(files);
  return wiki;
}

/** One CGI call: headers, a blank line, the body. */
async function runBackend(
  root: string,
  request: IncomingMessage,
  response: ServerResponse,
  dropAnswer: boolean,
): Promise<void> {
  const {pathname, search} = new URL(request.url ?? '/', 'http://localhost');
  const backend = spawn('git', ['http-backend'], {
    env: {
      ...gitEnv,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      REMOTE_USER: 'somebody',
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  request.pipe(backend.stdin);
  backend.stdin.on('error', () => {});
  const chunks: Buffer[] = [];
  for await (const chunk of backend.stdout) chunks.push(chunk as Buffer);
  if (dropAnswer) {
    response.destroy();
    return;
  }
  const whole = Buffer.concat(chunks);
  const end = whole.indexOf('\r\n\r\n');
  const headers = whole.subarray(0, end).toString().split('\r\n');
  for (const header of headers) {
    const [name = '', value = ''] = header.split(/: */, 2);
    if (name.toLowerCase() === 'status') response.statusCode = Number.parseInt(value, 10);
    else response.setHeader(name, value);
  }
  response.end(whole.subarray(end + 4));
}
