import {mkdir, rmdir} from 'node:fs/promises';
import {join} from 'node:path';
import {explainTestFailure} from '../../adapters/docker/failure.ts';
import {outputFolders} from '../../adapters/files/index.ts';
import type {Failure} from '../../failure.ts';
import {fileNameOf} from '../../image/tags.ts';
import {commandWords} from '../../page/info-script.ts';
import {type LogKind, type Step, type StepEnd, type Work, withLog} from './context.ts';
import {markTested} from './push.ts';
import {type TestRequest, testInContainer, testOnHost} from './test-run.ts';

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
  const logsFolder = context.workspace.path(join(outputFolders.logs, fileNameOf(image.ref)));
  await mkdir(logsFolder, {recursive: true});
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
    if (isPytest && done.failure.reason === 'exit-code' && done.failure.exitCode === 5) {
      return {notes: ['no tests collected']};
    }
    return {failure: await context.docker.diagnose(explainTestFailure(done.failure, image.ref))};
  });
}

function noFolder(folder: string): Failure {
  return {
    reason: 'internal',
    class: 'no-tests',
    message: `spec.yml says "integration_tests: true", but there is no folder ${folder}.`,
    hint: 'Add the tests, or remove the key.',
    tail: [],
  };
}

function badCommand(command: string): Failure {
  return {
    reason: 'internal',
    class: 'spec-invalid',
    message: `"tests.command" is no command: ${command}`,
    hint: 'Look for a quotation mark that is not closed.',
    tail: [],
  };
}

async function firstFolder(
  {context}: Work,
  folders: readonly string[],
): Promise<string | undefined> {
  for (const folder of folders) if (await context.workspace.isFolder(folder)) return folder;
  return undefined;
}
