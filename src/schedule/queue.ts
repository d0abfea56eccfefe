import type {PlannedImage} from '../plan/index.ts';
import {type Outcome, type Pool, poolOf, pools, type StepName} from './steps.ts';

/** One step of one image. */
export interface Task {
  readonly image: string;
  readonly step: StepName;
}

/** What the queue has to know of an image. */
export interface Waiting {
  readonly image: PlannedImage;
  /** In the plan. */
  readonly position: number;
  /** Once it has an outcome nothing of it is started. */
  readonly end: Outcome | undefined;
}

/** Ready tasks in the order in which they are wanted, and the slots that they wait for. */
export interface Queue<T extends Waiting> {
  add(node: T, step: StepName): void;
  /** As many tasks as there are slots, best first. */
  take(): readonly Task[];
  release(step: StepName): void;
}

/**
 * Builds, tests and pushes take slots of their kind. With more than one slot a kind the image with the longest remaining
 * chain goes first; with one the whole run has a single slot, and goes in the order of the plan.
 */
export function createQueue<T extends Waiting>(
  images: readonly PlannedImage[],
  concurrency: number,
): Queue<T> {
  const isSerial = concurrency === 1;
  const chains = isSerial ? new Map<string, number>() : remainingChains(images);
  type Line = {readonly node: T; readonly step: StepName}[];
  const waiting: Record<Pool, Line> = {build: [], test: [], push: [], aside: []};
  const free: Record<Pool, number> = {
    build: concurrency,
    test: concurrency,
    push: concurrency,
    aside: concurrency,
  };
  const poolFor = (step: StepName): Pool => (isSerial ? 'build' : poolOf[step]);
  const chainFrom = ({image}: T): number => chains.get(image.name) ?? 0;
  const comesBefore = (a: T, b: T): boolean =>
    chainFrom(a) === chainFrom(b) ? a.position < b.position : chainFrom(a) > chainFrom(b);
  return {
    add: (node, step) => {
      const line = waiting[poolFor(step)];
      let [low, high] = [0, line.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        const other = line[middle];
        if (other !== undefined && comesBefore(node, other.node)) high = middle;
        else low = middle + 1;
      }
      line.splice(low, 0, {node, step});
    },
    take: () => {
      const tasks: Task[] = [];
      for (const pool of pools) {
        while (free[pool] > 0) {
          const next = waiting[pool].shift();
          if (next === undefined) break;
          if (next.node.end !== undefined) continue;
          free[pool]--;
          tasks.push({image: next.node.image.name, step: next.step});
        }
      }
      return tasks;
    },
    release: (step) => {
      free[poolFor(step)]++;
    },
  };
}

/**
 * The longest chain of work from each image to the end of the run, by name: what is started first among the ready
 * (list scheduling by critical path). Seconds of earlier builds where they are known; an image of unknown length
 * counts as the median of the known, or as one.
 * @param images parents first
 */
export function remainingChains(images: readonly PlannedImage[]): ReadonlyMap<string, number> {
  const known = images
    .flatMap(({expectedSeconds}) => expectedSeconds ?? [])
    .toSorted((a, b) => a - b);
  const usual = known[Math.floor(known.length / 2)] ?? 1;
  const below = new Map<string, number>();
  const chains = new Map<string, number>();
  for (const image of images.toReversed()) {
    const own = image.action === 'build' ? (image.expectedSeconds ?? usual) : 0;
    const chain = own + (below.get(image.name) ?? 0);
    chains.set(image.name, chain);
    for (const parent of image.parents) below.set(parent, Math.max(below.get(parent) ?? 0, chain));
  }
  return chains;
}
