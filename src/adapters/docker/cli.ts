import {join as shellJoin} from 'shlex';
import {type Failure, fail, ok, type Result} from '../../failure.ts';
import {afterAborted} from '../../util/until.ts';
import type {CommandOutput, RunCommand} from '../process/index.ts';
import {type DockerOperation, explainDockerFailure} from './failure.ts';
import type {DockerOptions} from './types.ts';

/** Default deadlines in seconds: nothing waits for ever for a daemon or a registry that hangs. */
export const deadlines = {
  small: 60,
  login: 30,
  pull: 30 * 60,
  build: 120 * 60,
  push: 30 * 60,
  /** A container whose caller sets no deadline. */
  run: 60 * 60,
} as const;

export interface DockerCall {
  readonly args: readonly string[];
  readonly operation: DockerOperation;
  /** What the sentence of a failure names: a reference, a host. */
  readonly subject: string;
  readonly seconds: number;
  readonly options?: DockerOptions;
  readonly input?: string;
}

/** Runs docker and explains its failures. */
export type CallDocker = (call: DockerCall) => Promise<Result<CommandOutput>>;

export interface CliOptions {
  readonly run: RunCommand;
  /** The whole environment of docker. */
  readonly env: Readonly<Record<string, string>>;
  /** Where paths of contexts and Dockerfiles begin. */
  readonly cwd: string;
  /** Of the run: calls without a signal of their own, such as those that clean up, have a moment when it is cancelled. */
  readonly stop?: AbortSignal;
}

/** The only place that starts docker. With a log, the command line comes before its output. */
export function createDockerCli({run, env, cwd, stop}: CliOptions): CallDocker {
  const patience = createPatience(stop);
  return async ({args, operation, subject, seconds, options = {}, input}) => {
    const {log} = options;
    log?.write(Buffer.from(`$ ${shellJoin(['docker', ...args])}\n`));
    const [signal, forget] =
      options.signal === undefined ? patience() : [options.signal, () => undefined];
    const done = await run({
      file: 'docker',
      args,
      env,
      cwd,
      seconds: options.seconds ?? seconds,
      ...(input === undefined ? {} : {input}),
      ...(log === undefined ? {} : {log}),
      ...(signal === undefined ? {} : {signal}),
    }).finally(forget);
    if (done.ok) return done;
    const failure = explainDockerFailure(done.error, operation, subject);
    log?.write(Buffer.from(`${failure.message}\n`));
    return fail(withInstallHint(failure));
  };
}

const graceMs = 2000;

/**
 * What a cancelled run still asks of docker has two seconds, and only once: an engine that hangs would hold the run
 * for a deadline each time. What stays is the post step's.
 */
function createPatience(
  stop: AbortSignal | undefined,
): () => readonly [AbortSignal | undefined, () => void] {
  let isSilent = false;
  return () => {
    if (stop === undefined) return [undefined, () => undefined];
    if (isSilent) return [AbortSignal.abort(), () => undefined];
    const controller = new AbortController();
    const forget = afterAborted(stop, graceMs, () => {
      isSilent = true;
      controller.abort();
    });
    return [controller.signal, forget];
  };
}

function withInstallHint(failure: Failure): Failure {
  if (failure.cause?.kind !== 'spawn' || failure.cause.code !== 'ENOENT') return failure;
  return {
    ...failure,
    class: 'daemon-lost',
    message: 'Docker is not installed: there is no program "docker" on PATH.',
    hint: 'Install Docker Engine with its CLI and buildx (https://docs.docker.com/engine/install/), or run on a runner that has it.',
  };
}

/** The result without its value. */
export function withoutValue(result: Result<unknown>): Result<void> {
  return result.ok ? ok() : result;
}
