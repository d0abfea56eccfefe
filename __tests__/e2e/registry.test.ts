import {execFileSync} from 'node:child_process';
import {randomUUID} from 'node:crypto';
import {mkdtempSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {createRegistry} from '../../src/adapters/registry/index.ts';
import type {Registry} from '../../src/adapters/registry/types.ts';
import {type FaultProxy, startFaultProxy} from '../support/servers/fault-proxy.ts';
import {pushImage, pushIndex} from '../support/servers/push-image.ts';

const host = process.env['REGISTRY'] ?? '127.0.0.1:5000';
const layers = [Buffer.from('first layer'), Buffer.from('second layer')];

let repository: string;
let proxy: FaultProxy;
let registry: Registry;

beforeEach(async () => {
  repository = `registry-${randomUUID().slice(0, 8)}/image`;
  proxy = await startFaultProxy(host, []);
  registry = createRegistry({credentials: new Map()});
});

afterEach(async () => {
  await registry.close();
  await proxy.close();
});

const ref = (tag: string): string => `${proxy.host}/${repository}:${tag}`;
const recipe = (tag: string) => ({host, repository, tag, layers});

function docker(...args: readonly string[]): string {
  return execFileSync('docker', args, {encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']}).trim();
}

/** An image that the docker CLI built and pushed; its digest as docker says it, and its id. */
function pushWithDocker(tag: string): {digest: string; diffIds: readonly string[]; id: string} {
  const context = mkdtempSync(join(tmpdir(), 'image-'));
  writeFileSync(join(context, 'file'), repository);
  writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nLABEL who=docker\nCOPY file /file\n');
  const name = `${host}/${repository}:${tag}`;
  docker('build', '--quiet', '--provenance=false', '--tag', name, context);
  const digest = /sha256:[0-9a-f]{64}/.exec(docker('push', name))?.[0] ?? '';
  const facts = JSON.parse(docker('image', 'inspect', name)) as readonly [
    {Id: string; RootFS: {Layers: readonly string[]}},
  ];
  docker('image', 'rm', '--force', name);
  return {digest, diffIds: facts[0].RootFS.Layers, id: facts[0].Id};
}

describe('a real registry', () => {
  it('shows what docker pushed, as docker knows it', async () => {
    const {digest, diffIds, id} = pushWithDocker('docker');
    expect(await registry.head(ref('docker'))).toEqual({state: 'present', digest});
    const found = await registry.inspect(ref('docker'));
    expect(found).toMatchObject({state: 'present', digest, diffIds});
    if (found.state !== 'present') throw new Error('seen one line above');
    expect(found.labels.get('who')).toBe('docker');
    // With the containerd store an image's id is the digest of its manifest.
    expect([found.configDigest, found.digest]).toContain(id);
    expect(proxy.seen.filter((line) => line.startsWith('GET'))).toEqual([
      'GET /v2/',
      expect.stringContaining('/manifests/'),
      expect.stringContaining('/blobs/'),
    ]);
  });

  it('says absent of a tag and of a repository that it does not have', async () => {
    await pushImage(recipe('there'));
    for (const name of [ref('other'), `${proxy.host}/${repository}/none:there`]) {
      expect(await registry.head(name)).toEqual({state: 'absent'});
      expect(await registry.manifest(name)).toEqual({state: 'absent'});
      expect(await registry.inspect(name)).toEqual({state: 'absent'});
    }
  });

  it('shows the first image behind an index, in three requests after the first', async () => {
    const {digest, diffIds} = await pushIndex(recipe('index'));
    expect(await registry.inspect(ref('index'))).toMatchObject({
      state: 'present',
      digest,
      diffIds,
      mediaType: 'application/vnd.oci.image.index.v1+json',
    });
    expect(proxy.seen).toHaveLength(4);
  });

  it.each([
    ['an image', pushImage],
    ['an index', pushIndex],
  ] as const)('gives %s another tag: same bytes, same digest, no blob', async (_, push) => {
    const {digest} = await push(recipe('source'));
    const found = await registry.manifest(ref('source'));
    if (found.state !== 'present') throw new Error('it was pushed one line above');
    expect(await registry.put(ref('target'), found)).toEqual({ok: true, value: undefined});
    expect(await registry.waitForDigest(ref('target'), digest)).toMatchObject({ok: true});
    expect(await registry.manifest(ref('target'))).toEqual(found);
    expect(proxy.seen.filter((line) => line.includes('/blobs/'))).toEqual([]);
  });

  it('never deletes more than a tag', async () => {
    const {digest} = await pushImage(recipe('one'));
    await pushImage(recipe('two'));
    const deleted = await registry.deleteTag(ref('one'));
    if (!deleted.ok) throw new Error(deleted.error.message);
    const one = await registry.head(ref('one'));
    expect(one.state).toBe(deleted.value ? 'absent' : 'present');
    expect(await registry.head(ref('two'))).toEqual({state: 'present', digest});
    expect(proxy.seen.filter((line) => /^DELETE .*sha256/.test(line))).toEqual([]);
  });

  it('refuses a manifest whose blobs it does not have, after asking again', async () => {
    const other = await pushImage({...recipe('x'), repository: `${repository}-other`});
    const found = await registry.manifest(`${proxy.host}/${repository}-other:x`);
    if (found.state !== 'present') throw new Error('it was pushed one line above');
    const quick = createRegistry({credentials: new Map(), wait: async () => undefined});
    const put = await quick.put(ref('target'), found);
    await quick.close();
    expect(put).toMatchObject({ok: false, error: {class: 'registry-unavailable'}});
    expect(proxy.seen.filter((line) => line.startsWith('PUT'))).toHaveLength(5);
    expect(found.digest).toBe(other.digest);
  });
});
