import {afterEach, describe, expect, it} from 'vitest';
import {createRegistry} from '../../src/adapters/registry.ts';
import type {Registry} from '../../src/ports.ts';
import {
  digestOf,
  type RegistryServer,
  type ServerOptions,
  startRegistry,
} from '../fakes/registry-server.ts';

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
  signal?: AbortSignal,
): Promise<void> {
  server = await startRegistry(options);
  notes = [];
  waits = [];
  registry = createRegistry({
    credentials: new Map([[server.host, {username: 'someone', password}]]),
    onRetry: (note) => notes.push(note),
    wait: async (seconds) => {
      waits.push(seconds);
    },
    ...(signal === undefined ? {} : {signal}),
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

  it('unknown, for bytes of another digest than promised', async () => {
    await open({
      troubles: [
        {
          match: /./,
          status: 200,
          headers: {'docker-content-digest': digestOf(Buffer.from('x'))},
          body: 'y',
        },
      ],
    });
    expect(await registry.manifest(ref('t'))).toMatchObject({state: 'unknown'});
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
    await registry.head(`${gone}/o/i:u`);
    expect(waits).toHaveLength(tries);
    expect(waits.reduce((sum, seconds) => sum + seconds, 0)).toBeLessThan(15);
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
    expect(await registry.head(ref('t'))).toMatchObject({state: 'unknown'});
    expect(waits).toEqual([]);
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
      failure: {class: 'permission', hint: expect.stringContaining('packages: write')},
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
    ).toMatchObject({ok: false, failure: {class: 'tag-conflict'}});
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
      expect(JSON.stringify([found, notes])).not.toContain('wrong-password');
    },
  );

  it('gets a new token when the old one is used up', async () => {
    await open({auth: 'bearer', tokenUses: 1});
    addImage('t');
    for (let index = 0; index < 3; index++)
      expect((await registry.head(ref('t'))).state).toBe('present');
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
    expect(lines()).toHaveLength(2);
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

  it('waits for a registry that lags, and tells a lag from a conflict', async () => {
    await open({troubles: [{match: /^HEAD .*\/t$/, status: 404, times: 3}]});
    const digest = addImage('t');
    expect(await registry.waitForDigest(ref('t'), digest)).toEqual({ok: true, value: undefined});
    expect(await registry.waitForDigest(ref('t'), 'sha256:other')).toMatchObject({
      ok: false,
      failure: {class: 'tag-conflict'},
    });
    expect(await registry.waitForDigest(ref('u'), digest)).toMatchObject({
      ok: false,
      failure: {class: 'registry-inconsistent'},
    });
  });
});

it('ends a hanging question when the run is cancelled', async () => {
  const controller = new AbortController();
  await open({troubles: [{match: /./, status: 'hang'}]}, 'right', controller.signal);
  const asked = registry.head(ref('t'));
  controller.abort();
  expect(await asked).toMatchObject({state: 'unknown'});
});
