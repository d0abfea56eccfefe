/** Why an image is (not) worked on; the kinds are part of the contract (DESIGN.md section 1). */
export type BuildReason =
  | {readonly kind: 'changed'; readonly files: readonly string[]}
  | {readonly kind: 'parent'; readonly image: string}
  | {readonly kind: 'needed'; readonly image: string}
  | {readonly kind: 'missing'}
  | {readonly kind: 'first-run'}
  | {readonly kind: 'full-rebuild'}
  | {readonly kind: 'default-branch'}
  | {readonly kind: 'requested'}
  | {readonly kind: 'build-all'; readonly files: readonly string[]}
  | {readonly kind: 'event'; readonly event: string}
  | {readonly kind: 'unknown-changes'; readonly because: string}
  | {readonly kind: 'unknown-registry'; readonly because: string}
  | {readonly kind: 'stale'; readonly ref: string}
  | {readonly kind: 'untested'; readonly ref: string}
  | {readonly kind: 'unchanged'}
  | {readonly kind: 'fingerprint'; readonly ref: string};

/** `build` it, `reuse` a tested twin, `test` what stands at the tag, or `skip`. */
export type PlannedAction = 'build' | 'reuse' | 'test' | 'skip';

export interface PlannedImage {
  readonly name: string;
  readonly parents: readonly string[];
  /** 0 for a root, else one more than the deepest parent. */
  readonly level: number;
  /** The full reference this run gives the image. */
  readonly ref: string;
  readonly action: PlannedAction;
  readonly reasons: readonly BuildReason[];
  /** `sha256:<64 hex>`, with the external base digests. */
  readonly fingerprint: string;
  /** The same without the external base digests. */
  readonly content: string;
  /** What already stands in the registry and is used: the twin of a `reuse`, the image of `test` and `skip`. */
  readonly source: {readonly ref: string; readonly digest: string} | undefined;
  /** Seconds an earlier build and test took (label of the image in the registry); undefined when unknown. */
  readonly expectedSeconds: number | undefined;
}

export interface Plan {
  readonly tag: string;
  /** Parents first. */
  readonly images: readonly PlannedImage[];
  /** Image keys that count as changed: artifacts/IMAGES_CHANGED. */
  readonly changed: readonly string[];
}
