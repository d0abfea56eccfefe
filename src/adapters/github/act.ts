import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';

/**
 * nektos/act takes no upload from the artifact client of today (act 0.2.89, the newest release): it refuses the
 * field `mime_type` that the client sends since 6.2, and it signs addresses with a padded `sig=…=` whose padding
 * the Azure library drops (act issues 6022 and 6114). This loopback front stands for ACTIONS_RESULTS_URL while an
 * upload runs under act, takes out the field, and writes the padding as %3D. The file itself goes straight to act.
 */
export async function withActArtifacts<T>(use: () => Promise<T>): Promise<T> {
  const target = actResultsUrl();
  if (target === undefined) return use();
  const front = await startFront(target);
  const restore = [
    setVariable('ACTIONS_RESULTS_URL', front.url),
    // act appends blocks in the order they arrive, so more than one at a time damages large files.
    setVariable('ACTIONS_ARTIFACT_UPLOAD_CONCURRENCY', '1'),
  ];
  try {
    return await use();
  } finally {
    for (const undo of restore) undo();
    await front.close();
  }
}

/** Never on GitHub: there ACT is not set, and the service is not plain HTTP. */
function actResultsUrl(): URL | undefined {
  const url = process.env['ACTIONS_RESULTS_URL'] ?? '';
  if (process.env['ACT'] !== 'true' || !URL.canParse(url)) return undefined;
  const target = new URL(url);
  return target.protocol === 'http:' ? target : undefined;
}

function setVariable(name: string, value: string): () => void {
  const before = process.env[name];
  process.env[name] = value;
  return () => {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  };
}

interface Front {
  readonly url: string;
  close(): Promise<void>;
}

async function startFront(target: URL): Promise<Front> {
  const server = createServer((request, response) => {
    forward(target, request, response).catch((error: unknown) => {
      // An answer that is not JSON would be tried five times.
      response.writeHead(400).end(JSON.stringify({msg: String(error)}));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const {port} = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function forward(
  target: URL,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk as Uint8Array);
  const answer = await fetch(new URL(request.url ?? '/', target), {
    method: request.method ?? 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: request.headers.authorization ?? '',
    },
    body: withoutMimeType(Buffer.concat(chunks).toString()),
  });
  response.writeHead(answer.status, {'content-type': 'application/json'});
  response.end(withEncodedPadding(await answer.text()));
}

/** The request without the field that act does not know. */
export function withoutMimeType(body: string): string {
  return JSON.stringify(JSON.parse(body), (key, value: unknown) =>
    key === 'mime_type' || key === 'mimeType' ? undefined : value,
  );
}

/** The answer with `=` at the end of a signature as %3D; anything that is not JSON stays as it is. */
export function withEncodedPadding(body: string): string {
  return body.replace(
    /([?&]sig=[^&="]*)(=+)/g,
    (_, signature: string, padding: string) => signature + '%3D'.repeat(padding.length),
  );
}
