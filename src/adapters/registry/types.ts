import type {Failure, Result} from '../../failure.ts';

/** What the registry says. */

/** What the registry says of one reference: three answers, never two. */
export type Presence =
  | {readonly state: 'present'; readonly digest: string}
  | {readonly state: 'absent'}
  | {readonly state: 'unknown'; readonly because: string};

/** What stands behind a reference: its manifest and, of its (first) image, what the config says. */
export interface Published {
  readonly digest: string;
  readonly mediaType: string;
  /** The manifest or index itself, as the registry keeps it. */
  readonly bytes: Uint8Array;
  readonly labels: ReadonlyMap<string, string>;
  /** Layer identities, oldest first: `rootfs.diff_ids`. */
  readonly diffIds: readonly string[];
  /** Digest of the config blob of the (first) image. */
  readonly configDigest: string;
  /** Compressed bytes of all layers. */
  readonly size: number;
  /** The config's `created` less the label that says when the build began; undefined when either is missing. */
  readonly buildSeconds: number | undefined;
}

export type Lookup =
  | ({readonly state: 'present'} & Published)
  | {readonly state: 'absent'}
  | {readonly state: 'unknown'; readonly because: string};

/** A manifest or index as the registry keeps it. The bytes are the identity: never re-encoded. */
export interface RawManifest {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  readonly digest: string;
}

export type ManifestLookup =
  | ({readonly state: 'present'} & RawManifest)
  | {readonly state: 'absent'}
  | {readonly state: 'unknown'; readonly because: string; readonly failure: Failure};

/** A registry over HTTP. No layer is ever read or written here. Retries and deadlines are inside. */
export interface Registry {
  /** `once`: an answer that would only be nice to have is not worth a second try. */
  head(ref: string, options?: {readonly once?: boolean}): Promise<Presence>;
  /** Manifest, then the config blob: labels, diff ids, size. For an index, of its first real image. */
  inspect(ref: string): Promise<Lookup>;
  manifest(ref: string): Promise<ManifestLookup>;
  /** Puts the same bytes under another reference; the digest that the registry answers must be the same. */
  put(ref: string, manifest: RawManifest): Promise<Result<void>>;
  /** Deletes the tag, never the manifest by digest. `false`: this registry cannot delete a tag. */
  deleteTag(ref: string): Promise<Result<boolean>>;
  /**
   * Asks with HEAD until the tag answers this digest, at most 60 s (registries may lag). Who says what the tag showed
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
}
