import {tmpdir} from 'node:os';

/** The folder that the repository was checked out into. */
export function workspaceRoot(): string {
  return process.env['GITHUB_WORKSPACE'] || process.cwd();
}

/** A folder of the runner's that is emptied after the job. */
export function temporaryFolder(): string {
  return process.env['RUNNER_TEMP'] || tmpdir();
}
