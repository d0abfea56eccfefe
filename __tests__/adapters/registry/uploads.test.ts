import {afterEach, describe, expect, it} from 'vitest';
import {createRegistry} from '../../../src/adapters/registry/index.ts';
import type {Registry} from '../../../src/adapters/registry/types.ts';
import {
  digestOf,
  login,
  type RegistryServer,
  type ServerOptions,
  startRegistry,
} from '../../support/servers/registry-server.ts';

let server: RegistryServer;
let registry: Registry;
afterEach(async () => {
  await registry.close();
  await server.close();
});
async function open(options: ServerOptions = {}): Promise<void> {
  server = await startRegistry(options);
  registry = createRegistry({
    credentials: new Map([[server.host, login]]),
    wait: async () => undefined,
  });
}
const repository = (): string => `${server.host}/o/i`;
const image = {
  config: Buffer.from('{"os":"linux"}'),
  layers: [{bytes: Buffer.from('record'), mediaType: 'application/vnd.oci.image.layer.v1.tar'}],
};

describe('mayPush', () => {
  it('opens an upload and cancels it', async () => {
    await open();
    expect(await registry.mayPush(repository())).toEqual({ok: true, value: undefined});
    expect(server.seen.slice(-2).map(({line}) => line.split('?')[0])).toEqual([
      'POST /v2/o/i/blobs/uploads/',
      expect.stringMatching(/^DELETE \/v2\/o\/i\/blobs\/uploads\/u/),
    ]);
    expect(server.uploads.size).toBe(0);
  });

  it.each([404, 405, 500])('is yes though the upload cannot be cancelled (%i)', async (cancel) => {
    await open({cancel});
    expect(await registry.mayPush(repository())).toEqual({ok: true, value: undefined});
  });

  it('is no where the registry says so, at once and with what to do', async () => {
    await open({auth: 'basic', isReadOnly: true});
    expect(await registry.mayPush(repository())).toMatchObject({
      ok: false,
      error: {
        class: 'permission',
        message: `${repository()}: the registry returned 403 DENIED: requested access to the resource is denied.`,
        hint: expect.stringContaining('packages: write'),
      },
    });
    expect(server.seen.filter(({line}) => line.startsWith('POST'))).toHaveLength(1);
  });

  it('waits for a registry that is busy', async () => {
    await open({troubles: [{match: /^POST/, status: 503, times: 2}]});
    expect(await registry.mayPush(repository())).toMatchObject({ok: true});
  });

  it('is no answer where something else answers', async () => {
    await open({troubles: [{match: /^POST/, status: 200, body: '<html>'}]});
    expect(await registry.mayPush(repository())).toMatchObject({
      ok: false,
      error: {class: 'registry-inconsistent'},
    });
  });

  it('makes a repository that shows itself to nobody count as missing, and no other', async () => {
    await open({auth: 'bearer', newRepository: {pull: 401, push: 403}});
    const before = await registry.head(`${repository()}:t`);
    expect(before).toMatchObject({state: 'unknown', isDenied: true});
    await registry.mayPush(repository());
    for (const answer of [
      await registry.head(`${repository()}:t`),
      await registry.inspect(`${repository()}:t`),
    ])
      expect(answer).toMatchObject({
        state: 'absent',
        because: expect.stringContaining('A push is allowed'),
      });
    expect(await registry.head(`${server.host}/o/other:t`)).toMatchObject({state: 'unknown'});
  });
});

describe('putImage', () => {
  it('makes an ordinary image', async () => {
    await open();
    const put = await registry.putImage(`${repository()}:rec-1`, image);
    const found = server.manifests.get('o/i rec-1');
    expect(put).toEqual({ok: true, value: digestOf(found?.body ?? Buffer.alloc(0))});
    expect(found?.type).toBe('application/vnd.oci.image.manifest.v1+json');
    expect(JSON.parse(String(found?.body))).toEqual({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: digestOf(image.config),
        size: image.config.length,
      },
      layers: [
        {
          mediaType: 'application/vnd.oci.image.layer.v1.tar',
          digest: digestOf(Buffer.from('record')),
          size: 6,
        },
      ],
    });
  });

  it('begins an upload again that the registry lost', async () => {
    const body = '{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}';
    await open({troubles: [{match: /^PUT .*uploads/, status: 404, times: 1, body}]});
    expect(await registry.putImage(`${repository()}:t`, image)).toMatchObject({ok: true});
  });

  it.each([
    ['no address', {}, 'no address'],
    ['an address that is none', {location: 'http://['}, 'no address'],
  ])('fails where an upload has %s', async (_, headers, words) => {
    await open({troubles: [{match: /^POST/, status: 202, headers}]});
    expect(await registry.putImage(`${repository()}:t`, image)).toMatchObject({
      ok: false,
      error: {message: expect.stringContaining(words)},
    });
  });

  it('shows no login to a store on another host', async () => {
    const store = await startRegistry({troubles: [{match: /^PUT/, status: 201}]});
    const location = `http://${store.host}/signed?x=1`;
    await open({auth: 'basic', troubles: [{match: /^POST/, status: 202, headers: {location}}]});
    await registry.putImage(`${repository()}:t`, image);
    expect(store.seen.length).toBeGreaterThan(0);
    expect(new Set(store.seen.map(({authorization}) => authorization))).toEqual(
      new Set([undefined]),
    );
    expect(store.seen[0]?.line).toMatch(/^PUT \/signed\?x=1&digest=sha256/);
    await store.close();
  });

  it('says what a registry without permission says', async () => {
    await open({auth: 'bearer', isReadOnly: true});
    expect(await registry.putImage(`${repository()}:t`, image)).toMatchObject({
      ok: false,
      error: {class: 'permission'},
    });
  });
});

describe('blob', () => {
  it('has a limit and a digest', async () => {
    await open();
    const bytes = Buffer.from('0123456789');
    server.blobs.set(digestOf(bytes), bytes);
    const wrong = digestOf(Buffer.from('x'));
    server.blobs.set(wrong, bytes);
    const blob = (digest: string, limit?: number) =>
      registry.blob(repository(), digest, limit === undefined ? {} : {limit});
    expect(await blob(digestOf(bytes))).toMatchObject({ok: true});
    expect(await blob(digestOf(bytes), 10)).toMatchObject({ok: true});
    expect(await blob(digestOf(bytes), 9)).toMatchObject({
      ok: false,
      error: {message: expect.stringContaining('9 bytes')},
    });
    expect(await blob(wrong)).toMatchObject({ok: false, error: {class: 'registry-inconsistent'}});
    expect(await blob(`sha256:${'0'.repeat(64)}`)).toMatchObject({
      ok: false,
      error: {class: 'not-found'},
    });
  });
});

describe('tags', () => {
  it.each(['null', '{"tags":null}', '{"tags":"x"}', '{"tags":[1,null,"ok"]}', 'no JSON'])(
    'reads %s',
    async (body) => {
      await open({troubles: [{match: /tags\/list/, status: 200, body}]});
      const expected = body.includes('ok') ? ['ok'] : [];
      expect(await registry.tags(repository())).toEqual({ok: true, value: expected});
    },
  );

  it('ends where a list leads back to itself, or has no end', async () => {
    const headers = {link: '</v2/o/i/tags/list?n=1000>; rel="next"'};
    await open({troubles: [{match: /tags\/list/, status: 200, headers, body: '{"tags":["a"]}'}]});
    expect(await registry.tags(repository())).toEqual({ok: true, value: ['a']});
  });

  it('does not take a page in the way for an empty list', async () => {
    const headers = {'content-type': 'text/html'};
    await open({troubles: [{match: /tags\/list/, status: 404, headers, body: '<html>'}]});
    expect(await registry.tags(repository())).toMatchObject({ok: false});
  });
});

it('ends every kind of request within a second when the run is cancelled', async () => {
  server = await startRegistry({troubles: [{match: /\/v2\/o\//, status: 'hang'}]});
  const controller = new AbortController();
  registry = createRegistry({
    credentials: new Map([[server.host, login]]),
    signal: controller.signal,
  });
  const asked = Promise.all([
    registry.tags(repository()),
    registry.mayPush(repository()),
    registry.blob(repository(), digestOf(Buffer.from('x'))),
    registry.putImage(`${repository()}:t`, image),
    registry.deleteTag(`${repository()}:t`),
  ]);
  await registry.head(`${server.host}/other:t`);
  controller.abort();
  for (const answer of await asked)
    expect(answer).toMatchObject({ok: false, error: {class: 'cancelled'}});
});
