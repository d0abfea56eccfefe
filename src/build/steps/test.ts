import {join} from 'node:path/posix';
import type {CommandOutput} from '../../adapters/process/index.ts';
import {type Failure, failure, type Result} from '../../failure.ts';
import {outputFolders} from '../../image/files.ts';
import {fileNameOf} from '../../image/tags.ts';
import {type LogKind, type Step, type StepEnd, type Work, withLog} from './context.ts';
import {conclude} from './push.ts';
import {addCounts, explainTestFailure, pytestCounts} from './pytest.ts';
import {type TestRequest, testInContainer, testOnHost} from './test-run.ts';

/** `tests_common` of the stack, then the image's own `test` or `tests`, then what `tests.paths` names. */
export const testStep: Step = async (work) => {
  const {context, image, state} = work;
  const {spec} = image;
  const common = `${context.stackDir}/tests_common`;
  const own = await firstFolder(work, [`${spec.folder}/test`, `${spec.folder}/tests`]);
  const folders = [await firstFolder(work, [common]), own].filter((folder) => folder !== undefined);
  const paths = [...folders, ...spec.tests.paths];
  // A push follows where there is one, and has the last word then.
  const isLast = !spec.integrationTests && (image.action === 'test' || !spec.publish);
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
  // Tests of other images ran since the plan was made, and may have written into these.
  const same = await context.verifyTests(image);
  if (!same.ok) return {failure: same.error};
  const words = kind === 'basic-tests' ? spec.tests.words : undefined;
  const folder = join(outputFolders.logs, fileNameOf(image.ref));
  const logsFolder = await context.workspace.makeFolder(folder);
  const request: TestRequest = {words, folders, logsFolder};
  return withLog(work, kind, async (log) => {
    const isHost = spec.tests.where === 'host' || kind === 'integration-tests';
    const done = isHost
      ? await testThisImage(work, (ref) => testOnHost(work, {...request, ref}, log))
      : await testInContainer(work, request, log);
    // Stays only where tests left something.
    await context.workspace.removeIfEmpty(folder);
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
  work: Work,
  test: (ref: string) => Promise<Result<CommandOutput>>,
): Promise<Result<CommandOutput>> {
  const {context, image, state} = work;
  const {docker} = context;
  const {id} = state;
  const began = context.now();
  // The build, or the pull, put the reference on it.
  const done = await test(image.ref);
  if (id === undefined) {
    await tellMemory(work, [image.ref], {began, isGood: done.ok});
    return done;
  }
  if (!done.ok && done.error.class === 'cancelled') return done;
  const [now] = await Promise.all([
    docker.ids([image.ref]),
    tellMemory(work, [image.ref, id], {began, isGood: done.ok}),
  ]);
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

/**
 * Host tests start containers of their own, which carry no label of this run: the engine only tells of which image they
 * were, so this is a hint and no proof.
 */
async function tellMemory(
  {context, image, signal}: Work,
  images: readonly string[],
  {began, isGood}: {readonly began: Date; readonly isGood: boolean},
): Promise<void> {
  if (signal.aborted || !(await context.docker.memoryRanOut(images, began))) return;
  const so = isGood ? ', though the tests passed' : '';
  const message = `While the tests of ${image.ref} ran, a process in a container of this image was killed because memory ran out${so}. The tests may have started that container, or another job on this machine. Use a larger runner.`;
  context.emit({kind: 'warning', image: image.name, message});
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
