import {setTimeout as sleep} from 'node:timers/promises';
import {afterEach, describe, expect, it} from 'vitest';
import {createRegistry} from '../../../src/adapters/registry/index.ts';
import type {RegistryOptions} from '../../../src/adapters/registry/request.ts';
import type {Registry} from '../../../src/adapters/registry/types.ts';
import {
  digestOf,
  type RegistryServer,
  type ServerOptions,
  startRegistry,
} from '../../support/servers/registry-server.ts';

const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const indexType = 'application/vnd.oci.image.index.v1+json';

let server: RegistryServer;
let registry: Registry;
let notes: string[];
let waits: number[];

afterEach(async () => {
  await registry.close();
  await server.close();
});

async function open(
  options: ServerOptions = {},
  password = 'right',
  more: Pick<RegistryOptions, 'signal' | 'grace'> = {},
): Promise<void> {
  server = await startRegistry(options);
  notes = [];
  waits = [];
  registry = createRegistry({
    ...more,
    credentials: new Map([[server.host, {username: 'someone', password}]]),
    onRetry: (note) => notes.push(note),
    wait: async (seconds) => {
      waits.push(seconds);
    },
  });
}

/** Puts an image with one layer, and gives its digest. */
function addImage(tag: string, labels: Record<string, string> = {}): string {
  const config = Buffer.from(
    JSON.stringify({
      created: '2026-01-01T00:01:00Z',
      config: {Labels: labels},
      rootfs: {diff_ids: ['sha256:layer']},
    }),
  );
  server.blobs.set(digestOf(config), config);
  const body = Buffer.from(
    JSON.stringify({
      config: {digest: digestOf(config)},
      layers: [
        {digest: 'sha256:l', size: 7},
        {digest: 'sha256:m', size: 5},
      ],
    }),
  );
  server.manifests.set(`o/i ${tag}`, {body, type: manifestType});
  server.manifests.set(`o/i ${digestOf(body)}`, {body, type: manifestType});
  return digestOf(body);
}

const ref = (tag: string): string => `${server.host}/o/i:${tag}`;
const lines = (): string[] => server.seen.map(({line}) => line);

describe('the three answers', () => {
  it('present, with the digest', async () => {
    await open();
    const digest = addImage('t');
    expect(await registry.head(ref('t'))).toEqual({state: 'present', digest});
  });

  it('absent, only for a 404 of the registry', async () => {
    await open();
    expect(await registry.head(ref('t'))).toEqual({state: 'absent'});
    expect(await registry.manifest(ref('t'))).toEqual({state: 'absent'});
  });

  it.each([[401], [403], [400], [500], [503]])('unknown, for %i', async (status) => {
    await open({troubles: [{match: /./, status}]});
    expect(await registry.head(ref('t'))).toMatchObject({
      state: 'unknown',
      because: expect.stringContaining(String(status)),
    });
  });

  it('unknown, for a web page that says 404', async () => {
    await open({troubles: [{match: /./, status: 404, headers: {'content-type': 'text/html'}}]});
    expect(await registry.manifest(ref('t'))).toMatchObject({state: 'unknown'});
  });

  it.each([
    ['a page that says 404', 404, {'content-type': 'text/html'}, 'nothing here'],
    ['a 404 in words of no registry', 404, {'content-type': 'application/json'}, '{"errors":[]}'],
    ['a page that says 200', 200, {'content-type': 'text/html'}, '<h1>Log in</h1>'],
    ['a redirect that leads nowhere', 302, {}, ''],
  ])('unknown, for %s', async (_, status, headers, body) => {
    await open({troubles: [{match: /./, status, headers, body}]});
    expect(await registry.manifest(ref('t'))).toMatchObject({state: 'unknown'});
  });

  it('unknown, for a HEAD that a page answers', async () => {
    await open({troubles: [{match: /./, status: 404, headers: {'content-type': 'text/html'}}]});
    expect(await registry.head(ref('t'))).toMatchObject({state: 'unknown'});
  });

  it('present, where only the manifest itself says what it is, or HEAD gives no digest', async () => {
    const body = JSON.stringify({schemaVersion: 2, mediaType: indexType});
    const headers = {'content-type': 'application/json; charset=utf-8'};
    await open({troubles: [{match: /./, status: 200, headers, body}]});
    const digest = digestOf(Buffer.from(body));
    expect(await registry.head(ref('t'))).toEqual({state: 'present', digest});
    expect(await registry.manifest(ref('t'))).toMatchObject({mediaType: indexType});
  });

  it.each([400, 401, 403, 404, 405, 406, 500, 501])(
    'present, where HEAD is answered %i and GET finds it',
    async (status) => {
      await open({troubles: [{match: /^HEAD/, status}]});
      const digest = addImage('t');
      for (let number = 0; number < 3; number++)
        expect(await registry.head(ref('t'))).toEqual({state: 'present', digest});
      expect(await registry.head(ref('t'), {once: true})).toEqual({state: 'present', digest});
      // HEAD is asked once; then it is known to be of no use.
      expect(lines().filter((line) => line.startsWith('HEAD'))).toHaveLength(1);
      expect(waits).toEqual([]);
    },
  );

  it('unknown, where HEAD says 404 and GET cannot say', async () => {
    await open({
      troubles: [
        {match: /^HEAD/, status: 404},
        {match: /^GET .*manifests/, status: 500},
      ],
    });
    expect(await registry.head(ref('t'))).toMatchObject({state: 'unknown'});
  });

  it.each([
    ['without a word, to a login', 404, {}, '', 'absent'],
    [
      'by its status alone, to a login',
      404,
      {},
      '{"errors":[{"status":404,"message":"Not Found"}]}',
      'absent',
    ],
    ['by an empty page', 404, {'content-type': 'text/html'}, '', 'unknown'],
    ['by a page', 404, {'content-type': 'text/plain'}, '404 page not found', 'unknown'],
  ] as const)('absent or unknown, %s', async (_, status, headers, body, state) => {
    await open({troubles: [{match: /manifests/, status, headers, body}]});
    expect(await registry.manifest(ref('t'))).toMatchObject({state});
  });

  it('unknown, for an empty 404 to a caller without a login', async () => {
    await open({troubles: [{match: /manifests/, status: 404}]});
    const stranger = createRegistry({});
    expect(await stranger.head(ref('t'))).toMatchObject({state: 'unknown'});
    await stranger.close();
  });

  it('unknown, for bytes of another digest than promised', async () => {
    await open({
      troubles: [
        {
          match: /./,
          status: 200,
          headers: {
            'docker-content-digest': digestOf(Buffer.from('x')),
            'content-type': manifestType,
          },
          body: 'y',
        },
      ],
    });
    expect(await registry.manifest(ref('t'))).toMatchObject({
      state: 'unknown',
      because: expect.stringContaining(digestOf(Buffer.from('x'))),
    });
  });

  it('unknown, for a host that is not there, which is asked no further once it was silent', async () => {
    await open();
    const gone = server.host;
    await server.close();
    expect(await registry.head(`${gone}/o/i:t`)).toMatchObject({
      state: 'unknown',
      because: expect.stringContaining('ECONNREFUSED'),
    });
    const tries = waits.length;
    expect(tries).toBe(4);
    await registry.head(`${gone}/o/i:u`);
    expect(waits).toHaveLength(tries);
    expect(waits.reduce((sum, seconds) => sum + seconds, 0)).toBeLessThan(15);
  });
});

describe('a host that gives no answer', () => {
  it('is given up once for fifty questions', async () => {
    await open({troubles: [{match: /./, status: 503}]});
    const answers = await Promise.all(
      Array.from({length: 50}, (_, index) => registry.head(ref(`t${index}`))),
    );
    expect(new Set(answers.map((one) => JSON.stringify(one))).size).toBe(1);
    expect(server.seen).toHaveLength(5);
    expect(notes).toHaveLength(4);
  });

  it('is asked once by all questions that matter little, and again by one that does', async () => {
    await open({troubles: [{match: /./, status: 'reset', times: 1}]});
    addImage('t');
    for (let number = 0; number < 9; number++)
      expect(await registry.head(ref('t'), {once: true})).toMatchObject({state: 'unknown'});
    expect(server.seen).toHaveLength(1);
    expect(await registry.head(ref('t'))).toMatchObject({state: 'present'});
    expect(await registry.head(ref('t'), {once: true})).toMatchObject({state: 'present'});
  });
});

describe('retries', () => {
  it('waits as long as it is asked to, and says so', async () => {
    await open({troubles: [{match: /./, status: 429, times: 2, headers: {'retry-after': '7'}}]});
    const digest = addImage('t');
    expect(await registry.head(ref('t'))).toEqual({state: 'present', digest});
    expect(waits).toHaveLength(2);
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(7);
    expect(notes[0]).toContain('attempt 1');
  });

  it('gives up at once when it is asked to wait an hour, and names the time', async () => {
    await open({troubles: [{match: /./, status: 429, headers: {'retry-after': '3600'}}]});
    expect(await registry.head(ref('t'))).toMatchObject({
      state: 'unknown',
      because: expect.stringContaining('3600 s'),
    });
    expect(waits).toEqual([]);
  });

  it('is patient again with a host that answers again', async () => {
    await open({
      troubles: [
        {match: /^HEAD .*\/silent$/, status: 'reset'},
        {match: /^HEAD .*\/t$/, status: 503, times: 2},
      ],
    });
    const digest = addImage('t');
    await registry.head(ref('silent'));
    expect(await registry.head(ref('t'))).toEqual({state: 'present', digest});
  });

  it('asks once where an answer is not worth more, and loses no patience by it', async () => {
    await open({troubles: [{match: /^HEAD/, status: 'reset', times: 3}]});
    const digest = addImage('t');
    expect(await registry.head(ref('t'), {once: true})).toMatchObject({state: 'unknown'});
    expect(waits).toEqual([]);
    expect(await registry.head(ref('t'))).toEqual({state: 'present', digest});
  });

  it('waits for a blob that the store does not show yet', async () => {
    const body = '{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN"}]}';
    await open({troubles: [{match: /^PUT/, status: 404, body, times: 1}]});
    const bytes = Buffer.from('{}');
    const put = await registry.put(ref('t'), {
      bytes,
      mediaType: manifestType,
      digest: digestOf(bytes),
    });
    expect(put.ok).toBe(true);
  });

  it.each([
    [400, '{"errors":[{"code":"TAG_INVALID"}]}', 'tag-conflict'],
    [403, 'the repository is immutable', 'tag-conflict'],
    [409, '', 'tag-conflict'],
    [403, '{"errors":[{"code":"DENIED"}]}', 'permission'],
    [401, '', 'auth'],
    [404, '{"errors":[{"code":"NAME_UNKNOWN"}]}', 'not-found'],
    [400, '{"errors":[{"code":"MANIFEST_INVALID"}]}', 'registry-inconsistent'],
    [429, '', 'rate-limit'],
    [403, 'You have exceeded a secondary rate limit', 'rate-limit'],
    [502, '', 'registry-unavailable'],
  ])('a PUT that is answered %i %s is a failure of class %s', async (status, body, cause) => {
    await open({troubles: [{match: /^PUT/, status, body}]});
    const bytes = Buffer.from('{}');
    const put = await registry.put(ref('t'), {
      bytes,
      mediaType: manifestType,
      digest: digestOf(bytes),
    });
    expect(put).toMatchObject({ok: false, error: {class: cause}});
  });

  it.each([['reset', 'reset'] as const, ['500', 500] as const])(
    'tries a PUT again after %s',
    async (_, status) => {
      await open({troubles: [{match: /^PUT/, status, times: 1}]});
      const body = Buffer.from('{}');
      const put = await registry.put(ref('t'), {
        bytes: body,
        mediaType: manifestType,
        digest: digestOf(body),
      });
      expect(put).toEqual({ok: true, value: undefined});
      expect(server.manifests.get('o/i t')?.body).toEqual(body);
    },
  );

  it('does not repeat what was denied', async () => {
    await open({
      troubles: [
        {match: /^PUT/, status: 403, body: '{"errors":[{"code":"DENIED","message":"no"}]}'},
      ],
    });
    const body = Buffer.from('{}');
    const put = await registry.put(ref('t'), {
      bytes: body,
      mediaType: manifestType,
      digest: digestOf(body),
    });
    expect(put).toMatchObject({
      ok: false,
      error: {class: 'permission', hint: expect.stringContaining('packages: write')},
    });
    expect(waits).toEqual([]);
  });

  it('takes a refused PUT of what the tag already shows for done', async () => {
    await open({
      troubles: [{match: /^PUT/, status: 400, body: '{"errors":[{"code":"TAG_INVALID"}]}'}],
    });
    addImage('t');
    const shown = await registry.manifest(ref('t'));
    if (shown.state !== 'present') throw new Error('the fixture has this tag');
    expect(await registry.put(ref('t'), shown)).toEqual({ok: true, value: undefined});
    const other = Buffer.from('other');
    expect(
      await registry.put(ref('t'), {
        bytes: other,
        mediaType: manifestType,
        digest: digestOf(other),
      }),
    ).toMatchObject({ok: false, error: {class: 'tag-conflict'}});
  });
});

describe('authorization', () => {
  it.each(['basic', 'bearer'] as const)(
    'answers a %s challenge, and asks for a token once',
    async (auth) => {
      await open({auth});
      const digest = addImage('t');
      const both = await Promise.all([registry.head(ref('t')), registry.head(ref('t'))]);
      expect(both).toEqual([
        {state: 'present', digest},
        {state: 'present', digest},
      ]);
      expect(lines().filter((line) => line.includes('/token')).length).toBeLessThanOrEqual(1);
    },
  );

  it.each(['basic', 'bearer'] as const)(
    'says that a password is wrong (%s), not what it is',
    async (auth) => {
      await open({auth}, 'wrong-password');
      const found = await registry.manifest(ref('t'));
      expect(found).toMatchObject({state: 'unknown', failure: {class: 'auth'}});
      // One sentence for every reference on this host.
      const other = await registry.head(ref('other'));
      expect(other.state === 'unknown' && other.because).toBe(
        found.state === 'unknown' && found.because,
      );
      expect(JSON.stringify([found, notes])).not.toContain('wrong-password');
    },
  );

  it('knows the host of a login by its address too', async () => {
    await open({auth: 'basic'});
    addImage('t');
    const login = {username: 'someone', password: 'right'};
    const other = createRegistry({credentials: new Map([[`https://${server.host}/v2/`, login]])});
    expect((await other.head(ref('t'))).state).toBe('present');
    await other.close();
  });

  it('gets a new token when the old one is used up', async () => {
    await open({auth: 'bearer', tokenUses: 1});
    addImage('t');
    for (let index = 0; index < 3; index++)
      expect((await registry.head(ref('t'))).state).toBe('present');
  });

  it('gets a new token when the old one has ended', async () => {
    await open({auth: 'bearer', tokenSeconds: 0.02});
    addImage('t');
    expect((await registry.head(ref('t'))).state).toBe('present');
    await sleep(40);
    expect((await registry.head(ref('t'))).state).toBe('present');
    expect(lines().filter((line) => line.includes('/token'))).toHaveLength(2);
  });

  it('waits for a token service that has a limit, as for the registry', async () => {
    const limit = {status: 429, times: 1, headers: {'retry-after': '9'}} as const;
    await open({auth: 'bearer', troubles: [{match: /\/token/, ...limit}]});
    addImage('t');
    expect((await registry.head(ref('t'))).state).toBe('present');
    expect(waits[0]).toBeGreaterThanOrEqual(9);
  });

  it('asks for a token that may write only for what writes', async () => {
    await open({auth: 'bearer'});
    addImage('t');
    const shown = await registry.manifest(ref('t'));
    if (shown.state !== 'present') throw new Error('the fixture has this tag');
    await registry.put(ref('u'), shown);
    const scopes = lines()
      .filter((line) => line.includes('/token'))
      .map((line) => new URL(line.slice(4), 'http://x').searchParams.get('scope'));
    expect(scopes).toEqual(['repository:o/i:pull', 'repository:o/i:pull,push']);
  });

  it('sends no password to a token service elsewhere that has no https', async () => {
    const trap = await startRegistry();
    // Linux takes this address for its own, but it is not one of the loopback.
    const realm = `http://0.0.0.0:${trap.host.split(':')[1]}/token`;
    const challenge = {'www-authenticate': `Bearer realm="${realm}",service="a,b"`};
    await open({troubles: [{match: /./, status: 401, headers: challenge}]});
    expect(await registry.head(ref('t'))).toMatchObject({state: 'unknown'});
    expect(trap.seen.map(({authorization}) => authorization)).toEqual([undefined]);
    await trap.close();
  });

  it('sends no credentials to the store that a blob is redirected to', async () => {
    const store = await startRegistry();
    await open({auth: 'basic', troubles: []});
    addImage('t');
    const [digest, config] = [...server.blobs][0] ?? ['', Buffer.alloc(0)];
    store.blobs.set(digest, config);
    server.blobs.clear();
    await server.close();
    const moved = {
      match: /\/blobs\//,
      status: 307,
      headers: {location: `http://${store.host}/v2/o/i/blobs/${digest}`},
    } as const;
    const manifests = server.manifests;
    await open({auth: 'basic', troubles: [moved]});
    for (const [key, value] of manifests) server.manifests.set(key, value);
    expect((await registry.inspect(ref('t'))).state).toBe('present');
    expect(store.seen.map(({authorization}) => authorization)).toEqual([undefined]);
    await store.close();
  });
});

describe('inspect', () => {
  it('reads labels, layers, size and how long the build took, without a layer', async () => {
    await open();
    const digest = addImage('t', {
      a: 'b',
      'org.opencontainers.image.created': '2026-01-01T00:00:30Z',
    });
    expect(await registry.inspect(ref('t'))).toMatchObject({
      state: 'present',
      digest,
      diffIds: ['sha256:layer'],
      size: 12,
      buildSeconds: 30,
    });
    expect(lines()).toHaveLength(3);
  });

  it('trusts no config of another digest', async () => {
    await open();
    addImage('t');
    for (const digest of server.blobs.keys()) server.blobs.set(digest, Buffer.from('{}'));
    expect(await registry.inspect(ref('t'))).toMatchObject({
      state: 'unknown',
      because: expect.stringContaining('another digest'),
    });
  });

  it('reads no blob that is as large as a layer', async () => {
    await open();
    addImage('t');
    const [digest = ''] = server.blobs.keys();
    server.blobs.set(digest, Buffer.alloc(9 * 1024 * 1024));
    expect(await registry.inspect(ref('t'))).toMatchObject({
      state: 'unknown',
      because: expect.stringContaining('8 MiB'),
    });
  });

  it('reads the image of this platform behind an index, and no attestation', async () => {
    await open();
    const digest = addImage('amd', {who: 'amd64'});
    const manifests = [
      {digest: 'sha256:0', annotations: {'vnd.docker.reference.type': 'attestation-manifest'}},
      {digest: addImage('arm', {who: 'arm64'}), platform: {os: 'linux', architecture: 'arm64'}},
      {digest, platform: {os: 'linux', architecture: 'amd64'}},
    ];
    const body = Buffer.from(JSON.stringify({manifests}));
    server.manifests.set('o/i t', {body, type: indexType});
    const found = await registry.inspect(ref('t'));
    expect(found).toMatchObject({state: 'present', digest: digestOf(body), mediaType: indexType});
    expect(found.state === 'present' && found.labels.get('who')).toBe('amd64');
  });
});

describe('tags', () => {
  it('deletes a tag by its name, or says that this registry cannot', async () => {
    await open({troubles: [{match: /^DELETE .*\/never$/, status: 405}]});
    addImage('t');
    expect(await registry.deleteTag(ref('t'))).toEqual({ok: true, value: true});
    expect(await registry.deleteTag(ref('never'))).toEqual({ok: true, value: false});
    expect(lines().filter((line) => line.includes('sha256'))).toEqual([]);
  });

  it('knows at once that somebody else moved the tag, where it knows what stood there', async () => {
    await open();
    addImage('t');
    const before = digestOf(Buffer.from('before'));
    expect(await registry.waitForDigest(ref('t'), 'sha256:ours', {before})).toMatchObject({
      ok: false,
      error: {class: 'tag-conflict'},
    });
    expect(waits).toEqual([]);
  });

  it('does not wait a minute for a registry that cannot say', async () => {
    await open({troubles: [{match: /manifests/, status: 403}]});
    expect(await registry.waitForDigest(ref('t'), 'sha256:ours')).toMatchObject({
      ok: false,
      error: {class: 'registry-unavailable'},
    });
    expect(waits).toEqual([]);
  });

  it('waits for a registry that lags, and tells a lag from a conflict', async () => {
    await open({troubles: [{match: /^HEAD .*\/t$/, status: 404, times: 3}]});
    const digest = addImage('t');
    expect(await registry.waitForDigest(ref('t'), digest)).toEqual({ok: true, value: undefined});
    expect(await registry.waitForDigest(ref('t'), 'sha256:other')).toMatchObject({
      ok: false,
      error: {class: 'tag-conflict'},
    });
    expect(await registry.waitForDigest(ref('u'), digest)).toMatchObject({
      ok: false,
      error: {class: 'registry-inconsistent'},
    });
  });
});

it('ends a hanging question when the run is cancelled', async () => {
  const controller = new AbortController();
  await open({troubles: [{match: /./, status: 'hang'}]}, 'right', {
    signal: controller.signal,
  });
  const asked = registry.head(ref('t'));
  controller.abort();
  expect(await asked).toMatchObject({state: 'unknown'});
});

it('lets a PUT end that is under way when the run is cancelled, but not one that hangs', async () => {
  const controller = new AbortController();
  await open({delay: 50, troubles: [{match: /^PUT .*\/stuck$/, status: 'hang'}]}, 'right', {
    signal: controller.signal,
    grace: 1,
  });
  const bytes = Buffer.from('{}');
  const manifest = {bytes, mediaType: manifestType, digest: digestOf(bytes)};
  const puts = Promise.all([
    registry.put(ref('t'), manifest),
    registry.put(ref('stuck'), manifest),
  ]);
  controller.abort();
  expect(await puts).toMatchObject([{ok: true}, {ok: false, error: {class: 'cancelled'}}]);
  expect(await registry.head(ref('t'))).toMatchObject({state: 'present'});
});

it('asks fifty questions over few connections', async () => {
  await open({delay: 5});
  addImage('t');
  const answers = await Promise.all(
    Array.from({length: 50}, (_, index) => registry.head(ref(`t${index}`))),
  );
  expect(answers.every(({state}) => state === 'absent')).toBe(true);
  // One more tried TLS, as docker does on loopback.
  expect(server.connections()).toBeLessThanOrEqual(33);
});
