import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import {runCommand} from '../../../src/adapters/process/index.ts';
import {createLogins, type LoginSources} from '../../../src/adapters/registry/credentials.ts';
import type {Credentials} from '../../../src/adapters/registry/types.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'logins-'));
  mkdirSync(join(folder, 'bin'));
  vi.stubEnv('DOCKER_CONFIG', folder);
  vi.stubEnv('DOCKER_AUTH_CONFIG', undefined);
  vi.stubEnv('PATH', `${join(folder, 'bin')}:${process.env['PATH']}`);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, {recursive: true});
});

const write = (config: unknown): void =>
  writeFileSync(
    join(folder, 'config.json'),
    typeof config === 'string' ? config : JSON.stringify(config),
  );
/** A credential helper: the script sees the server in $server and writes its questions down. */
const helper = (name: string, script: string): void =>
  writeFileSync(
    join(folder, 'bin', `docker-credential-${name}`),
    `#!/bin/sh\nserver=$(cat)\necho "$1 $server" >> ${folder}/asked\n${script}\n`,
    {mode: 0o755},
  );
const loginsOf = (more: Partial<LoginSources> = {}) => createLogins({run: runCommand, ...more});
const find = async (host: string, more: Partial<LoginSources> = {}) =>
  (await loginsOf(more)(host)).credentials;
const auth = (text: string): object => ({auth: Buffer.from(text).toString('base64')});
const login = (username: string, password: string): Credentials => ({username, password});

describe('the file', () => {
  it.each<[string, unknown, Credentials | undefined]>([
    ['auth', auth('octocat:pass:word'), login('octocat', 'pass:word')],
    ['username and password', {username: 'u', password: 'p'}, login('u', 'p')],
    [
      'an identity token',
      {...auth('0000:'), identitytoken: 'it'},
      {...login('', ''), identityToken: 'it'},
    ],
    ['a registry token', {registrytoken: 'rt'}, {...login('', ''), registryToken: 'rt'}],
    ['an empty entry of a store', {}, undefined],
    ['a user without a password', auth('octocat:'), undefined],
    ['nonsense', {auth: 7}, undefined],
    ['no object', 'text', undefined],
  ])('reads %s', async (_, entry, expected) => {
    write({auths: {'r.example': entry}});
    expect(await find('r.example')).toEqual(expected);
    expect(await find('other.example')).toBeUndefined();
  });

  it.each(['no JSON', '[]', '{"auths":[]}', '{"auths":null,"credHelpers":3}', ''])(
    'takes %s for none',
    async (text) => {
      write(text);
      expect(await find('r.example')).toBeUndefined();
    },
  );

  it.each([
    'r.example:5000',
    'https://r.example:5000',
    'http://r.example:5000/',
    'https://r.example:5000/v1/',
    'r.example:5000/v2/',
  ])('knows a host written as %s', async (key) => {
    write({auths: {[key]: auth('u:p')}});
    expect(await find('r.example:5000')).toEqual(login('u', 'p'));
    expect(await find('r.example')).toBeUndefined();
  });

  it.each(['https://index.docker.io/v1/', 'docker.io', 'index.docker.io', 'registry-1.docker.io'])(
    'knows Docker Hub as %s, whichever of its names is asked for',
    async (key) => {
      write({auths: {[key]: auth('u:p')}});
      for (const name of ['docker.io', 'index.docker.io', 'https://index.docker.io/v1/'])
        expect(await find(name)).toEqual(login('u', 'p'));
    },
  );

  it('prefers the spelling that docker writes itself', async () => {
    write({auths: {'https://r.example/v1/': auth('old:p'), 'r.example': auth('new:p')}});
    expect(await find('r.example')).toEqual(login('new', 'p'));
  });

  it('reads DOCKER_AUTH_CONFIG before the file', async () => {
    write({auths: {'r.example': auth('file:p'), 'other.example': auth('file:p')}});
    vi.stubEnv('DOCKER_AUTH_CONFIG', JSON.stringify({auths: {'r.example': auth('env:p')}}));
    expect(await find('r.example')).toEqual(login('env', 'p'));
    expect(await find('other.example')).toEqual(login('file', 'p'));
  });
});

describe('credential helpers', () => {
  const answer = `printf '{"ServerURL":"%s","Username":"u-%s","Secret":"s"}' "$server" "$server"`;
  const asked = async (): Promise<string> => {
    const {readFile} = await import('node:fs/promises');
    return await readFile(join(folder, 'asked'), 'utf8').catch(() => '');
  };

  it('asks the helper of the host, not the file, and once', async () => {
    helper('ecr-login', answer);
    write({auths: {'r.example': auth('file:p')}, credHelpers: {'r.example': 'ecr-login'}});
    const logins = loginsOf();
    const found = await Promise.all(Array.from({length: 9}, () => logins('r.example')));
    expect(found[0]).toEqual({
      credentials: login('u-r.example', 's'),
      from: 'docker-credential-ecr-login',
    });
    expect(await asked()).toBe('get r.example\n');
  });

  it('asks the store for every host that has no helper of its own', async () => {
    helper('desktop', answer);
    write({auths: {'r.example': {}}, credsStore: 'desktop', credHelpers: {'own.example': ''}});
    expect(await find('r.example')).toEqual(login('u-r.example', 's'));
    expect(await find('docker.io')).toEqual(login('u-https://index.docker.io/v1/', 's'));
    expect(await find('own.example')).toBeUndefined();
    expect(await asked()).toBe('get r.example\nget https://index.docker.io/v1/\n');
  });

  it('starts none before a host is asked for', async () => {
    helper('desktop', answer);
    write({credsStore: 'desktop'});
    loginsOf();
    expect(await asked()).toBe('');
  });

  it('takes the user <token> for an identity token', async () => {
    helper('acr', `echo '{"Username":"<token>","Secret":"refresh"}'`);
    write({credHelpers: {'r.example': 'acr'}});
    expect(await find('r.example')).toEqual({...login('', ''), identityToken: 'refresh'});
  });

  it('has no login where the helper has none, and says so where the helper failed', async () => {
    helper('none', 'echo "credentials not found in native keychain"; exit 1');
    helper('broken', 'echo "no AWS region" >&2; exit 1');
    helper('nonsense', 'echo hello');
    helper('empty', `echo '{"ServerURL":"f.example","Username":"","Secret":""}'`);
    write({
      credHelpers: {
        'a.example': 'none',
        'b.example': 'broken',
        'c.example': 'nonsense',
        'd.example': 'not-installed',
        'e.example': '../../evil',
        'f.example': 'empty',
      },
    });
    const logins = loginsOf();
    expect(await logins('a.example')).toMatchObject({credentials: undefined});
    expect((await logins('a.example')).problem).toBeUndefined();
    expect((await logins('b.example')).problem).toBe(
      'docker-credential-broken failed: no AWS region',
    );
    expect(await logins('c.example')).toMatchObject({
      credentials: undefined,
      problem: 'docker-credential-nonsense failed: its answer cannot be read',
    });
    expect((await logins('d.example')).problem).toContain('was not found');
    expect(await logins('e.example')).toMatchObject({credentials: undefined});
    expect(await logins('f.example')).toMatchObject({credentials: undefined});
  });

  it('hands what it found to be hidden, before anybody uses it', async () => {
    helper('ecr-login', answer);
    helper('acr', `echo '{"Username":"<token>","Secret":"refresh"}'`);
    write({credHelpers: {'r.example': 'ecr-login', 'a.example': 'acr'}});
    const hidden: unknown[] = [];
    const logins = loginsOf({hide: (secrets, username) => void hidden.push([secrets, username])});
    await logins('r.example');
    await logins('a.example');
    await logins('none.example');
    expect(hidden).toEqual([
      [['s'], 'u-r.example'],
      [['refresh'], ''],
      [[], ''],
    ]);
  });

  it('shows a helper no more of the environment than it is given', async () => {
    helper('curious', `echo "{\\"Username\\":\\"u\\",\\"Secret\\":\\"-$SECRET-$REGION\\"}"`);
    write({credHelpers: {'r.example': 'curious'}});
    vi.stubEnv('SECRET', 'secret');
    const env = {PATH: process.env['PATH'] ?? '', REGION: 'eu'};
    expect((await find('r.example', {env}))?.password).toBe('--eu');
  });

  it('ends a helper that hangs when the run is cancelled', async () => {
    helper('hangs', 'sleep 60');
    write({credHelpers: {'r.example': 'hangs'}});
    const controller = new AbortController();
    const found = loginsOf({signal: controller.signal})('r.example');
    setTimeout(() => controller.abort(), 200);
    expect(await found).toMatchObject({credentials: undefined});
  });
});

describe('precedence', () => {
  const inputs = [{host: 'https://r.example/', username: 'input', password: 'p'}];
  const fallback = [{host: 'ghcr.io', username: 'actor', password: 'token'}];

  it('is the inputs, the machine, the fallback, none; each for its host only', async () => {
    write({auths: {'r.example': auth('machine:p'), 'm.example': auth('machine:p')}});
    const logins = loginsOf({inputs, fallback});
    const users = ['r.example', 'm.example', 'ghcr.io', 'quay.io', 'docker.io'].map(
      async (host) => (await logins(host)).credentials?.username,
    );
    expect(await Promise.all(users)).toEqual(['input', 'machine', 'actor', undefined, undefined]);
    write({auths: {'ghcr.io': auth('machine:p')}});
    expect((await find('ghcr.io', {fallback}))?.username).toBe('machine');
  });

  it('gives a run of a stranger none at all, and starts no helper', async () => {
    helper('desktop', 'echo "{}"');
    write({auths: {'r.example': auth('machine:p')}, credsStore: 'desktop'});
    const logins = loginsOf({inputs, fallback, allowLogins: false});
    for (const host of ['r.example', 'ghcr.io', 'docker.io'])
      expect((await logins(host)).credentials).toBeUndefined();
  });
});
