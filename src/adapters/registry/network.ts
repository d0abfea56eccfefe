import {lookup} from 'node:dns/promises';
import {readdir, readFile} from 'node:fs/promises';
import {BlockList, isIP} from 'node:net';
import {homedir} from 'node:os';
import {join} from 'node:path';
import {isLoopback} from '../../image/reference.ts';
import {type Json, objectIn, textsIn} from './json.ts';

/** What docker on this machine knows of the way to a host: its names, proxies, certificates, and who needs no TLS. */

export const hub = 'docker.io';
/** Docker Hub's key in docker's configuration, for the sake of its first version. */
const hubKey = 'https://index.docker.io/v1/';
const hubNames: ReadonlySet<string> = new Set([hub, 'index.docker.io', 'registry-1.docker.io']);

/** A host as references name it, of all that users and tools write: `https://index.docker.io/v1/` is `docker.io`. */
export function hostOf(name: string): string {
  const host =
    name
      .trim()
      .toLowerCase()
      .replace(/^https?:\/\//, '')
      .split('/')[0] ?? '';
  return hubNames.has(host) ? hub : host;
}

/** The key that docker's configuration and its credential helpers have for a host. */
export function configKeyOf(host: string): string {
  return hostOf(host) === hub ? hubKey : hostOf(host);
}

/** Where the API of a host is. */
export function apiHostOf(host: string): string {
  return hostOf(host) === hub ? 'registry-1.docker.io' : host;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for an address, by the rules of Go's programs (docker is one): node's own reading of NO_PROXY knows
 * neither subdomains nor networks. Loopback is always direct.
 */
export function proxyFor(url: URL, env: Environment): string | undefined {
  const read = (name: string): string => env[name] || env[name.toLowerCase()] || '';
  const written = read(url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY');
  if (written === '' || isLoopback(url.hostname) || isDirect(url, read('NO_PROXY')))
    return undefined;
  return written.includes('://') ? written : `http://${written}`;
}

function isDirect(url: URL, list: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return list.split(',').some((one) => {
    const entry = one.trim().toLowerCase();
    if (entry === '' || entry === '*') return entry === '*';
    const network = /^([0-9a-f:.]+)\/(\d+)$/.exec(entry);
    if (network !== null) return isInNetwork(host, network[1] ?? '', Number(network[2]));
    const [, name = entry, own] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(entry) ?? [];
    if (own !== undefined && own !== port) return false;
    const domain = name.replace(/^\[|\]$/g, '').replace(/^\*(?=\.)/, '');
    return host === domain || host.endsWith(domain.startsWith('.') ? domain : `.${domain}`);
  });
}

function isInNetwork(host: string, network: string, bits: number): boolean {
  const [kind, own] = [isIP(host), isIP(network)];
  if (kind === 0 || kind !== own || bits > (kind === 4 ? 32 : 128)) return false;
  const family = kind === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(network, bits, family);
  return list.check(host, family);
}

/** What a host's folder in `certs.d` holds: authorities, and certificates of the client with their keys. */
export interface Certificates {
  readonly ca: readonly string[];
  readonly cert: readonly string[];
  readonly key: readonly string[];
}

/** Docker's own folder, and that of an engine that runs without root. */
export function certificateFolders(env: Environment): readonly string[] {
  const config = env['XDG_CONFIG_HOME'] || join(homedir(), '.config');
  return ['/etc/docker/certs.d', join(config, 'docker', 'certs.d')];
}

/** Undefined when there is no folder for the host. */
export async function certificatesOf(
  host: string,
  folders: readonly string[],
): Promise<Certificates | undefined> {
  for (const folder of folders.map((one) => join(one, host))) {
    const names = await readdir(folder).catch(() => []);
    const read = async (ending: string): Promise<readonly string[]> => {
      const found = names.filter((name) => name.endsWith(ending)).toSorted();
      const texts = found.map((name) => readFile(join(folder, name), 'utf8').catch(() => ''));
      return (await Promise.all(texts)).filter((text) => text !== '');
    };
    const [ca, cert, key] = await Promise.all([read('.crt'), read('.cert'), read('.key')]);
    if (ca.length + cert.length > 0) return {ca, cert, key: cert.length > 0 ? key : []};
  }
  return undefined;
}

/**
 * Reads `docker info --format '{{json .RegistryConfig}}'`: whether the engine speaks to a host without TLS, or without
 * checking its certificate.
 */
export function insecureHosts(registryConfig: Json): (host: string) => Promise<boolean> {
  const indexes = objectIn(registryConfig, 'IndexConfigs');
  const networks = textsIn(registryConfig, 'InsecureRegistryCIDRs').map((text) => text.split('/'));
  return async (host) => {
    const secure = objectIn(indexes, host)['Secure'];
    if (typeof secure === 'boolean') return !secure;
    const name = host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
    const found = await lookup(name, {all: true}).catch(() => []);
    return found.some(({address}) =>
      networks.some(([network = '', bits = '']) => isInNetwork(address, network, Number(bits))),
    );
  };
}
