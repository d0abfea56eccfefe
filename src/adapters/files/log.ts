import {closeSync, fstatSync, readSync, writeSync} from 'node:fs';
import {messageOf} from '../../failure.ts';
import type {Mask} from '../../util/masking.ts';
import type {LogSink} from '../process/index.ts';
import {isInPlace, type OpenedFile, openOwn, openOwnToRead} from './own.ts';

/** A log file that is being written. */
export interface LogFile extends LogSink {
  /** Why the file is not complete, for example a full disk; undefined while it is. */
  problem(): string | undefined;
}

export interface LogOptions {
  /** Goes on at the end of the file instead of beginning it anew. */
  readonly append?: boolean;
}

export interface LogPlace {
  readonly root: string;
  /** Relative to the root. */
  readonly file: string;
  readonly mask: Mask;
  /** What tests put in its place since the run began makes room. */
  readonly mayMend?: boolean;
}

/**
 * Opens a log and the folders above it. Secrets become `***`, also across the borders of chunks; every other byte
 * stays. Written at once and synchronously: what a killed run printed is on disk, and a fast writer cannot fill the
 * memory. A log that cannot be written never fails the work it reports on; one that a test removed is made anew, with
 * what it had.
 */
export function openLog(
  {root, file, mask, mayMend = false}: LogPlace,
  {append = false}: LogOptions = {},
): LogFile {
  const masker = mask.stream();
  let problem: string | undefined;
  let open: OpenedFile | undefined;
  const attempt = (work: () => void): void => {
    if (problem !== undefined) return;
    try {
      work();
    } catch (error) {
      problem = messageOf(error);
    }
  };
  const keepInPlace = (): void => {
    if (open === undefined || isInPlace(root, file, open)) return;
    const lost = open;
    open = openOwn(root, file, {mode: 'new', mayMend});
    copyAll(lost.descriptor, open.descriptor);
    closeSync(lost.descriptor);
  };
  const writeAll = (bytes: Uint8Array): void => {
    keepInPlace();
    if (open === undefined) return;
    for (let from = 0; from < bytes.length; ) from += writeSync(open.descriptor, bytes, from);
  };
  attempt(() => {
    open = openOwn(root, file, {mode: append ? 'append' : 'new', mayMend});
  });
  return {
    write: (chunk) => attempt(() => writeAll(masker.push(chunk))),
    close: async () => {
      attempt(() => writeAll(masker.flush()));
      const last = open;
      open = undefined;
      if (last !== undefined) attempt(() => closeSync(last.descriptor));
    },
    problem: () => problem,
  };
}

const copyBytes = 1024 * 1024;

function copyAll(from: number, to: number): void {
  const buffer = Buffer.allocUnsafe(copyBytes);
  const {size} = fstatSync(from);
  for (let at = 0; at < size; ) {
    const read = readSync(from, buffer, 0, copyBytes, at);
    if (read === 0) return;
    for (let done = 0; done < read; ) done += writeSync(to, buffer, done, read - done);
    at += read;
  }
}

const headBytes = 64 * 1024;
const tailBytes = 192 * 1024;

/**
 * The text of a log for the console: whole when it is small, else its beginning and its end with a notice between,
 * so that a build that prints 500 MB costs a quarter of a megabyte. Empty when there is no such file.
 */
export function readExcerpt(root: string, file: string): string {
  let opened: OpenedFile | undefined;
  try {
    opened = openOwnToRead(root, file);
    return opened === undefined ? '' : excerptOf(opened.descriptor, file);
  } catch (error) {
    return messageOf(error);
  } finally {
    if (opened !== undefined) closeSync(opened.descriptor);
  }
}

function excerptOf(descriptor: number, file: string): string {
  const {size} = fstatSync(descriptor);
  const read = (start: number, length: number): string => {
    const buffer = Buffer.alloc(length);
    return buffer.toString('utf8', 0, readSync(descriptor, buffer, 0, length, start));
  };
  if (size <= headBytes + tailBytes) return read(0, size);
  const left = size - headBytes - tailBytes;
  const notice = `… ${Math.round(left / 1024)} KiB are only in ${file} …`;
  return `${read(0, headBytes)}\n${notice}\n${read(size - tailBytes, tailBytes)}`;
}
