import {openWorkspace, runLog, type Workspace} from '../adapters/files/index.ts';
import {findRepository, openGit, readOrigin, readWorkingTree} from '../adapters/git/index.ts';
import {openGitHubApi} from '../adapters/github/api.ts';
import {openTerminal, openTerminalLog, type TerminalLog} from '../adapters/terminal/index.ts';
import type {Emit} from '../build/index.ts';
import {createLive, localEvent} from '../cli/index.ts';
import type {Inputs, Run} from '../run/index.ts';
import {maskText, secretForms} from '../util/masking.ts';
import {doctor} from './doctor.ts';
import {init} from './init.ts';

/** What a command works in before it is known whether there is a repository. */
interface Place {
  readonly workspace: Workspace;
  readonly log: TerminalLog;
  readonly secrets: readonly string[];
}

/** Goes on with a mode that both the runner and the command line have; `watch` sees what happens in a build. */
export type RunMode = (run: Run, watch?: Emit) => Promise<string | undefined>;

/**
 * One run from the command line, outside of GitHub Actions. Resolves with the sentence of a failure, or undefined.
 * `init` ends with the plan of what it wrote, where the folder is a repository already.
 * @throws {InputError | SpecError} for mistakes of the user
 */
export async function runCommandLine(
  inputs: Inputs,
  signal: AbortSignal,
  runMode: RunMode,
): Promise<string | undefined> {
  const repository = await findRepository(process.cwd(), signal);
  const place = openPlace(inputs, repository.ok ? repository.value : process.cwd());
  const {workspace, log} = place;
  if (inputs.mode === 'doctor')
    return await doctor({inputs, workspace, log, origin: await origin()});
  if (inputs.mode === 'init') {
    const done = await init({inputs, workspace, log, origin: await origin()});
    if (!done.ok) return done.error;
    if (!repository.ok) {
      log.info(`The plan is left out: ${repository.error}`);
      return undefined;
    }
    // The plan is to be read now; only what `init` is for stays in the repository.
    const readOnly = {...place, workspace: {...workspace, write: async () => {}}};
    return await runLocal({...inputs, mode: 'plan'}, readOnly, signal, runMode);
  }
  return await runLocal(inputs, place, signal, runMode);

  function origin() {
    return readOrigin(workspace.root);
  }
}

function openPlace(inputs: Inputs, root: string): Place {
  const secrets = [inputs.password, inputs.githubToken]
    .filter((secret) => secret !== '')
    .flatMap((secret) => secretForms(secret, inputs.username));
  const workspace = openWorkspace(root);
  // `init` and `doctor` write nothing but what they are asked for.
  const file = ['init', 'doctor'].includes(inputs.mode) ? undefined : workspace.path(runLog);
  const log = openTerminalLog(openTerminal(), file, (text) => maskText(text, secrets));
  return {workspace, log, secrets};
}

async function runLocal(
  inputs: Inputs,
  {workspace, log, secrets}: Place,
  signal: AbortSignal,
  runMode: RunMode,
): Promise<string | undefined> {
  const tree = await readWorkingTree(workspace.root, signal);
  if (signal.aborted) return 'The run was cancelled.';
  if (!tree.ok) return tree.error;
  const event = localEvent(tree.value, `local-${process.pid}-${Date.now()}`);
  log.info(`stack-action: mode ${inputs.mode}, working tree of ${event.branch}`);
  if (inputs.mode === 'tag' && inputs.dryRun && inputs.push !== 'true')
    log.info('No tag is moved: this is a dry run. Add --push true to move them.');
  const {apiUrl, repository} = event;
  const changes = {
    git: openGit(workspace.root),
    api: openGitHubApi({token: inputs.githubToken, apiUrl, repository}),
  };
  const live = createLive(() => performance.now());
  const drawing = setInterval(() => log.status(live.line()), 500);
  try {
    return await runMode({inputs, event, workspace, log, secrets, signal, changes}, live.take);
  } finally {
    clearInterval(drawing);
    log.status(undefined);
  }
}
