import {closeSync, mkdirSync, openSync, writeSync} from 'node:fs';
import {dirname} from 'node:path';
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
      problem = error instanceof Error ? error.message : String(error);
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
