import {readExcerpt} from '../adapters/files/index.ts';
import {addSummary, setOutputs} from '../adapters/github/output.ts';
import type {Registry} from '../adapters/registry/index.ts';
import {type Emit, type RunReport, runPlan} from '../build/index.ts';
import {failureText, type Result} from '../failure.ts';
import {type Plan, type Planned, planRun} from '../plan/index.ts';
import {
  createReporter,
  matrixOutput,
  planOutput,
  planSummaryPage,
  type Reporter,
  reportPlan,
} from '../report/index.ts';
import {decidePush, loginOf, type Run, tagsOf} from '../run/index.ts';
import {loadStack, type Stack} from '../stack/index.ts';
import {mayPublish} from '../wiki/index.ts';
import {openRegistry, withDocker} from './adapters.ts';
import {finish, upload, writePlan} from './finish.ts';

/**
 * `mode: build` and `mode: plan`. Resolves with the sentence that fails the step, or undefined.
 * @throws {SpecError | InputError} for mistakes of the user
 */
export async function build(run: Run, watch?: Emit): Promise<string | undefined> {
  const {inputs, event, workspace, log} = run;
  if (event.kind === 'push' && event.deleted) {
    log.info(`${event.branch} was deleted: nothing is left to build.`);
    return undefined;
  }
  const stack = await loadStack(workspace, {
    stackDir: inputs.stackDir,
    tagPrefix: inputs.tagPrefix,
    tagOf: tagsOf(inputs, event),
  });
  const login = loginOf(run, stack.spec);
  const registry = await openRegistry(run, login);
  try {
    const planned = await planRun(inputs, event, stack, {
      workspace,
      registry,
      changes: run.changes,
    });
    const {plan} = planned;
    for (const warning of planned.warnings) log.warning(warning);
    for (const note of planned.notes) log.info(note);
    reportPlan(log, plan);
    setOutputs({tag: plan.tag, plan: planOutput(plan), matrix: matrixOutput(plan)});
    await writePlan(workspace, plan);
    if (inputs.mode === 'plan' || inputs.dryRun) {
      const problem = await addSummary(planSummaryPage(plan));
      if (problem !== undefined) log.warning(problem);
      setOutputs({outcome: 'passed'});
      return undefined;
    }
    return await buildPlan(run, stack, planned, {registry, watch});
  } finally {
    await registry.close();
  }
}

async function buildPlan(
  run: Run,
  stack: Stack,
  planned: Planned,
  {registry, watch}: {readonly registry: Registry; readonly watch: Emit | undefined},
): Promise<string | undefined> {
  const {workspace, log} = run;
  const {plan} = planned;
  const push = decidePush(run);
  if (run.signal.aborted) return await nothingBuilt(run, 'cancelled', 'The run was cancelled.');
  if (push.push && planned.unknown.length > 0) {
    const why =
      'Nothing was built, because the registry cannot say what it has, and this run is to push';
    return await nothingBuilt(run, 'failed', [`${why}:`, ...planned.unknown].join('\n'));
  }
  if (!push.push) log.info(`This run does not push: ${push.because}.`);
  const printing = createReporter({
    log,
    readLog: (name) => readExcerpt(workspace.path(`logs/${name}`), `logs/${name}`),
    now: () => new Date(),
  });
  const emit: Emit = (event) => {
    watch?.(event);
    printing.emit(event);
  };
  const reporter = {...printing, emit};
  const done = await doPlan(run, stack, plan, {registry, reporter, push: push.push});
  await reporter.flush();
  if (done.ok) return await finish(run, plan, done.value);
  return await nothingBuilt(run, 'failed', failureText('Nothing was built', done.error));
}

/** The plan and the log are still worth an artifact. */
async function nothingBuilt(
  run: Run,
  outcome: 'failed' | 'cancelled',
  sentence: string,
): Promise<string> {
  setOutputs({outcome});
  await upload(run);
  return sentence;
}

interface Doing {
  readonly registry: Registry;
  readonly reporter: Reporter;
  readonly push: boolean;
}

async function doPlan(
  run: Run,
  stack: Stack,
  plan: Plan,
  {registry, reporter, push}: Doing,
): Promise<Result<RunReport>> {
  const {inputs} = run;
  const {images} = stack.spec;
  const documentsReused = await mayPublish(run);
  const request = {
    run,
    stack,
    plan,
    registry,
    emit: reporter.emit,
    push,
    login: loginOf(run, stack.spec),
    documentsReused,
  };
  const specOf = (name: string) => images.get(name);
  return await withDocker(request, (steps) =>
    runPlan(
      plan,
      {...steps, emit: reporter.emit, signal: run.signal, now: () => Date.now()},
      {
        concurrency: inputs.concurrency,
        failFast: inputs.failFast,
        isPushed: (name) => push && specOf(name)?.publish === true,
        hasIntegrationTests: (name) => specOf(name)?.integrationTests === true,
        isPruned: (name) => specOf(name)?.prune === true,
        mayFail: (name) => specOf(name)?.allowFailure === true,
        documentsReused,
      },
    ),
  );
}
