import {createHash} from 'node:crypto';
import {platformEnd} from './platforms.ts';

/** Names that images and files get: tags, labels, file names. */
const maxTagLength = 128;

/**
 * What comes after the prefix in a tag, at most `room` characters. A branch that fits stays as it is; one that had to
 * be altered or cut ends in 8 hex digits of its hash, so that `feature/a` and `feature-a` never share a tag. The
 * beginnings `tag-` and `pr-` belong to git tags and pull requests, and an end such as `-linux-arm64` to the image of one
 * platform: such a branch counts as altered, and so does one that ends as altered ones do.
 */
export function branchSuffix(branch: string, room: number): string {
  const safe = branch.replace(/[^A-Za-z0-9_.-]/gu, '-');
  if (isKept(safe, branch, room) && !/^(?:tag|pr)-/.test(branch)) return safe;
  return altered(safe, branch, room);
}

/** The suffix of a git tag: `tag-v1`, with a hash where the tag had to be altered. */
export function gitTagSuffix(tag: string, room: number): string {
  const safe = `tag-${tag.replace(/[^A-Za-z0-9_.-]/gu, '-')}`;
  return isKept(safe, `tag-${tag}`, room) ? safe : altered(safe, tag, room);
}

function isKept(safe: string, written: string, room: number): boolean {
  const isFree = !platformEnd.test(safe) && !hashed.test(safe);
  return safe === written && safe.length <= room && isFree;
}

/** A day is nobody's hash: `release-20261125` stays as it is. */
const hashed = /-(?!(?:19|20)\d\d(?:0\d|1[0-2])[0-3]\d$)[0-9a-f]{8}$/;

function altered(safe: string, original: string, room: number): string {
  const hash = createHash('sha256').update(original).digest('hex').slice(0, 8);
  return `${safe.slice(0, room - hash.length - 1)}-${hash}`;
}

/** What decides the beginning of an image's tags: `2026.3-`, or `cuda12-2026.3-` for a variant. */
export interface TagOwner {
  readonly tagPrefix: string;
  /** Several images in one repository: each tag begins with it. */
  readonly variant?: string | undefined;
  /** One of several platforms, built alone: each tag ends with it. */
  readonly platform?: string | undefined;
}

/** The part of a tag before the branch, without its `-`. */
export function tagStart({tagPrefix, variant}: TagOwner): string {
  return variant === undefined ? tagPrefix : `${variant}-${tagPrefix}`;
}

/** The part of a tag after the branch: `-linux-arm64` where one of several platforms is built alone. */
export function tagEnd({platform}: Pick<TagOwner, 'platform'>): string {
  return platform === undefined ? '' : `-${platform.replaceAll('/', '-')}`;
}

/** Room for the suffix of this image's tags. */
export function roomAfter(owner: TagOwner): number {
  return maxTagLength - tagStart(owner).length - 1 - tagEnd(owner).length;
}

/** The tag of a branch's image: `<prefix>-<branch>`. */
export function branchTag(owner: TagOwner, branch: string): string {
  return `${tagStart(owner)}-${branchSuffix(branch, roomAfter(owner))}${tagEnd(owner)}`;
}

/** `<prefix>-stable`, the tag that `mode: tag` gives. */
export function stableTag(owner: TagOwner): string {
  return `${tagStart(owner)}-stable`;
}

/** `stable`, or `<variant>-stable`: the tag that `mode: tag` gives with `target: global-stable`. */
export function globalStableTag({variant}: Pick<TagOwner, 'variant'>): string {
  return variant === undefined ? 'stable' : `${variant}-stable`;
}

/** A tag of `tag.extra`: `latest`, or `<variant>-latest`. */
export function extraTag(tag: string, {variant}: Pick<TagOwner, 'variant'>): string {
  return variant === undefined ? tag : `${variant}-${tag}`;
}

/**
 * Of several images in one repository the one that a tag is of: `gpu`, `gpu-2026.3` and, as people name tags elsewhere, `latest-gpu` are
 * the variant `gpu`; what has none of the variants is the plain image.
 */
export function variantOf<T extends TagOwner>(images: readonly T[], tag: string): T | undefined {
  const long = images.toSorted((a, b) => tagStart(b).length - tagStart(a).length);
  const fits = [
    (one: T) => tag.startsWith(`${tagStart(one)}-`),
    ({variant}: T) => variant !== undefined && (tag === variant || tag.startsWith(`${variant}-`)),
    ({variant}: T) => variant !== undefined && tag.endsWith(`-${variant}`),
    ({variant}: T) => variant === undefined,
  ];
  for (const fit of fits) {
    const found = long.find(fit);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The tag under which the registry remembers that this content passed all its tests. */
export function fingerprintTag(fingerprint: string): string {
  return `fp-${fingerprint.replace('sha256:', '').slice(0, 16)}`;
}

/** Proof that an image of this fingerprint passed these tests: `fp-<16 hex>-<8 hex>`, put on the very digest that passed. */
export function proofTag(fingerprint: string, tests: string): string {
  return `${fingerprintTag(fingerprint)}-${tests.replace('sha256:', '').slice(0, 8)}`;
}

/** The tag of an image's record, in the image's own repository: `rec-<16 hex of its digest>`. */
export function recordTag(digest: string): string {
  return `rec-${digest.replace('sha256:', '').slice(0, 16)}`;
}

/** Proofs, records and the build cache. */
export function isInternalTag(tag: string): boolean {
  return /^(?:fp-[0-9a-f]{16}(?:-[0-9a-f]{8})?|rec-[0-9a-f]{16}|buildcache)$/.test(tag);
}

/** The base name of an image's log, result and manifest files, and of its wiki page. */
export function fileNameOf(ref: string): string {
  return ref.replace('ghcr.io', 'ghcr-io').replace(/[/:]/g, '-');
}

/** The logs of an image: `logs/<name>.<log name>.log`. */
export const logNames = ['build', 'basic-tests', 'integration-tests'] as const;

/** Labels that the action puts on every image it builds. */
export const labels = {
  fingerprint: 'edu.ucsd.ets.stack.fingerprint',
  content: 'edu.ucsd.ets.stack.content',
  /** The hash of the tests that the checkout had when the image was built. */
  tests: 'edu.ucsd.ets.stack.tests',
  /** `GITHUB_RUN_ID` of the run that built the image. */
  run: 'edu.ucsd.ets.stack.run',
  revision: 'org.opencontainers.image.revision',
  source: 'org.opencontainers.image.source',
  created: 'org.opencontainers.image.created',
  version: 'org.opencontainers.image.version',
} as const;
