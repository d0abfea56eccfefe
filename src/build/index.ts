import {failure, messageOf} from '../failure.ts';
import type {Plan, PlannedImage} from '../plan/index.ts';
import {type ScheduleOptions, startSchedule, stepNames, type Task} from '../schedule/index.ts';
import type {
  Emit,
  ImageFacts,
  ImageResult,
  RunOutcome,
  RunReport,
  RunStep,
  StepResult,
} from './types.ts';

export type {CacheKind, CacheOptions, Caches} from './cache.ts';
export {cacheOptions, findCaches} from './cache.ts';
export {indexOf, type PlatformImage} from './index-image.ts';
export type {
  Emit,
  ImageFacts,
  ImageResult,
  RunEvent,
  RunOutcome,
  RunReport,
  RunStep,
  StepResult,
} from './types.ts';

export interface RunnerPorts {
  readonly runStep: RunStep;
  readonly facts: (image: string) => ImageFacts;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  /** Milliseconds. */
  readonly now: () => number;
}

/**
 * A run: the plan is carried out.
 * Enters: the Plan, the function that runs one step of one image (steps/), the signal, and where events go.
 * Leaves: RunReport, the outcome of every image with its steps; resolves when each has one, in a cancelled run too.
 * Not here: the order (schedule/), the steps themselves (steps/), words for people (report/).
 */
export async function runPlan(
  plan: Plan,
  ports: RunnerPorts,
  options: ScheduleOptions,
): Promise<RunReport> {
  const schedule = startSchedule(plan.images, options);
  const images = new Map(plan.images.map((image) => [image.name, image]));
  const steps = new Map<string, StepResult[]>(plan.images.map(({name}) => [name, []]));
  const stops = new Map<string, AbortController>();
  const results = new Map<string, ImageResult>();
  const running = new Map<Task, Promise<void>>();

  const runTask = async (task: Task): Promise<void> => {
    const image = images.get(task.image);
    if (image === undefined) throw new Error(`Internal error: ${task.image} is not in the plan`);
    const stop = stops.get(task.image) ?? new AbortController();
    if (!stops.has(task.image)) ports.emit({kind: 'image-started', image});
    stops.set(task.image, stop);
    ports.emit({kind: 'step-started', image: task.image, step: task.step});
    const result = await runSafely(image, task, stop.signal, ports);
    steps.get(task.image)?.push(result);
    ports.emit({kind: 'step-finished', image: task.image, result});
    schedule.finish(task, result.failure === undefined);
    running.delete(task);
  };
  const settle = (): void => {
    for (const name of schedule.takeNews()) {
      const outcome = results.has(name) ? undefined : schedule.outcome(name);
      if (schedule.isDoomed(name)) {
        stops.get(name)?.abort(new Error(`${name} is not needed any more`));
      }
      if (outcome === undefined) continue;
      const result: ImageResult = {
        image: name,
        ref: images.get(name)?.ref ?? '',
        ...ports.facts(name),
        outcome,
        steps: (steps.get(name) ?? []).toSorted(inOrder),
        blockedBy: schedule.blockedBy(name),
        allowedFailure: outcome === 'failed' && images.get(name)?.spec.allowFailure === true,
      };
      results.set(name, result);
      ports.emit({kind: 'image-finished', result});
    }
  };

  const onAbort = (): void => {
    schedule.cancel();
    settle();
  };
  ports.signal.addEventListener('abort', onAbort);
  try {
    if (ports.signal.aborted) schedule.cancel();
    for (;;) {
      for (const task of schedule.start()) running.set(task, runTask(task));
      settle();
      if (running.size === 0) break;
      await Promise.race(running.values());
    }
  } finally {
    ports.signal.removeEventListener('abort', onAbort);
  }
  return {
    outcome: outcomeOf(plan, results, ports.signal),
    images: plan.images.map(({name}) => must(results, name)),
  };
}

/** Steps run beside each other; people read them in the order of the table. */
function inOrder(a: StepResult, b: StepResult): number {
  return stepNames.indexOf(a.step) - stepNames.indexOf(b.step);
}

/** A step that throws is a bug of ours: the image fails, and nothing else is lost. */
async function runSafely(
  image: PlannedImage,
  {step}: Task,
  signal: AbortSignal,
  {runStep, now}: RunnerPorts,
): Promise<StepResult> {
  const began = now();
  try {
    return await runStep(image, step, signal);
  } catch (error) {
    const bug = failure('internal', `Internal error: ${messageOf(error)}`);
    return {step, durationMs: now() - began, failure: bug, notes: []};
  }
}

function outcomeOf(
  plan: Plan,
  results: ReadonlyMap<string, ImageResult>,
  signal: AbortSignal,
): RunOutcome {
  const failed =
    plan.images.some(({missingParent}) => missingParent !== undefined) ||
    [...results.values()].some(
      ({outcome, allowedFailure}) => outcome === 'failed' && !allowedFailure,
    );
  if (signal.aborted) return 'cancelled';
  return failed ? 'failed' : 'passed';
}

function must(results: ReadonlyMap<string, ImageResult>, name: string): ImageResult {
  const result = results.get(name);
  if (result === undefined) throw new Error(`Internal error: ${name} has no outcome`);
  return result;
}
