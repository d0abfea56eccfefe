import {readdir, readFile, rm} from 'node:fs/promises';
import {basename, join} from 'node:path';
import {getState, info, warning} from '@actions/core';
import {runLabel} from './adapters/docker/index.ts';
import {runCommand} from './adapters/process/index.ts';
import {tellKilledPromotion} from './modes/interrupted.ts';

/**
 * The post step: tells where a promotion that was killed stopped, and removes what a main step that was killed could not: builds that go on as orphans, containers, and
 * the folder with the credentials. After a main step that ended by itself there is nothing of it.
 */
export async function post(): Promise<void> {
  const promotion = getState('promotion');
  const told = promotion === '' ? [] : await tellKilledPromotion(promotion);
  if (told.length > 0) warning(told.join('\n'));
  const folder = getState('dockerConfig');
  const runId = getState('runId');
  if (folder === '' || !/^stack-docker-/.test(basename(folder))) return;
  if ((await readdir(folder).catch(() => undefined)) === undefined) return;
  info('The main step was ended before it could clean up.');
  await endOrphans(folder);
  await removeContainers(runId);
  await rm(folder, {recursive: true, force: true});
}

/** Every docker client of the run has this folder in its environment, and no other process has. */
async function endOrphans(folder: string): Promise<void> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    const environment = await readFile(join('/proc', pid, 'environ'), 'utf8').catch(() => '');
    if (!environment.split('\0').includes(`DOCKER_CONFIG=${folder}`)) continue;
    try {
      process.kill(Number(pid), 'SIGTERM');
    } catch {
      // It ended by itself.
    }
  }
}

async function removeContainers(runId: string): Promise<void> {
  const filter = ['--filter', `label=${runLabel}=${runId}`];
  const listed = await runCommand({
    file: 'docker',
    args: ['ps', '--all', '--quiet', ...filter],
    seconds: 10,
  });
  const ids = listed.ok ? listed.value.stdout.split('\n').filter((id) => id !== '') : [];
  if (ids.length > 0)
    await runCommand({file: 'docker', args: ['rm', '--force', ...ids], seconds: 20});
}
