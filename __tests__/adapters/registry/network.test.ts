import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {proxyFor, proxyPasswords} from '../../../src/adapters/http/proxies.ts';
import {createRegistry} from '../../../src/adapters/registry/index.ts';
import {hostOf, insecureHosts} from '../../../src/adapters/registry/network.ts';
import type {RegistryOptions} from '../../../src/adapters/registry/request.ts';
import {makeCertificates} from '../../support/servers/certificates.ts';
import {startHttpProxy} from '../../support/servers/http-proxy.ts';
import {login, type RegistryServer, startRegistry} from '../../support/servers/registry-server.ts';
import {type SocksOptions, startSocksProxy} from '../../support/servers/socks-proxy.ts';

it.each([
  ['ghcr.io', 'ghcr.io'],
  ['https://ghcr.io/', 'ghcr.io'],
  ['http://r.example:5000/v2/', 'r.example:5000'],
  ['https://index.docker.io/v1/', 'docker.io'],
  ['registry-1.docker.io', 'docker.io'],
  ['docker.io', 'docker.io'],
  ['GHCR.io/acme', 'GHCR.io'],
  ['https://me@r.example/v2/', 'r.example'],
  ['HTTPS://Index.Docker.IO/v1/', 'docker.io'],
])('%s is the host %s', (name, host) => {
  expect(hostOf(name)).toBe(host);
});

describe('proxies', () => {
  const proxy = 'http://proxy:3128';
  it.each<[string, Record<string, string>, string | undefined]>([
    ['https://r.example', {}, undefined],
    ['https://r.example', {HTTPS_PROXY: proxy}, proxy],
    ['https://r.example', {https_proxy: proxy}, proxy],
    ['https://r.example', {HTTPS_PROXY: proxy, https_proxy: 'http://other'}, proxy],
    ['https://r.example', {HTTPS_PROXY: 'proxy:3128'}, proxy],
    ['https://r.example', {HTTP_PROXY: proxy}, undefined],
    ['http://r.example', {HTTP_PROXY: proxy}, proxy],
    ['http://127.0.0.1:5000', {HTTP_PROXY: proxy}, undefined],
    ['https://localhost:5000', {HTTPS_PROXY: proxy}, undefined],
    ['http://[::1]:5000', {HTTP_PROXY: proxy}, undefined],
    ['https://r.example', {HTTPS_PROXY: proxy, NO_PROXY: '*'}, undefined],
    ['https://r.example', {HTTPS_PROXY: proxy, no_proxy: 'r.example'}, undefined],
    ['https://sub.r.example', {HTTPS_PROXY: proxy, NO_PROXY: 'a, R.Example'}, undefined],
    ['https://sub.r.example', {HTTPS_PROXY: proxy, NO_PROXY: '.r.example'}, undefined],
    ['https://r.example', {HTTPS_PROXY: proxy, NO_PROXY: '.r.example'}, proxy],
    ['https://sub.r.example', {HTTPS_PROXY: proxy, NO_PROXY: '*.r.example'}, undefined],
    ['https://other-r.example', {HTTPS_PROXY: proxy, NO_PROXY: 'r.example'}, proxy],
    ['https://r.example', {HTTPS_PROXY: proxy, NO_PROXY: 'r.example:443'}, undefined],
    ['https://r.example:5000', {HTTPS_PROXY: proxy, NO_PROXY: 'r.example:443'}, proxy],
    ['https://10.1.2.3', {HTTPS_PROXY: proxy, NO_PROXY: '10.0.0.0/8'}, undefined],
    ['https://11.1.2.3', {HTTPS_PROXY: proxy, NO_PROXY: '10.0.0.0/8'}, proxy],
    ['https://[fd00::1]', {HTTPS_PROXY: proxy, NO_PROXY: 'fd00::/8'}, undefined],
    ['https://10.1.2.3', {HTTPS_PROXY: proxy, NO_PROXY: '10.1.2.3,,'}, undefined],
    ['https://r.example', {HTTPS_PROXY: proxy, NO_PROXY: ',10.0.0.0/99,'}, proxy],
  ])('%s with %j goes through %s', (url, env, expected) => {
    expect(proxyFor(new URL(url), env)).toBe(expected);
  });
});

it.each<[Record<string, string>, readonly string[]]>([
  [{}, []],
  [{HTTPS_PROXY: 'http://proxy:3128'}, []],
  [{HTTPS_PROXY: 'http://user@proxy:3128'}, []],
  [{https_proxy: 'user:se%40cret@proxy:3128'}, ['se%40cret', 'se@cret']],
  [
    {HTTP_PROXY: 'socks5://u:a:b@c@proxy:1', ALL_PROXY: 'http://:bad%zz@h'},
    ['a:b@c', 'a:b@c', 'bad%zz', 'bad%zz'],
  ],
])('of %j the passwords are %j', (env, expected) => {
  expect(proxyPasswords(env)).toEqual(expected);
});

describe('what the engine lists as insecure', () => {
  const isInsecure = insecureHosts({
    IndexConfigs: {
      'docker.io': {Secure: true},
      'lab.example:5000': {Secure: false},
    },
    InsecureRegistryCIDRs: ['::1/128', '127.0.0.0/8', '0.0.0.0/32'],
  });
  it.each([
    ['lab.example:5000', true],
    ['lab.example', false],
    ['docker.io', false],
    ['localhost:5000', true],
    ['0.0.0.0:5000', true],
    ['10.0.0.1:5000', false],
    ['no.such.invalid', false],
  ])('%s: %s', async (host, expected) => {
    expect(await isInsecure(host)).toBe(expected);
  });
  it('is nothing where docker says nothing', async () => {
    expect(await insecureHosts({})('127.0.0.1:5000')).toBe(false);
  });
});

describe('the way to a host', () => {
  let folder: string;
  const closing: {close(): Promise<void>}[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'network-'));
  });
  afterEach(async () => {
    for (const one of closing.splice(0)) await one.close();
    rmSync(folder, {recursive: true});
  });
  const keep = <T extends {close(): Promise<void>}>(one: T): T => {
    closing.push(one);
    return one;
  };
  const open = (more: Partial<RegistryOptions> = {}) => {
    const notes: string[] = [];
    const registry = keep(
      createRegistry({
        env: {},
        certificateFolders: [folder],
        onRetry: (note) => notes.push(note),
        wait: async () => undefined,
        ...more,
      }),
    );
    return {registry, notes};
  };
  // Linux takes this address for its own, but it is not one of the loopback.
  const outside = ({port}: RegistryServer): string => `0.0.0.0:${port}`;
  const trust = (host: string, files: Record<string, string>): void => {
    mkdirSync(join(folder, host));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, host, name), text);
  };

  it('trusts the authority in certs.d, and says where it belongs when it is not there', async () => {
    const {ca, identities} = makeCertificates(folder, ['IP:0.0.0.0']);
    const [tls] = identities;
    if (tls === undefined) throw new Error('one was asked for');
    const server = keep(await startRegistry({tls, auth: 'basic'}));
    const host = outside(server);
    const {registry, notes} = open();
    expect(await registry.head(`${host}/o/i:t`)).toMatchObject({
      state: 'unknown',
      because: expect.stringContaining(`/etc/docker/certs.d/${host}/ca.crt`),
    });
    expect(notes).toEqual([]);
    expect(server.seen).toEqual([]);
    trust(host, {'ca.crt': ca});
    const trusting = open({credentials: new Map([[host, login]])}).registry;
    expect(await trusting.head(`${host}/o/i:t`)).toEqual({state: 'absent'});
  });

  it('shows the certificate of the client that certs.d has for the host', async () => {
    const {ca, identities} = makeCertificates(folder, ['IP:0.0.0.0', 'DNS:client']);
    const [tls, client] = identities;
    if (tls === undefined || client === undefined) throw new Error('two were asked for');
    const server = keep(await startRegistry({tls: {...tls, ca}}));
    const host = outside(server);
    trust(host, {'ca.crt': ca, 'client.cert': client.cert, 'client.key': client.key});
    expect(await open().registry.head(`${host}/o/i:t`)).toEqual({state: 'absent'});
  });

  it('speaks plain http, or takes any certificate, only where the engine lists the host', async () => {
    const {identities} = makeCertificates(folder, ['IP:0.0.0.0']);
    const [tls] = identities;
    const asked: string[] = [];
    for (const options of [{}, tls === undefined ? {} : {tls}]) {
      const server = keep(await startRegistry(options));
      const host = outside(server);
      const strict = open({isInsecure: async () => false});
      expect(await strict.registry.head(`${host}/o/i:t`)).toMatchObject({state: 'unknown'});
      expect(strict.notes).toEqual([]);
      expect(server.seen).toEqual([]);
      const {registry} = open({isInsecure: async (name) => asked.push(name) > 0});
      expect(await registry.head(`${host}/o/i:t`)).toEqual({state: 'absent'});
      await registry.head(`${host}/o/i:u`);
      expect(asked.splice(0)).toEqual([host]);
    }
  });

  it('says that a registry has no TLS, and what to do', async () => {
    const server = keep(await startRegistry());
    expect(await open().registry.head(`${outside(server)}/o/i:t`)).toMatchObject({
      state: 'unknown',
      because: expect.stringContaining('"insecure-registries" in /etc/docker/daemon.json'),
    });
  });

  it('tries TLS first on loopback, with any certificate', async () => {
    const [tls] = makeCertificates(folder, ['DNS:other.example']).identities;
    const server = keep(await startRegistry(tls === undefined ? {} : {tls}));
    expect(await open().registry.head(`${server.host}/o/i:t`)).toEqual({state: 'absent'});
  });

  it('uploads over TLS, though a proxy in front lets the registry name itself without', async () => {
    const [tls] = makeCertificates(folder, ['DNS:other.example']).identities;
    if (tls === undefined) throw new Error('one was asked for');
    const server = keep(await startRegistry({tls, location: 'plain', auth: 'basic'}));
    const {registry} = open({credentials: new Map([[server.host, login]])});
    const image = {config: Buffer.from('{}'), layers: []};
    expect(await registry.putImage(`${server.host}/o/i:t`, image)).toMatchObject({ok: true});
    expect(await registry.mayPush(`${server.host}/o/i`)).toMatchObject({ok: true});
    expect(server.uploads.size).toBe(0);
  });

  it('fails once for all references on a name that does not resolve', async () => {
    const {registry, notes} = open();
    const refs = Array.from({length: 50}, (_, index) => `no.such.invalid/o/i${index}:t`);
    const answers = await Promise.all(refs.map((ref) => registry.head(ref)));
    const sentences = new Set(answers.map((one) => one.state === 'unknown' && one.because));
    expect(sentences.size).toBe(1);
    expect([...sentences][0]).toMatch(/^no\.such\.invalid: the name of the registry cannot be/);
    expect(notes).toEqual([]);
  });

  it('goes through the proxy, with its password, where no DNS would help', async () => {
    const {ca, identities} = makeCertificates(folder, ['DNS:reg.invalid']);
    const [tls] = identities;
    const server = keep(await startRegistry(tls === undefined ? {} : {tls}));
    const proxy = keep(await startHttpProxy(server.port));
    trust('reg.invalid', {'ca.crt': ca});
    const env = {HTTPS_PROXY: proxy.url.replace('//', '//user:secret@')};
    const {registry} = open({env});
    expect(await registry.head('reg.invalid/o/i:t')).toEqual({state: 'absent'});
    const basic = `Basic ${Buffer.from('user:secret').toString('base64')}`;
    expect(proxy.seen[0]).toEqual({line: 'CONNECT reg.invalid:443', authorization: basic});
    const direct = open({env: {...env, NO_PROXY: 'reg.invalid'}}).registry;
    expect(await direct.head('reg.invalid/o/i:t')).toMatchObject({state: 'unknown'});
    // Loopback is direct.
    const before = proxy.seen.length;
    expect((await registry.head(`${server.host}/o/i:t`)).state).toBe('absent');
    expect(proxy.seen).toHaveLength(before);
  });

  it('goes through the proxy to a registry without TLS', async () => {
    const server = keep(await startRegistry());
    const proxy = keep(await startHttpProxy(server.port));
    const {registry} = open({
      env: {HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url},
      isInsecure: async () => true,
    });
    expect(await registry.head('reg.invalid/o/i:t')).toEqual({state: 'absent'});
    expect(proxy.seen.map(({line}) => line)).toContain('GET http://reg.invalid/v2/');
  });

  it.each([
    ['socks4://user:secret@127.0.0.1:9', '"socks4" is not a kind of proxy that is supported'],
    ['http://[', 'Invalid proxy URL'],
  ])('says at once that %s cannot be the proxy', async (address, words) => {
    const {registry, notes} = open({env: {HTTPS_PROXY: address}});
    const answer = await registry.head('reg.invalid/o/i:t');
    expect(notes).toEqual([]);
    expect(answer).toMatchObject({because: expect.stringContaining(words)});
    expect(JSON.stringify(answer)).not.toContain('secret');
  });

  describe('a SOCKS proxy', () => {
    it.each([
      ['socks5', '', undefined],
      ['socks5h', '', undefined],
      ['socks5', 'us%20er:s%40cret@', 'us er:s@cret'],
      ['SOCKS5', 'unasked:for@', undefined],
    ])(
      '%s://%s carries TLS and plain registries, and resolves their names',
      async (kind, own, asked) => {
        const {ca, identities} = makeCertificates(folder, ['DNS:reg.invalid']);
        const [tls] = identities;
        if (tls === undefined) throw new Error('one was asked for');
        const server = keep(await startRegistry({tls, auth: 'bearer'}));
        const login = asked === undefined ? {} : {login: asked};
        const proxy = keep(await startSocksProxy({port: server.port, ...login}));
        trust('reg.invalid', {'ca.crt': ca});
        const env = {HTTPS_PROXY: `${kind}://${own}${proxy.address}`};
        const {registry} = open({
          env,
          credentials: new Map([['reg.invalid', {username: 'someone', password: 'right'}]]),
        });
        expect((await registry.head('reg.invalid/o/i:t')).state).toBe('unknown');
        expect(proxy.seen.map(({kind: one, name}) => [one, name])).toContainEqual([
          3,
          'reg.invalid:443',
        ]);
        expect(proxy.seen[0]?.login ?? '').toBe(asked ?? '');
        expect(server.seen.map(({line}) => line)).toContain('GET /v2/');

        const plain = keep(await startRegistry());
        const other = keep(await startSocksProxy({port: plain.port}));
        const plainly = open({
          env: {
            HTTP_PROXY: `${kind}://${other.address}`,
            HTTPS_PROXY: `${kind}://${other.address}`,
          },
          isInsecure: async () => true,
        });
        expect(await plainly.registry.head('reg.invalid:8080/o/i:t')).toEqual({state: 'absent'});
        expect(other.seen.at(-1)).toEqual({kind: 3, name: 'reg.invalid:8080', login: ''});
      },
    );

    it('gets addresses as addresses', async () => {
      const plain = keep(await startRegistry());
      const proxy = keep(await startSocksProxy({port: plain.port}));
      const env = {
        HTTP_PROXY: `socks5://${proxy.address}`,
        HTTPS_PROXY: `socks5://${proxy.address}`,
      };
      const {registry} = open({env, isInsecure: async () => true});
      for (const host of ['10.1.2.3:81', '[fd00::1:2]:82', '[::ffff:a01:203]:83'])
        expect(await registry.head(`${host}/o/i:t`)).toEqual({state: 'absent'});
      expect(new Set(proxy.seen.map(({kind, name}) => `${kind} ${name}`))).toEqual(
        new Set([
          '1 0a010203:81',
          '4 fd000000000000000000000000010002:82',
          '4 00000000000000000000ffff0a010203:83',
        ]),
      );
    });

    it.each<[string, Partial<SocksOptions>, string, boolean]>([
      ['forbids the host', {answer: 2}, 'does not allow the connection', true],
      ['cannot resolve it', {answer: 4}, 'cannot reach the host, or resolve its name', false],
      ['fails in a way of its own', {answer: 99}, 'could not connect (99)', false],
      ['wants another login', {login: 'a:b'}, 'refused its user name and password', true],
      [
        'is another kind of server',
        {greeting: 'HTTP/1.0 400 Bad Request\r\n\r\n'},
        'does not speak SOCKS 5',
        true,
      ],
      ['goes away', {greeting: ''}, 'closed the connection', false],
    ])('that %s is named, without its password', async (_, more, words, isFinal) => {
      const proxy = keep(await startSocksProxy({port: 1, ...more}));
      const {registry, notes} = open({env: {HTTPS_PROXY: `socks5://user:secret@${proxy.address}`}});
      const answer = await registry.head('reg.invalid/o/i:t');
      expect(answer).toMatchObject({state: 'unknown', because: expect.stringContaining(words)});
      expect(answer).toMatchObject({because: expect.stringContaining(proxy.address)});
      expect(JSON.stringify([answer, notes])).not.toContain('secret');
      expect(notes.length === 0).toBe(isFinal);
    });
  });

  it('names the proxy that refused, but not its password', async () => {
    const proxy = keep(await startHttpProxy(1, true));
    const env = {HTTPS_PROXY: proxy.url.replace('//', '//user:secret@')};
    const {registry, notes} = open({env});
    const answer = await registry.head('reg.invalid/o/i:t');
    expect(notes).toEqual([]);
    expect(answer).toMatchObject({because: expect.stringContaining('HTTPS_PROXY')});
    expect(JSON.stringify(answer)).not.toContain('secret');
  });
});
