import {existsSync} from 'node:fs';
import {execa} from 'execa';
import {join as shellJoin} from 'shlex';
import {type Failure, fail, failure, messageOf, ok} from '../../failure.ts';
import {watchEnd} from './end.ts';
import {forwardLines, keepHead, keepTail, release} from './output.ts';
import type {CommandOutput, CommandRequest, RunCommand} from './types.ts';

export {
  dockerEnvironment,
  gitEnvironment,
  isSet,
  testEnvironment,
  variableOf,
} from './environment.ts';
export {openLedger, stopLeftOver} from './ledger.ts';
export {versionOf} from './tools.ts';
export type {CommandOutput, CommandRequest, LogSink, RunCommand} from './types.ts';

const mib = 1024 * 1024;
/** Output that goes to a log is whole there. */
const limits = {logged: mib, stdout: 16 * mib, stderr: 4 * mib} as const;

/**
 * The one way to run a program: without a shell, with a deadline, and stopped by the signal of the run.
 * Enters: a command as a list of words, its environment, its deadline, where its output goes.
 * Leaves: its output, or a Failure that says how it was seen to fail; never an exception, never a process left over.
 * Not here: what the output means (docker/, git/, build/steps), and which secrets a log must not hold (files/).
 *
 * Each program has a process group of its own. Its deadline is kept here and not by execa, whose promise waits for
 * pipes that grandchildren may hold open. A detached child also keeps execa from listening for signals, which would
 * end this process before it could report.
 */
export const runCommand: RunCommand = async (request) => {
  if (request.signal?.aborted === true) return fail(cancelled([]));
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
    isCut: heads.stdout.isCut(),
  };
  return ok(value);
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
      // There is no one to answer a question: a program that asks reads an end of file.
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

/** It ran, and its exit code says that it failed. */
export function exited(
  request: CommandRequest,
  exitCode: number,
  tail: readonly string[],
): Failure {
  const command = commandText(request);
  const message = `${request.file} ${request.args[0] ?? ''}`.trim();
  return failure('internal', `${message} failed with exit code ${exitCode}.`, {
    cause: {kind: 'exit', command, exitCode},
    tail,
  });
}

export function timedOut(request: CommandRequest, tail: readonly string[]): Failure {
  const {seconds} = request;
  const message = `${request.file} ${request.args[0] ?? ''} timed out after ${seconds} s and was terminated.`;
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
    return `${file} was not started: an argument contains a NUL character.`;
  }
  if (code === 'E2BIG') {
    return `${file} was not started: its arguments are too long for the system (E2BIG). A single argument can have at most 128 KiB.`;
  }
  if (cwd !== undefined && !existsSync(cwd)) {
    return `${file} was not started: the folder ${cwd} does not exist.`;
  }
  if (code === 'ENOENT') return `The program "${file}" was not found on this machine.`;
  if (code === 'EACCES') return `The program "${file}" cannot be executed (permission denied).`;
  return `${file} was not started: ${messageOf(error)}`;
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'unknown';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return 'cause' in error ? codeOf(error.cause) : 'unknown';
}
