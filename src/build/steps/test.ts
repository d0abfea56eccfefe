import {chmod, cp, mkdir, mkdtemp, rm, rmdir} from 'node:fs/promises';
import {basename, join} from 'node:path';
import {type LogFile, outputFolders} from '../../adapters/files/index.ts';
import type {CommandOutput} from '../../adapters/process/index.ts';
import {type Failure, fail, failure, type Result} from '../../failure.ts';
import {fileNameOf} from '../../image/tags.ts';
import {commandWords} from '../../page/index.ts';
import {type LogKind, type Step, type StepEnd, type Work, withLog} from './context.ts';
import {markTested} from './push.ts';

/** `tests_common` of the stack, then the image's own `test` or `tests`. */
export const testStep: Step = async (work) => {
  const {context, image, spec} = work;
  const common = `${context.stackDir}/tests_common`;
  const own = await firstFolder(work, [`${spec.folder}/test`, `${spec.folder}/tests`]);
  const folders = [await firstFolder(work, [common]), own].filter((folder) => folder !== undefined);
  if (folders.length === 0 && spec.tests.command === undefined) return {notes: ['no tests']};
  const end = await runTests(work, 'basic-tests', folders);
  const isLast = image.action === 'test' && !spec.integrationTests;
  return end.failure === undefined && isLast ? withTested(work, end) : end;
};

/** The tests of an image that is in the registry already. */
export const integrationTestStep: Step = async (work) => {
  const {spec} = work;
  if (!spec.integrationTests) return {};
  const folder = `${spec.folder}/integration_tests`;
  if ((await firstFolder(work, [folder])) === undefined) return {failure: noFolder(folder)};
  const end = await runTests(work, 'integration-tests', [folder]);
  return end.failure === undefined ? withTested(work, end) : end;
};

async function withTested(work: Work, end: StepEnd): Promise<StepEnd> {
  return {...end, ...(await markTested(work))};
}

async function runTests(work: Work, kind: LogKind, folders: readonly string[]): Promise<StepEnd> {
  const {context, image, spec} = work;
  const command = kind === 'basic-tests' ? spec.tests.command : undefined;
  const words = command === undefined ? undefined : commandWords(command);
  if (command !== undefined && (words === undefined || words.length === 0)) {
    return {failure: badCommand(command)};
  }
  const logsFolder = await context.workspace.makeFolder(
    join(outputFolders.logs, fileNameOf(image.ref)),
  );
  const request: TestRequest = {words, folders, logsFolder};
  return withLog(work, kind, async (log) => {
    const done =
      spec.tests.where === 'container' && kind === 'basic-tests'
        ? await testInContainer(work, request, log)
        : await testOnHost(work, request, log);
    // Stays only where tests left something.
    await rmdir(logsFolder).catch(() => undefined);
    if (done.ok) return {};
    const isPytest = words === undefined;
    if (isPytest && done.error.cause?.kind === 'exit' && done.error.cause.exitCode === 5) {
      return {notes: ['no tests collected']};
    }
    return {failure: await context.docker.diagnose(explainTestFailure(done.error, image.ref))};
  });
}

function noFolder(folder: string): Failure {
  return failure(
    'no-tests',
    `spec.yml says "integration_tests: true", but there is no folder ${folder}.`,
    {hint: 'Add the tests, or remove the key.'},
  );
}

function badCommand(command: string): Failure {
  return failure('spec-invalid', `"tests.command" is no command: ${command}`, {
    hint: 'Look for a quotation mark that is not closed.',
  });
}

async function firstFolder(
  {context}: Work,
  folders: readonly string[],
): Promise<string | undefined> {
  for (const folder of folders) if (await context.workspace.isFolder(folder)) return folder;
  return undefined;
}

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
  if (failure.cause?.kind === 'spawn') return failure.cause.code === 'ENOENT';
  if (failure.cause?.kind === 'exit' && failure.cause.exitCode === 127) return true;
  return failure.tail.some((line) => line.endsWith('No module named pytest'));
}

function noPytest(): Failure {
  return failure(
    'test-failed',
    'pytest is not installed: there is neither a program "pytest" nor a module of python3.',
    {
      hint: 'Install it before this step (pip install pytest), or set "tests.where: container" for images that have it.',
    },
  );
}

/**
 * What pytest's exit code means; 5 (nothing collected) is no failure (DESIGN.md section 5).
 * https://docs.pytest.org/en/stable/reference/exit-codes.html
 */
export function explainTestFailure(failure: Failure, ref: string): Failure {
  if (failure.cause?.kind === 'timeout') {
    return {
      ...failure,
      message: `The tests of ${ref} were not done after ${failure.cause.seconds} s.`,
    };
  }
  if (failure.cause?.kind !== 'exit') return failure;
  const words =
    pytestCodes.get(failure.cause.exitCode) ?? `ended with exit code ${failure.cause.exitCode}`;
  const summary = failure.tail.findLast((line) => /^(?:FAILED|ERROR) /.test(line));
  return {
    ...failure,
    class: failure.cause.exitCode === 137 ? 'oom-killed' : 'test-failed',
    message: `The tests of ${ref} ${words}${summary === undefined ? '.' : `: ${summary}`}`,
  };
}

const pytestCodes: ReadonlyMap<number, string> = new Map([
  [1, 'failed'],
  [2, 'could not be collected, or were interrupted'],
  [3, 'broke pytest itself'],
  [4, 'were not started: pytest was called wrongly'],
]);
