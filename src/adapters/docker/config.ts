import {mkdir, mkdtemp, rm, symlink, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {isJson, type Json, machineFolder, readJson} from '../registry/index.ts';

/** A folder of our own for docker's credentials; the machine's is only read. */
export interface DockerConfig {
  readonly folder: string;
  /** What every docker process of the run gets besides its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Makes the next login of a host land in this folder, and not in a credential store of the machine. */
  releaseHost(host: string): Promise<void>;
  remove(): Promise<void>;
}

/**
 * Makes the folder below `tempDir` (0700, its config.json 0600) with the machine's credentials in it, so that
 * concurrent jobs cannot see or remove each other's login. buildx, its builders and contexts are found where they
 * were (RELIABILITY.md 2a).
 */
export async function createDockerConfig(tempDir: string): Promise<DockerConfig> {
  const {BUILDX_CONFIG, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH} = process.env;
  const base = machineFolder();
  const folder = await mkdtemp(join(tempDir, 'stack-docker-'));
  const file = join(folder, 'config.json');
  await writeFile(
    file,
    JSON.stringify(derivedConfig(await readJson(join(base, 'config.json')), base)),
    {
      mode: 0o600,
    },
  );
  // Contexts are read here by every docker command; a link that leads nowhere counts as none.
  await symlink(join(base, 'contexts'), join(folder, 'contexts'));
  const buildx = BUILDX_CONFIG || join(base, 'buildx');
  await mkdir(buildx, {recursive: true}).catch(() => undefined);
  return {
    folder,
    env: {
      DOCKER_CONFIG: folder,
      BUILDX_CONFIG: buildx,
      ...(DOCKER_TLS_VERIFY && !DOCKER_CERT_PATH ? {DOCKER_CERT_PATH: base} : {}),
    },
    releaseHost: async (host) => {
      const {credHelpers, ...rest} = await readJson(file);
      const helpers = {...(isJson(credHelpers) ? credHelpers : {})};
      delete helpers[host];
      await writeFile(file, JSON.stringify({...rest, credHelpers: helpers}), {mode: 0o600});
    },
    remove: () => rm(folder, {recursive: true, force: true}),
  };
}

/** The machine's configuration, with a store of all credentials turned into helpers that are only asked. */
function derivedConfig({credsStore, ...config}: Json, base: string): Json {
  const auths = isJson(config['auths']) ? config['auths'] : {};
  const stored = typeof credsStore === 'string' ? Object.keys(auths) : [];
  const pluginFolders = config['cliPluginsExtraDirs'];
  return {
    ...config,
    auths,
    credHelpers: {
      ...Object.fromEntries(stored.map((host) => [host, credsStore])),
      ...(isJson(config['credHelpers']) ? config['credHelpers'] : {}),
    },
    cliPluginsExtraDirs: [
      join(base, 'cli-plugins'),
      ...(Array.isArray(pluginFolders) ? pluginFolders : []),
    ],
  };
}
