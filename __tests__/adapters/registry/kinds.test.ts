import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {createRegistry} from '../../../src/adapters/registry/index.ts';
import type {Credentials, Registry} from '../../../src/adapters/registry/types.ts';
import {registryKinds} from '../../support/servers/registry-kinds.ts';
import {
  digestOf,
  login,
  type RegistryServer,
  startRegistry,
} from '../../support/servers/registry-server.ts';

const manifestType = 'application/vnd.oci.image.manifest.v1+json';

describe.each(Object.entries(registryKinds))('%s', (_kind, behaviour) => {
  let server: RegistryServer;
  let registry: Registry;
  let repository: string;
  const waits: number[] = [];
  beforeEach(async () => {
    server = await startRegistry(behaviour);
    repository = `${server.host}/o/i`;
    const {identityToken} = behaviour;
    const credentials: Credentials =
      identityToken === undefined ? login : {username: '', password: '', identityToken};
    waits.length = 0;
    registry = createRegistry({
      credentials: new Map([[server.host, credentials]]),
      wait: async (seconds) => void waits.push(seconds),
    });
  });
  afterEach(async () => {
    await registry.close();
    await server.close();
    expect(waits).toEqual([]);
  });

  /** An image that is there, and its digest. */
  const add = (tag: string): string => {
    const config = Buffer.from(
      JSON.stringify({config: {Labels: {tag}}, rootfs: {diff_ids: ['sha256:layer']}}),
    );
    server.blobs.set(digestOf(config), config);
    const body = Buffer.from(
      JSON.stringify({
        mediaType: manifestType,
        config: {digest: digestOf(config)},
        layers: [{digest: 'sha256:l', size: 7}],
      }),
    );
    server.manifests.set(`o/i ${tag}`, {body, type: manifestType});
    server.manifests.set(`o/i ${digestOf(body)}`, {body, type: manifestType});
    return digestOf(body);
  };

  it('head and inspect: what is there', async () => {
    const digest = add('t');
    expect(await registry.head(`${repository}:t`)).toEqual({state: 'present', digest});
    expect(await registry.inspect(`${repository}:t`)).toMatchObject({
      state: 'present',
      digest,
      size: 7,
      diffIds: ['sha256:layer'],
      labels: new Map([['tag', 't']]),
    });
  });

  it('head and inspect: a tag that is not there', async () => {
    add('other');
    expect(await registry.head(`${repository}:t`)).toEqual({state: 'absent'});
    expect(await registry.inspect(`${repository}:t`)).toEqual({state: 'absent'});
  });

  it('head: a repository that is not there, after the check that a push may make it', async () => {
    const first = await registry.head(`${repository}:t`);
    const isPushable = await registry.mayPush(repository);
    const then = await registry.head(`${repository}:t`);
    if (behaviour.needsRepository === true) {
      expect(first).toEqual({state: 'absent'});
      expect(isPushable).toMatchObject({
        ok: false,
        error: {class: 'not-found', hint: expect.stringContaining('ECR')},
      });
    } else {
      expect(['absent', 'unknown']).toContain(first.state);
      if (first.state === 'unknown') expect(first.isDenied).toBe(true);
      expect(isPushable).toEqual({ok: true, value: undefined});
      expect(then.state).toBe('absent');
    }
    if (behaviour.cancel === undefined) expect(server.uploads.size).toBe(0);
  });

  it('put: the same bytes under another tag', async () => {
    const digest = add('t');
    const shown = await registry.manifest(`${repository}:t`);
    if (shown.state !== 'present') throw new Error('the fixture has this tag');
    expect(await registry.put(`${repository}:stable`, shown)).toEqual({ok: true, value: undefined});
    expect(await registry.waitForDigest(`${repository}:stable`, digest)).toMatchObject({ok: true});
    expect(await registry.put(`${repository}:stable`, shown)).toEqual({ok: true, value: undefined});
  });

  it('putImage and blob: a record goes in and comes out', async () => {
    add('other');
    const layer = Buffer.from('{"record":1}');
    const ref = `${repository}:rec-1`;
    const image = {
      config: Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers"}}'),
      layers: [{bytes: layer, mediaType: 'application/vnd.oci.image.layer.v1.tar'}],
    };
    const put = await registry.putImage(ref, image);
    expect(put).toMatchObject({ok: true});
    expect(await registry.head(ref)).toEqual({state: 'present', digest: put.ok && put.value});
    const blob = await registry.blob(repository, digestOf(layer));
    expect(blob.ok && Buffer.from(blob.value)).toEqual(layer);
    expect(server.uploads.size).toBe(0);
    // What is there is not uploaded again.
    const before = server.seen.length;
    await registry.putImage(`${repository}:rec-2`, image);
    expect(server.seen.slice(before).filter(({line}) => line.startsWith('POST'))).toEqual([]);
  });

  it('tags: all of them, and none of a repository that is not there', async () => {
    for (const tag of ['a', 'b', 'c', 'd', 'e']) add(tag);
    expect(await registry.tags(repository)).toEqual({ok: true, value: ['a', 'b', 'c', 'd', 'e']});
    expect(await registry.tags(`${server.host}/o/none`)).toEqual({ok: true, value: []});
  });

  it('deleteTag: the tag is gone, or this registry cannot', async () => {
    add('t');
    const deleted = await registry.deleteTag(`${repository}:t`);
    expect(deleted).toEqual({ok: true, value: behaviour.deleteTag === undefined});
    const state = behaviour.deleteTag === undefined ? 'absent' : 'present';
    expect(await registry.head(`${repository}:t`)).toMatchObject({state});
    expect(server.seen.filter(({line}) => /^DELETE.*sha256/.test(line))).toEqual([]);
  });
});

describe.each(Object.entries(registryKinds).filter(([, {auth}]) => auth !== undefined))(
  '%s, asked with a login that may only read',
  (_kind, behaviour) => {
    it('says that a push is not permitted, and leaves nothing open', async () => {
      const server = await startRegistry({...behaviour, isReadOnly: true});
      const {identityToken} = behaviour;
      const credentials: Credentials =
        identityToken === undefined ? login : {username: '', password: '', identityToken};
      const registry = createRegistry({credentials: new Map([[server.host, credentials]])});
      const asked = await registry.mayPush(`${server.host}/o/i`);
      expect(asked).toMatchObject({
        ok: false,
        error: {class: 'permission', hint: expect.stringContaining('permission to push')},
      });
      expect(server.uploads.size).toBe(0);
      await registry.close();
      await server.close();
    });
  },
);
