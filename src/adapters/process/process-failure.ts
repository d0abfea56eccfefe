import {existsSync} from 'node:fs';
import {join as shellJoin} from 'shlex';
import type {Failure} from '../../failure.ts';
import type {CommandRequest} from '../docker/ports.ts';

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
  return {
    reason: 'exit-code',
    class: 'internal',
    command,
    exitCode,
    message: `${message} ended with exit code ${exitCode}.`,
    tail,
  };
}

export function timedOut(request: CommandRequest, tail: readonly string[]): Failure {
  const {seconds} = request;
  const message = `${request.file} ${request.args[0] ?? ''} was not done after ${seconds} s and was ended.`;
  return {
    reason: 'timeout',
    class: 'timeout',
    command: commandText(request),
    seconds,
    message,
    tail,
  };
}

export function cancelled(tail: readonly string[]): Failure {
  return {reason: 'cancelled', class: 'cancelled', message: 'The run was cancelled.', tail};
}

/** It never ran; the usual causes have their sentence. */
export function notStarted(request: CommandRequest, error: unknown): Failure {
  const code = codeOf(error);
  return {
    reason: 'spawn',
    class: 'internal',
    command: commandText(request),
    code,
    message: spawnSentence(request, code, error),
    tail: [],
  };
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
  return `${file} was not started: ${error instanceof Error ? error.message : String(error)}`;
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'unknown';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return 'cause' in error ? codeOf(error.cause) : 'unknown';
}
