/** How a registry differs from the specification; each kind below names the report it is taken from. */
export interface Behaviour {
  readonly auth?: 'basic' | 'bearer';
  /** The whole `WWW-Authenticate`, instead of the one that belongs to `auth`; `{host}` is this server. */
  readonly challenge?: readonly string[];
  /** `/v2/` answers 200 to everybody. */
  readonly isPingOpen?: boolean;
  /** Callers without a login are told 404 of what exists. */
  readonly hidesWith404?: boolean;
  /** HEAD of a manifest. */
  readonly head?: 404 | 405;
  /** What a repository without any manifest answers to a GET of a manifest, by the scope of the token. */
  readonly newRepository?: {readonly pull: 401 | 403 | 404; readonly push: 401 | 403 | 404};
  /** Repositories must be made before a push. */
  readonly needsRepository?: boolean;
  readonly notFound?: {readonly type: string; readonly body: string};
  readonly noDigestHeader?: boolean;
  /** The address of an upload. */
  readonly location?: 'relative' | 'absolute' | 'plain';
  /** DELETE of an upload. */
  readonly cancel?: number;
  readonly deleteTag?: {readonly status: number; readonly code: string};
  readonly isImmutable?: boolean;
  readonly pageSize?: number;
  /** Before the path of a `Link`. */
  readonly linkPrefix?: string;
  /** The token service moved. */
  readonly redirectsToken?: boolean;
  readonly tokenField?: 'token' | 'access_token';
  /** The refresh token that is exchanged; without it a POST is 404. */
  readonly identityToken?: string;
  /** The account may read only. */
  readonly isReadOnly?: boolean;
}

const unsupported = {status: 405, code: 'UNSUPPORTED'};

/** How the registries that people use behave, as it was reported; what is not reported follows the specification. */
export const registryKinds: Readonly<Record<string, Behaviour>> = {
  // Tokens for everything; a package that does not exist is denied (docker/build-push-action#981: HEAD 403).
  GHCR: {
    auth: 'bearer',
    newRepository: {pull: 403, push: 404},
    pageSize: 2,
    deleteTag: unsupported,
  },
  // The token service always issues a token (docker/hub-feedback#1771); what the token does not reach is 401
  // insufficient_scope (distribution/distribution#2476), a repository that does not exist too
  // (jupyterhub/binderhub#1664). Tags cannot be deleted here (genuinetools/reg#143).
  'Docker Hub': {
    auth: 'bearer',
    newRepository: {pull: 401, push: 404},
    location: 'absolute',
    deleteTag: unsupported,
  },
  // A repository that does not exist is 401 whatever the token (helm/helm#31567, ambient-code/platform#669); further
  // pages are relative (distribution/distribution#2448).
  Quay: {auth: 'bearer', newRepository: {pull: 401, push: 401}, location: 'absolute', pageSize: 2},
  // Basic only, by the credential helper; a repository must be made first; immutable tags refuse even the same digest
  // (moby/buildkit#3776).
  ECR: {
    auth: 'basic',
    needsRepository: true,
    isImmutable: true,
    cancel: 405,
    deleteTag: unsupported,
  },
  // `az acr login` leaves an identity token, which is exchanged by POST (devcontainers/cli#444).
  ACR: {auth: 'bearer', identityToken: 'refresh', tokenField: 'access_token'},
  // Deletes by tag since 4.x; before, DIGEST_INVALID (werf/werf#7866).
  GitLab: {auth: 'bearer', location: 'absolute', pageSize: 2},
  // Its own word for 404; behind a proxy that ends TLS, uploads have plain addresses (goharbor/harbor#61, #17496).
  Harbor: {
    auth: 'bearer',
    notFound: {
      type: 'application/json',
      body: '{"errors":[{"code":"NOT_FOUND","message":"artifact o/i:t not found"}]}',
    },
    location: 'plain',
    deleteTag: {status: 400, code: 'DIGEST_INVALID'},
  },
  // Offers both schemes; some set-ups refuse their own tokens (containerd/containerd#2148, renovatebot/renovate#11765).
  // No error code in a 404.
  Artifactory: {
    auth: 'basic',
    challenge: ['Bearer realm="http://{host}/token",service="{host}"', 'Basic realm="Artifactory"'],
    notFound: {
      type: 'application/json',
      body: '{"errors":[{"status":404,"message":"Not Found"}]}',
    },
    noDigestHeader: true,
  },
  // HEAD is 404 (crazy-max/diun#1614, andrey-pohilko/registry-cli#14); further pages lead to a path that this port
  // does not serve (sonatype/nexus-public#1011).
  Nexus: {
    auth: 'basic',
    isPingOpen: true,
    head: 404,
    location: 'absolute',
    pageSize: 2,
    linkPrefix: 'http://{host}/repository/docker',
  },
  // HEAD is 405 with a token (distribution/distribution#1485); deletes no tag, in other words (#3234).
  'distribution 2.8': {auth: 'basic', head: 405, deleteTag: {status: 400, code: 'DIGEST_INVALID'}},
  'distribution 3': {location: 'absolute', deleteTag: unsupported, pageSize: 2},
  // Tells callers without a login that nothing exists (sapcc/keppel#522).
  Keppel: {auth: 'bearer', hidesWith404: true},
};
