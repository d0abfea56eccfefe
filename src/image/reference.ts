/** An image reference taken apart; `registry` is the host the user wrote, or `docker.io`. */
export interface Reference {
  readonly registry: string;
  /** Without host and tag; official images have their `library/`. */
  readonly repository: string;
  readonly tag: string | undefined;
  /** `sha256:<64 hex>`, or sha384 or sha512. */
  readonly digest: string | undefined;
}

const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const repositoryPattern = new RegExp(`^${component}(?:/${component})*$`);
const hostPattern =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?$/;
export const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const digestPattern = /^(?:sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$/;

/**
 * Reads `[host[:port]/]path[:tag][@digest]` by the grammar of distribution/reference.
 * Undefined when it is not a valid reference; a bare 64-hex name is refused as docker does.
 */
export function parseReference(text: string): Reference | undefined {
  if (text.length > 511) return undefined;
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !digestPattern.test(digest)) return undefined;
  const named = at < 0 ? text : text.slice(0, at);
  const colon = named.lastIndexOf(':');
  const hasTag = colon > named.lastIndexOf('/');
  const tag = hasTag ? named.slice(colon + 1) : undefined;
  if (tag !== undefined && !tagPattern.test(tag)) return undefined;
  const {registry, path} = splitHost(hasTag ? named.slice(0, colon) : named);
  const repository = registry === 'docker.io' && !path.includes('/') ? `library/${path}` : path;
  if (!hostPattern.test(registry) || !repositoryPattern.test(repository)) return undefined;
  if (`${registry}/${repository}`.length > 255 || /^[0-9a-f]{64}$/.test(path)) return undefined;
  return {registry, repository, tag, digest};
}

/** The first part is a host when it has a dot, a port or upper case, or is localhost: docker's rule. */
function splitHost(name: string): {registry: string; path: string} {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  if (/[.:A-Z]/.test(first) || first === 'localhost') {
    const registry = first === 'index.docker.io' ? 'docker.io' : first;
    return {registry, path: name.slice(slash + 1)};
  }
  return {registry: 'docker.io', path: name};
}

/** `repository` of a reference with its host and without tag and digest, as the user would write it. */
export function repositoryOf(ref: string): string {
  const bare = ref.split('@')[0] ?? ref;
  const colon = bare.lastIndexOf(':');
  return colon > bare.lastIndexOf('/') ? bare.slice(0, colon) : bare;
}

/** Names under which Docker Hub is reached. */
const hubHosts = [
  'docker.io',
  'index.docker.io',
  'registry-1.docker.io',
  'registry.hub.docker.com',
];

/**
 * One spelling for a repository: `acme/base`, `docker.io/acme/base:1` and `index.docker.io/acme/base` are one, and so
 * are `debian` and `registry-1.docker.io/library/debian`. Undefined when it is not a valid reference.
 */
export function repositoryKey(ref: string): string | undefined {
  const reference = parseReference(ref);
  if (reference === undefined) return undefined;
  const host = reference.registry.toLowerCase();
  if (!hubHosts.includes(host)) return `${host}/${reference.repository}`;
  const {repository} = reference;
  return `docker.io/${repository.includes('/') ? repository : `library/${repository}`}`;
}

/** Docker speaks plain HTTP to these hosts without being asked. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/:\d+$/, '');
  return name === 'localhost' || name === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(name);
}
