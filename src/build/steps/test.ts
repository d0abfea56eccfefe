import {chmod, cp, mkdir, mkdtemp, rm, rmdir} from 'node:fs/promises';
import {basename, join} from 'node:path';
import {type LogFile, outputFolders} from '../../adapters/files/index.ts';
import type {CommandOutput} from '../../adapters/process/index.ts';
import {type Failure, fail, failure, type Result} from '../../failure.ts';
import {fileNameOf} from '../../image/tags.ts';
import type {TestCounts} from '../types.ts';
import {type LogKind, type Step, type StepEnd, type Work, withLog} from './context.ts';
import {conclude} from './push.ts';

/** `tests_common` of the stack, then the image's own `test` or `tests`, then what `tests.paths` names. */
export const testStep: Step = async (work) => {
  const {context, image, state} = work;
  const {spec} = image;
  const common = `${context.stackDir}/tests_common`;
  const own = await firstFolder(work, [`${spec.folder}/test`, `${spec.folder}/tests`]);
  const folders = [await firstFolder(work, [common]), own].filter((folder) => folder !== undefined);
  const paths = [...folders, ...spec.tests.paths];
  const isLast = !spec.integrationTests && image.action === 'test';
  if (paths.length === 0 && spec.tests.words === undefined) {
    const note: StepEnd = {notes: ['no tests']};
    return isLast ? {...note, ...(await conclude(work, 'passed'))} : note;
  }
  const end = await runTests(work, 'basic-tests', paths);
  if (isVerdict(end)) return {...end, ...(await concludeFailed(work))};
  state.isTested ||= end.failure === undefined && !end.notes?.includes(noneCollected);
  return end.failure === undefined && isLast ? {...end, ...(await conclude(work, 'passed'))} : end;
};

/** The tests of an image that is in the registry already. */
export const integrationTestStep: Step = async (work) => {
  const {image, state} = work;
  if (!image.spec.integrationTests) return {};
  const folder = `${image.spec.folder}/integration_tests`;
  if ((await firstFolder(work, [folder])) === undefined) return {failure: noFolder(folder)};
  const end = await runTests(work, 'integration-tests', [folder]);
  if (isVerdict(end)) return {...end, ...(await concludeFailed(work))};
  state.isTested ||= end.failure === undefined && !end.notes?.includes(noneCollected);
  return end.failure === undefined ? {...end, ...(await conclude(work, 'passed'))} : end;
};

const noneCollected = 'no tests collected';

/** A lost daemon or a cancelled run proves nothing about the image. */
function isVerdict({failure}: StepEnd): boolean {
  return failure !== undefined && ['test-failed', 'timeout', 'oom-killed'].includes(failure.class);
}

/** The red verdict is remembered where the image is in the registry; the failure of the tests stays the step's. */
async function concludeFailed(work: Work): Promise<StepEnd> {
  const {failure: _, ...rest} = await conclude(work, 'failed');
  return rest;
}

async function runTests(work: Work, kind: LogKind, folders: readonly string[]): Promise<StepEnd> {
  const {context, image, state} = work;
  const {spec} = image;
  const words = kind === 'basic-tests' ? spec.tests.words : undefined;
  const logsFolder = await context.workspace.makeFolder(
    join(outputFolders.logs, fileNameOf(image.ref)),
  );
  const request: TestRequest = {words, folders, logsFolder};
  return withLog(work, kind, async (log) => {
    const isHost = spec.tests.where === 'host' || kind === 'integration-tests';
    const done = isHost
      ? await testThisImage(work, (ref) => testOnHost(work, {...request, ref}, log))
      : await testInContainer(work, request, log);
    // Stays only where tests left something.
    await rmdir(logsFolder).catch(() => undefined);
    const counts = pytestCounts(done.ok ? done.value.tail : done.error.tail);
    if (counts !== undefined) state.counts = addCounts(state.counts, counts);
    const tests = counts === undefined ? {} : {tests: counts};
    if (done.ok) return tests;
    const isPytest = words === undefined;
    if (isPytest && done.error.cause?.kind === 'exit' && done.error.cause.exitCode === 5) {
      return {notes: [noneCollected]};
    }
    const explained = explainTestFailure(done.error, {ref: image.ref, isPytest, isHost});
    return {...tests, failure: await context.docker.diagnose(explained)};
  });
}

/**
 * Host tests find the image under its reference, which another run on this engine may move while they run: then it was
 * another image that was tested, and the answer counts for nothing. The second time they get a name that no other run
 * knows.
 */
async function testThisImage(
  {context, image, state}: Work,
  test: (ref: string) => Promise<Result<CommandOutput>>,
): Promise<Result<CommandOutput>> {
  const {docker} = context;
  const {id} = state;
  if (id === undefined) return test(image.ref);
  const tagged = await docker.tag(id, image.ref);
  if (!tagged.ok) return tagged;
  const done = await test(image.ref);
  if (!done.ok && done.error.class === 'cancelled') return done;
  const now = await docker.ids([image.ref]);
  const isMoved = now.ok && now.value.get(image.ref) !== id;
  if (!isMoved) return done;
  const own = await docker.tagPrivately(id, image.name);
  if (!own.ok) return own;
  context.emit({
    kind: 'note',
    image: image.name,
    message: `${image.ref} was moved by another run on this machine while its tests ran; they run again on ${own.value}`,
  });
  return test(own.value);
}

function addCounts(one: TestCounts | undefined, other: TestCounts): TestCounts {
  return {
    passed: (one?.passed ?? 0) + other.passed,
    failed: (one?.failed ?? 0) + other.failed,
    skipped: (one?.skipped ?? 0) + other.skipped,
  };
}

/** pytest's closing line: `== 1 failed, 3 passed, 1 skipped in 0.12s ==`; undefined where there is none. */
export function pytestCounts(lines: readonly string[]): TestCounts | undefined {
  const line = lines.findLast((text) =>
    /\b\d+ (?:passed|failed|errors?|skipped)\b.* in [\d.]+s/.test(text),
  );
  if (line === undefined) return undefined;
  const count = (word: string): number =>
    Number(new RegExp(`(\\d+) ${word}\\b`).exec(line)?.[1] ?? 0);
  return {
    passed: count('passed') + count('xpassed'),
    failed: count('failed') + count('errors?'),
    skipped: count('skipped') + count('xfailed'),
  };
}

function noFolder(folder: string): Failure {
  return failure(
    'no-tests',
    `spec.yml has "integration_tests: true", but there is no folder ${folder}.`,
    {hint: 'Add the tests, or remove the key.'},
  );
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
  const staging = await mkdtemp(join(context.tempDir, 'stack-tests-'));
  const seconds = secondsOf(image.spec.tests.timeoutMinutes ?? context.timeoutMinutes);
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
    'pytest is not installed: there is neither a "pytest" program nor a pytest module for python3.',
    {
      hint: 'Install it before this step (pip install pytest), or set "tests.where: container" for images that have it.',
    },
  );
}

export interface TestedHow {
  readonly ref: string;
  /** Else a command of the spec. */
  readonly isPytest: boolean;
  readonly isHost: boolean;
}

/**
 * What pytest's exit code means; 5 (nothing collected) is not a failure.
 * https://docs.pytest.org/en/stable/reference/exit-codes.html
 */
export function explainTestFailure(cause: Failure, {ref, isPytest, isHost}: TestedHow): Failure {
  if (cause.cause?.kind === 'timeout') {
    const {seconds} = cause.cause;
    return {...cause, message: `The tests of ${ref} timed out after ${seconds} s.`};
  }
  if (cause.cause?.kind !== 'exit') return cause;
  const {exitCode} = cause.cause;
  if (!isHost && isPytest && exitCode === 127) {
    return {
      ...cause,
      class: 'test-failed',
      message: `The tests of ${ref} could not start: the image has neither pytest nor python3.`,
      hint: 'Install pytest in the image, set "tests.command" to what it has, or remove "where: container" to run the tests on the host.',
    };
  }
  const words =
    (isPytest ? pytestCodes.get(exitCode) : undefined) ?? `failed with exit code ${exitCode}`;
  const summary = cause.tail.findLast((line) => /^(?:FAILED|ERROR) /.test(line));
  return {
    ...cause,
    class: exitCode === 137 ? 'oom-killed' : 'test-failed',
    message: `The tests of ${ref} ${words}${summary === undefined ? '.' : `: ${summary}`}`,
  };
}

const pytestCodes: ReadonlyMap<number, string> = new Map([
  [1, 'failed'],
  [2, 'could not be collected, or were interrupted'],
  [3, 'hit an internal pytest error'],
  [4, 'could not start: pytest rejected its arguments'],
]);
