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

const type = 'application/vnd.oci.image.manifest.v1+json';
const body = Buffer.from(JSON.stringify({mediaType: type, layers: []}));
const there = {state: 'present', digest: digestOf(body)};

let server: RegistryServer;
let registry: Registry;
afterEach(async () => {
  await registry.close();
  await server.close();
});

/** A registry with one image, and how often this run had to try again. */
async function open(
  options: ServerOptions,
): Promise<{readonly ref: string; readonly notes: string[]}> {
  server = await startRegistry(options);
  server.manifests.set('o/i t', {body, type});
  const notes: string[] = [];
  registry = createRegistry({
    credentials: new Map([[server.host, login]]),
    wait: async () => undefined,
    onRetry: (note) => notes.push(note),
  });
  return {ref: `${server.host}/o/i:t`, notes};
}

const head = /^HEAD .*manifests/;
const manifests = /manifests/;
const token = /\/token/;
const code = (name: string): string => JSON.stringify({errors: [{code: name, message: 'm'}]});
const limited = 'You have exceeded a secondary rate limit';

describe('what passes is waited for, whoever says it and whatever was asked', () => {
  it.each<[string, ServerOptions, number]>([
    [
      'token service 500 twice',
      {auth: 'bearer', troubles: [{match: token, status: 500, times: 2}]},
      2,
    ],
    [
      'token service reset',
      {auth: 'bearer', troubles: [{match: token, status: 'reset', times: 1}]},
      1,
    ],
    ['token service 429', {auth: 'bearer', troubles: [{match: token, status: 429, times: 1}]}, 1],
    [
      'token service: a limit as 403',
      {auth: 'bearer', troubles: [{match: token, status: 403, body: limited, times: 1}]},
      1,
    ],
    [
      'token service: a page',
      {auth: 'bearer', troubles: [{match: token, status: 200, body: '<html>', times: 1}]},
      1,
    ],
    ['HEAD 503', {troubles: [{match: head, status: 503, times: 1}]}, 1],
    [
      'HEAD: a limit as 403',
      {
        auth: 'basic',
        troubles: [
          {match: head, status: 403, times: 1},
          {match: manifests, status: 403, body: limited, times: 1},
        ],
      },
      1,
    ],
    ['/v2/ 500', {troubles: [{match: /\/v2\/$/, status: 500, times: 1}]}, 1],
  ])('%s', async (_, options, tries) => {
    const {ref, notes} = await open(options);
    expect(await registry.head(ref)).toEqual(there);
    expect(notes).toHaveLength(tries);
  });
});

describe('GET decides', () => {
  it.each([400, 403, 404, 405, 500, 501])('where HEAD says %i', async (status) => {
    const {ref, notes} = await open({troubles: [{match: head, status}]});
    expect(await registry.head(ref)).toEqual(there);
    expect(notes).toEqual([]);
  });
  it.each<[string, Record<string, string>]>([
    ['no digest', {'content-type': type}],
    ['a digest that is none', {'docker-content-digest': 'sha256:zz'}],
  ])('where HEAD has %s', async (_, headers) => {
    const {ref} = await open({troubles: [{match: head, status: 200, headers}]});
    expect(await registry.head(ref)).toEqual(there);
  });
});

describe('neither present nor absent', () => {
  it.each<[string, number, Record<string, string>, string]>([
    ['a page as 404', 404, {'content-type': 'text/html'}, '<h1>Not found</h1>'],
    ['another code as 404', 404, {'content-type': 'application/json'}, code('SOMETHING')],
    [
      'errors of another shape',
      404,
      {'content-type': 'application/json'},
      '{"errors":{"code":"MANIFEST_UNKNOWN"}}',
    ],
    ['a page as 200', 200, {'content-type': 'text/html'}, '<html>'],
    ['nothing as 200', 200, {'content-type': 'text/plain'}, ''],
    ['204', 204, {}, ''],
    ['451', 451, {}, code('LEGAL')],
    [
      'a manifest of the first version',
      200,
      {'content-type': 'application/vnd.docker.distribution.manifest.v1+prettyjws'},
      '{}',
    ],
  ])('%s', async (_, status, headers, text) => {
    const {ref} = await open({troubles: [{match: manifests, status, headers, body: text}]});
    expect((await registry.head(ref)).state).toBe('unknown');
    expect((await registry.inspect(ref)).state).toBe('unknown');
  });

  it('a limit that looks like a refusal, also where a push is allowed', async () => {
    const {ref} = await open({
      auth: 'basic',
      troubles: [{match: manifests, status: 403, body: limited}],
    });
    expect(await registry.mayPush(ref.replace(/:t$/, ''))).toMatchObject({ok: true});
    const found = await registry.inspect(ref);
    expect(found).toMatchObject({
      state: 'unknown',
      because: expect.stringContaining('rate limiting'),
    });
    expect(found).not.toHaveProperty('isDenied');
  });
});

describe('a push that cannot be', () => {
  it.each<[number, string, string]>([
    [401, 'auth', 'username'],
    [403, 'permission', 'permission to push'],
    [404, 'not-found', 'Create it first'],
    [405, 'permission', 'a mirror'],
  ])('%i is %s, at once', async (status, kind, hint) => {
    const {ref, notes} = await open({
      auth: 'basic',
      troubles: [{match: /^POST/, status, body: code('X')}],
    });
    expect(await registry.mayPush(ref.replace(/:t$/, ''))).toMatchObject({
      ok: false,
      error: {class: kind, hint: expect.stringContaining(hint)},
    });
    expect(notes).toEqual([]);
  });
  it('a read that is refused asks for the right to read', async () => {
    const {ref} = await open({
      auth: 'basic',
      troubles: [{match: manifests, status: 403, body: code('DENIED')}],
    });
    expect(await registry.inspect(ref)).toMatchObject({
      because: expect.stringContaining('permission to read from this repository'),
    });
  });
});
