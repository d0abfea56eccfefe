import {createServer, type IncomingMessage} from 'node:http';
import type {AddressInfo} from 'node:net';

/** GitHub's artifact service, as far as the client speaks to it; `act` is as picky as act 0.2.89. */
export interface ResultsService {
  readonly url: string;
  /** For ACTIONS_RUNTIME_TOKEN. */
  readonly token: string;
  /** Finished artifacts: their zip by name. */
  readonly artifacts: Map<string, Buffer>;
  /** Method of each call, in order: `CreateArtifact`, `PUT block`, … */
  readonly calls: readonly string[];
  close(): Promise<void>;
}

const signature = 'c2lnbmVkIHdpdGggcGFkZGluZw==';

export async function startResultsService(kind: 'github' | 'act'): Promise<ResultsService> {
  const artifacts = new Map<string, Buffer>();
  const pending = new Map<string, Buffer>();
  const calls: string[] = [];
  const sig = kind === 'act' ? signature : encodeURIComponent(signature);
  let url = '';

  const call = (method: string, body: Record<string, unknown>): {status: number; body: unknown} => {
    calls.push(method);
    const name = String(body['name']);
    switch (method) {
      case 'CreateArtifact':
        if (kind === 'act' && 'mime_type' in body) return {status: 500, body: undefined};
        if (kind === 'github' && artifacts.has(name)) {
          const msg = 'an artifact with this name already exists on the workflow run';
          return {status: 409, body: {msg}};
        }
        pending.set(name, Buffer.alloc(0));
        return {
          status: 200,
          body: {
            ok: true,
            signedUploadUrl: `${url}/container/blob?sig=${sig}&artifactName=${name}`,
          },
        };
      case 'FinalizeArtifact':
        artifacts.set(name, pending.get(name) ?? Buffer.alloc(0));
        return {status: 200, body: {ok: true, artifactId: '4711'}};
      case 'ListArtifacts': {
        const found = artifacts.has(String(body['name_filter']));
        const artifact = {
          workflow_run_backend_id: 'run',
          workflow_job_run_backend_id: 'job',
          database_id: '1',
          name: body['name_filter'],
          size: '1',
        };
        return {status: 200, body: {artifacts: found ? [artifact] : []}};
      }
      case 'DeleteArtifact':
        return {status: 200, body: {ok: artifacts.delete(name), artifact_id: '1'}};
      default:
        return {status: 404, body: {msg: method}};
    }
  };

  const server = createServer(async (request, response) => {
    const body = await read(request);
    const {pathname, searchParams} = new URL(request.url ?? '/', 'http://localhost');
    if (pathname === '/container/blob') {
      const part = searchParams.get('comp') ?? 'whole';
      calls.push(`PUT ${part}`);
      if (searchParams.get('sig') !== signature) {
        response.writeHead(401).end();
        return;
      }
      const name = searchParams.get('artifactName') ?? '';
      if (part !== 'blocklist') {
        pending.set(name, Buffer.concat([pending.get(name) ?? Buffer.alloc(0), body]));
      }
      response.writeHead(201).end();
      return;
    }
    const answer = call(pathname.split('/').at(-1) ?? '', JSON.parse(body.toString()));
    response.writeHead(answer.status, {'content-type': 'application/json'});
    response.end(answer.body === undefined ? '' : JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const claims = Buffer.from(JSON.stringify({scp: 'Actions.Results:run:job'})).toString(
    'base64url',
  );
  return {
    url: `${url}/`,
    token: `e30.${claims}.e30`,
    artifacts,
    calls,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function read(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
