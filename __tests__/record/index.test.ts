import {gunzipSync, gzipSync} from 'node:zlib';
import fc from 'fast-check';
import {beforeEach, describe, expect, it} from 'vitest';
import {failure} from '../../src/failure.ts';
import {recordTag} from '../../src/image/tags.ts';
import {packRecord} from '../../src/record/archive.ts';
import {
  limits,
  readRecord,
  recordAt,
  recordText,
  withVerdict,
  writeRecord,
} from '../../src/record/index.ts';
import {digestOf, recordFor} from '../support/builders/records.ts';
import {MemoryRegistry, sha256} from '../support/fakes/record-registry.ts';

const record = recordFor('web');
const ref = `${record.repository}:${recordTag(record.digest)}`;
const asked = {repository: record.repository, digest: record.digest};
let registry = new MemoryRegistry();

beforeEach(() => {
  registry = new MemoryRegistry();
});

/** Puts any bytes where the record should be. */
async function putLayer(bytes: Uint8Array): Promise<void> {
  await registry.putImage(ref, {
    config: Buffer.from('{}'),
    layers: [{bytes, mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip'}],
  });
}

const putText = (text: string): Promise<void> => putLayer(packRecord(text).layer);
const putJson = (value: unknown): Promise<void> => putText(JSON.stringify(value));

async function problem(): Promise<string> {
  const read = await readRecord(registry, asked);
  if (read.ok) throw new Error(`read ${JSON.stringify(read.value)}`);
  expect(read.error.class).toBe('registry-inconsistent');
  expect(read.error.hint).toContain('counts as missing');
  return read.error.message;
}

describe('a record', () => {
  it('comes back from the registry as it was written', async () => {
    expect(await writeRecord(registry, record)).toEqual({
      ok: true,
      value: registry.manifests.get(ref)?.digest,
    });
    expect(await readRecord(registry, asked)).toEqual({ok: true, value: record});
  });

  it('is absent where nobody wrote it', async () => {
    expect(await readRecord(registry, asked)).toEqual({ok: true, value: undefined});
  });

  it('is an ordinary image whose config names its one layer', async () => {
    await writeRecord(registry, record);
    const manifest = JSON.parse(String(registry.manifests.get(ref)?.bytes));
    const config = JSON.parse(String(registry.blobs.get(manifest.config.digest)));
    const layer = registry.blobs.get(manifest.layers[0].digest) ?? Buffer.alloc(0);
    expect(config).toMatchObject({
      architecture: 'amd64',
      os: 'linux',
      rootfs: {type: 'layers', diff_ids: [sha256(gunzipSync(layer))]},
    });
    // Labels of images, such as the fingerprint, would make it look like one.
    expect(JSON.stringify(config.config.Labels)).not.toContain('edu.ucsd');
  });

  it('has equal bytes for equal content, however it was put together', async () => {
    const reversed = Object.fromEntries(Object.entries(record).toReversed());
    expect(recordText({...record, ...reversed})).toBe(recordText(record));
    const one = await writeRecord(registry, record);
    // Where gzip writes the time and the operating system, there is neither.
    const packed = packRecord('{}').layer;
    expect([...packed.subarray(4, 8), packed[9]]).toEqual([0, 0, 0, 0, 255]);
    const {packages, ...rest} = record;
    const two = await writeRecord(registry, {packages, ...rest});
    expect(two).toEqual(one);
  });

  it('keeps a red verdict, and a later one replaces it', async () => {
    const tests = {...record.tests, verdict: 'failed'} as const;
    const red = withVerdict(record, tests, '2026.3-main');
    await writeRecord(registry, record);
    await writeRecord(registry, red);
    expect(await readRecord(registry, asked)).toEqual({ok: true, value: red});
    expect(red).toEqual({...record, tests, verdicts: [{...tests, tag: '2026.3-main'}]});
  });

  it('keeps what the tests of each tag said last', () => {
    const said = (verdict: 'passed' | 'failed') => ({...record.tests, verdict});
    const topic = withVerdict(record, said('failed'), '2026.3-topic');
    expect(topic.tests.verdict).toBe('failed');
    expect(recordAt(topic, '2026.3-main').tests.verdict).toBe('passed');
    const main = withVerdict(topic, said('failed'), '2026.3-main');
    const both = withVerdict(main, said('passed'), '2026.3-topic');
    expect(recordAt(both, '2026.3-main').tests.verdict).toBe('failed');
    expect(recordAt(both, '2026.3-topic').tests).toEqual(said('passed'));
    // Another tag got the image without a test of its own.
    expect(recordAt(main, '2026.3-other').tests.verdict).toBe('failed');
    const many = Array.from({length: 300}, (_, n) => `2026.3-${n}`);
    const full = many.reduce((one, tag) => withVerdict(one, said('passed'), tag), record);
    expect(full.verdicts?.length).toBe(100);
    expect(full.verdicts?.at(-1)?.tag).toBe('2026.3-299');
  });

  it('cuts output that is too long, and nothing else', async () => {
    const noise = Array.from({length: 60_000}, (_, n) => digestOf(String(n))).join('\n');
    const info = [
      {name: 'BIG', description: 'big', command: 'big', exitCode: 0, output: noise},
      {name: 'SMALL', description: 'small', command: 'small', exitCode: 0, output: 'kept'},
    ];
    const written = await writeRecord(registry, {...record, info});
    expect(written.ok).toBe(true);
    const read = await readRecord(registry, asked);
    const found = read.ok ? read.value : undefined;
    expect(found?.info[0]?.output).toMatch(/^sha256:[\s\S]*\n… \(cut\)$/);
    expect(found?.info[1]?.output).toBe('kept');
    expect({...found, info}).toEqual({...record, info});
  });

  it('is not written when it cannot be small enough', async () => {
    const names = Array.from({length: 40_000}, (_, n) => [digestOf(String(n)), '1']);
    const written = await writeRecord(registry, {
      ...record,
      packages: {pip: Object.fromEntries(names)},
    });
    expect(written).toMatchObject({
      ok: false,
      error: {message: expect.stringContaining('was not written')},
    });
    expect(registry.manifests.size).toBe(0);
  });

  it('is not written when readers would refuse it', async () => {
    await writeRecord(registry, record);
    const written = await writeRecord(registry, {...record, fingerprint: 'none'});
    expect(written).toMatchObject({
      ok: false,
      error: {class: 'internal', message: expect.stringContaining('fingerprint: not a sha256')},
    });
    expect(await readRecord(registry, asked)).toEqual({ok: true, value: record});
  });

  it('may have a base that is named by another algorithm', async () => {
    const base = {reference: 'debian', digest: `sha512:${'0'.repeat(128)}`};
    await writeRecord(registry, {...record, base});
    expect(await readRecord(registry, asked)).toEqual({ok: true, value: {...record, base}});
  });

  it('keeps unknown keys of a later version out', async () => {
    await putJson({...record, later: true});
    expect(await readRecord(registry, asked)).toEqual({ok: true, value: record});
  });
});

describe('a record that cannot be trusted', () => {
  it.each([
    ['no JSON', 'oops', 'it is not JSON'],
    ['JSON of another kind', '[1]', 'schema: '],
    ['null', 'null', 'Expected Object but received null'],
    ['a later schema', JSON.stringify({...record, schema: 2}), 'schema version 2'],
    ['no schema', JSON.stringify({...record, schema: undefined}), 'schema: '],
    [
      'a field of another type',
      JSON.stringify({...record, layers: [{createdBy: 'x', size: '1'}]}),
      'layers.0.size: ',
    ],
    [
      'a negative size',
      JSON.stringify({...record, layers: [{createdBy: 'x', size: -1}]}),
      'layers.0.size: ',
    ],
    [
      'an unknown verdict',
      JSON.stringify({...record, tests: {...record.tests, verdict: 'fine'}}),
      'tests.verdict: ',
    ],
    ['no tests', JSON.stringify({...record, tests: undefined}), 'tests: '],
    [
      'a fingerprint that is none',
      JSON.stringify({...record, fingerprint: 'sha256:1'}),
      'fingerprint: not a sha256 digest',
    ],
    [
      'packages in a list',
      JSON.stringify({...record, packages: {pip: [['a', '1']]}}),
      'packages.pip',
    ],
  ])('%s: one sentence with its reference and its place', async (_, text, why) => {
    await putText(text);
    const message = await problem();
    expect(message).toContain(`The record ${ref} cannot be used`);
    expect(message).toContain(why);
    expect(message).not.toContain('\n');
  });

  it('is that of another digest', async () => {
    const other = digestOf('other');
    await putJson({...record, digest: other});
    expect(await problem()).toContain(`it is the record of ${other}, not of ${record.digest}`);
  });

  it('is no gzip', async () => {
    await putLayer(Buffer.from('plain'));
    expect(await problem()).toContain('not valid gzip');
  });

  it('is a small file that unpacks to a large one', async () => {
    await putLayer(gzipSync(Buffer.alloc(64 * 1024 * 1024)));
    expect(await problem()).toContain(`unpacks to more than ${limits.unpacked} bytes`);
  });

  it('is larger than a record may be', async () => {
    const bytes = Buffer.from(Array.from({length: limits.packed + 1}, (_, n) => (n * 7919) % 251));
    await putLayer(bytes);
    expect(await problem()).toContain(`larger than ${limits.packed} bytes`);
  });

  it('says that it is small and is not', async () => {
    await putText('{}');
    const manifest = registry.manifests.get(ref);
    const large = Buffer.alloc(limits.packed + 1);
    const named = JSON.parse(String(manifest?.bytes)).layers[0].digest;
    registry.blobs.set(named, large);
    expect((await readRecord(registry, asked)).ok).toBe(false);
    registry.blobs.set(named, Buffer.from('swapped'));
    expect(await problem()).toContain(`its layer is not ${named}`);
  });

  it.each([
    ['an empty archive', Buffer.alloc(1024)],
    ['no archive', Buffer.from('{"schema": 1}')],
    ['an archive that was cut', gunzipSync(packRecord('{"schema":1}').layer).subarray(0, 600)],
  ])('is %s', async (_, bytes) => {
    await putLayer(gzipSync(bytes.subarray(0, bytes.length > 512 ? 515 : undefined)));
    expect(await problem()).toContain('contains no record.json');
  });

  it('is an index, or an image with other layers', async () => {
    for (const body of ['{"manifests": []}', '{"layers": []}', 'no JSON', '{"layers": [1, 2]}']) {
      const bytes = Buffer.from(body);
      registry.manifests.set(ref, {bytes, mediaType: 'x', digest: sha256(bytes)});
      expect(await problem()).toContain('its manifest cannot be used');
    }
  });

  it('has any bytes at all, and reading it never throws', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.json().map((text) => packRecord(text).layer),
          fc.uint8Array(),
          fc.uint8Array({maxLength: 2000}).map((bytes) => gzipSync(bytes)),
        ),
        async (bytes) => {
          await putLayer(bytes);
          expect((await readRecord(registry, asked)).ok).toBe(false);
        },
      ),
    );
  });
});

describe('a registry that cannot answer', () => {
  const down = failure('registry-unavailable', 'The registry is down.');

  it('is not an absent record', async () => {
    registry.manifest = async () => ({state: 'unknown', because: down.message, failure: down});
    expect(await readRecord(registry, asked)).toEqual({ok: false, error: down});
  });

  it('fails the reading with its own words', async () => {
    await writeRecord(registry, record);
    registry.blob = async () => ({ok: false, error: down});
    expect(await readRecord(registry, asked)).toEqual({ok: false, error: down});
  });

  it('fails the writing with its own words', async () => {
    registry.putImage = async () => ({ok: false, error: down});
    expect(await writeRecord(registry, record)).toEqual({ok: false, error: down});
  });
});
