import {mkdir, mkdtemp, readdir, rm, symlink, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {
  configKeyOf,
  entriesFor,
  hostOf,
  isJson,
  type Json,
  machineConfig,
  machineFolder,
  readJson,
} from '../registry/index.ts';

/** A folder of our own for docker's credentials; the machine's is only read. */
export interface DockerConfig {
  readonly folder: string;
  /** What every docker process of the run gets besides its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Somebody created a builder on this machine; else every build is the engine's own. */
  readonly hasBuilders: boolean;
  /** Makes the next login of a host land in this folder, and not in a credential store of the machine. */
  releaseHost(host: string): Promise<void>;
  remove(): Promise<void>;
}

export interface DockerConfigOptions {
  /** `false` for pull requests from forks: none of the machine's logins. */
  readonly allowLogins?: boolean;
  /** Hosts that the stack names: what a store for all hosts has for them is found too. */
  readonly hosts?: Iterable<string>;
}

/**
 * Makes the folder below `tempDir` (0700, its config.json 0600) with the machine's credentials in it, so that
 * concurrent jobs cannot see or remove each other's login. buildx, its builders and contexts are found where they
 * were.
 */
export async function createDockerConfig(
  tempDir: string,
  options: DockerConfigOptions = {},
): Promise<DockerConfig> {
  const {BUILDX_CONFIG, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH} = process.env;
  const base = machineFolder();
  const folder = await mkdtemp(join(tempDir, 'stack-docker-'));
  const file = join(folder, 'config.json');
  const write = (config: Json): Promise<void> =>
    writeFile(file, JSON.stringify(config), {mode: 0o600});
  await write(derivedConfig(await machineConfig(), base, options));
  // Contexts are read here by every docker command; a link that leads nowhere counts as none.
  await symlink(join(base, 'contexts'), join(folder, 'contexts'));
  const buildx = BUILDX_CONFIG || join(base, 'buildx');
  await mkdir(buildx, {recursive: true}).catch(() => undefined);
  const builders = await readdir(join(buildx, 'instances')).catch(() => []);
  return {
    folder,
    hasBuilders: builders.length > 0,
    env: {
      DOCKER_CONFIG: folder,
      BUILDX_CONFIG: buildx,
      // Its logins are in the file; docker would come back to it before the file, and keep a login in it for itself.
      ...(process.env['DOCKER_AUTH_CONFIG'] ? {DOCKER_AUTH_CONFIG: ''} : {}),
      ...(DOCKER_TLS_VERIFY && !DOCKER_CERT_PATH ? {DOCKER_CERT_PATH: base} : {}),
    },
    releaseHost: async (host) => {
      const {credHelpers, ...rest} = await readJson(file);
      const others = Object.entries(isJson(credHelpers) ? credHelpers : {}).filter(
        ([name]) => hostOf(name) !== hostOf(host),
      );
      await write({
        ...rest,
        credHelpers: {...Object.fromEntries(others), [configKeyOf(host)]: inFile},
      });
    },
    remove: () => rm(folder, {recursive: true, force: true}),
  };
}

/** No helper for this host: docker keeps its login in the file. */
const inFile = '';
/**
 * A configuration without any login makes docker look for a credential store on PATH and write the next login into it;
 * an entry for a host that cannot exist keeps it from doing so.
 */
const noStore = {'stack-action.invalid': inFile};

/** The machine's configuration, with a store of all credentials turned into helpers that are only asked. */
function derivedConfig(
  {credsStore, ...config}: Json,
  base: string,
  {allowLogins = true, hosts = []}: DockerConfigOptions,
): Json {
  const pluginFolders = config['cliPluginsExtraDirs'];
  const common = {
    ...config,
    cliPluginsExtraDirs: [
      join(base, 'cli-plugins'),
      ...(Array.isArray(pluginFolders) ? pluginFolders : []),
    ],
  };
  if (!allowLogins) {
    // Headers may hold a login as well.
    const {HttpHeaders: _, ...rest} = {HttpHeaders: undefined, ...common};
    return {...rest, auths: {}, credHelpers: noStore};
  }
  const auths = isJson(config['auths']) ? config['auths'] : {};
  const helpers = isJson(config['credHelpers']) ? config['credHelpers'] : {};
  // What is found under another spelling of a host is put where docker looks for it.
  const respelled = (entries: Json): Json =>
    Object.fromEntries(
      [...hosts].flatMap((host) => {
        const [first] = entriesFor(entries, host);
        return first === undefined ? [] : [[configKeyOf(host), first[1]]];
      }),
    );
  const named = [...Object.keys(auths), ...[...hosts].map(configKeyOf)];
  const stored = typeof credsStore === 'string' && credsStore !== '' ? named : [];
  return {
    ...common,
    auths: {...auths, ...respelled(auths)},
    credHelpers: {
      ...noStore,
      ...Object.fromEntries(stored.map((host) => [host, credsStore])),
      ...helpers,
      ...respelled(helpers),
    },
  };
}
