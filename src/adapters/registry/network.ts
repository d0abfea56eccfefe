import {lookup} from 'node:dns/promises';
import {isInNetwork} from '../http/index.ts';
import {type Json, objectIn, textsIn} from './json.ts';

/** What docker on this machine knows of registries: their names, and which of them need no TLS. */

export const hub = 'docker.io';
/** Docker Hub's key in docker's configuration, for the sake of its first version. */
const hubKey = 'https://index.docker.io/v1/';
const hubNames: ReadonlySet<string> = new Set([hub, 'index.docker.io', 'registry-1.docker.io']);

/**
 * A host as references name it, of all that users and tools write: `https://index.docker.io/v1/` is `docker.io`. Upper
 * case stays: for docker `REG.example` and `reg.example` are two hosts with a login each.
 */
export function hostOf(name: string): string {
  const address = name.trim().replace(/^https?:\/\/(?:[^/@]*@)?/i, '');
  const host = address.split('/')[0] ?? '';
  return hubNames.has(host.toLowerCase()) ? hub : host;
}

/** The same machine: names in DNS have no case. */
export function isSameRegistry(one: string, other: string): boolean {
  return hostOf(one).toLowerCase() === hostOf(other).toLowerCase();
}

/** The key that docker's configuration and its credential helpers have for a host. */
export function configKeyOf(host: string): string {
  return hostOf(host) === hub ? hubKey : hostOf(host);
}

/** Where the API of a host is. */
export function apiHostOf(host: string): string {
  return hostOf(host) === hub ? 'registry-1.docker.io' : host;
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
