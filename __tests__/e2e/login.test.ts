import {execFile} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {afterEach, beforeEach, expect, it, vi} from 'vitest';
import {createDocker, createDockerConfig} from '../../src/adapters/docker/index.ts';
import {runCommand} from '../../src/adapters/process/index.ts';
import {createLogins} from '../../src/adapters/registry/index.ts';
import {startRegistry} from '../support/servers/registry-server.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'login-'));
  // Stores that docker finds on PATH by itself; they write down what they are told.
  mkdirSync(join(folder, 'bin'));
  for (const name of ['docker-credential-secretservice', 'docker-credential-pass', 'pass']) {
    const script = `#!/bin/sh\necho "$0 $@" >> ${folder}/stored\ncat >> ${folder}/stored\n`;
    writeFileSync(join(folder, 'bin', name), script, {mode: 0o755});
  }
  mkdirSync(join(folder, 'machine'));
  vi.stubEnv('DOCKER_CONFIG', join(folder, 'machine'));
  vi.stubEnv('PATH', `${join(folder, 'bin')}:${process.env['PATH']}`);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, {recursive: true});
});

it.each<[string, object]>([
  ['knows no login', {}],
  ['has a store that only docker names', {auths: {}, credsStore: ''}],
  ['has a store of all logins', {credsStore: 'secretservice'}],
  ['has a helper for the host', {credHelpers: {HOST: 'secretservice'}}],
])('docker keeps the login in the run’s own file where the machine %s', async (_, machine) => {
  const server = await startRegistry({auth: 'basic'});
  const text = JSON.stringify(machine).replace('HOST', server.host);
  writeFileSync(join(folder, 'machine', 'config.json'), text);
  const config = await createDockerConfig(folder, {hosts: [server.host]});
  const docker = createDocker({
    run: runCommand,
    config,
    builder: undefined,
    runId: 'login',
    root: folder,
    tempDir: folder,
  });
  expect(await docker.login(server.host, 'someone', 'right')).toEqual({ok: true, value: undefined});
  expect(existsSync(join(folder, 'stored'))).toBe(false);
  const written = JSON.parse(readFileSync(join(config.folder, 'config.json'), 'utf8'));
  expect(written.auths[server.host].auth).toBe(Buffer.from('someone:right').toString('base64'));
  expect(readFileSync(join(folder, 'machine', 'config.json'), 'utf8')).toBe(text);
  // Docker itself sends it from there.
  server.seen.length = 0;
  const env = {...process.env, ...config.env};
  const pull = ['pull', '--quiet', `${server.host}/o/none:t`];
  await expect(promisify(execFile)('docker', pull, {env})).rejects.toThrow();
  const sent = server.seen.map(({authorization}) => authorization);
  expect(sent).toContain(`Basic ${written.auths[server.host].auth}`);
  await config.remove();
  await server.close();
});

it('a login of the machine is found for the spellings of its host for which docker finds it', async () => {
  const server = await startRegistry({auth: 'basic'});
  const auth = Buffer.from('someone:right').toString('base64');
  const host = (name: string): string => `${name}:${server.port}`;
  const keys = [
    ...['localhost', 'LOCALHOST', 'Localhost', 'http://localhost', 'https://LOCALHOST'].map(host),
    ...['HTTPS://localhost', 'https://me@localhost'].map(host),
    `${host('localhost')}/path`,
    `https://${host('LOCALHOST')}/v2/`,
    'localhost',
  ];
  const seen: Record<string, boolean>[] = [];
  for (const key of keys) {
    const text = JSON.stringify({auths: {[key]: {auth}}});
    writeFileSync(join(folder, 'machine', 'config.json'), text);
    for (const name of ['localhost', 'LOCALHOST'].map(host)) {
      server.seen.length = 0;
      const pull = ['pull', '--quiet', `${name}/o/none:t`];
      await expect(promisify(execFile)('docker', pull, {env: process.env})).rejects.toThrow();
      const docker = server.seen.some(({authorization}) => authorization !== undefined);
      const found = await createLogins({run: runCommand})(name);
      expect({key, name, found: found.credentials !== undefined}).toEqual({
        key,
        name,
        found: docker,
      });
      seen.push({docker});
    }
  }
  expect(new Set(seen.map(({docker}) => docker))).toEqual(new Set([true, false]));
  await server.close();
});
