import type {Failure, Result} from '../../failure.ts';

/** What the registry says of one reference: three answers, never two. */
export type Presence = {readonly state: 'present'; readonly digest: string} | Absent | Unknown;

/** A GET was answered "404, unknown" with the login that is known for the host. */
export interface Absent {
  readonly state: 'absent';
  /**
   * Set where the registry never said 404: it refuses to show a repository to a login that may push to it, as some do
   * until the first push. Good enough to build and push; not good enough to delete anything.
   */
  readonly because?: string;
}

export interface Unknown {
  readonly state: 'unknown';
  readonly because: string;
  /**
   * 401 or 403 to a caller with a login. A repository that does not exist yet looks like this on some registries:
   * ask {@link Registry.mayPush}, then ask again.
   */
  readonly isDenied?: boolean;
}

/** What stands behind a reference: its manifest and, of its (first) image, what the config says. */
export interface Published {
  readonly digest: string;
  readonly mediaType: string;
  /** The manifest or index itself, as the registry keeps it. */
  readonly bytes: Uint8Array;
  readonly labels: ReadonlyMap<string, string>;
  /** Layer identities, oldest first: `rootfs.diff_ids`. */
  readonly diffIds: readonly string[];
  /** `linux/arm64/v8`, as the config has it; undefined where it has none. */
  readonly platform: string | undefined;
  /** Milliseconds since 1970, as the config has it; missing where it has none. */
  readonly created?: number;
  /** Digest of the config blob of the (first) image. */
  readonly configDigest: string;
  /** Compressed bytes of all layers. */
  readonly size: number;
  /** The config's `created` less the label that says when the build began; undefined when either is missing. */
  readonly buildSeconds: number | undefined;
}

export type Lookup = ({readonly state: 'present'} & Published) | Absent | Unknown;

/** A manifest or index as the registry keeps it. The bytes are the identity: never re-encoded. */
export interface RawManifest {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  readonly digest: string;
}

export type ManifestLookup =
  | ({readonly state: 'present'} & RawManifest)
  | Absent
  | (Unknown & {readonly failure: Failure});

/** An image of a few kB, made here: a record. */
export interface SmallImage {
  /** The image config, as JSON text. */
  readonly config: Uint8Array;
  readonly layers: readonly {readonly bytes: Uint8Array; readonly mediaType: string}[];
}

/** A registry over HTTP. No layer of a built image is ever read or written here. Retries and deadlines are inside. */
export interface Registry {
  /** `once`: an answer that would only be nice to have is not worth a second try. */
  head(ref: string, options?: {readonly once?: boolean}): Promise<Presence>;
  /** Manifest, then the config blob: labels, diff ids, size. For an index, of its first real image. */
  inspect(ref: string): Promise<Lookup>;
  manifest(ref: string): Promise<ManifestLookup>;
  /** Puts the same bytes under another reference; the digest that the registry answers must be the same. */
  put(ref: string, manifest: RawManifest): Promise<Result<void>>;
  /** Uploads config and layers that are missing, then puts an OCI image manifest. Leaves its digest. */
  putImage(ref: string, image: SmallImage): Promise<Result<string>>;
  /** Deletes the tag, never the manifest by digest. `false`: this registry cannot delete a tag. */
  deleteTag(ref: string): Promise<Result<boolean>>;
  /** All tags of `<host>/<repository>`, in the registry's order; a repository that is not there has none. */
  tags(repository: string): Promise<Result<readonly string[]>>;
  /** A blob, held against its digest; more bytes than `limit` (8 MiB by default) are a failure. */
  blob(
    repository: string,
    digest: string,
    options?: {readonly limit?: number},
  ): Promise<Result<Uint8Array>>;
  /** Opens an upload and cancels it: whether a push to `<host>/<repository>` would be let in. */
  mayPush(repository: string): Promise<Result<void>>;
  /**
   * Asks until the tag shows this digest, at most 60 s (registries may lag). A caller that knows what the tag showed
   * before is told at once of any third digest.
   */
  waitForDigest(
    ref: string,
    digest: string,
    lag?: {readonly before: string | undefined},
  ): Promise<Result<void>>;
  /** Ends kept-alive connections. */
  close(): Promise<void>;
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
  /** An OAuth refresh token (`az acr login`, a helper that answers the user name `<token>`); comes before the password. */
  readonly identityToken?: string;
  /** A bearer token for the registry itself; comes before all others. */
  readonly registryToken?: string;
}

/** The login for one host, and where it was found, in words for the hint of a failure. */
export interface KnownLogin {
  readonly credentials: Credentials | undefined;
  readonly from: string;
  /** Why there is none, where a credential helper failed. */
  readonly problem?: string;
}

/** The login for a host as image references name it. Asked once a host and run. */
export type Logins = (host: string) => Promise<KnownLogin>;
