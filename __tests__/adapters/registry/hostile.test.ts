import http from 'node:http';
import type {AddressInfo} from 'node:net';
import fc from 'fast-check';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {createRegistry} from '../../../src/adapters/registry/index.ts';

interface Said {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Says the next of its answers to every request, whatever it is. */
let said: readonly Said[] = [];
let host = '';
const server = http.createServer((request, response) => {
  request.resume();
  const [next, ...rest] = said;
  said = rest.length > 0 ? rest : said;
  if (next === undefined) return void response.destroy();
  try {
    response.writeHead(next.status, next.headers).end(next.body);
  } catch {
    response.destroy();
  }
});
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const digest = `sha256:${'0'.repeat(64)}`;
const manifest = 'application/vnd.oci.image.manifest.v1+json';
const index = 'application/vnd.oci.image.index.v1+json';
const text = fc.oneof(
  fc.string({maxLength: 40}),
  fc.json({maxDepth: 3}),
  fc.constantFrom(
    '{"config":{"digest":"../../../evil"},"layers":[null,{"size":"x"}]}',
    '{"manifests":[null,{"digest":7},{"platform":3,"digest":"sha256:0"}]}',
    '{"errors":[{"code":"MANIFEST_UNKNOWN"}]}',
    '{"errors":{"code":1}}',
    '{"token":"a\\r\\nb","expires_in":"soon"}',
    '{"token":"t","expires_in":-1}',
    '{"tags":{"a":1}}',
    '{"config":{"Labels":{"a":1,"b":"c"}},"rootfs":{"diff_ids":"x"}}',
  ),
);
const answer = fc.record({
  status: fc.constantFrom(
    200,
    200,
    201,
    202,
    204,
    301,
    307,
    400,
    401,
    401,
    403,
    404,
    404,
    405,
    409,
    429,
    500,
    503,
  ),
  headers: fc.record(
    {
      'content-type': fc.constantFrom(manifest, index, 'application/json', 'text/html'),
      'docker-content-digest': fc.constantFrom(digest, 'nonsense', ''),
      location: fc.constantFrom('/', '//', 'http://[', 'file:///etc/passwd', '/v2/x?_state=1', '?'),
      link: fc.constantFrom('<?n=1>; rel="next"', '<>; rel=next', '<http://[>; rel="next"', ','),
      'www-authenticate': fc.constantFrom(
        'Basic',
        'Negotiate',
        'Bearer realm="/relative"',
        'Bearer realm="http://127.0.0.1:1/"',
        'Bearer realm="HOST/token",scope=" "',
        'Bearer realm="HOST/token",service="\\"",scope="a b"',
      ),
      'retry-after': fc.constantFrom('0', '-1', '1e9', 'soon', '99999'),
    },
    {requiredKeys: []},
  ),
  body: text,
});

it('takes whatever a registry says for an answer, and throws nothing', async () => {
  const property = fc.asyncProperty(fc.array(answer, {minLength: 1, maxLength: 6}), async (all) => {
    said = all.map((one) => ({
      ...one,
      headers: JSON.parse(JSON.stringify(one.headers).replaceAll('HOST', `http://${host}`)),
    }));
    const registry = createRegistry({
      credentials: new Map([[host, {username: 'someone', password: 'secret-password'}]]),
      wait: async () => undefined,
    });
    const ref = `${host}/o/i:t`;
    const lookups = [
      await registry.head(ref),
      await registry.manifest(ref),
      await registry.inspect(ref),
    ];
    const bytes = Buffer.from('{}');
    const results = [
      await registry.put(ref, {bytes, mediaType: manifest, digest}),
      await registry.putImage(ref, {config: bytes, layers: [{bytes, mediaType: 'x/y'}]}),
      await registry.deleteTag(ref),
      await registry.tags(`${host}/o/i`),
      await registry.blob(`${host}/o/i`, digest),
      await registry.mayPush(`${host}/o/i`),
    ];
    await registry.close();
    for (const {state} of lookups) expect(['present', 'absent', 'unknown']).toContain(state);
    for (const one of results) if (!one.ok) expect(one.error.message).toMatch(/\S/);
    expect(JSON.stringify([lookups, results])).not.toContain('secret-password');
  });
  await fc.assert(property, {numRuns: 150});
});
