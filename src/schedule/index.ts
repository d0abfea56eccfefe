import type {PlannedAction, PlannedImage} from '../plan/index.ts';
import {createQueue, type Task, type Waiting} from './queue.ts';
import {chainOf, type Outcome, pageAfter, type ScheduleOptions, type StepName} from './steps.ts';

export type {Task} from './queue.ts';
export type {Outcome, ScheduleOptions, StepName} from './steps.ts';
export {chainOf, isPushed, pageAfter, stepNames} from './steps.ts';

/** Report what ended, ask what may start. */
export interface Schedule {
  /** What is to be started now; each task is given once. */
  start(): readonly Task[];
  finish(task: Task, isGood: boolean): void;
  /** Nothing more is started; what runs is doomed. */
  cancel(): void;
  /** Images that got an outcome, or ended a step after they had one, since this was asked last. */
  takeNews(): readonly string[];
  /** Its running steps are of no use any more: the image is blocked or cancelled. */
  isDoomed(image: string): boolean;
  /** Undefined while something of the image runs or is still to come. */
  outcome(image: string): Outcome | undefined;
  /** The image and step that stopped this one: `base: test`. */
  blockedBy(image: string): string | undefined;
}

interface Node extends Waiting {
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

/** Where other blocked images name the step that failed. */
export const notBuilt = 'not built by an earlier leg of this run';

/**
 * The order of a run, as a state machine without clock or effects.
 * Enters: the planned images, parents first; then, one by one, which step of which image ended, and how.
 * Leaves: the tasks that may start now, and the outcome of every image. No child is built before its parents are, and
 *   nothing of a child is pushed before its parents passed their tests and are pushed.
 * Not here: running steps, waiting, reporting (build/).
 */
export function startSchedule(images: readonly PlannedImage[], options: ScheduleOptions): Schedule {
  const nodes = makeNodes(images, options);
  const queue = createQueue<Node>(images, options.concurrency);

  const news = new Set([...nodes.values()].filter((node) => node.end !== undefined).map(nameOf));

  /** An outcome is given once. */
  const end = (node: Node, outcome: Outcome): void => {
    node.end ??= outcome;
    news.add(nameOf(node));
  };
  const offer = (node: Node, step: StepName): void => {
    node.open.add(step);
    queue.add(node, step);
  };
  /** Looks what these images can do next, after something around them changed. */
  const advance = (nodesToAsk: readonly Node[]): void => {
    const asked = [...nodesToAsk];
    for (const node of asked) {
      const step = node.chain[node.done];
      if (node.end !== undefined) continue;
      if (step !== undefined) {
        if (!node.open.has(step) && mayBegin(node, step)) offer(node, step);
        continue;
      }
      // An image whose parent fails is blocked, even when all of its own steps succeeded.
      if (!node.isVerified && isGateOpen(node)) {
        node.isVerified = true;
        asked.push(...node.children);
      }
      if (!node.isVerified || node.open.size > 0) continue;
      if (!node.wantsPrune) end(node, goodEnd[node.image.action]);
      else if (node.children.every((child) => child.isBuilt || child.end !== undefined)) {
        node.wantsPrune = false;
        offer(node, 'prune');
      }
    }
  };
  const fail = (node: Node, step: StepName): void => {
    end(node, 'failed');
    const below = new Set(node.children);
    for (const one of below) {
      for (const child of one.children) below.add(child);
      if (one.end !== undefined) continue;
      end(one, 'blocked');
      one.blockedBy = `${node.image.name}: ${step}`;
    }
    if (options.failFast && !node.image.spec.allowFailure) {
      for (const one of nodes.values()) {
        const isUnstarted = one.running === 0 && one.done === 0;
        // What sits on an image that is not started can never be pushed. Parents come first in the map.
        const isStranded = one.parents.some((parent) => parent.end === 'cancelled');
        if (isUnstarted || isStranded) end(one, 'cancelled');
      }
    }
    // An image that waited for one of these to be built before its prune need not wait any more.
    advance([...nodes.values()]);
  };
  const must = (image: string): Node => {
    const node = nodes.get(image);
    if (node === undefined) throw new Error(`Internal error: ${image} is not in the plan`);
    return node;
  };

  advance([...nodes.values()]);
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
      if (node.end !== undefined) {
        news.add(image);
        return;
      }
      if (step === node.chain[node.done]) {
        if (!isGood) return fail(node, step);
        node.done++;
        if (step === 'build') node.isBuilt = true;
      }
      const isPageDue = isGood && step === pageAfter(node.image, options);
      if (isPageDue) node.open.add('manifest');
      advance([node, ...node.children, ...node.parents]);
      // The next step of the chain comes first where there is one slot for all.
      if (isPageDue) queue.add(node, 'manifest');
    },
    cancel: () => {
      for (const node of nodes.values()) end(node, 'cancelled');
    },
    takeNews: () => {
      const names = [...news];
      news.clear();
      return names;
    },
    isDoomed: (image) => ['blocked', 'cancelled'].includes(must(image).end ?? ''),
    outcome: (image) => (must(image).running > 0 ? undefined : must(image).end),
    blockedBy: (image) => must(image).blockedBy,
  };
}

function nameOf({image}: Node): string {
  return image.name;
}

/** Every parent passed its tests and is pushed; an image that is only tested again does not wait. */
function isGateOpen({image, parents}: Node): boolean {
  return image.action === 'test' || parents.every((parent) => parent.isVerified);
}

function mayBegin(node: Node, step: StepName): boolean {
  if (step === 'push' || step === 'reuse') return isGateOpen(node);
  const isOnParents = step === 'pull' && node.image.action === 'build';
  return !isOnParents || node.parents.every((parent) => parent.isBuilt);
}

function makeNodes(
  images: readonly PlannedImage[],
  options: ScheduleOptions,
): ReadonlyMap<string, Node> {
  const nodes = new Map<string, Node>();
  for (const [position, image] of images.entries()) {
    const parents = image.parents.flatMap((name) => nodes.get(name) ?? []);
    const blockedBy = missingBelow(image, parents);
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
      // What is in the registry can be built on at once.
      isBuilt: image.action !== 'build',
      isVerified: isIdle,
      wantsPrune: !isIdle && image.action !== 'reuse' && image.spec.prune,
      end: isIdle ? 'skipped' : blockedBy === undefined ? undefined : 'blocked',
      blockedBy,
    };
    for (const parent of parents) parent.children.push(node);
    nodes.set(image.name, node);
  }
  return nodes;
}

/** What an earlier leg of the run did not build, nothing of this one can stand on. */
function missingBelow(
  {missingParent}: PlannedImage,
  parents: readonly Pick<Node, 'blockedBy'>[],
): string | undefined {
  return missingParent === undefined
    ? parents.find(({blockedBy}) => blockedBy !== undefined)?.blockedBy
    : `${missingParent}: ${notBuilt}`;
}
