import {info, warning} from '@actions/core';
import {privatePrefix, readPrivateTags, runLabel} from './adapters/docker/index.ts';
import {leftRunFolder, readState} from './adapters/github/output.ts';
import {dockerEnvironment, runCommand, stopLeftOver} from './adapters/process/index.ts';
import {messageOf} from './failure.ts';
import {tellKilledPromotion} from './modes/interrupted.ts';
import {safeMessage} from './util/text.ts';

/**
 * The post step: removes what a main step that was killed could not: its programs (docker clients, tests and what they
 * started, git), its containers and private tags, and its folder with the credentials; then it tells where a promotion
 * that was killed stopped. After a main step that ended by itself there is nothing of it, unless the engine was away when
 * it cleaned up. It never fails: the outcome of
 * the job is the main step's.
 */
export async function post(): Promise<void> {
  await reported('The clean-up after the action is not complete', cleanUp);
  await reported('What the promotion left behind is not known', async () => {
    const promotion = readState('promotion');
    const told = promotion === '' ? [] : await tellKilledPromotion(promotion);
    if (told.length > 0) warning(safeMessage(told.join('\n')));
  });
}

async function reported(what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    warning(safeMessage(`${what}: ${messageOf(error)}`));
  }
}

async function cleanUp(): Promise<void> {
  const folder = await leftRunFolder();
  if (folder === undefined) {
    if (readState('unclean') !== '') await removeLeftOvers(readState('runId'));
    return;
  }
  info('The main step was terminated before it could clean up.');
  try {
    // Programs first: a test that goes on would start the next container.
    await stopLeftOver(folder.path);
    await removeLeftOvers(readState('runId'));
  } finally {
    await folder.remove();
  }
}

async function removeLeftOvers(runId: string): Promise<void> {
  if (runId === '') return;
  const docker = (args: readonly string[], seconds: number) =>
    runCommand({file: 'docker', args, env: dockerEnvironment(), seconds});
  const filter = ['--filter', `label=${runLabel}=${runId}`];
  const listed = await docker(['ps', '--all', '--quiet', ...filter], 10);
  // Without docker on this machine nothing was started.
  if (!listed.ok && listed.error.cause?.kind === 'spawn') return;
  if (!listed.ok) {
    const command = `docker rm --force --volumes $(docker ps --all --quiet --filter label=${runLabel}=${runId})`;
    throw new Error(
      `${listed.error.message} Containers of this run may be left. When Docker answers again, remove them with: ${command}`,
    );
  }
  const ids = listed.value.stdout.split('\n').filter((id) => id !== '');
  if (ids.length > 0) await docker(['rm', '--force', '--volumes', ...ids], 20);
  const reference = `reference=${privatePrefix(runId)}/*`;
  const format = '{{.Repository}}:{{.Tag}}';
  const tagged = await docker(['image', 'ls', '--format', format, '--filter', reference], 10);
  const tags = readPrivateTags(tagged.ok ? tagged.value.stdout.split('\n') : []);
  if (tags.length > 0) await docker(['image', 'rm', ...tags.map(({ref}) => ref)], 20);
}
