import {createHash} from 'node:crypto';
import type {RawManifest} from '../adapters/registry/index.ts';

/** An image that one runner pushed, for its platform. */
export interface PlatformImage {
  /** `linux/arm64` */
  readonly platform: string;
  readonly manifest: RawManifest;
}

const indexType = 'application/vnd.oci.image.index.v1+json';
const listType = 'application/vnd.docker.distribution.manifest.list.v2+json';

/**
 * The index of one image for several platforms, in the order in which they are given: the same images make the same
 * bytes. What a builder pushed as an index of its own (an image and what attests it) is taken apart: indexes in
 * indexes confuse clients.
 */
export function indexOf(
  images: readonly PlatformImage[],
  annotations: ReadonlyMap<string, string>,
): RawManifest {
  const value = {
    schemaVersion: 2,
    mediaType: indexType,
    manifests: images.flatMap(entriesOf),
    annotations: Object.fromEntries([...annotations].toSorted(([a], [b]) => (a < b ? -1 : 1))),
  };
  const bytes = Buffer.from(JSON.stringify(value));
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  return {bytes, mediaType: indexType, digest};
}

function entriesOf({platform, manifest}: PlatformImage): readonly unknown[] {
  const {mediaType, bytes, digest} = manifest;
  if (mediaType === indexType || mediaType === listType) {
    const inner: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    return isIndex(inner) ? inner.manifests : [];
  }
  const [os, architecture, variant] = platform.split('/');
  const where = {os, architecture, ...(variant === undefined ? {} : {variant})};
  return [{mediaType, digest, size: bytes.length, platform: where}];
}

function isIndex(value: unknown): value is {readonly manifests: readonly unknown[]} {
  return (
    typeof value === 'object' &&
    value !== null &&
    'manifests' in value &&
    Array.isArray(value.manifests)
  );
}
