import type {RawManifest} from '../adapters/registry/index.ts';
import type {ImageSpec} from '../stack/spec/index.ts';
import type {Memory} from './memory.ts';

/** Why an image is (not) worked on; the kinds are part of plan.json, which scripts read. */
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

export interface PlannedSource {
  readonly ref: string;
  readonly digest: string;
  /** As it was read for the plan: giving it another tag is one request. */
  readonly manifest: RawManifest;
  /** Its own hashes; the fingerprint differs from the checkout's where an external base moved since. */
  readonly fingerprint: string;
  readonly content: string;
}

export interface PlannedImage {
  readonly name: string;
  readonly spec: ImageSpec;
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
  /** The hash of the tests that the checkout has for it. */
  readonly tests: string;
  /** What is in the registry already and is used: the proved image of a `reuse`, the image at the tag of `test` and `skip`. */
  readonly source: PlannedSource | undefined;
  /** The digest at the image's tag when the run was planned. */
  readonly before: string | undefined;
  /** Where what its tests say is remembered, of an image that is not published. */
  readonly memory?: Memory | undefined;
  /** A parent that an earlier leg of this run had to build and did not: nothing can be done with this image. */
  readonly missingParent?: string;
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
