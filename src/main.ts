import {openWorkspace} from './adapters/files/index.ts';
import {type Git, openGit} from './adapters/git/index.ts';
import {openGitHubApi} from './adapters/github/api.ts';
import {type Event, readEvent, refusalOf} from './adapters/github/event.ts';
import {openJobLog} from './adapters/github/log.ts';
import {
  hasOutputFile,
  maskSecrets,
  openRunFolder,
  workspaceRoot,
} from './adapters/github/output.ts';
import {openLedger, runCommand} from './adapters/process/index.ts';
import {messageOf} from './failure.ts';
import {runLog} from './image/files.ts';
import {build} from './modes/build.ts';
import type {ModeEnd} from './modes/end.ts';
import {merge} from './modes/report.ts';
import {promote} from './modes/tag.ts';
import {type Run, readInputs} from './run/index.ts';
import {createMask, type Mask} from './util/masking.ts';
import {safeMessage} from './util/text.ts';
import {unreachable} from './util/unreachable.ts';

/** How the step ends, ready to be shown. */
export interface StepEnd {
  /** Why it fails; undefined when it does not. */
  readonly sentence: string | undefined;
  readonly outputs: Readonly<Record<string, string>>;
}

/**
 * One run of the action: read, decide, do, report. Whatever happens is an end with an outcome, and no text of it holds
 * a secret.
 */
export async function main(signal: AbortSignal): Promise<StepEnd> {
  const mask = createMask(maskSecrets);
  const {outcome, sentence, outputs} = await endOf(signal, mask);
  const all = Object.entries({...outputs, outcome});
  return {
    sentence: sentence === undefined ? undefined : safeMessage(mask.text(sentence)),
    // Elsewhere they would be printed as commands.
    outputs: hasOutputFile()
      ? Object.fromEntries(all.map(([name, value]) => [name, mask.text(value)]))
      : {},
  };
}

async function endOf(signal: AbortSignal, mask: Mask): Promise<ModeEnd> {
  const folder = await openRunFolder();
  try {
    return await runMode(signal, mask, folder.path);
  } catch (error) {
    // What was being stopped may fail in any way.
    return signal.aborted
      ? {outcome: 'cancelled', sentence: 'The run was cancelled.', outputs: {}}
      : {outcome: 'failed', sentence: messageOf(error), outputs: {}};
  } finally {
    await folder.remove();
  }
}

async function runMode(signal: AbortSignal, mask: Mask, tempDir: string): Promise<ModeEnd> {
  const inputs = readInputs();
  const short = mask.add([inputs.password, inputs.githubToken], inputs.username);
  const workspace = openWorkspace(workspaceRoot(), mask);
  const refused = workspace.checkOutputs();
  if (refused.length > 0) return failed(refused.join('\n'));
  const log = openJobLog(workspace.openLog(runLog), mask);
  if (short.length > 0) {
    log.warning('A password or token of fewer than 4 characters is not hidden in logs and pages.');
  }
  const event = readEvent();
  log.info(
    `stack-action: mode ${inputs.mode}, event ${event.name || 'none'}, ${event.branch || 'no branch'}`,
  );
  const program = openLedger(tempDir, runCommand);
  const gitOf = (folder: string): Git => openGit(folder, {run: program, signal});
  // The stack may be checked out below the workspace, or be a submodule: its repository is found from there.
  const git = gitOf(workspace.path(inputs.stackDir));
  const refusal = event.isKnown
    ? undefined
    : refusalOf(event, await headOf(git, gitOf(workspace.root)));
  if (refusal !== undefined) return failed(refusal);
  const changes = {git, api: openApi(event, inputs.githubToken, {mask, signal})};
  const run: Run = {inputs, event, workspace, log, mask, signal, changes, program, tempDir};
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

function failed(sentence: string): ModeEnd {
  return {outcome: 'failed', sentence, outputs: {}};
}

function openApi(
  {apiUrl, repository}: Event,
  token: string,
  ports: {readonly mask: Mask; readonly signal: AbortSignal},
) {
  return openGitHubApi({token, apiUrl, repository, ...ports});
}

/** The commit that is checked out where the stack is, which is what counts; else at the root of the workspace. */
async function headOf(...places: readonly Git[]): Promise<string | undefined> {
  for (const git of places) {
    const head = await git.commitOf('HEAD');
    if (head.ok) return head.value;
  }
  return undefined;
}
