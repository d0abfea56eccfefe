import type {Result} from '../../failure.ts';

/** A log that is being written: raw bytes in, secrets masked on the way to the file. */
export interface LogSink {
  /** The bytes belong to the caller again when this returns: copy what is to be kept. */
  write(chunk: Uint8Array): void;
  /** Resolves when everything is on disk. */
  close(): Promise<void>;
}

export interface CommandRequest {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  /** The whole environment of the child; nothing is inherited when given. */
  readonly env?: Readonly<Record<string, string>>;
  /** Written to the child's standard input, for secrets that must not be arguments. */
  readonly input?: string;
  /** Deadline in seconds; the whole process group is terminated then. */
  readonly seconds: number;
  /** Receives stdout and stderr as they come. */
  readonly log?: LogSink;
  readonly signal?: AbortSignal;
  /** Called with the child's process id as soon as it runs. */
  readonly onStart?: (pid: number) => void;
}

export interface CommandOutput {
  /** Bounded: the first 16 MiB of stdout, the first MiB when it goes to a log as well. */
  readonly stdout: string;
  readonly stderr: string;
  /** The last lines of both. */
  readonly tail: readonly string[];
  /** Whether stdout had more than that. */
  readonly isCut?: boolean;
}

/** Runs a program without a shell. A non-zero exit, a deadline, a signal and a missing program are all failures. */
export type RunCommand = (request: CommandRequest) => Promise<Result<CommandOutput>>;
