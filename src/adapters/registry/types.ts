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
