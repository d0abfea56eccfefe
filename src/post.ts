import {info, warning} from '@actions/core';
import {runLabel} from './adapters/docker/index.ts';
import {leftRunFolder, readState} from './adapters/github/output.ts';
import {dockerEnvironment, runCommand, stopLeftOver} from './adapters/process/index.ts';
import {messageOf} from './failure.ts';
import {tellKilledPromotion} from './modes/interrupted.ts';
import {safeMessage} from './util/text.ts';

/**
 * The post step: removes what a main step that was killed could not: its programs (docker clients, tests and what they
 * started, git), its containers, and its folder with the credentials; and tells where a promotion that was killed
 * stopped. After a main step that ended by itself there is nothing of it. It never fails: the outcome of the job is the
 * main step's.
 */
export async function post(): Promise<void> {
  try {
    await cleanUp();
    const promotion = readState('promotion');
    const told = promotion === '' ? [] : await tellKilledPromotion(promotion);
    if (told.length > 0) warning(safeMessage(told.join('\n')));
  } catch (error) {
    warning(safeMessage(`The clean-up after the action is not complete: ${messageOf(error)}`));
  }
}

async function cleanUp(): Promise<void> {
  const folder = await leftRunFolder();
  if (folder === undefined) return;
  info('The main step was terminated before it could clean up.');
  try {
    // Programs first: a test that goes on would start the next container.
    await stopLeftOver(folder.path);
    await removeContainers(readState('runId'));
  } finally {
    await folder.remove();
  }
}

async function removeContainers(runId: string): Promise<void> {
  if (runId === '') return;
  const docker = (args: readonly string[], seconds: number) =>
    runCommand({file: 'docker', args, env: dockerEnvironment(), seconds});
  const filter = ['--filter', `label=${runLabel}=${runId}`];
  const listed = await docker(['ps', '--all', '--quiet', ...filter], 10);
  const ids = listed.ok ? listed.value.stdout.split('\n').filter((id) => id !== '') : [];
  if (ids.length > 0) await docker(['rm', '--force', '--volumes', ...ids], 20);
}
