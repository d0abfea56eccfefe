import {execa} from 'execa';
import type {Result} from '../../failure.ts';
import type {CommandOutput, CommandRequest, RunCommand} from '../docker/ports.ts';
import {watchEnd} from './end.ts';
import {forwardLines, keepHead, keepTail, release} from './output.ts';
import {cancelled, exited, notStarted, timedOut} from './process-failure.ts';

const mib = 1024 * 1024;
/** Output that goes to a log is whole there. */
const limits = {logged: mib, stdout: 16 * mib, stderr: 4 * mib} as const;
/**
 * Runs a program without a shell, in a process group of its own. Its deadline and its end are kept here and not by
 * execa, whose promise waits for pipes that grandchildren may hold (RELIABILITY.md 2a, 2d.6). A detached child also
 * keeps execa from listening for signals, which would end this process before it could report (STYLE.md 11.1).
 */
export const runCommand: RunCommand = async (request) => {
  if (request.signal?.aborted === true) return {ok: false, failure: cancelled([])};
  const started = performance.now();
  const child = start(request);
  if (child instanceof Error) return {ok: false, failure: notStarted(request, child)};
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
  if (ending.kind === 'spawn') return {ok: false, failure: notStarted(request, ending.error)};
  if (end.stoppedBy() === 'signal') return {ok: false, failure: cancelled(lines)};
  if (end.stoppedBy() === 'deadline') return {ok: false, failure: timedOut(request, lines)};
  if (ending.kind === 'stuck' || ending.exitCode !== 0) {
    const exitCode = ending.kind === 'stuck' ? -1 : ending.exitCode;
    return {ok: false, failure: exited(request, exitCode, lines)};
  }
  const value: CommandOutput = {
    stdout: heads.stdout.text(),
    stderr: heads.stderr.text(),
    tail: lines,
    durationMs: performance.now() - started,
  };
  return {ok: true, value} satisfies Result<CommandOutput>;
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
