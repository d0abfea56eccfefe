import type {Wiki} from '../adapters/git/index.ts';
import {addSummary} from '../adapters/github/output.ts';
import type {Registry} from '../adapters/registry/index.ts';
import {type Emit, runPlan} from '../build/index.ts';
import {saysSkipPush} from '../changes/index.ts';
import type {Result} from '../failure.ts';
import {makeLegs, type Planned, planRun, runnerOf} from '../plan/index.ts';
import {
  createProgress,
  createReporter,
  levelsOutput,
  matrixOutput,
  planOutput,
  planSummaryPage,
  type Reporter,
  recordDetails,
  reportPlan,
  stableLines,
  warnOf,
} from '../report/index.ts';
import {type Inputs, policyOf, type Run, type RunPolicy, tagsOf} from '../run/index.ts';
import {loadStack, type Stack} from '../stack/index.ts';
import type {ModeEnd} from './end.ts';
import {contextOf, type Finished, finish, writePlan} from './finish.ts';
import {tellPlanNotes} from './plan-notes.ts';
import {becauseOf, type NothingDone, nothingDone} from './refused.ts';
import {
  machinePlatform,
  openRecords,
  openRegistry,
  plannerPorts,
  withSteps,
} from './setup/adapters.ts';
import {checkPush} from './setup/checks.ts';
import {type Engine, openEngine} from './setup/engine.ts';
import {checkTestFiles} from './setup/listing.ts';
import {readStanding} from './stable.ts';
import {wikiOf} from './wiki.ts';

/** Shows what is going on, in place of what it showed before; undefined takes it away. */
export type ShowStatus = (text: string | undefined) => void;

/**
 * `mode: build` and `mode: plan`.
 * @throws {SpecError | InputError} for mistakes of the user
 */
export async function build(run: Run, show?: ShowStatus): Promise<ModeEnd> {
  const {inputs, event, workspace, log, signal} = run;
  if (event.kind === 'push' && event.deleted) {
    log.info(`${event.branch} was deleted: nothing is left to build.`);
    return {outcome: 'passed', outputs: {}};
  }
  const {stackDir, tagPrefix} = inputs;
  const tagOf = tagsOf(inputs, event);
  const stack = await loadStack(workspace, {stackDir, tagPrefix, tagOf, platform: inputs.platform});
  const foreign = foreignPlatform(inputs.platform, stack.spec.runners);
  if (foreign !== undefined)
    return await nothingDone(run, {title: nothingBuilt, causes: [foreign], sentence: foreign});
  const isPushSkipped = await saysSkipPush(event, run.changes);
  const policy = policyOf({inputs, event, spec: stack.spec, isPushSkipped});
  const registry = openRegistry(run, policy);
  const isDry = inputs.mode === 'plan' || inputs.dryRun;
  const wiki = policy.publishes && !isDry ? wikiOf(run) : undefined;
  const engine = isDry ? undefined : await openEngine(run, {policy, stack});
  try {
    const records = openRecords(registry);
    const ports = plannerPorts(run, {registry, records});
    const mayPush = policy.push.kind !== 'never' && !isDry;
    const planWith = (parents: Inputs['parents']): Promise<Planned> =>
      planRun(
        {inputs: {...inputs, parents}, event, stack, policy, platform: machinePlatform, signal},
        {
          ...ports,
          mayPush,
          // Pages of images that stand already are all there is to do, or mostly.
          foresee: (isBuildLikely) => (isBuildLikely ? engine?.expect() : wiki?.prepare()),
        },
      );
    // Legs that do not push cannot hand on what they built: each builds what it needs.
    const planReady = async (): Promise<Planned> => {
      const ready = await planWith(policy.push.kind === 'never' ? 'auto' : inputs.parents);
      return (await lacksPushedParents(ready, {policy, registry})) ? await planWith('auto') : ready;
    };
    const [planned, stray] = await Promise.all([
      planReady(),
      checkTestFiles(workspace.root, stack, {stackDir, signal}),
    ]);
    const {plan} = planned;
    // What was asked while everything was being stopped is not a plan.
    if (run.signal.aborted) return await nothingDone(run, cancelled);
    warnOf(log, [...planned.warnings, ...stray]);
    for (const note of planned.notes) log.info(note);
    reportPlan(log, plan);
    const outputs = {tag: plan.tag, plan: planOutput(plan)};
    await writePlan(workspace, plan);
    if (engine === undefined) {
      for (const warning of unknownWarnings(planned)) log.warning(warning);
      const legs = makeLegs(plan, {
        maxLegs: inputs.maxLegs,
        runners: stack.spec.runners,
        platform: machinePlatform,
        shares: policy.push.kind !== 'never',
      });
      const {stable, staleBases} = await readStanding(planned, {registry, records});
      for (const line of [...staleBases, ...stableLines(stable)]) log.info(line);
      if (inputs.mode === 'plan') await tellPlanNotes(run, plan, legs);
      const page = planSummaryPage(plan, {
        run: contextOf(run),
        stable,
        unknown: planned.unknown,
      });
      const problem = await addSummary(page, run.mask);
      if (problem !== undefined) log.warning(problem);
      const matrices = {matrix: matrixOutput(legs), levels: levelsOutput(legs)};
      return {outcome: 'passed', outputs: {...outputs, ...matrices}};
    }
    const end = await buildPlan(run, {stack, policy, planned, registry, engine, wiki, show});
    return {...end, outputs: {...outputs, ...end.outputs}};
  } finally {
    await Promise.all([registry.close(), wiki?.close(), engine?.close()]);
  }
}

/** A parent is missing, and the registry would not take one from the legs of this run. */
async function lacksPushedParents(
  {plan}: Planned,
  {policy, registry}: Pick<Prepared, 'policy' | 'registry'>,
): Promise<boolean> {
  const isMissing = plan.images.some(({missingParent}) => missingParent !== undefined);
  if (!isMissing || policy.push.kind !== 'if-granted') return false;
  return (await checkPush({plan, push: true, registry})).length > 0;
}

/** A leg for a platform that this machine does not have, and that nobody gave a runner. */
function foreignPlatform(
  platform: string | undefined,
  runners: ReadonlyMap<string, string>,
): string | undefined {
  if (platform === undefined) return undefined;
  if (runnerOf(platform, {runners, platform: machinePlatform}) !== undefined) return undefined;
  return `This runner is ${machinePlatform}, but the input "platform" is ${platform}, and no runner is known for it. Add "runners: {${platform}: <label of a runner>}" at the top of spec.yml, and run "mode: plan" again.`;
}

/** A run that does not push goes on, and builds what it cannot ask about. */
function unknownWarnings({unknown}: Planned): readonly string[] {
  return unknown.map((line) => `The registry could not be queried: ${line}`);
}

interface Prepared {
  readonly stack: Stack;
  readonly policy: RunPolicy;
  readonly planned: Planned;
  readonly registry: Registry;
  readonly engine: Engine;
  readonly wiki: Wiki | undefined;
  readonly show: ShowStatus | undefined;
}

async function buildPlan(run: Run, prepared: Prepared): Promise<ModeEnd> {
  const {workspace, log} = run;
  const {planned} = prepared;
  if (run.signal.aborted) return await nothingDone(run, cancelled);
  const push = await decidePush(run, prepared);
  if (push && planned.unknown.length > 0) {
    const title = `${nothingBuilt}: the registry could not be queried, and this run would push to it`;
    const causes = planned.unknown;
    return await nothingDone(run, {title, causes, sentence: [`${title}:`, ...causes].join('\n')});
  }
  for (const warning of unknownWarnings(planned)) log.warning(warning);
  const reporter = createReporter({
    log,
    readLog: (name) => workspace.readExcerpt(`logs/${name}`),
    now: () => new Date(),
    plan: planned.plan,
  });
  const done = await withProgress(run, prepared, reporter, (watched) =>
    doPlan(run, prepared, {...watched, push}),
  );
  await reporter.flush();
  const {wiki, engine} = prepared;
  // Beside the report; the end waits for it.
  void engine.close();
  if (done.ok) return await finish(run, {plan: planned.plan, ...done.value, wiki});
  // What was asked before the first build fails when everything is being stopped.
  if (run.signal.aborted) return await nothingDone(run, cancelled);
  return await nothingDone(run, becauseOf(nothingBuilt, done.error));
}

/** While images run, every 30 s one line says what each of them is doing; a terminal has a line that is written over. */
async function withProgress<T>(
  {log}: Run,
  {show}: Prepared,
  reporter: Reporter,
  use: (watched: Omit<Doing, 'push'>) => Promise<T>,
): Promise<T> {
  const progress = createProgress();
  const decoder = new TextDecoder();
  const emit: Emit = (event) => {
    progress.take(event, Date.now());
    reporter.emit(event);
  };
  const onOutput: Doing['onOutput'] = (image, chunk) =>
    progress.output(image, decoder.decode(chunk));
  const say = (): void => {
    for (const line of progress.lines(Date.now())) log.info(line);
  };
  const timer =
    show === undefined
      ? setInterval(say, 1000)
      : setInterval(() => show(progress.status(Date.now())), 500);
  try {
    return await use({reporter: {...reporter, emit}, onOutput});
  } finally {
    clearInterval(timer);
    show?.(undefined);
  }
}

/** A pull request may run with a token that only reads, as Dependabot's does: then it builds and tests, and says so. */
async function decidePush({log}: Run, {policy, planned, registry}: Prepared): Promise<boolean> {
  if (policy.push.kind === 'always') return true;
  if (policy.push.kind === 'never') {
    log.info(`This run does not push: ${policy.push.because}.`);
    return false;
  }
  const [refused] = await checkPush({plan: planned.plan, push: true, registry});
  if (refused === undefined) return true;
  log.info(`This run does not push, because the registry does not grant it: ${refused.message}`);
  return false;
}

const nothingBuilt = 'Nothing was built';
const cancelled: NothingDone = {
  title: nothingBuilt,
  causes: ['The run was cancelled.'],
  sentence: 'The run was cancelled.',
  outcome: 'cancelled',
};

interface Doing {
  readonly reporter: Reporter;
  /** Sees what the steps print. */
  readonly onOutput: (image: string, chunk: Uint8Array) => void;
  readonly push: boolean;
}

async function doPlan(
  run: Run,
  {stack, policy, planned, registry, engine, wiki}: Prepared,
  {reporter, onOutput, push}: Doing,
): Promise<Result<Pick<Finished, 'report' | 'details'>>> {
  const {inputs} = run;
  const {plan} = planned;
  const request = {
    run,
    stack,
    plan,
    policy,
    registry,
    docker: engine.docker,
    emit: reporter.emit,
    onOutput,
    push,
    verifyInputs: planned.verifyInputs,
    verifyTests: planned.verifyTests,
    pinsOf: planned.pinsOf,
    baseOf: planned.baseOf,
  };
  return await withSteps(request, async (steps) => {
    // Fetched while images are built.
    wiki?.prepare();
    const report = await runPlan(
      plan,
      {...steps, emit: reporter.emit, signal: run.signal, now: () => Date.now()},
      {
        concurrency: inputs.concurrency,
        failFast: inputs.failFast,
        push,
        documentsReused: policy.publishes,
      },
    );
    const details = plan.images.flatMap(({name}) => {
      const known = steps.details(name);
      return known === undefined
        ? []
        : [[name, recordDetails(known.facts, known.difference)] as const];
    });
    return {report, details: new Map(details)};
  });
}
