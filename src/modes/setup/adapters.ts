import {setTimeout as sleep} from 'node:timers/promises';
import {openContexts} from '../../adapters/build-context/index.ts';
import type {Docker} from '../../adapters/docker/index.ts';
import {isTracked} from '../../adapters/git/index.ts';
import {type RunCommand, testEnvironment} from '../../adapters/process/index.ts';
import {
  createLogins,
  createRegistry,
  insecureHosts,
  parseJson,
  type Registry,
} from '../../adapters/registry/index.ts';
import {type Emit, findCaches} from '../../build/index.ts';
import {
  createSteps,
  type RecordStore,
  type StepContext,
  type Steps,
} from '../../build/steps/index.ts';
import {ok, type Result} from '../../failure.ts';
import {outputFolders} from '../../image/files.ts';
import type {Plan, PlannedImage, PlannerPorts} from '../../plan/index.ts';
import {readRecord, writeRecord} from '../../record/index.ts';
import type {Run, RunPolicy} from '../../run/index.ts';
import type {Stack} from '../../stack/index.ts';
import {fillExtraTags} from '../../stack/spec/index.ts';
import {checkBeforeBuild} from './checks.ts';
import {logIn} from './logins.ts';
import {type Revision, revisionOf} from './revision.ts';

/** The platform of this machine, as docker names it. */
export const machinePlatform = `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`;

/** The registry of this run; the caller closes it. */
export function openRegistry(
  {log, program, signal, mask}: Pick<Run, 'log' | 'program' | 'signal' | 'mask'>,
  {logins}: Pick<RunPolicy, 'logins'>,
  options: {readonly grace?: number} = {},
): Registry {
  return createRegistry({
    ...options,
    logins: createLogins({...logins, run: program, signal, hide: mask.add}),
    isInsecure: askInsecure(program, signal),
    onRetry: (note) => log.info(note),
    signal,
  });
}

/** Which hosts the engine speaks plain http to; asked once, and only where https does not work. */
function askInsecure(program: RunCommand, signal: AbortSignal): (host: string) => Promise<boolean> {
  let asked: Promise<(host: string) => Promise<boolean>> | undefined;
  const ask = async (): Promise<(host: string) => Promise<boolean>> => {
    const args = ['info', '--format', '{{json .RegistryConfig}}'];
    const info = await program({file: 'docker', args, seconds: 15, signal});
    return insecureHosts(parseJson(info.ok ? info.value.stdout : ''));
  };
  return async (host) => {
    asked ??= ask();
    return (await asked)(host);
  };
}

/** Records in the registry; one that cannot be read or trusted counts as missing. */
export function openRecords(registry: Registry): RecordStore {
  return {
    write: (record) => writeRecord(registry, record),
    read: async (image) => {
      const found = await readRecord(registry, image);
      return found.ok ? found.value : undefined;
    },
  };
}

/** What a plan is read from. */
export function plannerPorts(
  {workspace, changes}: Pick<Run, 'workspace' | 'changes'>,
  {registry, records}: {readonly registry: Registry; readonly records: Pick<RecordStore, 'read'>},
): Omit<PlannerPorts, 'mayPush' | 'foresee'> {
  return {
    workspace,
    registry,
    changes,
    contexts: openContexts(workspace.root, Object.values(outputFolders)),
    readRecord: records.read,
    isTracked: (file) => isTracked(workspace.path(file)),
  };
}

/** What the steps of a run are made of. */
export interface EngineRequest {
  readonly run: Run;
  readonly stack: Stack;
  readonly plan: Plan;
  readonly policy: RunPolicy;
  readonly registry: Registry;
  readonly docker: Docker;
  readonly emit: Emit;
  readonly onOutput: StepContext['onOutput'];
  readonly push: boolean;
  readonly verifyInputs: StepContext['verifyInputs'];
  readonly verifyTests: StepContext['verifyTests'];
  readonly pinsOf: StepContext['pinsOf'];
  readonly baseOf: StepContext['baseOf'];
}

/**
 * Lends the steps of a run. Everything that would fail later is checked before anything is built; a run that only reads
 * and moves tags starts no docker process.
 */
export async function withSteps<T>(
  request: EngineRequest,
  use: (steps: Steps) => Promise<T>,
): Promise<Result<T>> {
  const {run, plan, policy, docker} = request;
  const isNeeded = plan.images.some(({action}) => action === 'build' || action === 'test');
  let swept: Promise<unknown> | undefined;
  try {
    const [ready, caches, revision] = await Promise.all([
      isNeeded ? checkBeforeBuild(docker, {...request, platform: machinePlatform}) : ok(),
      findCaches({
        plan,
        cache: run.inputs.cache,
        defaultBranch: policy.defaultBranch,
        registry: request.registry,
      }),
      revisionOf(run),
    ]);
    if (!ready.ok) return ready;
    // Beside the first build: what killed runs left is in nobody's way.
    if (isNeeded) swept = docker.sweep(new Date(), {signal: run.signal});
    if (revision.warning !== undefined) run.log.warning(revision.warning);
    return ok(await use(createSteps({...contextOf(request, revision), caches})));
  } finally {
    await swept;
  }
}

function contextOf(request: EngineRequest, {commit}: Revision): Omit<StepContext, 'caches'> {
  const {run, stack, plan, policy, registry, docker, emit, push} = request;
  const {verifyInputs, verifyTests, pinsOf, baseOf} = request;
  const {inputs, event, workspace, mask} = run;
  const {owner, repo} = event.repository;
  const sourceUrl = repo === '' ? undefined : `${event.serverUrl}/${owner}/${repo}`;
  let isRefused = false;
  return {
    plan,
    references: stack.references,
    parentArgs: parentArgsOf(stack, plan),
    verifyInputs,
    verifyTests,
    pinsOf,
    baseOf,
    records: openRecords(registry),
    recordRefused: (because) => {
      if (isRefused) return;
      isRefused = true;
      const message = `This registry does not take records of images, so pages are made by pulling them: ${because}`;
      emit({kind: 'warning', image: undefined, message});
    },
    runOf: () => ({
      id: event.runId,
      attempt: event.runAttempt,
      url: sourceUrl === undefined ? '' : `${sourceUrl}/actions/runs/${event.runId}`,
    }),
    subject: commit === event.headSha ? run.subject : undefined,
    platform: machinePlatform,
    mask: mask.text,
    extraTags: policy.isDefaultBranchPush
      ? (image) => extraTagsOf(stack, image, event.headSha)
      : () => [],
    stackDir: inputs.stackDir,
    workspace,
    docker,
    registry,
    run: run.program,
    emit,
    onOutput: request.onOutput,
    testEnvironment: testEnvironment(),
    tempDir: run.tempDir,
    push,
    givesSecrets: policy.logins.allowLogins,
    cache: inputs.cache,
    timeoutMinutes: inputs.timeoutMinutes,
    runId: event.runId,
    revision: commit,
    sourceUrl,
    login: () => logIn(docker, request),
    now: () => new Date(),
    wait: (seconds, stop) => sleep(seconds * 1000, undefined, {signal: stop}),
  };
}

export function extraTagsOf(
  stack: Stack,
  {spec}: Pick<PlannedImage, 'spec'>,
  sha: string,
): readonly string[] {
  // One platform alone is not what these tags promise: the index of all gets them.
  if (spec.platform !== undefined) return [];
  return fillExtraTags(stack.spec.extraTags.defaultBranch, spec, {now: new Date(), sha});
}

/** `BASE_TAG` and `BASE_IMAGE` for the Dockerfiles that ask for them. */
function parentArgsOf(stack: Stack, plan: Plan): StepContext['parentArgs'] {
  const refs = new Map(plan.images.map(({name, ref}) => [name, ref]));
  return new Map(
    plan.images.map((image) => [
      image.name,
      stack.parentArgs(image.spec, (name) => refs.get(name)),
    ]),
  );
}
