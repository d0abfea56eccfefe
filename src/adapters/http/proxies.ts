import {BlockList, isIP} from 'node:net';
import {isLoopback} from '../../image/reference.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

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

export function isInNetwork(host: string, network: string, bits: number): boolean {
  const [kind, own] = [isIP(host), isIP(network)];
  if (kind === 0 || kind !== own || bits > (kind === 4 ? 32 : 128)) return false;
  const family = kind === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(network, bits, family);
  return list.check(host, family);
}

/** The passwords that addresses of proxies hold, as written and as sent. */
export function proxyPasswords(env: Environment = process.env): readonly string[] {
  return ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY']
    .flatMap((name) => [env[name], env[name.toLowerCase()]])
    .flatMap((value) => /^(?:[a-z0-9+.-]+:\/\/)?[^:@/]*:([^/]*)@/i.exec(value ?? '')?.[1] ?? [])
    .flatMap((written) => [written, decoded(written)]);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
