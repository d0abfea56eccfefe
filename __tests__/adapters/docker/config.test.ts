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
    expect(read(made)).toEqual({
      ...known,
      credHelpers: {'gcr.io': 'gcloud', 'stack-action.invalid': ''},
      cliPluginsExtraDirs: [join(base, 'cli-plugins')],
    });
    expect(existsSync(join(made, 'contexts', 'meta'))).toBe(true);
  });

  it('asks a store of all credentials, but never writes to it', async () => {
    write({auths: {'ghcr.io': {}, 'quay.io': {}}, credsStore: 'desktop'});
    const config = await createDockerConfig(folder);
    await config.releaseHost('ghcr.io');
    expect(read(config.folder)).toMatchObject({credHelpers: {'quay.io': 'desktop'}});
    expect(read(config.folder)).not.toHaveProperty('credsStore');
    expect(read(config.folder)).toHaveProperty(['credHelpers', 'ghcr.io'], '');
  });

  it('knows what a store of all credentials has for the hosts of the stack', async () => {
    write({credsStore: 'desktop', credHelpers: {'gcr.io': 'gcloud'}});
    const config = await createDockerConfig(folder, {hosts: ['docker.io', 'quay.io', 'gcr.io']});
    expect(read(config.folder)).toMatchObject({
      credHelpers: {
        'https://index.docker.io/v1/': 'desktop',
        'quay.io': 'desktop',
        'gcr.io': 'gcloud',
      },
    });
  });

  it.each(['docker.io', 'index.docker.io', 'https://index.docker.io/v1/', 'registry-1.docker.io'])(
    'releases Docker Hub, written %s, under the key that docker has for it',
    async (host) => {
      write({credsStore: 'desktop', credHelpers: {'index.docker.io': 'other'}});
      const config = await createDockerConfig(folder, {hosts: ['docker.io']});
      await config.releaseHost(host);
      expect(read(config.folder)).toMatchObject({
        credHelpers: {'https://index.docker.io/v1/': ''},
      });
      expect(JSON.stringify(read(config.folder))).not.toContain('other');
    },
  );

  it('has no login of the machine for a pull request from a fork', async () => {
    vi.stubEnv('DOCKER_AUTH_CONFIG', JSON.stringify({auths: {'env.io': {auth: 'eDp5'}}}));
    write({
      auths: {'quay.io': {auth: 'eDp5'}},
      credHelpers: {'gcr.io': 'gcloud'},
      credsStore: 'desktop',
      HttpHeaders: {'X-Auth': 'secret'},
      currentContext: 'remote',
    });
    const config = await createDockerConfig(folder, {allowLogins: false, hosts: ['quay.io']});
    expect(read(config.folder)).toEqual({
      auths: {},
      credHelpers: {'stack-action.invalid': ''},
      currentContext: 'remote',
      cliPluginsExtraDirs: [join(base, 'cli-plugins')],
    });
    expect(config.env).toMatchObject({DOCKER_AUTH_CONFIG: ''});
  });

  it('takes the logins of DOCKER_AUTH_CONFIG into the file', async () => {
    vi.stubEnv('DOCKER_AUTH_CONFIG', JSON.stringify({auths: {'env.io': {auth: 'eDp5'}}}));
    const config = await createDockerConfig(folder);
    expect(read(config.folder)).toMatchObject({auths: {'env.io': {auth: 'eDp5'}}});
  });

  it('finds builders where they were', async () => {
    const {env, folder: made, hasBuilders} = await createDockerConfig(folder);
    expect(env).toEqual({DOCKER_CONFIG: made, BUILDX_CONFIG: join(base, 'buildx')});
    expect(hasBuilders).toBe(false);
    mkdirSync(join(base, 'buildx', 'instances'), {recursive: true});
    expect((await createDockerConfig(folder)).hasBuilders).toBe(false);
    writeFileSync(join(base, 'buildx', 'instances', 'far'), '{}');
    expect((await createDockerConfig(folder)).hasBuilders).toBe(true);
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
