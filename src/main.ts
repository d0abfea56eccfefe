import {openWorkspace, runLog} from './adapters/files/index.ts';
import {openGit} from './adapters/git/index.ts';
import {openGitHubApi} from './adapters/github/api.ts';
import {readEvent, refusalOf} from './adapters/github/event.ts';
import {openJobLog} from './adapters/github/log.ts';
import {maskSecrets, workspaceRoot} from './adapters/github/output.ts';
import {build} from './modes/build.ts';
import {merge} from './modes/report.ts';
import {promote} from './modes/tag.ts';
import {type Run, readInputs} from './run/index.ts';
import {maskText, secretForms} from './util/masking.ts';
import {unreachable} from './util/unreachable.ts';

/**
 * One run of the action: read, decide, do, report. Resolves with the sentence that fails the step, or undefined.
 * @throws {InputError | SpecError} for mistakes of the user
 */
export async function main(signal: AbortSignal): Promise<string | undefined> {
  const inputs = readInputs();
  const secrets = [inputs.password, inputs.githubToken]
    .filter((secret) => secret !== '')
    .flatMap((secret) => secretForms(secret, inputs.username));
  maskSecrets(secrets);
  const workspace = openWorkspace(workspaceRoot());
  const log = openJobLog(workspace.path(runLog), (text) => maskText(text, secrets));
  const event = readEvent();
  log.info(
    `stack-action: mode ${inputs.mode}, event ${event.name || 'none'}, ${event.branch || 'no branch'}`,
  );
  const refusal = refusalOf(event);
  if (refusal !== undefined) return refusal;
  const {apiUrl, repository} = event;
  const changes = {
    git: openGit(workspace.root),
    api: openGitHubApi({token: inputs.githubToken, apiUrl, repository}),
  };
  const run: Run = {inputs, event, workspace, log, secrets, signal, changes};
  switch (inputs.mode) {
    case 'build':
    case 'plan':
      return await build(run);
    case 'tag':
      return await promote(run);
    case 'report':
      return await merge(run);
    default:
      return unreachable(inputs.mode);
  }
}
