import {describe, expect, it} from 'vitest';
import {indexOf, type PlatformImage} from '../../src/build/index-image.ts';

const imageType = 'application/vnd.oci.image.manifest.v1+json';
const image = (platform: string, text: string): PlatformImage => ({
  platform,
  manifest: {bytes: Buffer.from(text), mediaType: imageType, digest: `sha256:${text}`},
});
const parse = (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString('utf8'));

describe('indexOf', () => {
  it('lists each image with its platform, and says of the whole what the images say of one', () => {
    const {bytes, mediaType} = indexOf(
      [image('linux/amd64', 'one'), image('linux/arm/v7', 'three')],
      new Map([
        ['b', '2'],
        ['a', '1'],
      ]),
    );
    expect(mediaType).toBe('application/vnd.oci.image.index.v1+json');
    expect(parse(bytes)).toEqual({
      schemaVersion: 2,
      mediaType,
      manifests: [
        {
          mediaType: imageType,
          digest: 'sha256:one',
          size: 3,
          platform: {os: 'linux', architecture: 'amd64'},
        },
        {
          mediaType: imageType,
          digest: 'sha256:three',
          size: 5,
          platform: {os: 'linux', architecture: 'arm', variant: 'v7'},
        },
      ],
      annotations: {a: '1', b: '2'},
    });
  });

  it('makes the same bytes of the same images', () => {
    const images = [image('linux/amd64', 'one'), image('linux/arm64', 'two')];
    const labels: [string, string][] = [
      ['a', '1'],
      ['b', '2'],
    ];
    const one = indexOf(images, new Map(labels));
    expect(indexOf(images, new Map(labels.toReversed())).digest).toBe(one.digest);
    expect(indexOf(images.toReversed(), new Map(labels)).digest).not.toBe(one.digest);
  });

  it('takes apart what a builder pushed as an index', () => {
    const entries = [
      {
        mediaType: imageType,
        digest: 'sha256:1',
        size: 1,
        platform: {os: 'linux', architecture: 'arm64'},
      },
      {
        mediaType: imageType,
        digest: 'sha256:2',
        size: 1,
        annotations: {'vnd.docker.reference.type': 'attestation-manifest'},
      },
    ];
    const inner = Buffer.from(JSON.stringify({schemaVersion: 2, manifests: entries}));
    const mediaType = 'application/vnd.oci.image.index.v1+json';
    const nested = {
      platform: 'linux/arm64',
      manifest: {bytes: inner, mediaType, digest: 'sha256:x'},
    };
    expect(parse(indexOf([nested], new Map()).bytes)).toMatchObject({manifests: entries});
  });
});
