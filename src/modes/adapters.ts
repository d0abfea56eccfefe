import {randomUUID} from 'node:crypto';
import {
  createDocker,
  createDockerConfig,
  type Docker,
  insecureRegistries,
  withoutValue,
} from '../adapters/docker/index.ts';
import {saveForPost, temporaryFolder} from '../adapters/github/output.ts';
import {runCommand, testEnvironment} from '../adapters/process/index.ts';
import {createLogins, createRegistry, type Registry} from '../adapters/registry/index.ts';
import {type Emit, findCaches} from '../build/index.ts';
import {createSteps, type StepContext, type Steps} from '../build/steps/index.ts';
import {ok, type Result} from '../failure.ts';
import {parseReference} from '../image/reference.ts';
import type {Plan} from '../plan/index.ts';
import {defaultBranchOf, isFork, type Login, type Run} from '../run/index.ts';
import type {Stack} from '../stack/index.ts';

/** The registry of this run, with its login before those of the machine; the caller closes it. */
export async function openRegistry(
  {event, log, signal}: Run,
  login: Login | undefined,
  options: {readonly grace?: number} = {},
): Promise<Registry> {
  return createRegistry({
    ...options,
    logins: createLogins({
      inputs: login === undefined ? [] : [login],
      allowLogins: !isFork(event),
      run: runCommand,
      signal,
    }),
    isInsecure: insecureRegistries(runCommand, signal),
    onRetry: (note) => log.info(note),
    signal,
  });
}

/** What the steps of a run are made of. */
export interface EngineRequest {
  readonly run: Run;
  readonly stack: Stack;
  readonly plan: Plan;
  readonly registry: Registry;
  readonly emit: Emit;
  readonly push: boolean;
  readonly login: Login | undefined;
  readonly documentsReused: boolean;
}

/**
 * Lends the steps of a run, with credentials in a private folder that is gone afterwards, and no container of the
 * run left. A missing engine or a refused login is a failure before anything is built; a run that only reads and
 * moves tags starts no docker process.
 */
export async function withDocker<T>(
  request: EngineRequest,
  use: (steps: Steps) => Promise<T>,
): Promise<Result<T>> {
  const {run, plan} = request;
  const runId = randomUUID();
  const repositories = [...request.stack.spec.images.values()].map(({repository}) => repository);
  const config = await createDockerConfig(temporaryFolder(), {
    allowLogins: !isFork(run.event),
    hosts: repositories.flatMap((one) => parseReference(one)?.registry ?? []),
  });
  saveForPost('dockerConfig', config.folder);
  saveForPost('runId', runId);
  const docker = createDocker({
    run: runCommand,
    config,
    builder: run.inputs.builder,
    runId,
    root: run.workspace.root,
    tempDir: temporaryFolder(),
  });
  const isNeeded = plan.images.some(({action}) => needsDocker(action, request.documentsReused));
  let swept: Promise<unknown> | undefined;
  try {
    const [ready, caches] = await Promise.all([
      isNeeded ? prepare(docker, request) : done,
      findCaches({
        plan,
        images: request.stack.spec.images,
        cache: run.inputs.cache,
        defaultBranch: defaultBranchOf(run.inputs, run.event),
        registry: request.registry,
      }),
    ]);
    if (!ready.ok) return ready;
    // Beside the first build: what killed runs left is in nobody's way.
    if (isNeeded) swept = docker.sweep(new Date());
    return ok(await use(createSteps({...contextOf(request, docker), caches})));
  } finally {
    await Promise.all([swept, docker.cleanUp()]);
    await config.remove();
  }
}

const done = {ok: true, value: undefined} as const;

function needsDocker(action: Plan['images'][number]['action'], documentsReused: boolean): boolean {
  return action === 'build' || action === 'test' || (action === 'reuse' && documentsReused);
}

/** A builder that the user names must be there. Which one docker takes by itself is asked beside the first build. */
async function prepare(docker: Docker, {run, plan, login}: EngineRequest): Promise<Result<void>> {
  const isBuilding = plan.images.some(({action}) => action === 'build');
  const [engine, loggedIn] = await Promise.all([
    docker.check(),
    login === undefined
      ? done
      : docker.login(login.host, login.username, login.password, {signal: run.signal}),
  ]);
  if (!engine.ok) return engine;
  if (!loggedIn.ok || !isBuilding) return loggedIn;
  const driver = docker.driver();
  return run.inputs.builder === undefined ? done : withoutValue(await driver);
}

function contextOf(
  {run, stack, plan, registry, emit, push, login}: EngineRequest,
  docker: Docker,
): Omit<StepContext, 'caches'> {
  const {inputs, event, workspace, secrets} = run;
  const {owner, repo} = event.repository;
  return {
    plan,
    images: stack.spec.images,
    stackDir: inputs.stackDir,
    workspace,
    docker,
    registry,
    run: runCommand,
    emit,
    secrets,
    testEnvironment: testEnvironment(),
    tempDir: temporaryFolder(),
    push,
    cache: inputs.cache,
    timeoutMinutes: inputs.timeoutMinutes,
    runId: event.runId,
    revision: event.headSha,
    sourceUrl: repo === '' ? undefined : `${event.serverUrl}/${owner}/${repo}`,
    login:
      login === undefined
        ? undefined
        : () => docker.login(login.host, login.username, login.password),
    now: () => new Date(),
  };
}
