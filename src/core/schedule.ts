import {remainingChains} from './priority.ts';
import {chainOf, type Pool, pageAfter, poolOf, type ScheduleOptions} from './schedule-steps.ts';
import type {Outcome, PlannedAction, PlannedImage, StepName} from './types.ts';

/** One step of one image. */
export interface Task {
  readonly image: string;
  readonly step: StepName;
}

/**
 * The order of a run as a state machine without clock or effects: tell it what ended, it says what may begin. No
 * child is built before its parents are, and nothing of a child is pushed before its parents passed their tests and
 * are pushed (DESIGN.md section 5).
 */
export interface Schedule {
  /** What is to be started now; each task is given once. */
  start(): readonly Task[];
  finish(task: Task, isGood: boolean): void;
  /** Nothing more is started; what runs is doomed. */
  cancel(): void;
  /** Its running steps are of no use any more: the image is blocked or cancelled. */
  isDoomed(image: string): boolean;
  /** Undefined while something of the image runs or is still to come. */
  outcome(image: string): Outcome | undefined;
  /** The image and step that stopped this one: `base: test`. */
  blockedBy(image: string): string | undefined;
}

interface Node {
  readonly image: PlannedImage;
  readonly position: number;
  /** Steps that come one after the other, and how many of them are done. */
  readonly chain: readonly StepName[];
  done: number;
  readonly parents: Node[];
  readonly children: Node[];
  /** Steps that are queued or run. */
  readonly open: Set<StepName>;
  running: number;
  isBuilt: boolean;
  isVerified: boolean;
  wantsPrune: boolean;
  end: Outcome | undefined;
  blockedBy: string | undefined;
}

const goodEnd: Record<PlannedAction, Outcome> = {
  build: 'built',
  reuse: 'reused',
  test: 'reused',
  skip: 'skipped',
};

/** @param images parents first */
export function startSchedule(images: readonly PlannedImage[], options: ScheduleOptions): Schedule {
  const nodes = makeNodes(images, options);
  const queue = createQueue(images, options);

  const offer = (node: Node, step: StepName): void => {
    node.open.add(step);
    queue.add(node, step);
  };
  /** Looks what the image can do next, after something around it changed. */
  const advance = (node: Node): void => {
    const step = node.chain[node.done];
    if (node.end !== undefined) return;
    if (step !== undefined) {
      if (!node.open.has(step) && mayBegin(node, step)) offer(node, step);
    } else if (node.open.size === 0) {
      if (!node.wantsPrune) node.end = goodEnd[node.image.action];
      else if (node.children.every((child) => child.isBuilt || child.end !== undefined)) {
        node.wantsPrune = false;
        offer(node, 'prune');
      }
    }
  };
  const around = (node: Node): void => {
    for (const one of [node, ...node.children, ...node.parents]) advance(one);
  };
  const fail = (node: Node, step: StepName): void => {
    node.end = 'failed';
    const below = new Set(node.children);
    for (const one of below) {
      for (const child of one.children) below.add(child);
      if (one.end !== undefined) continue;
      one.end = 'blocked';
      one.blockedBy = `${node.image.name}: ${step}`;
    }
    if (options.failFast && !options.mayFail(node.image.name)) {
      for (const one of nodes.values())
        if (one.open.size === 0 && one.done === 0) one.end ??= 'cancelled';
    }
    for (const one of below) for (const parent of one.parents) advance(parent);
  };
  const must = (image: string): Node => {
    const node = nodes.get(image);
    if (node === undefined) throw new Error(`Internal error: ${image} is not in the plan`);
    return node;
  };

  for (const node of nodes.values()) advance(node);
  return {
    start: () => {
      const tasks = queue.take();
      for (const {image} of tasks) must(image).running++;
      return tasks;
    },
    finish: ({image, step}, isGood) => {
      const node = must(image);
      queue.release(step);
      node.running--;
      node.open.delete(step);
      if (node.end !== undefined) return;
      if (step === node.chain[node.done]) {
        if (!isGood) return fail(node, step);
        node.done++;
        if (step === 'build') node.isBuilt = true;
        if (step === pageAfter(node.image, options)) offer(node, 'manifest');
        node.isVerified = node.done === node.chain.length;
      }
      around(node);
    },
    cancel: () => {
      for (const node of nodes.values()) node.end ??= 'cancelled';
    },
    isDoomed: (image) => ['blocked', 'cancelled'].includes(must(image).end ?? ''),
    outcome: (image) => (must(image).running > 0 ? undefined : must(image).end),
    blockedBy: (image) => must(image).blockedBy,
  };
}

function mayBegin({image, parents}: Node, step: StepName): boolean {
  if (image.action === 'test') return true;
  if (step === 'pull') return parents.every((parent) => parent.isBuilt);
  return (step !== 'push' && step !== 'reuse') || parents.every((parent) => parent.isVerified);
}

function makeNodes(
  images: readonly PlannedImage[],
  options: ScheduleOptions,
): ReadonlyMap<string, Node> {
  const nodes = new Map<string, Node>();
  for (const [position, image] of images.entries()) {
    const parents = image.parents.flatMap((name) => nodes.get(name) ?? []);
    const isIdle = image.action === 'skip';
    const node: Node = {
      image,
      position,
      chain: chainOf(image, options),
      done: 0,
      parents,
      children: [],
      open: new Set(),
      running: 0,
      // What stands in the registry can be built on at once.
      isBuilt: image.action !== 'build',
      isVerified: isIdle,
      wantsPrune: !isIdle && image.action !== 'reuse' && options.isPruned(image.name),
      end: isIdle ? 'skipped' : undefined,
      blockedBy: undefined,
    };
    for (const parent of parents) parent.children.push(node);
    nodes.set(image.name, node);
  }
  return nodes;
}

interface Queue {
  add(node: Node, step: StepName): void;
  /** As many tasks as there are slots, best first. */
  take(): readonly Task[];
  release(step: StepName): void;
}

/** Ready tasks in the order in which they are wanted, and the slots that they wait for. */
function createQueue(images: readonly PlannedImage[], {concurrency}: ScheduleOptions): Queue {
  const isSerial = concurrency === 1;
  const chains = isSerial ? new Map<string, number>() : remainingChains(images);
  const waiting: Record<Pool, {readonly node: Node; readonly step: StepName}[]> = {
    build: [],
    test: [],
    push: [],
  };
  const free: Record<Pool, number> = {build: concurrency, test: concurrency, push: concurrency};
  const poolFor = (step: StepName): Pool => (isSerial ? 'build' : poolOf[step]);
  const chainFrom = ({image}: Node): number => chains.get(image.name) ?? 0;
  const comesBefore = (a: Node, b: Node): boolean =>
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
      for (const pool of ['build', 'test', 'push'] as const) {
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
