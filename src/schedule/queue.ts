import type {Outcome, StepName} from '../failure.ts';
import type {PlannedImage} from '../plan/types.ts';
import {remainingChains} from './priority.ts';
import {type Pool, poolOf} from './steps.ts';

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
 * A build, a test, a push takes one of the slots each, whatever image it is of. With more than one slot the image with
 * the longest remaining chain goes first; with one the whole run has one, and goes in the order of the plan.
 */
export function createQueue<T extends Waiting>(
  images: readonly PlannedImage[],
  concurrency: number,
): Queue<T> {
  const isSerial = concurrency === 1;
  const chains = isSerial ? new Map<string, number>() : remainingChains(images);
  const waiting: Record<Pool, {readonly node: T; readonly step: StepName}[]> = {
    work: [],
    aside: [],
  };
  const free: Record<Pool, number> = {work: concurrency, aside: concurrency};
  const poolFor = (step: StepName): Pool => (isSerial ? 'work' : poolOf[step]);
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
      for (const pool of ['work', 'aside'] as const) {
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
