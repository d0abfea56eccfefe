import type {PlannedAction, PlannedImage} from '../../../src/plan/types.ts';
import {startSchedule} from '../../../src/schedule/index.ts';
import type {Task} from '../../../src/schedule/queue.ts';
import type {Outcome, ScheduleOptions, StepName} from '../../../src/schedule/steps.ts';
import type {ImageSpec} from '../../../src/stack/spec/types.ts';
import {imageSpec} from './stack.ts';

/** A step as the simulated clock saw it. */
export interface Ran extends Task {
  readonly from: number;
  readonly to: number;
  readonly isGood: boolean;
  /** The schedule gave it up while it ran. */
  readonly isDoomed: boolean;
}

export interface Simulation {
  readonly ran: readonly Ran[];
  readonly outcomes: ReadonlyMap<string, Outcome | undefined>;
  readonly blockedBy: ReadonlyMap<string, string | undefined>;
  /** The moment at which the last step ended. */
  readonly end: number;
}

export interface World {
  readonly seconds: (task: Task) => number;
  readonly fails: (task: Task) => boolean;
  readonly cancelAt?: number;
}

export function plannedImage(
  name: string,
  parents: readonly string[] = [],
  action: PlannedAction = 'build',
  expectedSeconds?: number,
  spec: Partial<ImageSpec> = {},
): PlannedImage {
  return {
    name,
    spec: imageSpec(name, parents, spec),
    parents,
    level: 0,
    ref: `r/${name}:t`,
    action,
    reasons: [{kind: 'unchanged'}],
    fingerprint: `sha256:${name}`,
    content: `sha256:${name}`,
    tests: `sha256:${name}`,
    before: undefined,
    source: undefined,
    expectedSeconds,
  };
}

export const plainOptions: ScheduleOptions = {
  concurrency: 4,
  failFast: false,
  push: true,
  documentsReused: false,
};

/** Runs a plan on a clock that jumps from end to end; a doomed step ends at once. */
export function simulate(
  images: readonly PlannedImage[],
  options: ScheduleOptions,
  world: World,
): Simulation {
  const schedule = startSchedule(images, options);
  const running: {task: Task; from: number; to: number}[] = [];
  const ran: Ran[] = [];
  let now = 0;
  let isCancelled = false;
  for (;;) {
    for (const task of schedule.start())
      running.push({task, from: now, to: now + world.seconds(task)});
    running.sort((a, b) => a.to - b.to);
    const doomed = running.findIndex(({task}) => schedule.isDoomed(task.image));
    const [next] = running.splice(Math.max(doomed, 0), 1);
    if (next === undefined) break;
    if (world.cancelAt !== undefined && !isCancelled && next.to >= world.cancelAt && doomed < 0) {
      isCancelled = true;
      now = world.cancelAt;
      schedule.cancel();
      running.push(next);
      continue;
    }
    const isDoomed = doomed >= 0;
    now = isDoomed ? now : Math.max(now, next.to);
    const isGood = !isDoomed && !world.fails(next.task);
    ran.push({...next.task, from: next.from, to: now, isGood, isDoomed});
    schedule.finish(next.task, isGood);
  }
  return {
    ran,
    end: now,
    outcomes: new Map(images.map(({name}) => [name, schedule.outcome(name)])),
    blockedBy: new Map(images.map(({name}) => [name, schedule.blockedBy(name)])),
  };
}

/** The most steps of a kind that ran at the same time. */
export function mostAtOnce(ran: readonly Ran[], isOfKind: (step: StepName) => boolean): number {
  const own = ran.filter(({step}) => isOfKind(step));
  const moments = own.map(({from}) => from);
  return Math.max(
    0,
    ...moments.map((moment) => own.filter(({from, to}) => from <= moment && moment < to).length),
  );
}

export function find(ran: readonly Ran[], image: string, step: StepName): Ran | undefined {
  return ran.find((one) => one.image === image && one.step === step);
}
