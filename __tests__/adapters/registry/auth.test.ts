import fc from 'fast-check';
import {afterEach, describe, expect, it} from 'vitest';
import {parseChallenges} from '../../../src/adapters/registry/auth.ts';
import {createRegistry} from '../../../src/adapters/registry/index.ts';
import type {Credentials, Registry} from '../../../src/adapters/registry/types.ts';
import {
  login,
  type RegistryServer,
  type ServerOptions,
  startRegistry,
} from '../../support/servers/registry-server.ts';

describe('parseChallenges', () => {
  const bearer = {realm: 'https://a.example/token', service: 'a,b', scope: 'repository:o/i:pull'};
  const text = 'realm="https://a.example/token",service="a,b",scope="repository:o/i:pull"';
  it.each<[string, readonly [string, Record<string, string>][]]>([
    ['', []],
    ['Negotiate', []],
    [`Bearer ${text}`, [['bearer', bearer]]],
    [`bearer  ${text}`, [['bearer', bearer]]],
    ['Basic realm="r"', [['basic', {realm: 'r'}]]],
    ['Basic', [['basic', {}]]],
    ['Negotiate, Basic realm="r"', [['basic', {realm: 'r'}]]],
    ['Negotiate YIIabc==, Basic realm=r', [['basic', {realm: 'r'}]]],
    [
      `Basic realm="r", Bearer ${text}`,
      [
        ['basic', {realm: 'r'}],
        ['bearer', bearer],
      ],
    ],
    [
      `Bearer ${text}, Basic realm="Bearer realm"`,
      [
        ['bearer', bearer],
        ['basic', {realm: 'Bearer realm'}],
      ],
    ],
    ['Digest realm="x", nonce="y", Basic realm="say \\"hi\\""', [['basic', {realm: 'say "hi"'}]]],
    [
      'Bearer realm = "https://a.example" , service = s',
      [['bearer', {realm: 'https://a.example', service: 's'}]],
    ],
    ['Bearer Realm="https://a.example"', [['bearer', {realm: 'https://a.example'}]]],
  ])('reads %j', (header, expected) => {
    const found = parseChallenges(header).map(({scheme, parameters}) => [
      scheme,
      Object.fromEntries(parameters),
    ]);
    expect(found).toEqual(expected);
  });

  it('reads anything, in linear time', () => {
    fc.assert(
      fc.property(fc.string({maxLength: 200}), (header) => Array.isArray(parseChallenges(header))),
    );
    expect(parseChallenges(`Bearer realm="${'\\'.repeat(100_000)}`)).toHaveLength(1);
    expect(parseChallenges(' ,'.repeat(50_000))).toEqual([]);
  });
});

let server: RegistryServer;
let registry: Registry;
let waits: number;
afterEach(async () => {
  await registry?.close();
  await server?.close();
});
async function open(options: ServerOptions, credentials: Credentials | undefined = login) {
  server = await startRegistry(options);
  waits = 0;
  registry = createRegistry({
    credentials: new Map([[server.host, credentials]]),
    version: '1.2.3',
    wait: async () => void waits++,
  });
}
const ref = (tag: string): string => `${server.host}/o/i:${tag}`;
const tokens = () => server.seen.filter(({line}) => line.includes('/token'));

describe('schemes', () => {
  it.each<[string, readonly string[]]>([
    ['passes over what it does not know', ['Negotiate', 'Basic realm="r"']],
    ['reads several in one header', ['NTLM, Basic realm="r"']],
    [
      'tries Basic where the token service has nothing',
      ['Bearer realm="http://{host}/none"', 'Basic realm="r"'],
    ],
    [
      'tries Basic where the token does not let in',
      ['Bearer realm="http://{host}/token"', 'Basic realm="r"'],
    ],
    ['tries Basic where a realm is nonsense', ['Bearer realm="ftp://x"', 'Basic realm="r"']],
  ])('%s', async (_, challenge) => {
    await open({auth: 'basic', challenge});
    expect(await registry.head(ref('t'))).toEqual({state: 'absent'});
    expect(waits).toBe(0);
  });

  it('sends the password where only unknown ones are offered', async () => {
    await open({auth: 'basic', challenge: ['Negotiate']});
    expect(await registry.head(ref('t'))).toEqual({state: 'absent'});
  });
});

describe('the first request', () => {
  it('carries the login, for nothing is told to strangers', async () => {
    await open({auth: 'bearer', hidesWith404: true});
    const body = Buffer.from('{"mediaType":"application/vnd.oci.image.manifest.v1+json"}');
    server.manifests.set('o/i t', {body, type: 'application/vnd.oci.image.manifest.v1+json'});
    expect((await registry.head(ref('t'))).state).toBe('present');
    const asked = server.seen.filter(({line}) => line.includes('/manifests/'));
    expect(asked.map(({authorization}) => authorization)).toEqual(['Bearer t0']);
  });

  it('carries it too where /v2/ is open to all', async () => {
    await open({auth: 'basic', isPingOpen: true, hidesWith404: true});
    const body = Buffer.from('{"mediaType":"application/vnd.oci.image.manifest.v1+json"}');
    server.manifests.set('o/i t', {body, type: 'application/vnd.oci.image.manifest.v1+json'});
    expect((await registry.head(ref('t'))).state).toBe('present');
  });

  it('names this program', async () => {
    await open({});
    await registry.head(ref('t'));
    expect(new Set(server.seen.map(({userAgent}) => userAgent))).toEqual(
      new Set(['stack-action/1.2.3']),
    );
  });
});

describe('tokens', () => {
  it('are asked for with the scope that a refusal names', async () => {
    const challenge = 'Bearer realm="http://{host}/token",service="s",scope="a:b:pull c:d:pull"';
    await open({auth: 'bearer', tokenUses: 1, challenge: [challenge]});
    await registry.head(ref('t'));
    const scopes = tokens().map(({line}) =>
      new URL(line.slice(4), 'http://x').searchParams.getAll('scope'),
    );
    expect(scopes[0]).toEqual(['repository:o/i:pull']);
    expect(scopes.slice(1)).toContainEqual(['a:b:pull', 'c:d:pull']);
  });

  it('come from where the token service moved to, and by either name', async () => {
    await open({auth: 'bearer', redirectsToken: true, tokenField: 'access_token'});
    expect(await registry.head(ref('t'))).toEqual({state: 'absent'});
    expect(server.seen.map(({line}) => line.split('?')[0])).toContain('GET /moved');
  });

  it('do not come from a service that moved to another host', async () => {
    const other = await startRegistry({auth: 'bearer'});
    const location = `http://${other.host}/token`;
    await open({auth: 'bearer', troubles: [{match: /\/token/, status: 307, headers: {location}}]});
    expect(await registry.head(ref('t'))).toMatchObject({state: 'unknown'});
    expect(other.seen.map(({authorization}) => authorization)).toEqual([undefined]);
    await other.close();
  });

  it.each([400, 401, 403, 404, 422])('are not asked for again after %i', async (status) => {
    const body = '{"errors":[{"code":"UNAUTHORIZED","message":"no"}]}';
    await open({auth: 'bearer', troubles: [{match: /\/token/, status, body}]});
    expect(await registry.manifest(ref('t'))).toMatchObject({
      state: 'unknown',
      because: expect.stringMatching(
        /the token service 127\S+ returned 4\d\d UNAUTHORIZED: no\. Check/,
      ),
      failure: {class: 'auth', hint: expect.stringContaining('"password"')},
    });
    const isDenied = status === 401 || status === 403 ? {isDenied: true} : {};
    expect(await registry.head(ref('u'))).toMatchObject({state: 'unknown', ...isDenied});
    expect(tokens()).toHaveLength(2);
    expect(waits).toBe(0);
  });

  it.each(['no JSON', '{"token":7}', '{}', '<html>'])('are not %s', async (body) => {
    await open({auth: 'bearer', troubles: [{match: /\/token/, status: 200, body}]});
    expect(await registry.head(ref('t'))).toMatchObject({state: 'unknown'});
  });

  it('are renewed once, and not for ever', async () => {
    await open({auth: 'bearer', troubles: [{match: /manifests\/u$/, status: 401}]});
    await registry.head(ref('t'));
    const before = tokens().length;
    expect(await registry.manifest(ref('u'))).toMatchObject({failure: {class: 'auth'}});
    expect(tokens().length - before).toBeLessThanOrEqual(2);
    expect(server.seen.length).toBeLessThan(12);
  });

  it('come for an identity token, by POST, which is sent nowhere else', async () => {
    await open(
      {auth: 'bearer', identityToken: 'refresh me'},
      {username: '', password: '', identityToken: 'refresh me'},
    );
    expect(await registry.head(ref('t'))).toEqual({state: 'absent'});
    expect(tokens().map(({line}) => line)).toEqual(['POST /token?service=s']);
    const form = new URLSearchParams(tokens()[0]?.body);
    expect(Object.fromEntries(form)).toEqual({
      grant_type: 'refresh_token',
      refresh_token: 'refresh me',
      service: 's',
      scope: 'repository:o/i:pull',
      client_id: 'stack-action',
    });
    const others = server.seen.filter(({line}) => !line.includes('/token'));
    expect(JSON.stringify(others)).not.toContain('refresh');
  });

  it('are those of the configuration, where it has one', async () => {
    await open({auth: 'bearer'}, {username: '', password: '', registryToken: 'mine'});
    await registry.head(ref('t'));
    expect(server.seen.at(1)?.authorization).toBe('Bearer mine');
  });
});

describe('what is said of a login', () => {
  it('is nothing but the hint to give one, without one', async () => {
    server = await startRegistry({auth: 'basic'});
    registry = createRegistry({});
    const answer = await registry.head(ref('t'));
    expect(answer).toEqual({
      state: 'unknown',
      because: expect.stringMatching(/returned 401 UNAUTHORIZED: .*\. No login for 127/),
    });
    expect(await registry.mayPush(`${server.host}/o/i`)).toMatchObject({
      ok: false,
      error: {class: 'auth'},
    });
  });

  it('is where it comes from, and why there is none', async () => {
    server = await startRegistry({auth: 'basic'});
    const problem = 'docker-credential-x failed: no region';
    registry = createRegistry({logins: async () => ({credentials: undefined, from: 'x', problem})});
    expect(await registry.head(ref('t'))).toMatchObject({
      because: expect.stringContaining(problem),
    });
    await registry.close();
    const credentials = {username: 'someone', password: 'wrong'};
    registry = createRegistry({logins: async () => ({credentials, from: '/home/u/config.json'})});
    expect(await registry.head(ref('t'))).toMatchObject({
      because: expect.stringContaining('comes from /home/u/config.json'),
    });
  });
});
