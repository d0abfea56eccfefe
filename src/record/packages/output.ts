import type {Manager} from '../schema.ts';

/** One package that some output lists. */
export interface Listed {
  readonly manager: Manager;
  readonly name: string;
  readonly version: string;
}

/** An output to read packages from: plain text, without overlong lines and repeated blank ones. */
export interface Output {
  readonly text: string;
  readonly lines: readonly string[];
  /** The manager that the command speaks of: decides only where the output fits several. */
  readonly hint: Manager | undefined;
}

/** Reads one format, or none: what does not look like it gives no packages. */
export type Reader = (output: Output) => readonly Listed[];
