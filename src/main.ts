import {openWorkspace, runLog} from './adapters/files/index.ts';
import {openGit, readOrigin} from './adapters/git/index.ts';
import {openGitHubApi} from './adapters/github/api.ts';
import {readEvent, refusalOf} from './adapters/github/event.ts';
import {openJobLog} from './adapters/github/log.ts';
import {isRunner, maskSecrets, workspaceRoot} from './adapters/github/output.ts';
import type {Emit} from './build/index.ts';
import {build} from './modes/build.ts';
import {runCommandLine} from './modes/command.ts';
import {doctor} from './modes/doctor.ts';
import {init} from './modes/init.ts';
import {merge} from './modes/report.ts';
import {promote} from './modes/tag.ts';
import {type InputSource, type Inputs, type Run, readInputs} from './run/index.ts';
import {maskText, secretForms} from './util/masking.ts';
import {unreachable} from './util/unreachable.ts';

/**
 * One run of the action: read, decide, do, report. Resolves with the sentence that fails the step, or undefined.
 * `command` gives the inputs of a command line; outside of GitHub Actions that is a run of its own kind.
 * @throws {InputError | SpecError} for mistakes of the user
 */
export async function main(
  signal: AbortSignal,
  command?: InputSource,
): Promise<string | undefined> {
  const inputs = readInputs(command);
  if (command !== undefined && !isRunner()) return await runCommandLine(inputs, signal, runMode);
  return await runStep(inputs, signal);
}

async function runStep(inputs: Inputs, signal: AbortSignal): Promise<string | undefined> {
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
  return await runMode({inputs, event, workspace, log, secrets, signal, changes});
}

async function runMode(run: Run, watch?: Emit): Promise<string | undefined> {
  const {inputs, workspace, log} = run;
  switch (inputs.mode) {
    case 'build':
    case 'plan':
      return await build(run, watch);
    case 'tag':
      return await promote(run);
    case 'report':
      return await merge(run);
    case 'init': {
      const origin = await readOrigin(workspace.root);
      const done = await init({inputs, workspace, log, origin});
      return done.ok ? undefined : done.error;
    }
    case 'doctor':
      return await doctor({inputs, workspace, log, origin: await readOrigin(workspace.root)});
    default:
      return unreachable(inputs.mode);
  }
}
