import {createHash} from 'node:crypto';
import type {RawManifest} from '../../../src/adapters/registry/index.ts';
import {failure} from '../../../src/failure.ts';
import type {RecordRegistry} from '../../../src/record/index.ts';

export const sha256 = (bytes: Uint8Array): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** A registry in memory that keeps what it is given, byte for byte. */
export class MemoryRegistry implements RecordRegistry {
  readonly manifests = new Map<string, RawManifest>();
  readonly blobs = new Map<string, Uint8Array>();

  async manifest(ref: string): ReturnType<RecordRegistry['manifest']> {
    const found = this.manifests.get(ref);
    return found === undefined ? {state: 'absent'} : {state: 'present', ...found};
  }

  async putImage(
    ref: string,
    {config, layers}: Parameters<RecordRegistry['putImage']>[1],
  ): ReturnType<RecordRegistry['putImage']> {
    const describe = (bytes: Uint8Array, mediaType: string): object => {
      this.blobs.set(sha256(bytes), bytes);
      return {mediaType, digest: sha256(bytes), size: bytes.length};
    };
    const manifest = {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: describe(config, 'application/vnd.oci.image.config.v1+json'),
      layers: layers.map(({bytes, mediaType}) => describe(bytes, mediaType)),
    };
    const bytes = Buffer.from(JSON.stringify(manifest));
    this.manifests.set(ref, {bytes, mediaType: manifest.mediaType, digest: sha256(bytes)});
    return {ok: true, value: sha256(bytes)};
  }

  async blob(
    _repository: string,
    digest: string,
    {limit}: {readonly limit: number},
  ): ReturnType<RecordRegistry['blob']> {
    const bytes = this.blobs.get(digest);
    if (bytes === undefined) return {ok: false, error: failure('not-found', `No blob ${digest}.`)};
    return bytes.length > limit
      ? {ok: false, error: failure('registry-inconsistent', `The blob ${digest} is too large.`)}
      : {ok: true, value: bytes};
  }
}
