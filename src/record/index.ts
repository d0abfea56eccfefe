import type {Registry} from '../adapters/registry/index.ts';
import {type Failure, fail, failure, ok, type Result} from '../failure.ts';
import {recordTag} from '../image/tags.ts';
import {packRecord, sha256, unpackRecord} from './archive.ts';
import {recordText} from './make.ts';
import {checkManifest, checkRecord, type ImageRecord, type RecordedInfo} from './schema.ts';

export {
  countOf,
  type Difference,
  differenceOf,
  isSame,
  ownBytes,
  type PackageChanges,
  type VersionChange,
  withoutInherited,
} from './difference.ts';
export {
  type FactsSource,
  imageFacts,
  imageRecord,
  recordAt,
  recordText,
  withVerdict,
} from './make.ts';
export {packagesOf} from './packages/index.ts';
export {
  type ImageFacts,
  type ImageRecord,
  type Manager,
  managers,
  type Packages,
  type RecordedInfo,
  type RecordedLayer,
  type RecordedRun,
  type RecordedTests,
} from './schema.ts';

/** What records need of a registry. */
export interface RecordRegistry extends Pick<Registry, 'manifest'> {
  /** Writes an ordinary image; the digest of its manifest. */
  putImage(
    ref: string,
    image: {
      readonly config: Uint8Array;
      readonly layers: readonly {readonly bytes: Uint8Array; readonly mediaType: string}[];
    },
  ): Promise<Result<string>>;
  /** A blob of at most `limit` bytes. */
  blob(
    repository: string,
    digest: string,
    options: {readonly limit: number},
  ): Promise<Result<Uint8Array>>;
}

/** Largest layer of a record, and what it may unpack to. */
export const limits = {packed: 1024 * 1024, unpacked: 8 * 1024 * 1024} as const;

/** Header, padding and end of the archive around the text. */
const archiveOverhead = 4096;

const layerType = 'application/vnd.oci.image.layer.v1.tar+gzip';

/**
 * What the registry remembers of an image: a small image beside it, under the tag `rec-<16 hex of its digest>`.
 * Enters: what a run knows of an image; a registry to write to and to read from.
 * Leaves: its record, checked; the difference between two records; the packages that info commands listed.
 * Not here: speaking HTTP (adapters/registry/), running commands in images and the page (page/).
 *
 * Writes the record of `record.digest` over the one that was there; the digest of the companion image.
 */
export async function writeRecord(
  registry: RecordRegistry,
  record: ImageRecord,
): Promise<Result<string>> {
  // What readers would refuse must not be written: it would replace a record that they accept.
  const checked = checkRecord(record);
  if (!checked.ok) {
    const message = `Internal error: the record of ${record.reference} is not valid: ${checked.error}.`;
    return fail(failure('internal', message));
  }
  const ref = `${record.repository}:${recordTag(record.digest)}`;
  const packed = packFitting(record);
  if (packed === undefined) {
    return fail(
      failure(
        'registry-inconsistent',
        `The record of ${record.reference} is larger than ${limits.packed} bytes, even without the output of its info commands. It was not written.`,
      ),
    );
  }
  const {layer, diffId} = packed;
  return await registry.putImage(ref, {
    config: configOf(record, diffId),
    layers: [{bytes: layer, mediaType: layerType}],
  });
}

function configOf(record: ImageRecord, diffId: string): Uint8Array {
  const title = `Record of ${record.repository}@${record.digest}`;
  const source =
    record.source === undefined ? {} : {'org.opencontainers.image.source': record.source};
  const config = {
    architecture: 'amd64',
    os: 'linux',
    created: record.created,
    config: {Labels: {'org.opencontainers.image.title': title, ...source}},
    rootfs: {type: 'layers', diff_ids: [diffId]},
    history: [{created: record.created, created_by: title}],
  };
  return Buffer.from(JSON.stringify(config));
}

/** The packed record; when it is too large, the longest output is cut in half until it fits. */
function packFitting(record: ImageRecord): ReturnType<typeof packRecord> | undefined {
  let info = record.info;
  for (;;) {
    const text = recordText({...record, info});
    if (Buffer.byteLength(text) <= limits.unpacked - archiveOverhead) {
      const packed = packRecord(text);
      if (packed.layer.length <= limits.packed) return packed;
    }
    const longest = info.toSorted((a, b) => lengthOf(b) - lengthOf(a))[0];
    if (longest === undefined || lengthOf(longest) < 1024) return undefined;
    info = info.map((one) => (one === longest ? halved(one) : one));
  }
}

function lengthOf({output, errors = ''}: RecordedInfo): number {
  return output.length + errors.length;
}

function halved({output, errors, ...rest}: RecordedInfo): RecordedInfo {
  return {
    ...rest,
    output: half(output),
    ...(errors === undefined ? {} : {errors: half(errors)}),
  };
}

function half(text: string): string {
  return text.length < 512 ? text : `${text.slice(0, text.length / 2)}\n… (cut)`;
}

/** The record of this very digest; undefined when the registry has none. Nothing in it is believed unchecked. */
export async function readRecord(
  registry: RecordRegistry,
  {repository, digest}: {readonly repository: string; readonly digest: string},
): Promise<Result<ImageRecord | undefined>> {
  const ref = `${repository}:${recordTag(digest)}`;
  const found = await registry.manifest(ref);
  if (found.state === 'absent') return ok(undefined);
  if (found.state === 'unknown') return fail(found.failure);
  const manifest = checkManifest(parseJson(found.bytes));
  if (!manifest.ok) return unusable(ref, `its manifest cannot be used: ${manifest.error}`);
  const {digest: layer, size} = manifest.value;
  if (size > limits.packed) return unusable(ref, `its layer is larger than ${limits.packed} bytes`);
  const blob = await registry.blob(repository, layer, {limit: limits.packed});
  if (!blob.ok) return blob;
  if (blob.value.length > limits.packed || sha256(blob.value) !== layer)
    return unusable(ref, `its layer is not ${layer}`);
  const text = unpackRecord(blob.value, limits.unpacked);
  if (!text.ok) return unusable(ref, text.error);
  const json = parseJson(text.value);
  if (json === undefined) return unusable(ref, 'it is not JSON');
  const record = checkRecord(json);
  if (!record.ok) return unusable(ref, record.error);
  if (record.value.digest !== digest)
    return unusable(ref, `it is the record of ${record.value.digest}, not of ${digest}`);
  return ok(record.value);
}

function parseJson(text: Uint8Array | string): unknown {
  try {
    return JSON.parse(typeof text === 'string' ? text : Buffer.from(text).toString('utf8'));
  } catch {
    return undefined;
  }
}

function unusable(ref: string, why: string): {readonly ok: false; readonly error: Failure} {
  return fail(
    failure('registry-inconsistent', `The record ${ref} cannot be used: ${why}.`, {
      hint: 'It counts as missing; the next build or test of the image replaces it.',
    }),
  );
}
