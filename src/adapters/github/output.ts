import {appendFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import * as core from '@actions/core';

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

/** Outputs of the action, by the names of action.yml. */
export function setOutputs(outputs: Readonly<Record<string, string>>): void {
  // Without the file the toolkit prints a command, which no runner of today reads.
  if (!process.env['GITHUB_OUTPUT']) return;
  for (const [name, value] of Object.entries(outputs)) core.setOutput(name, value);
}

/** Adds a page to the step summary; outside the runner there is none to add to. Says why when it cannot be written. */
export async function addSummary(markdown: string): Promise<string | undefined> {
  const file = process.env['GITHUB_STEP_SUMMARY'];
  if (!file) return undefined;
  try {
    await appendFile(file, markdown);
    return undefined;
  } catch (error) {
    return `The step summary cannot be written: ${String(error)}`;
  }
}

/** The runner replaces these by `***` in everything that it shows. */
export function maskSecrets(secrets: readonly string[]): void {
  if (!isRunner()) return;
  for (const secret of secrets) core.setSecret(secret);
}

/** Tells the post step, which runs also when this one was killed, what there may be to clean up. */
export function saveForPost(name: string, value: string): void {
  if (process.env['GITHUB_STATE']) core.saveState(name, value);
}
