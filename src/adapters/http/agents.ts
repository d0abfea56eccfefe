import {Agent as HttpAgent} from 'node:http';
import {Agent as HttpsAgent} from 'node:https';
import {createSecureContext, getCACertificates} from 'node:tls';
import {type Certificates, certificateFolders, certificatesOf} from './certificates.ts';
import {proxyFor} from './proxies.ts';
import {PlainSocksAgent, TlsSocksAgent} from './socks.ts';
import type {HttpOptions, HttpRequest} from './types.ts';

export const mostConnections = 32;

export interface Agents {
  agentFor(request: HttpRequest): Promise<HttpAgent>;
  usesSystem(url: URL): boolean;
  /** Reading the system's authorities takes 80 ms, so it is done where node's own do not know the host. */
  useSystem(url: URL): void;
  close(): void;
}

export function createAgents({env = process.env, ...options}: HttpOptions): Agents {
  const folders = options.certificateFolders ?? certificateFolders(env);
  const agents = new Map<string, HttpAgent>();
  const certificates = new Map<string, Promise<Certificates | undefined>>();
  const system = new Set<string>();
  return {
    agentFor: async ({url, trust}) => {
      const proxy = proxyFor(url, env);
      const socks = socksIn(proxy);
      const isPlain = url.protocol === 'http:';
      const own = certificates.get(trust.host) ?? certificatesOf(trust.host, folders);
      certificates.set(trust.host, own);
      const found = isPlain ? undefined : await own;
      const isSystem = found !== undefined || system.has(url.host);
      const place = found === undefined ? '' : trust.host;
      const key = [url.protocol, proxy, trust.verify, isSystem, place].join(' ');
      const known = agents.get(key);
      if (known !== undefined) return known;
      const common = {
        keepAlive: true,
        maxSockets: mostConnections,
        ...(proxy === undefined || socks !== undefined
          ? {}
          : {proxyEnv: {HTTP_PROXY: proxy, HTTPS_PROXY: proxy}}),
      };
      const tls = {
        ...common,
        rejectUnauthorized: trust.verify,
        ...(isSystem ? {secureContext: contextOf(found)} : {}),
      };
      const agent =
        socks === undefined
          ? isPlain
            ? new HttpAgent(common)
            : new HttpsAgent(tls)
          : isPlain
            ? new PlainSocksAgent(socks, common)
            : new TlsSocksAgent(socks, tls);
      agents.set(key, agent);
      return agent;
    },
    usesSystem: ({host}) => system.has(host),
    useSystem: ({host}) => void system.add(host),
    close: () => {
      for (const agent of agents.values()) agent.destroy();
    },
  };
}

/**
 * Of an address, undefined for those of proxies that speak HTTP. Others than Go's programs know would be passed over by
 * node, and the name that only the proxy can resolve would be blamed.
 */
function socksIn(proxy: string | undefined): URL | undefined {
  const kind = proxy?.split('://')[0]?.toLowerCase();
  if (proxy === undefined || kind === 'http' || kind === 'https') return undefined;
  if ((kind === 'socks5' || kind === 'socks5h') && URL.canParse(proxy)) return new URL(proxy);
  const error = new Error(
    `"${kind}" is not a kind of proxy that is supported (http, https, socks5)`,
  );
  throw Object.assign(error, {code: 'ERR_PROXY_INVALID_CONFIG'});
}

/** Every authority that is known here: node's, the system's, and the host's own. */
function contextOf(own: Certificates | undefined): ReturnType<typeof createSecureContext> {
  return createSecureContext({
    ca: [...getCACertificates('default'), ...getCACertificates('system'), ...(own?.ca ?? [])],
    ...(own === undefined || own.cert.length === 0 ? {} : {cert: [...own.cert], key: [...own.key]}),
  });
}
