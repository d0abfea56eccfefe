import type {Docker, EngineFacts} from '../../adapters/docker/index.ts';
import {isSet} from '../../adapters/process/index.ts';
import type {Registry} from '../../adapters/registry/index.ts';
import {type Failure, fail, failure, ok, type Result} from '../../failure.ts';
import {repositoryOf} from '../../image/reference.ts';
import type {Plan, PlannedImage} from '../../plan/index.ts';
import type {Run} from '../../run/index.ts';
import {lackingParents} from '../../stack/index.ts';
import {isSamePlatform, secretSource} from '../../stack/spec/index.ts';
import {linesByCause} from '../../util/same-cause.ts';
import {type LoginRequest, logIn} from './logins.ts';

export interface CheckRequest extends LoginRequest {
  readonly plan: Plan;
  readonly registry: Registry;
  readonly push: boolean;
  /** Of this machine. */
  readonly platform: string;
}

/**
 * Everything that would fail after an hour of building is tried before the first build, and all that is wrong is said at
 * once: engine, builder, platforms, login, permission to push, build secrets.
 */
export async function checkBeforeBuild(
  docker: Docker,
  request: CheckRequest,
): Promise<Result<void>> {
  const {plan} = request;
  const builds = plan.images.filter(({action}) => action === 'build');
  // Asked once, and kept for the first step that needs it.
  if (builds.length > 0) void docker.driver();
  const [engine, loggedIn, granted] = await Promise.all([
    docker.check(),
    builds.length === 0 ? ok() : logIn(docker, request),
    checkPush(request),
  ]);
  // Without an engine nothing else can be known.
  if (!engine.ok) return engine;
  const problems = [
    ...(loggedIn.ok ? [] : [loggedIn.error]),
    ...granted,
    ...(builds.length === 0 ? [] : await builderProblems(docker, request, engine.value)),
    ...platformProblems(request),
    ...(await secretProblems(request)),
  ];
  const [first, ...others] = problems;
  if (first === undefined) return ok();
  if (others.length === 0) return fail(first);
  const list = problems.map(
    ({message, hint}) => `- ${message}${hint === undefined ? '' : ` ${hint}`}`,
  );
  return fail({
    ...first,
    message: `${problems.length} things are wrong:\n${list.join('\n')}`,
    hint: '',
  });
}

/** An upload is opened and cancelled in each repository that this run writes to. */
export async function checkPush({
  plan,
  push,
  registry,
}: Pick<CheckRequest, 'plan' | 'push' | 'registry'>): Promise<readonly Failure[]> {
  if (!push) return [];
  const written = plan.images.filter(({action, spec}) => action !== 'skip' && spec.publish);
  const repositories = new Set(written.map(({ref}) => repositoryOf(ref)));
  const answers = await Promise.all(
    [...repositories].map(async (ref) => ({ref, answer: await registry.mayPush(ref)})),
  );
  const failures = answers.flatMap(({ref, answer}) =>
    answer.ok ? [] : [{ref, error: answer.error}],
  );
  // One sentence for one cause, however many repositories it holds for.
  const kinds = Map.groupBy(failures, ({error}) => `${error.class} ${error.hint}`);
  return [...kinds.values()].flatMap((all) =>
    linesByCause(all.map(({ref, error}) => ({ref, because: error.message}))).flatMap((message) =>
      all.slice(0, 1).map(({error}) => ({...error, message})),
    ),
  );
}

/** A builder that the user names must be there, and able to do what the spec asks. */
async function builderProblems(
  docker: Docker,
  {run, plan, push, stack, platform}: CheckRequest,
  engine: EngineFacts,
): Promise<readonly Failure[]> {
  const builds = plan.images.filter(({action}) => action === 'build');
  const many = builds.filter(({spec}) => spec.platforms.length > 1);
  // Without a push an image of several platforms is built for this machine alone.
  const foreign = foreignRuns(push ? builds : builds.filter((one) => !many.includes(one)), {
    stack,
    platform,
  });
  // Which builder docker takes by itself nothing here depends on.
  if (run.inputs.builder === undefined && many.length === 0 && foreign.length === 0) return [];
  const driver = await docker.driver();
  if (!driver.ok) return [driver.error];
  if (many.length === 0 || !push || driver.value !== 'docker' || engine.hasContainerdStore)
    return foreign.length === 0 ? [] : emulatorProblems(await docker.platforms(), foreign);
  const names = many.map(({name, spec}) => `${name} (${spec.platforms.join(', ')})`).join(', ');
  return [
    failure('spec-invalid', `Docker's own builder cannot build for several platforms: ${names}.`, {
      hint: 'Add these two steps before this one: "- uses: docker/setup-qemu-action@v3" and "- uses: docker/setup-buildx-action@v3".',
    }),
  ];
}

interface ForeignRun {
  readonly key: string;
  readonly platform: string;
}

/** Builds that start programs of another platform than this machine's; a leg starts those of its own alone. */
function foreignRuns(
  builds: readonly PlannedImage[],
  {stack, platform}: Pick<CheckRequest, 'stack' | 'platform'>,
): readonly ForeignRun[] {
  return builds.flatMap(({name, spec}) =>
    (stack.runsOn.get(name) ?? []).flatMap((one) => {
      const isOther = one !== undefined && !isSamePlatform(one, platform);
      const isBuilt = spec.platform === undefined || isSamePlatform(one ?? '', spec.platform);
      return isOther && isBuilt ? [{key: spec.key, platform: one}] : [];
    }),
  );
}

/** A builder that does not tell its platforms may be able to do anything. */
function emulatorProblems(
  able: readonly string[],
  foreign: readonly ForeignRun[],
): readonly Failure[] {
  const lacking = foreign.filter(
    ({platform}) => !able.some((one) => isSamePlatform(one, platform)),
  );
  if (able.length === 0 || lacking.length === 0) return [];
  const names = lacking.map(({key, platform}) => `${key} (${platform})`).join(', ');
  return [
    failure(
      'spec-invalid',
      `The builder cannot run programs of another platform, which a RUN of these needs: ${names}.`,
      {
        hint: 'Add this step before this one: "- uses: docker/setup-qemu-action@v3". Or build each platform on a runner of its own (docs/multi-platform.md).',
      },
    ),
  ];
}

/** Parents of another platform than their child has on this machine; a leg builds for one that the plan has looked at. */
function platformProblems({plan, stack, platform}: CheckRequest): readonly Failure[] {
  const built = new Map(plan.images.map(({name, action}) => [name, action === 'build']));
  return plan.images.flatMap(({name, spec, action}) => {
    if (action !== 'build' || spec.platform !== undefined) return [];
    // Where another machine built a parent without `platforms`, only its image says for which one.
    const needed = [...(stack.needed.get(name) ?? [])].filter(
      ([parent]) =>
        built.get(parent) === true || (stack.spec.images.get(parent)?.platforms ?? []).length > 0,
    );
    return lackingParents(stack.spec, spec, new Map(needed), platform).map(({message, mend}) =>
      failure('spec-invalid', message, {hint: mend}),
    );
  });
}

async function secretProblems({
  run,
  plan,
  stack,
  policy,
}: CheckRequest): Promise<readonly Failure[]> {
  // A pull request from a fork is given none.
  if (!policy.logins.allowLogins) return [];
  const builds = plan.images.filter(({action}) => action === 'build');
  const problems = builds.flatMap(({spec}) =>
    spec.secrets.map(async (secret) => {
      const lack = await lackOf(secret, run.workspace);
      if (lack === undefined) return [];
      const message = `The build secret "${secret}" of ${spec.key} has no value: ${lack.because}.`;
      const place = {file: stack.spec.file, line: spec.position.line, column: spec.position.column};
      const hint = `${lack.mend}, or remove the secret from ${place.file}:${place.line}.`;
      return [failure('spec-invalid', message, {hint, place})];
    }),
  );
  return (await Promise.all(problems)).flat();
}

async function lackOf(
  secret: string,
  workspace: Run['workspace'],
): Promise<{readonly because: string; readonly mend: string} | undefined> {
  const {variable, file = ''} = secretSource(secret);
  if (variable !== undefined) {
    return isSet(variable)
      ? undefined
      : {
          because: `the environment variable ${variable} is not set`,
          mend: `Set ${variable} with "env:" on this step`,
        };
  }
  if ((await workspace.size(file)) === undefined) {
    const because = `there is no file ${file}`;
    return {because, mend: `Write ${file} in a step before this one`};
  }
  if (await workspace.isInside(file)) return undefined;
  const because = `${file} is a link that points outside the workspace`;
  return {because, mend: 'Replace the link by the file itself'};
}
