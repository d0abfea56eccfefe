import {openWorkspace, type Workspace} from './adapters/files/index.ts';
import {type Git, openGit, readOrigin} from './adapters/git/index.ts';
import {openGitHubApi} from './adapters/github/api.ts';
import {type Event, readEvent, refusalOf} from './adapters/github/event.ts';
import {openJobLog} from './adapters/github/log.ts';
import {
  hasOutputFile,
  isRunner,
  maskSecrets,
  openRunFolder,
  workspaceRoot,
} from './adapters/github/output.ts';
import {proxyPasswords} from './adapters/http/index.ts';
import {openLedger, runCommand, stopLeftOver} from './adapters/process/index.ts';
import {ok, type Result} from './failure.ts';
import {runLog} from './image/files.ts';
import {build, type ShowStatus} from './modes/build.ts';
import type {ModeEnd} from './modes/end.ts';
import {runCommandLine} from './modes/local/command.ts';
import {doctor} from './modes/local/doctor.ts';
import {init} from './modes/local/init.ts';
import {refused} from './modes/refused.ts';
import {merge} from './modes/report.ts';
import {uncommittedFiles} from './modes/setup/uncommitted.ts';
import {promote} from './modes/tag.ts';
import {InputError, type InputSource, type Inputs, type Run, readInputs} from './run/index.ts';
import {createMask, type Mask} from './util/masking.ts';
import {safeMessage} from './util/text.ts';
import {unreachable} from './util/unreachable.ts';
import {untilAborted} from './util/until.ts';

/** How the step ends, ready to be shown. */
export interface StepEnd {
  /** Why it fails; undefined when it does not. */
  readonly sentence: string | undefined;
  readonly outputs: Readonly<Record<string, string>>;
  /** The inputs were wrong, and nothing was tried. */
  readonly isWrongUsage: boolean;
}

/**
 * One run of the action: read, decide, do, report. Whatever happens is an end with an outcome, and no text of it holds
 * a secret. `command` gives the inputs of a command line; outside of GitHub Actions that is a run of its own kind.
 */
export async function main(signal: AbortSignal, command?: InputSource): Promise<StepEnd> {
  const mask = createMask(maskSecrets);
  const {outcome, sentence, outputs, isWrongUsage} = await endOf({signal, mask, command});
  const all = Object.entries({...outputs, outcome});
  return {
    sentence: sentence === undefined ? undefined : safeMessage(mask.text(sentence)),
    // Elsewhere they would be printed as commands.
    outputs: hasOutputFile()
      ? Object.fromEntries(all.map(([name, value]) => [name, mask.text(value)]))
      : {},
    isWrongUsage: isWrongUsage === true,
  };
}

interface Started {
  readonly signal: AbortSignal;
  readonly mask: Mask;
  readonly command: InputSource | undefined;
}

async function endOf(started: Started): Promise<ModeEnd & {readonly isWrongUsage?: boolean}> {
  const folder = await openRunFolder();
  const end = await attempt(started, folder.path);
  // The folder stays: by it the post step knows that there is work left.
  if (end === stuck) return end;
  // Whatever took itself out of the process groups that were ended.
  if (started.signal.aborted) await stopLeftOver(folder.path, leftOverMs);
  await folder.remove();
  return end;
}

async function attempt(
  started: Started,
  tempDir: string,
): Promise<ModeEnd & {readonly isWrongUsage?: boolean}> {
  try {
    return await start(started, tempDir);
  } catch (error) {
    // What was being stopped may fail in any way.
    if (started.signal.aborted) return cancelled;
    return {
      ...(await refused(error, started.mask)),
      isWrongUsage: error instanceof InputError,
    };
  }
}

async function start(started: Started, tempDir: string): Promise<ModeEnd> {
  const {signal, command} = started;
  const inputs = readInputs(command);
  const patience = inputs.mode === 'tag' ? undoMs : stopMs;
  return untilAborted(proceed(started, inputs, tempDir), signal, stuck, patience);
}

async function proceed(
  {signal, mask, command}: Started,
  inputs: Inputs,
  tempDir: string,
): Promise<ModeEnd> {
  const short = mask.add([inputs.password, inputs.githubToken], inputs.username);
  mask.add(proxyPasswords());
  if (command !== undefined && !isRunner())
    return await runCommandLine({inputs, signal, mask, tempDir}, runMode);
  const workspace = openWorkspace(workspaceRoot(), mask);
  const unusable = workspace.checkOutputs();
  if (unusable.length > 0) return await refused(new Error(unusable.join('\n')), mask);
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
  const changes = {git, api: openApi(event, inputs.githubToken, {mask, signal})};
  const run: Run = {
    inputs,
    event,
    subject: await subjectOf(event, git),
    workspace,
    log,
    mask,
    signal,
    changes,
    program,
    tempDir,
  };
  const refusal = event.isKnown
    ? undefined
    : refusalOf(
        event,
        await headOf(git, gitOf(workspace.root)),
        await foreignFiles(inputs, workspace, git),
      );
  if (refusal !== undefined) return await refused(refusal, mask, run);
  try {
    return await runMode(run);
  } catch (error) {
    if (signal.aborted) throw error;
    return await refused(error, mask, run);
  }
}

/** Milliseconds after a signal in which a run ends by itself; what still hangs then is left to the post step. */
const stopMs = 4300;
/** A promotion that takes its tags back has until the runner is about to kill it. */
const undoMs = 9000;
const leftOverMs = 300;

const cancelled: ModeEnd = {outcome: 'cancelled', sentence: 'The run was cancelled.', outputs: {}};
/** Something hung that no signal ended. */
const stuck: ModeEnd = {...cancelled};

async function runMode(run: Run, show?: ShowStatus): Promise<ModeEnd> {
  const {inputs, workspace, log} = run;
  switch (inputs.mode) {
    case 'build':
    case 'plan':
      return await build(run, show);
    case 'tag':
      return await promote(run);
    case 'report':
      return await merge(run);
    case 'init': {
      const done = await init({
        inputs,
        workspace,
        log,
        origin: await readOrigin(workspace.root, run.signal),
      });
      return done.ok ? {outcome: 'passed', outputs: {}} : failed(done.error);
    }
    case 'doctor':
      return await doctor({...run, origin: await readOrigin(workspace.root, run.signal)});
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

/** Files that are not of the commit, for the modes that would build them. */
async function foreignFiles(
  {mode, stackDir}: Inputs,
  workspace: Workspace,
  git: Git,
): Promise<Result<readonly string[], string>> {
  return mode === 'build' || mode === 'plan'
    ? await uncommittedFiles(workspace, git, stackDir)
    : ok([]);
}

/** Only the payload of a push has messages; those of the other events are in the repository, where it is deep enough. */
async function subjectOf({messages, headSha}: Event, git: Git): Promise<string | undefined> {
  const [said] = messages.slice(-1);
  const read = said === undefined && headSha !== '' ? await git.messageOf(headSha) : undefined;
  const message = said ?? (read?.ok === true ? read.value : '');
  return message.split('\n', 1)[0] || undefined;
}

/** The commit that is checked out where the stack is, which is what counts; else at the root of the workspace. */
async function headOf(...places: readonly Git[]): Promise<string | undefined> {
  for (const git of places) {
    const head = await git.commitOf('HEAD');
    if (head.ok) return head.value;
  }
  return undefined;
}
