import {createHash} from 'node:crypto';
import {gunzipSync, gzipSync} from 'node:zlib';
import {fail, ok, type Result} from '../failure.ts';

/** A record's layer: a tar archive with one file, packed with gzip. Equal text gives equal bytes. */

const fileName = 'record.json';
const block = 512;

export interface PackedRecord {
  readonly layer: Uint8Array;
  /** Digest of the archive before gzip: the layer's `diff_id`. */
  readonly diffId: string;
}

export function packRecord(text: string): PackedRecord {
  const content = Buffer.from(text);
  const padding = Buffer.alloc((block - (content.length % block)) % block);
  const archive = Buffer.concat([
    header(content.length),
    content,
    padding,
    Buffer.alloc(2 * block),
  ]);
  const layer = gzipSync(archive, {level: 9});
  // The byte for the operating system differs between machines; 255 means unknown.
  layer[9] = 255;
  return {layer, diffId: sha256(archive)};
}

/** An ustar header: no owner, no time, readable by everyone. */
function header(size: number): Buffer {
  const bytes = Buffer.alloc(block);
  const octal = (value: number, width: number): string =>
    `${value.toString(8).padStart(width - 1, '0')}\0`;
  bytes.write(fileName, 0);
  bytes.write(octal(0o644, 8), 100);
  bytes.write(octal(0, 8), 108);
  bytes.write(octal(0, 8), 116);
  bytes.write(octal(size, 12), 124);
  bytes.write(octal(0, 12), 136);
  bytes.write('        ', 148);
  bytes.write('0', 156);
  bytes.write('ustar\x0000', 257);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return bytes;
}

/** The text of the record, or what is wrong with the layer; never more than `limit` bytes are unpacked. */
export function unpackRecord(layer: Uint8Array, limit: number): Result<string, string> {
  let archive: Buffer;
  try {
    archive = gunzipSync(layer, {maxOutputLength: limit});
  } catch (error) {
    const isTooLarge =
      error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
    const problem = isTooLarge ? `unpacks to more than ${limit} bytes` : 'is not valid gzip';
    return fail(`its layer ${problem}`);
  }
  const content = findFile(archive);
  return content === undefined
    ? fail(`its layer contains no ${fileName}`)
    : ok(content.toString('utf8'));
}

/** Walks over the entries; other tools may write theirs before ours. */
function findFile(archive: Buffer): Buffer | undefined {
  for (let at = 0; at + block <= archive.length; ) {
    const name = textAt(archive, at, 100);
    const written = textAt(archive, at + 124, 12).trim();
    if (name === '' || !/^[0-7]+$/.test(written)) return undefined;
    const size = Number.parseInt(written, 8);
    const start = at + block;
    if (start + size > archive.length) return undefined;
    if (name === fileName || name === `./${fileName}`) return archive.subarray(start, start + size);
    at = start + Math.ceil(size / block) * block;
  }
  return undefined;
}

function textAt(archive: Buffer, at: number, length: number): string {
  const field = archive.subarray(at, at + length);
  const end = field.indexOf(0);
  return field.toString('latin1', 0, end < 0 ? length : end);
}

export function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
