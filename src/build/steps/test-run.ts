import {basename} from 'node:path/posix';
import type {LogFile} from '../../adapters/files/index.ts';
import type {CommandOutput} from '../../adapters/process/index.ts';
import {type Failure, fail, failure, type Result} from '../../failure.ts';
import type {Work} from './context.ts';

export interface TestRequest {
  /** The command of the spec; undefined for pytest. */
  readonly words: readonly string[] | undefined;
  /** Relative to the workspace. */
  readonly folders: readonly string[];
  /** Absolute; what tests drop here is part of the artifact. */
  readonly logsFolder: string;
  /** The value of TEST_IMAGE; the image's reference by default. */
  readonly ref?: string;
}

const defaultMinutes = 60;

/** pytest leaves nothing in the checkout, which is also the build context of later builds. */
const pytestArgs = ['-x', '-p', 'no:cacheprovider'] as const;

/** From the root of the workspace, as the Python scripts did, without the job's credentials. */
export async function testOnHost(
  {context, image, signal}: Work,
  {words, folders, logsFolder, ref = image.ref}: TestRequest,
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
        TEST_IMAGE: ref,
        STACK_LOGS_DIR: logsFolder,
      },
      seconds: secondsOf(image.spec.tests.timeoutMinutes ?? context.timeoutMinutes),
      log,
      signal,
    });
  if (words !== undefined) return run(words[0] ?? '', words.slice(1));
  const args = [...pytestArgs, ...folders];
  const direct = await run('pytest', args);
  if (direct.ok || !isMissing(direct.error)) return direct;
  const module = await run('python3', ['-m', 'pytest', ...args]);
  return !module.ok && isMissing(module.error) ? fail(noPytest()) : module;
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
  {context, image, state, signal}: Work,
  {words, folders, logsFolder}: TestRequest,
  log: LogFile,
): Promise<Result<CommandOutput>> {
  const {docker} = context;
  const name = `stack-test-${crypto.randomUUID()}`;
  const seconds = secondsOf(image.spec.tests.timeoutMinutes ?? context.timeoutMinutes);
  const options = {log, signal, seconds};
  const staged = await context.workspace.stage({
    paths: folders,
    tempDir: context.tempDir,
    name: basename(containerFolder),
  });
  try {
    const created = await docker.create(
      {
        image: state.id ?? image.ref,
        name,
        command: words ?? [...containerPytest, ...staged.names],
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
    const copied = await docker.copy(staged.folder, `${name}:/tmp`, options);
    if (!copied.ok) return copied;
    const done = await docker.start(name, options);
    if (!signal.aborted && (await docker.ranOutOfMemory(name))) {
      // A child of the tests may have been killed, and the tests may have passed all the same.
      const message = `A process in the test container of ${image.ref} was killed because memory ran out${done.ok ? ', though the tests passed' : ''}. Use a larger runner.`;
      context.emit({kind: 'warning', image: image.name, message});
    }
    // What failed tests left is wanted most; a cancelled run has no time for it.
    if (!signal.aborted) await docker.copy(`${name}:${containerFolder}/logs/.`, logsFolder, {log});
    return done;
  } finally {
    await docker.removeContainer(name);
    await staged.remove();
  }
}

function secondsOf(minutes: number | undefined): number {
  return (minutes ?? defaultMinutes) * 60;
}

/** A shim of pyenv is there also where no Python behind it has pytest, and ends as a shell would: with 127. */
function isMissing(failure: Failure): boolean {
  if (failure.cause?.kind === 'spawn') return failure.cause.code === 'ENOENT';
  if (failure.cause?.kind === 'exit' && failure.cause.exitCode === 127) return true;
  return failure.tail.some((line) => line.endsWith('No module named pytest'));
}

function noPytest(): Failure {
  return failure(
    'no-tests',
    'pytest is not installed: there is neither a "pytest" program nor a pytest module for python3.',
    {
      hint: 'Install it before this step (pip install pytest), or set "tests.where: container" for images that have it.',
    },
  );
}
