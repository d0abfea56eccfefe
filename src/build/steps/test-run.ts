import {chmod, cp, mkdir, mkdtemp, rm} from 'node:fs/promises';
import {basename, join} from 'node:path';
import type {LogFile} from '../../adapters/files/log.ts';
import type {CommandOutput} from '../../adapters/process/index.ts';
import type {Failure, Result} from '../../failure.ts';
import type {Work} from './context.ts';

export interface TestRequest {
  /** The command of the spec; undefined for pytest. */
  readonly words: readonly string[] | undefined;
  /** Relative to the workspace. */
  readonly folders: readonly string[];
  /** Absolute; what tests drop here is part of the artifact. */
  readonly logsFolder: string;
}

const defaultMinutes = 60;

/** pytest leaves nothing in the checkout, which is also the build context of later builds. */
const pytestArgs = ['-x', '-p', 'no:cacheprovider'] as const;

/** From the root of the workspace, as the Python scripts did, without the job's credentials. */
export async function testOnHost(
  {context, image, spec, signal}: Work,
  {words, folders, logsFolder}: TestRequest,
  log: LogFile,
): Promise<Result<CommandOutput>> {
  const run = (file: string, args: readonly string[]): Promise<Result<CommandOutput>> =>
    context.run({
      file,
      args,
      cwd: context.workspace.root,
      env: {
        ...context.testEnvironment,
        PYTHONDONTWRITEBYTECODE: '1',
        TEST_IMAGE: image.ref,
        STACK_LOGS_DIR: logsFolder,
      },
      seconds: secondsOf(spec.tests.timeoutMinutes ?? context.timeoutMinutes),
      log,
      signal,
    });
  if (words !== undefined) return run(words[0] ?? '', words.slice(1));
  const args = [...pytestArgs, ...folders];
  const direct = await run('pytest', args);
  if (direct.ok || !isMissing(direct.failure)) return direct;
  const module = await run('python3', ['-m', 'pytest', ...args]);
  return !module.ok && isMissing(module.failure) ? {ok: false, failure: noPytest()} : module;
}

/** The folder of the tests as the container sees it. */
const containerFolder = '/tmp/stack-tests';

const containerPytest = [
  ...['sh', '-c'],
  'if command -v pytest >/dev/null 2>&1; then exec pytest "$@"; else exec python3 -m pytest "$@"; fi',
  ...['sh', ...pytestArgs],
] as const;

/** Copies the tests in, runs them in place of the image's own command, and copies out what they left. */
export async function testInContainer(
  {context, image, spec, state, signal}: Work,
  {words, folders, logsFolder}: TestRequest,
  log: LogFile,
): Promise<Result<CommandOutput>> {
  const {docker} = context;
  const name = `stack-test-${crypto.randomUUID()}`;
  const staging = await mkdtemp(join(context.tempDir, 'stack-tests-'));
  const seconds = secondsOf(spec.tests.timeoutMinutes ?? context.timeoutMinutes);
  const options = {log, signal, seconds};
  try {
    const tests = join(staging, basename(containerFolder));
    const logs = join(tests, 'logs');
    await mkdir(logs, {recursive: true});
    // The user of the image is not ours, and writes here.
    await chmod(logs, 0o777);
    for (const folder of folders) {
      await cp(context.workspace.path(folder), join(tests, basename(folder)), {recursive: true});
    }
    const created = await docker.create(
      {
        image: state.id ?? image.ref,
        name,
        command: words ?? [...containerPytest, ...folders.map((folder) => basename(folder))],
        env: new Map([
          ['TEST_IMAGE', image.ref],
          ['STACK_LOGS_DIR', `${containerFolder}/logs`],
          ['PYTHONDONTWRITEBYTECODE', '1'],
        ]),
        workdir: containerFolder,
      },
      options,
    );
    if (!created.ok) return created;
    const copied = await docker.copy(tests, `${name}:/tmp`, options);
    if (!copied.ok) return copied;
    const done = await docker.start(name, options);
    // What failed tests left is wanted most; a cancelled run has no time for it.
    if (!signal.aborted) await docker.copy(`${name}:${containerFolder}/logs/.`, logsFolder, {log});
    return done;
  } finally {
    await docker.removeContainer(name);
    await rm(staging, {recursive: true, force: true});
  }
}

function secondsOf(minutes: number | undefined): number {
  return (minutes ?? defaultMinutes) * 60;
}

/** A shim of pyenv is there also where no Python behind it has pytest, and ends as a shell would: with 127. */
function isMissing(failure: Failure): boolean {
  if (failure.reason === 'spawn') return failure.code === 'ENOENT';
  if (failure.reason === 'exit-code' && failure.exitCode === 127) return true;
  return failure.tail.some((line) => line.endsWith('No module named pytest'));
}

function noPytest(): Failure {
  return {
    reason: 'internal',
    class: 'test-failed',
    message:
      'pytest is not installed: there is neither a program "pytest" nor a module of python3.',
    hint: 'Install it before this step (pip install pytest), or set "tests.where: container" for images that have it.',
    tail: [],
  };
}
