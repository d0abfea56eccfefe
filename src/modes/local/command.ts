import {openWorkspace, type Workspace} from '../../adapters/files/index.ts';
import {findRepository, openGit, readOrigin, readWorkingTree} from '../../adapters/git/index.ts';
import {openGitHubApi} from '../../adapters/github/api.ts';
import {openLedger, runCommand} from '../../adapters/process/index.ts';
import {openTerminal, openTerminalLog, type TerminalLog} from '../../adapters/terminal/index.ts';
import {localEvent} from '../../cli/index.ts';
import {runLog} from '../../image/files.ts';
import type {Inputs, Run} from '../../run/index.ts';
import type {Mask} from '../../util/masking.ts';
import type {ShowStatus} from '../build.ts';
import type {ModeEnd} from '../end.ts';
import {doctor} from './doctor.ts';
import {init} from './init.ts';

/** Goes on with a mode that both the runner and the command line have; `show` is there on a terminal. */
export type RunMode = (run: Run, show?: ShowStatus) => Promise<ModeEnd>;

/** What a command line has before it is known where it works. */
export interface CommandRequest {
  readonly inputs: Inputs;
  readonly signal: AbortSignal;
  readonly mask: Mask;
  /** A folder of this run, gone when it is over. */
  readonly tempDir: string;
}

interface Place extends CommandRequest {
  readonly workspace: Workspace;
  readonly log: TerminalLog;
}

/**
 * One run from the command line, outside of GitHub Actions. `init` ends with the plan of what it wrote, where the
 * folder is a repository already.
 * @throws {InputError | SpecError} for mistakes of the user
 */
export async function runCommandLine(request: CommandRequest, runMode: RunMode): Promise<ModeEnd> {
  const {inputs, signal, mask, tempDir} = request;
  const repository = await findRepository(process.cwd(), signal);
  const workspace = openWorkspace(repository.ok ? repository.value : process.cwd(), mask);
  const isReading = ['init', 'doctor'].includes(inputs.mode);
  const refused = isReading || !repository.ok ? [] : workspace.checkOutputs();
  if (refused.length > 0) return failed(refused.join('\n'));
  // `init` and `doctor` write nothing but what they are asked for, and nobody wants a log beside no repository.
  const file = isReading || !repository.ok ? undefined : workspace.openLog(runLog);
  const log = openTerminalLog(openTerminal(), file, mask);
  const place = {...request, workspace, log};
  if (inputs.mode === 'doctor')
    return await doctor({
      ...place,
      program: openLedger(tempDir, runCommand),
      origin: await readOrigin(workspace.root),
    });
  if (inputs.mode !== 'init') return await runLocal(place, runMode);
  const done = await init({...place, origin: await readOrigin(workspace.root)});
  if (!done.ok) return failed(done.error);
  if (!repository.ok) {
    log.info(`The plan is left out: ${repository.error}`);
    return {outcome: 'passed', outputs: {}};
  }
  // The plan is to be read now; only what `init` is for stays in the repository.
  const readOnly = {...workspace, write: async () => {}};
  return await runLocal(
    {...place, inputs: {...inputs, mode: 'plan'}, workspace: readOnly},
    runMode,
  );
}

async function runLocal(place: Place, runMode: RunMode): Promise<ModeEnd> {
  const {inputs, workspace, log, mask, signal, tempDir} = place;
  const tree = await readWorkingTree(workspace.root, signal);
  if (signal.aborted)
    return {outcome: 'cancelled', sentence: 'The run was cancelled.', outputs: {}};
  if (!tree.ok) return failed(tree.error);
  const event = localEvent(tree.value, `local-${process.pid}-${Date.now()}`);
  log.info(`stack-action: mode ${inputs.mode}, working tree of ${event.branch}`);
  if (inputs.mode === 'tag' && inputs.dryRun && inputs.push !== 'true')
    log.info('No tag is moved: this is a dry run. Add --push true to move them.');
  const program = openLedger(tempDir, runCommand);
  const {apiUrl, repository} = event;
  const changes = {
    git: openGit(workspace.path(inputs.stackDir), {run: program, signal}),
    api: openGitHubApi({token: inputs.githubToken, apiUrl, repository, mask, signal}),
  };
  const subject = event.messages.at(-1)?.split('\n', 1)[0];
  const run = {inputs, event, subject, workspace, log, mask, signal, changes, program, tempDir};
  return await runMode(run, log.status);
}

function failed(sentence: string): ModeEnd {
  return {outcome: 'failed', sentence, outputs: {}};
}
