import {appendFile, lstat, mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {basename, join} from 'node:path';
import * as core from '@actions/core';
import {messageOf} from '../../failure.ts';
import type {Mask} from '../../util/masking.ts';

/** The folder that the repository was checked out into. */
export function workspaceRoot(): string {
  return process.env['GITHUB_WORKSPACE'] || process.cwd();
}

/** Whether this process is a step of a job, on GitHub or under act. */
export function isRunner(): boolean {
  return process.env['GITHUB_ACTIONS'] === 'true';
}

/** A folder of the runner's that is emptied after the job. */
export function temporaryFolder(): string {
  return process.env['RUNNER_TEMP'] || tmpdir();
}

/** A folder for everything that a run needs for a while: credentials, clones, stages. */
export interface RunFolder {
  readonly path: string;
  remove(): Promise<void>;
}

const runFolderPrefix = 'stack-action-';

/** Makes the folder of this run, for this user only, and tells the post step where it is. */
export async function openRunFolder(): Promise<RunFolder> {
  const path = await mkdtemp(join(temporaryFolder(), runFolderPrefix));
  // dist/post.js says it too; this is for who starts dist/index.js as the post step.
  saveState('isPost', 'true');
  saveState('runFolder', path);
  return {path, remove: () => rm(path, {recursive: true, force: true, maxRetries: 3})};
}

/** The folder that a main step left behind; undefined when it is gone, as after every step that was not killed. */
export async function leftRunFolder(): Promise<RunFolder | undefined> {
  const path = readState('runFolder');
  if (!basename(path).startsWith(runFolderPrefix)) return undefined;
  const stats = await lstat(path).catch(() => undefined);
  if (stats?.isDirectory() !== true) return undefined;
  return {path, remove: () => rm(path, {recursive: true, force: true, maxRetries: 3})};
}

/** Whether outputs go to a file, as in the runner; elsewhere they would be printed as commands. */
export function hasOutputFile(): boolean {
  return Boolean(process.env['GITHUB_OUTPUT']);
}

/** Adds a page to the step summary; outside the runner there is none to add to. Says why when it cannot be written. */
export async function addSummary(markdown: string, mask: Mask): Promise<string | undefined> {
  const file = process.env['GITHUB_STEP_SUMMARY'];
  if (!file) return undefined;
  try {
    await appendFile(file, mask.text(markdown));
    return undefined;
  } catch (error) {
    return `The step summary could not be written: ${messageOf(error)}`;
  }
}

/** The runner replaces these by `***` in everything that it shows. More may follow while the run goes on. */
export function maskSecrets(secrets: readonly string[]): void {
  // Elsewhere the secret itself would be on the screen.
  if (!isRunner()) return;
  for (const secret of secrets) core.setSecret(secret);
}

/** What a main step leaves for its post step, which runs also when the main step was killed. */
export type StateName = 'isPost' | 'runFolder' | 'runId' | 'unclean' | 'promotion';

export function saveState(name: StateName, value: string): void {
  if (process.env['GITHUB_STATE']) core.saveState(name, value);
}

/** Empty when the main step did not get so far. */
export function readState(name: StateName): string {
  return core.getState(name);
}
