import {closeSync, mkdirSync, openSync, writeSync} from 'node:fs';
import {open} from 'node:fs/promises';
import {dirname} from 'node:path';
import {messageOf} from '../../failure.ts';
import {createMasker} from '../../util/masking.ts';
import type {LogSink} from '../process/index.ts';

/** A log file that is being written. */
export interface LogFile extends LogSink {
  /** Why the file is not whole, for example a full disk; undefined while it is. */
  problem(): string | undefined;
}

export interface LogOptions {
  /** Goes on at the end of the file instead of beginning it anew. */
  readonly append?: boolean;
}

/**
 * Opens a log and the folders above it. Secrets (all their forms, see `secretForms`) become `***`, also across the
 * borders of chunks; every other byte stays. Written at once and synchronously: what a killed run printed is on
 * disk, and a fast writer cannot fill the memory. A log that cannot be written never fails the work it tells of.
 */
export function openLog(
  path: string,
  secrets: readonly string[],
  {append = false}: LogOptions = {},
): LogFile {
  const masker = createMasker(secrets);
  let problem: string | undefined;
  let file: number | undefined;
  const attempt = (work: () => void): void => {
    if (problem !== undefined) return;
    try {
      work();
    } catch (error) {
      problem = messageOf(error);
    }
  };
  const writeAll = (bytes: Uint8Array): void => {
    if (file === undefined) return;
    for (let from = 0; from < bytes.length; ) from += writeSync(file, bytes, from);
  };
  attempt(() => {
    mkdirSync(dirname(path), {recursive: true});
    file = openSync(path, append ? 'a' : 'w');
  });
  return {
    write: (chunk) => attempt(() => writeAll(masker.push(chunk))),
    close: async () => {
      attempt(() => writeAll(masker.flush()));
      const open = file;
      file = undefined;
      if (open !== undefined) attempt(() => closeSync(open));
    },
    problem: () => problem,
  };
}

const headBytes = 64 * 1024;
const tailBytes = 192 * 1024;

/**
 * The text of a log for the console: whole when it is small, else its beginning and its end with a notice between,
 * so that a build that prints 500 MB costs a quarter of a megabyte. Empty when there is no such file.
 */
export async function readExcerpt(path: string, shownPath: string): Promise<string> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return '';
  try {
    const {size} = await file.stat();
    const read = async (start: number, length: number): Promise<string> => {
      const {buffer, bytesRead} = await file.read(Buffer.alloc(length), 0, length, start);
      return buffer.toString('utf8', 0, bytesRead);
    };
    if (size <= headBytes + tailBytes) return await read(0, size);
    const left = size - headBytes - tailBytes;
    const notice = `… ${Math.round(left / 1024)} KiB are only in ${shownPath} …`;
    return `${await read(0, headBytes)}\n${notice}\n${await read(size - tailBytes, tailBytes)}`;
  } finally {
    await file.close();
  }
}
