import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import {createDockerConfig} from '../../../src/adapters/docker/config.ts';
import {machineLogins} from '../../../src/adapters/registry/credentials.ts';

describe('createDockerConfig', () => {
  let folder: string;
  let base: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'config-'));
    base = join(folder, 'machine');
    mkdirSync(join(base, 'contexts', 'meta'), {recursive: true});
    vi.stubEnv('DOCKER_CONFIG', base);
    vi.stubEnv('BUILDX_CONFIG', undefined);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, {recursive: true});
  });
  const write = (config: unknown): void =>
    writeFileSync(
      join(base, 'config.json'),
      typeof config === 'string' ? config : JSON.stringify(config),
    );
  const read = (at: string): unknown => JSON.parse(readFileSync(join(at, 'config.json'), 'utf8'));

  it('reads the logins of earlier steps, and nothing else', async () => {
    const auth = (text: string): object => ({auth: Buffer.from(text).toString('base64')});
    write({
      auths: {
        'ghcr.io': auth('octocat:pass:word'),
        'in.a.store': {},
        'no.password': auth('octocat:'),
        broken: {auth: 7},
      },
    });
    expect([...(await machineLogins())]).toEqual([
      ['ghcr.io', {username: 'octocat', password: 'pass:word'}],
    ]);
    write('no JSON');
    expect(await machineLogins()).toEqual(new Map());
  });

  it('lets nobody else read the credentials', async () => {
    const {folder: made} = await createDockerConfig(folder);
    expect(statSync(made).mode & 0o777).toBe(0o700);
    expect(statSync(join(made, 'config.json')).mode & 0o777).toBe(0o600);
  });

  it('keeps what the machine knows: logins, helpers, the context, proxies', async () => {
    const known = {
      auths: {'quay.io': {auth: 'eDp5'}},
      credHelpers: {'gcr.io': 'gcloud'},
      currentContext: 'remote',
      proxies: {default: {httpProxy: 'http://p'}},
    };
    write(known);
    const {folder: made} = await createDockerConfig(folder);
    expect(read(made)).toEqual({...known, cliPluginsExtraDirs: [join(base, 'cli-plugins')]});
    expect(existsSync(join(made, 'contexts', 'meta'))).toBe(true);
  });

  it('asks a store of all credentials, but never writes to it', async () => {
    write({auths: {'ghcr.io': {}, 'quay.io': {}}, credsStore: 'desktop'});
    const config = await createDockerConfig(folder);
    await config.releaseHost('ghcr.io');
    expect(read(config.folder)).toMatchObject({credHelpers: {'quay.io': 'desktop'}});
    expect(read(config.folder)).not.toHaveProperty('credsStore');
    expect(read(config.folder)).not.toHaveProperty(['credHelpers', 'ghcr.io']);
  });

  it('finds builders where they were', async () => {
    const {env, folder: made} = await createDockerConfig(folder);
    expect(env).toEqual({DOCKER_CONFIG: made, BUILDX_CONFIG: join(base, 'buildx')});
  });

  it('finds the certificates of an engine that is reached by TLS', async () => {
    vi.stubEnv('DOCKER_TLS_VERIFY', '1');
    vi.stubEnv('DOCKER_CERT_PATH', undefined);
    expect((await createDockerConfig(folder)).env).toMatchObject({DOCKER_CERT_PATH: base});
  });

  it('takes a broken file for none, and leaves it alone', async () => {
    write('{broken');
    const {folder: made} = await createDockerConfig(folder);
    expect(read(made)).toMatchObject({auths: {}});
    expect(readFileSync(join(base, 'config.json'), 'utf8')).toBe('{broken');
  });

  it('leaves nothing behind', async () => {
    const config = await createDockerConfig(folder);
    await config.remove();
    expect(existsSync(config.folder)).toBe(false);
    expect(existsSync(join(base, 'contexts', 'meta'))).toBe(true);
  });
});
