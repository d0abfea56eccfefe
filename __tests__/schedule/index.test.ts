import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import type {PlannedAction, PlannedImage} from '../../src/plan/types.ts';
import type {Task} from '../../src/schedule/queue.ts';
import type {ScheduleOptions, StepName} from '../../src/schedule/steps.ts';
import {
  find,
  mostAtOnce,
  plainOptions,
  plannedImage,
  type Ran,
  simulate,
  type World,
} from '../support/builders/simulation.ts';

interface Case {
  readonly images: readonly PlannedImage[];
  readonly options: ScheduleOptions;
  readonly world: World;
  readonly failing: ReadonlySet<string>;
}

/** A random graph whose edges go from later to earlier images, random actions, durations, failures and slots. */
const cases: fc.Arbitrary<Case> = fc
  .record({
    edges: fc.array(fc.array(fc.nat(20), {maxLength: 3}), {minLength: 1, maxLength: 14}),
    actions: fc.array(
      fc.constantFrom<PlannedAction>('build', 'build', 'build', 'reuse', 'test', 'skip'),
      {minLength: 14, maxLength: 14},
    ),
    seconds: fc.array(fc.integer({min: 1, max: 9}), {minLength: 20, maxLength: 20}),
    failures: fc.array(fc.nat(60), {maxLength: 4}),
    marks: fc.array(fc.nat(7), {minLength: 14, maxLength: 14}),
    concurrency: fc.integer({min: 1, max: 5}),
    failFast: fc.boolean(),
  })
  .map(({edges, actions, seconds, failures, marks, concurrency, failFast}) => {
    const images = edges.map((parents, index) => {
      const names = [
        ...new Set(parents.filter((parent) => parent < index).map((parent) => `i${parent}`)),
      ];
      const mark = marks[index] ?? 0;
      return plannedImage(`i${index}`, names, actions[index] ?? 'build', undefined, {
        publish: mark !== 1,
        integrationTests: (mark & 2) > 0,
        prune: (mark & 4) > 0,
        allowFailure: mark === 3,
      });
    });
    const steps = [
      'build',
      'test',
      'push',
      'integration-test',
      'reuse',
      'manifest',
      'prune',
    ] as const;
    const failing = new Set(
      failures.map((number) => `i${number % images.length} ${steps[number % steps.length]}`),
    );
    return {
      images,
      failing,
      options: {
        ...plainOptions,
        concurrency,
        failFast,
      },
      world: {
        seconds: ({image, step}) =>
          step === 'pull' ? 0 : (seconds[(Number(image.slice(1)) * 7 + step.length) % 20] ?? 1),
        fails: ({image, step}) => failing.has(`${image} ${step}`),
      },
    };
  });

const parentsOf = ({images}: Case, name: string): readonly string[] =>
  images.find((image) => image.name === name)?.parents ?? [];

const actionOf = ({images}: Case, name: string): PlannedAction | undefined =>
  images.find((image) => image.name === name)?.action;

function ancestorsOf(one: Case, name: string): ReadonlySet<string> {
  const found = new Set(parentsOf(one, name));
  for (const parent of found) for (const next of parentsOf(one, parent)) found.add(next);
  return found;
}

const sideSteps = ['manifest', 'prune'];

function check(property: (one: Case) => void): void {
  fc.assert(fc.property(cases, property), {numRuns: 1500});
}

describe('the schedule, on thousands of random graphs', () => {
  it('builds no image before its parents are built', () => {
    check((one) => {
      const {ran} = simulate(one.images, one.options, one.world);
      for (const {image, from} of ran.filter(
        ({step, image}) => step === 'build' && actionOf(one, image) === 'build',
      )) {
        for (const parent of parentsOf(one, image).filter(
          (name) => actionOf(one, name) === 'build',
        )) {
          const built = find(ran, parent, 'build');
          expect(built?.isGood === true && built.to <= from, `${image} on ${parent}`).toBe(true);
        }
      }
    });
  });

  it('pushes nothing of a child before its parents passed every test and are pushed', () => {
    check((one) => {
      const {ran} = simulate(one.images, one.options, one.world);
      for (const {image, from} of ran.filter(({step}) => step === 'push' || step === 'reuse')) {
        for (const parent of parentsOf(one, image)) {
          const steps = ran.filter(
            (step) => step.image === parent && !sideSteps.includes(step.step),
          );
          expect(
            steps.every(({to, isGood}) => isGood && to <= from),
            `${image} before ${parent}`,
          ).toBe(true);
          const isWhole = actionOf(one, parent) === 'skip' || steps.length > 0;
          expect(isWhole, `${image} before ${parent} began`).toBe(true);
        }
      }
    });
  });

  it('keeps to its slots', () => {
    check((one) => {
      const {ran} = simulate(one.images, one.options, one.world);
      for (const kind of kinds) {
        const most = mostAtOnce(ran, (step) => kind.includes(step));
        expect(most, kind.join(', ')).toBeLessThanOrEqual(one.options.concurrency);
      }
    });
  });

  it('leaves no slot idle while something is ready', () => {
    check((one) => {
      const {ran} = simulate(one.images, one.options, one.world);
      for (const task of ran.filter(({step}) => step !== 'prune')) {
        const ready = readyAt(one, ran, task);
        const slots = ran.filter(({step}) => sharesSlots(one, step, task.step));
        const moments = [ready, ...slots.flatMap(({from, to}) => [from, to])];
        for (const moment of moments.filter((time) => time >= ready && time < task.from)) {
          const busy = slots.filter(({from, to}) => from <= moment && moment < to).length;
          const words = `${task.image} ${task.step} waited from ${ready} to ${task.from}`;
          expect(busy, words).toBe(one.options.concurrency);
        }
      }
    });
  });

  it('does one step at a time in the order of the tree when concurrency is 1', () => {
    check((one) => {
      const {ran} = simulate(one.images, {...one.options, concurrency: 1}, one.world);
      expect(mostAtOnce(ran, () => true)).toBeLessThanOrEqual(1);
      const order = ran.filter(({step}) => step !== 'prune').map(({image}) => image);
      const runs = order.filter((image, index) => image !== order[index - 1]);
      expect(new Set(runs).size, runs.join(' ')).toBe(runs.length);
    });
  });

  it('makes one page of every good image that is built or tested, after its push where one slot serves all', () => {
    check((one) => {
      const {outcomes, ran} = simulate(one.images, one.options, one.world);
      for (const {name, action} of one.images) {
        const isGood = ['built', 'reused'].includes(outcomes.get(name) ?? '');
        if (!isGood || action === 'reuse') continue;
        const pages = ran.filter(({image, step}) => image === name && step === 'manifest');
        expect(pages, name).toHaveLength(1);
        if (one.options.concurrency > 1) continue;
        const pushed = find(ran, name, 'push')?.to ?? 0;
        expect(pages[0]?.from, name).toBeGreaterThanOrEqual(pushed);
      }
    });
  });

  it('gives every image exactly one outcome, and blames the right one', () => {
    check((one) => {
      const {outcomes, blockedBy, ran} = simulate(one.images, one.options, one.world);
      for (const [name, outcome] of outcomes) {
        expect(outcome, name).toBeDefined();
        const failed = ran.filter(
          ({image, step, isGood, isDoomed}) =>
            image === name && !isGood && !isDoomed && !sideSteps.includes(step),
        );
        expect(outcome === 'failed', name).toBe(failed.length > 0);
        if (outcome === 'blocked') {
          const [culprit = '', step = ''] = (blockedBy.get(name) ?? '').split(': ');
          expect(ancestorsOf(one, name).has(culprit), `${name} by ${culprit}`).toBe(true);
          expect(one.failing.has(`${culprit} ${step}`)).toBe(true);
        }
        if (outcome === 'built') {
          for (const parent of parentsOf(one, name)) {
            expect(['built', 'reused', 'skipped']).toContain(outcomes.get(parent));
          }
        }
        if (outcome === 'cancelled') expect(one.options.failFast).toBe(true);
      }
    });
  });

  it('leaves what does not sit on a failed image alone without fail-fast', () => {
    check((one) => {
      const {outcomes} = simulate(one.images, {...one.options, failFast: false}, one.world);
      for (const [name, outcome] of outcomes) {
        const isTouched = [name, ...ancestorsOf(one, name)].some(
          (image) => outcomes.get(image) === 'failed',
        );
        expect(['failed', 'blocked'].includes(outcome ?? ''), name).toBe(
          isTouched && outcome !== 'skipped' && wasStoppable(outcome),
        );
      }
    });
  });

  it('starts no further image after a failure with fail-fast', () => {
    check((one) => {
      const {ran} = simulate(
        one.images.map((image) => ({...image, spec: {...image.spec, allowFailure: false}})),
        {...one.options, failFast: true},
        one.world,
      );
      const failure = ran.find(
        ({isGood, isDoomed, step}) => !isGood && !isDoomed && !sideSteps.includes(step),
      );
      const begun = new Set(
        ran.filter(({from}) => failure !== undefined && from <= failure.to).map(({image}) => image),
      );
      for (const {image, from} of ran) {
        if (failure !== undefined && from > failure.to) expect(begun.has(image), image).toBe(true);
      }
    });
  });

  it('ends everything when it is cancelled', () => {
    check((one) => {
      const {outcomes, ran} = simulate(one.images, one.options, {...one.world, cancelAt: 7});
      expect([...outcomes.values()]).not.toContain(undefined);
      for (const {from} of ran) expect(from).toBeLessThanOrEqual(7);
    });
  });

  it('is a function of the plan and the durations', () => {
    check((one) => {
      const first = simulate(one.images, one.options, one.world);
      expect(simulate(one.images, one.options, one.world)).toEqual(first);
    });
  });
});

/** Each kind of work has slots of its own. */
const kinds: readonly (readonly StepName[])[] = [
  ['pull', 'build'],
  ['test', 'integration-test'],
  ['push', 'reuse'],
  ['manifest', 'prune'],
];

/** With one slot all steps share it. */
function sharesSlots({options}: Case, one: StepName, other: StepName): boolean {
  return (
    options.concurrency === 1 || kinds.some((kind) => kind.includes(one) && kind.includes(other))
  );
}

/** The steps of an image in their order, as far as the image has them; pages come beside. */
const inOrder: readonly StepName[] = ['pull', 'build', 'test', 'push', 'reuse', 'integration-test'];

/** When a step could begin at the earliest, by the rules of the issue and not by the code. */
function readyAt(one: Case, ran: readonly Ran[], {image, step}: Task): number {
  const endOf = (name: string, what: StepName): number => find(ran, name, what)?.to ?? 0;
  const before = inOrder.slice(0, inOrder.indexOf(step));
  const own = Math.max(0, ...before.map((what) => endOf(image, what)));
  const parents = parentsOf(one, image);
  switch (step) {
    case 'pull':
      if (actionOf(one, image) !== 'build') return 0;
      return Math.max(0, ...parents.map((name) => endOf(name, 'build')));
    case 'push':
    case 'reuse':
      return Math.max(own, ...parents.map((name) => verifiedAt(one, ran, name)));
    case 'manifest':
      return Math.max(endOf(image, 'test'), endOf(image, 'reuse'));
    default:
      return own;
  }
}

/** When everything below an image may be pushed: it and all above it are tested and pushed. */
function verifiedAt(one: Case, ran: readonly Ran[], name: string): number {
  const steps = ran.filter(({image, step}) => image === name && inOrder.includes(step));
  const above = ['test', 'skip'].includes(actionOf(one, name) ?? '') ? [] : parentsOf(one, name);
  return Math.max(
    0,
    ...steps.map(({to}) => to),
    ...above.map((parent) => verifiedAt(one, ran, parent)),
  );
}

/** An image that was good before its ancestor failed stays good. */
function wasStoppable(outcome: string | undefined): boolean {
  return outcome !== 'built' && outcome !== 'reused';
}

const pruned = (name: string, parents: readonly string[] = []) =>
  plannedImage(name, parents, 'build', undefined, {prune: true});

const steady: World = {
  seconds: ({step}) => ({build: 3, test: 1, push: 0.2})[step as string] ?? 0,
  fails: () => false,
};

describe('the schedule', () => {
  it.each([
    ['where every image has a slot', 6, 3 + 3 + 1 + 0.2],
    ['twice over, where half of the children have one', 3, 3 + 3 + 3 + 1 + 0.2],
  ])('takes as long as the longest chain of builds and tests %s', (_, concurrency, expected) => {
    const images = [
      plannedImage('root'),
      ...Array.from({length: 6}, (_, index) => plannedImage(`c${index}`, ['root'])),
    ];
    const {end} = simulate(images, {...plainOptions, concurrency}, steady);
    expect(end).toBeCloseTo(expected);
  });

  it('begins with the longest remaining chain', () => {
    const images = [
      plannedImage('short', [], 'build', 1),
      plannedImage('long', [], 'build', 5),
      plannedImage('chain', [], 'build', 1),
      plannedImage('end', ['chain'], 'build', 9),
    ];
    const {ran} = simulate(images, {...plainOptions, concurrency: 2}, steady);
    const builds = ran
      .filter(({step, from}) => step === 'build' && from === 0)
      .map(({image}) => image);
    expect(builds.toSorted()).toEqual(['chain', 'long']);
  });

  it('tests a parent while its children are built', () => {
    const images = [plannedImage('a'), plannedImage('b', ['a']), plannedImage('c', ['a'])];
    const {ran} = simulate(images, {...plainOptions, concurrency: 2}, steady);
    expect(find(ran, 'a', 'test')?.from).toBe(find(ran, 'a', 'build')?.to);
    expect(find(ran, 'b', 'build')?.from).toBe(find(ran, 'a', 'build')?.to);
    expect(find(ran, 'c', 'build')?.from).toBe(find(ran, 'a', 'build')?.to);
  });

  it('stops children in flight when a test of their parent fails', () => {
    const images = [plannedImage('a'), plannedImage('b', ['a']), plannedImage('other')];
    const world = {...steady, fails: ({image, step}: Task) => image === 'a' && step === 'test'};
    const {outcomes, blockedBy, ran} = simulate(images, plainOptions, world);
    expect(Object.fromEntries(outcomes)).toEqual({a: 'failed', b: 'blocked', other: 'built'});
    expect(blockedBy.get('b')).toBe('a: test');
    expect(find(ran, 'b', 'build')?.isDoomed).toBe(true);
  });

  it('prunes an image only when no child still needs it', () => {
    const images = [pruned('a'), pruned('b', ['a'])];
    const {ran} = simulate(images, plainOptions, steady);
    expect(find(ran, 'a', 'prune')?.from).toBeGreaterThanOrEqual(
      find(ran, 'b', 'build')?.to ?? Number.NaN,
    );
  });

  it.each(['manifest', 'prune'])('keeps an image good whose %s failed', (step) => {
    const world = {...steady, fails: (task: Task) => task.step === step};
    const {outcomes} = simulate([pruned('a'), pruned('b', ['a'])], plainOptions, world);
    expect([...outcomes.values()]).toEqual(['built', 'built']);
  });

  it('goes on after the failure of an image that may fail, but not with what sits on it', () => {
    const imagesWith = (allowFailure: boolean) => [
      plannedImage('a', [], 'build', undefined, {allowFailure}),
      plannedImage('b', ['a']),
      ...Array.from({length: 8}, (_, index) => plannedImage(`o${index}`)),
    ];
    const world = {...steady, fails: ({image, step}: Task) => image === 'a' && step === 'build'};
    const options = {...plainOptions, concurrency: 2, failFast: true};
    const {outcomes} = simulate(imagesWith(true), options, world);
    expect(outcomes.get('b')).toBe('blocked');
    expect([...outcomes.values()].filter((outcome) => outcome === 'built')).toHaveLength(8);
    const strict = simulate(imagesWith(false), options, world);
    expect([...strict.outcomes.values()]).toContain('cancelled');
  });

  it('orders ten thousand images', () => {
    const images = Array.from({length: 10_000}, (_, index) =>
      plannedImage(`i${index}`, index < 10 ? [] : [`i${Math.floor(index / 10)}`]),
    );
    const {outcomes} = simulate(
      images,
      {...plainOptions, concurrency: 8},
      {...steady, seconds: () => 1},
    );
    expect([...outcomes.values()].every((outcome) => outcome === 'built')).toBe(true);
  });
});
