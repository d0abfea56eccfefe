import {existsSync} from 'node:fs';
import {execa} from 'execa';
import {join as shellJoin} from 'shlex';
import {type Failure, fail, failure, messageOf, ok, type Result} from '../../failure.ts';
import {watchEnd} from './end.ts';
import {forwardLines, keepHead, keepTail, release} from './output.ts';

export {testEnvironment} from './environment.ts';

const mib = 1024 * 1024;
/** Output that goes to a log is whole there. */
const limits = {logged: mib, stdout: 16 * mib, stderr: 4 * mib} as const;
/**
 * Runs a program without a shell, in a process group of its own. Its deadline and its end are kept here and not by
 * execa, whose promise waits for pipes that grandchildren may hold (RELIABILITY.md 2a, 2d.6). A detached child also
 * keeps execa from listening for signals, which would end this process before it could report (STYLE.md 11.1).
 */
export const runCommand: RunCommand = async (request) => {
  if (request.signal?.aborted === true) return fail(cancelled([]));
  const started = performance.now();
  const child = start(request);
  if (child instanceof Error) return fail(notStarted(request, child));
  const tail = keepTail();
  const isLogged = request.log !== undefined;
  const heads = {
    stdout: keepHead(isLogged ? limits.logged : limits.stdout),
    stderr: keepHead(isLogged ? limits.logged : limits.stderr),
  };
  const intakes = (['stdout', 'stderr'] as const).map((name) => {
    const lines = forwardLines((chunk) => {
      tail.push(chunk);
      request.log?.write(chunk);
    });
    child[name].on('data', (chunk: Buffer) => {
      heads[name].push(chunk);
      lines.push(chunk);
      release(chunk);
    });
    return lines;
  });
  const end = watchEnd(child, request);
  const ending = await end.settled;
  for (const lines of intakes) lines.flush();
  const lines = tail.lines();
  if (ending.kind === 'spawn') return fail(notStarted(request, ending.error));
  if (end.stoppedBy() === 'signal') return fail(cancelled(lines));
  if (end.stoppedBy() === 'deadline') return fail(timedOut(request, lines));
  if (ending.kind === 'stuck' || ending.exitCode !== 0) {
    const exitCode = ending.kind === 'stuck' ? -1 : ending.exitCode;
    return fail(exited(request, exitCode, lines));
  }
  const value: CommandOutput = {
    stdout: heads.stdout.text(),
    stderr: heads.stderr.text(),
    tail: lines,
    durationMs: performance.now() - started,
  };
  return ok(value) satisfies Result<CommandOutput>;
};

function start({file, args, cwd, env, input, onStart}: CommandRequest) {
  try {
    const child = execa(file, args, {
      buffer: false,
      detached: true,
      cleanup: false,
      reject: false,
      encoding: 'buffer',
      extendEnv: env === undefined,
      ...(cwd === undefined ? {} : {cwd}),
      ...(env === undefined ? {} : {env}),
      // Nobody answers a question here; a program that asks gets an end of file.
      ...(input === undefined ? {stdin: 'ignore' as const} : {input}),
    });
    if (child.pid !== undefined) onStart?.(child.pid);
    return child;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

const longestCommand = 400;

/** The command as one could type it, cut. */
function commandText({file, args}: CommandRequest): string {
  const text = shellJoin([file, ...args]).replaceAll('\0', '\\0');
  return text.length > longestCommand ? `${text.slice(0, longestCommand)}…` : text;
}

/** It ran and said no. */
export function exited(
  request: CommandRequest,
  exitCode: number,
  tail: readonly string[],
): Failure {
  const command = commandText(request);
  const message = `${request.file} ${request.args[0] ?? ''}`.trim();
  return failure('internal', `${message} ended with exit code ${exitCode}.`, {
    cause: {kind: 'exit', command, exitCode},
    tail,
  });
}

export function timedOut(request: CommandRequest, tail: readonly string[]): Failure {
  const {seconds} = request;
  const message = `${request.file} ${request.args[0] ?? ''} was not done after ${seconds} s and was ended.`;
  return failure('timeout', message, {
    cause: {kind: 'timeout', command: commandText(request), seconds},
    tail,
  });
}

export function cancelled(tail: readonly string[]): Failure {
  return failure('cancelled', 'The run was cancelled.', {tail});
}

/** It never ran; the usual causes have their sentence. */
export function notStarted(request: CommandRequest, error: unknown): Failure {
  const code = codeOf(error);
  return failure('internal', spawnSentence(request, code, error), {
    cause: {kind: 'spawn', command: commandText(request), code},
  });
}

function spawnSentence({file, args, cwd}: CommandRequest, code: string, error: unknown): string {
  if ([file, ...args].some((part) => part.includes('\0'))) {
    return `${file} was not started: an argument holds a NUL character.`;
  }
  if (code === 'E2BIG') {
    return `${file} was not started: its arguments are too long for the system (E2BIG). A single one may have 128 KiB.`;
  }
  if (cwd !== undefined && !existsSync(cwd)) {
    return `${file} was not started: there is no folder ${cwd}.`;
  }
  if (code === 'ENOENT') return `The program "${file}" was not found on this machine.`;
  if (code === 'EACCES') return `The program "${file}" may not be executed.`;
  return `${file} was not started: ${messageOf(error)}`;
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'unknown';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return 'cause' in error ? codeOf(error.cause) : 'unknown';
}

/** A log that is being written: raw bytes in, secrets masked on the way to the file. */
export interface LogSink {
  /** The bytes are the caller's again when it returns: who wants to keep them copies them. */
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
  /** Deadline in seconds; the process group is ended when it passes. */
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
  readonly durationMs: number;
}

/** Runs a program without a shell. A non-zero exit, a deadline, a signal and a missing program are all failures. */
export type RunCommand = (request: CommandRequest) => Promise<Result<CommandOutput>>;
