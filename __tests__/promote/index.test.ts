import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {rehearseTagPlan, runTagPlan} from '../../src/promote/index.ts';
import {digestAfter, sentenceOf} from '../../src/promote/report.ts';
import type {MovePorts, TagMove} from '../../src/promote/types.ts';
import {manifestOf, type Rules, tagRegistry} from '../support/fakes/tag-registry.ts';

const move = (name: string, more: Partial<TagMove> = {}): TagMove => ({
  name,
  source: `r.io/o/${name}:v-main`,
  target: `r.io/o/${name}:v-stable`,
  before: manifestOf(`old-${name}`),
  after: manifestOf(`new-${name}`),
  revision: undefined,
  builtAs: undefined,
  isExtra: false,
  ...more,
});

const moves = [move('a'), move('b', {before: undefined}), move('c')];
const before = (): Map<string, string> =>
  new Map([
    ['r.io/o/a:v-stable', 'old-a'],
    ['r.io/o/c:v-stable', 'old-c'],
  ]);
const signal = new AbortController().signal;
const clock: MovePorts['clock'] = {now: () => 0, wait: async () => undefined};
const isC = (ref: string): boolean => ref.includes('/c:');

/** One run against a registry with these surprises. */
async function run(
  tags: Map<string, string>,
  rules: Rules = {},
  more: {readonly moves?: readonly TagMove[]} & Partial<MovePorts> = {},
) {
  const registry = tagRegistry(tags, rules);
  const report = await runTagPlan(more.moves ?? moves, {registry, signal, clock, ...more});
  return {report, registry, states: report.results.map(({state}) => state)};
}

describe('runTagPlan', () => {
  it('moves every tag to its digest', async () => {
    const tags = before();
    const {report} = await run(tags);
    expect(report.outcome).toBe('passed');
    expect([...tags.values()].toSorted()).toEqual(['new-a', 'new-b', 'new-c']);
  });

  it('does nothing the second time', async () => {
    const tags = new Map(moves.map(({target, after}) => [target, after?.digest ?? '']));
    const {registry, states} = await run(
      tags,
      {},
      {
        moves: moves.map((one) => ({...one, before: one.after})),
      },
    );
    expect(states).toEqual(['unchanged', 'unchanged', 'unchanged']);
    expect(registry.puts).toEqual([]);
  });

  it('takes back what it moved when a later tag is refused for good', async () => {
    const tags = before();
    const {report, states} = await run(tags, {refuse: isC});
    expect(report.outcome).toBe('failed');
    expect(states).toEqual(['restored', 'restored', 'failed']);
    expect(tags).toEqual(before());
    expect(sentenceOf(report)).toContain('All tags were rolled back.');
  });

  it('takes back what came from sources that another promotion moves meanwhile', async () => {
    const sources = moves.map(({source, after}) => [source, after?.digest ?? ''] as const);
    const all = () => new Map([...before(), ...sources]);
    const theirs = {
      onPut: (ref: string, tags: Map<string, string>) => {
        if (isC(ref)) tags.set('r.io/o/b:v-main', 'newer-b');
      },
    };
    const tags = all();
    const {report, states} = await run(tags, theirs, {holdsSources: true});
    expect(report.outcome).toBe('failed');
    expect(states).toEqual(['restored', 'restored', 'restored']);
    expect(report.results.map(({failure}) => failure?.class)).toEqual([
      undefined,
      'tag-conflict',
      undefined,
    ]);
    expect(tags).toEqual(new Map([...all(), ['r.io/o/b:v-main', 'newer-b']]));
    expect((await run(all(), {}, {holdsSources: true})).report.outcome).toBe('passed');
    // A branch may be built while it is promoted.
    expect((await run(all(), theirs)).report.outcome).toBe('passed');
    const isSilent = (ref: string, puts: readonly string[]) =>
      ref.endsWith('b:v-main') && puts.length > 2;
    expect((await run(all(), {isSilent}, {holdsSources: true})).report.outcome).toBe('failed');
  });

  it('puts the old digest once more where a PUT was accepted and does not show', async () => {
    const tags = before();
    const {registry, report, states} = await run(tags, {
      swallows: (ref, puts) => puts.length === 3 && isC(ref),
    });
    expect(states).toEqual(['restored', 'restored', 'restored']);
    expect(registry.puts.filter(isC)).toHaveLength(2);
    expect(report.results[2]?.failure).toBeDefined();
    expect(tags).toEqual(before());
  });

  it('does not say that a tag is as before when the registry does not say it', async () => {
    const {report, states} = await run(before(), {
      refuse: isC,
      isSilent: (ref, puts) => isC(ref) && puts.includes(ref),
    });
    expect(states).toEqual(['restored', 'restored', 'unknown']);
    expect(sentenceOf(report)).toContain('not known what these tags point to: r.io/o/c:v-stable');
  });

  it('leaves alone what somebody else moved while it took its tags back', async () => {
    const tags = before();
    const {report, states} = await run(tags, {
      refuse: isC,
      onPut: (ref, shown) => {
        if (isC(ref)) shown.set('r.io/o/a:v-stable', 'theirs');
      },
    });
    expect(states).toEqual(['conflict', 'restored', 'failed']);
    expect(tags.get('r.io/o/a:v-stable')).toBe('theirs');
    expect(report.results.map(digestAfter)).toEqual(['theirs', undefined, 'old-c']);
    expect(sentenceOf(report)).not.toContain('All tags were rolled back');
  });

  it('says which tag stands when the registry cannot delete one', async () => {
    const tags = before();
    const {report, states} = await run(tags, {refuse: isC, deletes: false});
    expect(states).toEqual(['restored', 'standing', 'failed']);
    expect(tags.get('r.io/o/b:v-stable')).toBe('new-b');
    expect(sentenceOf(report)).toMatch(/could not be rolled back: r\.io\/o\/b:v-stable/);
  });

  it('never deletes a tag that existed, whatever HEAD says of it', async () => {
    const tags = before();
    const {registry, states} = await run(tags, {refuse: isC, headless: true});
    expect(states).toEqual(['restored', 'restored', 'failed']);
    expect(registry.deleted).toEqual(['r.io/o/b:v-stable']);
    expect(tags).toEqual(before());
  });

  it('overwrites nothing that moved between plan and move', async () => {
    const tags = before().set('r.io/o/c:v-stable', 'theirs');
    const {report, states} = await run(tags);
    expect(states).toEqual(['restored', 'restored', 'conflict']);
    expect(tags.get('r.io/o/c:v-stable')).toBe('theirs');
    expect(report.results[2]?.failure?.message).toMatch(/^Conflict: .*old-c.*theirs/);
  });

  it('leaves what somebody else put there just after', async () => {
    const tags = before();
    const {states} = await run(tags, {
      onRead: (ref, shown, puts) => {
        if (puts.length === 1 && ref.includes('/a:')) shown.set(ref, 'theirs');
      },
    });
    expect(states).toEqual(['conflict', 'untouched', 'untouched']);
    expect(tags.get('r.io/o/a:v-stable')).toBe('theirs');
  });

  it('gives way to a rival that read before its first PUT and sent its own just after', async () => {
    const tags = before();
    const wait = async (): Promise<void> => {
      tags.set('r.io/o/a:v-stable', 'theirs');
    };
    const {states} = await run(tags, {}, {clock: {now: () => 0, wait}});
    expect(states).toEqual(['conflict', 'untouched', 'untouched']);
    expect(tags).toEqual(before().set('r.io/o/a:v-stable', 'theirs'));
  });

  it('reads the whole set again: a tag that moved after its turn is a conflict', async () => {
    const tags = before();
    const {report, states} = await run(tags, {
      onPut: (ref, shown) => {
        if (isC(ref)) shown.set('r.io/o/a:v-stable', 'theirs');
      },
    });
    expect(report.outcome).toBe('failed');
    expect(states).toEqual(['conflict', 'restored', 'restored']);
    expect(tags).toEqual(before().set('r.io/o/a:v-stable', 'theirs'));
    expect(sentenceOf(report)).toContain('different promotions');
  });

  it('reads unchanged tags again as well', async () => {
    const tags = before().set('r.io/o/a:v-stable', 'new-a');
    const {states} = await run(
      tags,
      {
        onPut: (ref, shown) => {
          if (isC(ref)) shown.set('r.io/o/a:v-stable', 'theirs');
        },
      },
      {moves: [move('a', {before: manifestOf('new-a')}), move('c')]},
    );
    expect(states).toEqual(['conflict', 'restored']);
  });

  it('is no conflict when the same promotion runs twice at once', async () => {
    const tags = before().set('r.io/o/c:v-stable', 'new-c');
    const {report, states} = await run(tags);
    expect(report.outcome).toBe('passed');
    expect(states).toEqual(['moved', 'moved', 'unchanged']);
  });

  it('does not take back what another run of the same promotion moved', async () => {
    const tags = before().set('r.io/o/a:v-stable', 'new-a');
    const {states} = await run(tags, {refuse: isC});
    expect(states).toEqual(['unchanged', 'restored', 'failed']);
    expect(tags.get('r.io/o/a:v-stable')).toBe('new-a');
  });

  it('looks again where a replica still returns the old digest at the end', async () => {
    const tags = before();
    const waits: number[] = [];
    let stale = 0;
    const registry = tagRegistry(tags);
    const lagging: MovePorts['registry'] = {
      ...registry,
      manifest: async (ref) =>
        isC(ref) && registry.puts.length === 3 && stale++ < 2
          ? {state: 'present', ...manifestOf('old-c')}
          : registry.manifest(ref),
    };
    const wait = async (pause: number) => void waits.push(pause);
    const report = await runTagPlan(moves, {
      registry: lagging,
      signal,
      clock: {now: () => 0, wait},
    });
    expect(report.outcome).toBe('passed');
    expect(waits.slice(1)).toEqual([200, 500]);
  });

  it('finishes the tag at hand and takes all back when it is cancelled', async () => {
    const tags = before();
    const controller = new AbortController();
    const {report, states} = await run(
      tags,
      {onPut: () => controller.abort()},
      {signal: controller.signal},
    );
    expect(report.outcome).toBe('cancelled');
    expect(states).toEqual(['restored', 'untouched', 'untouched']);
    expect(tags).toEqual(before());
  });
});

describe('a promotion that is undone', () => {
  const undo = [
    move('b', {before: manifestOf('new-b'), after: undefined}),
    move('a', {before: manifestOf('new-a'), after: manifestOf('old-a')}),
  ];
  const after = (): Map<string, string> =>
    new Map([
      ['r.io/o/a:v-stable', 'new-a'],
      ['r.io/o/b:v-stable', 'new-b'],
    ]);

  it('moves tags back first, then deletes those that did not exist', async () => {
    const tags = after();
    const {report, states} = await run(tags, {}, {moves: undo});
    expect(report.outcome).toBe('passed');
    expect(states).toEqual(['moved', 'deleted']);
    expect(tags).toEqual(new Map([['r.io/o/a:v-stable', 'old-a']]));
  });

  it('keeps what it moved back where the registry deletes no tag, and fails with its name', async () => {
    const tags = after();
    const {report, states} = await run(tags, {deletes: false}, {moves: undo});
    expect(states).toEqual(['moved', 'standing']);
    expect(report.outcome).toBe('failed');
    expect(tags.get('r.io/o/a:v-stable')).toBe('old-a');
    expect(sentenceOf(report, 'restore')).toMatch(/b:v-stable could not be deleted/);
  });

  it('touches nothing that moved since', async () => {
    const tags = after().set('r.io/o/b:v-stable', 'theirs');
    const {states} = await run(tags, {}, {moves: undo});
    expect(states).toEqual(['restored', 'conflict']);
    expect(tags).toEqual(after().set('r.io/o/b:v-stable', 'theirs'));
  });
});

describe('two promotions at once', () => {
  const names = ['a', 'b', 'c', 'd'];
  const refOf = (name: string): string => `r.io/o/${name}:v-stable`;
  const start = (): Map<string, string> =>
    new Map(names.map((name) => [refOf(name), `old-${name}`]));
  /** Whose image each tag gets; `old` changes nothing. */
  const owners = fc.tuple(...names.map(() => fc.constantFrom('mine', 'mine', 'shared', 'old')));
  const setOf = (who: string, kinds: readonly string[]): ReadonlyMap<string, string> =>
    new Map(names.map((name, at) => [name, `${kinds[at] === 'mine' ? who : kinds[at]}-${name}`]));

  /** Every request of both takes effect, and is answered, in the order that the scheduler chooses. */
  it('never both pass with a mixed set, in whatever order their requests come', async () => {
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), owners, owners, async (scheduler, one, two) => {
        const tags = start();
        const turn = () => scheduler.schedule(Promise.resolve());
        const sets = [setOf('one', one), setOf('two', two)];
        const promote = (set: ReadonlyMap<string, string>) =>
          runTagPlan(
            names.map((name) => move(name, {after: manifestOf(set.get(name) ?? '')})),
            {registry: tagRegistry(tags, {turn}), signal, clock: {now: () => 0, wait: turn}},
          );
        const runs = Promise.all(sets.map(promote));
        await scheduler.waitFor(runs);
        const passed = (await runs).filter(({outcome}) => outcome === 'passed').length;
        const isWhole = sets.some((set) =>
          names.every((name) => tags.get(refOf(name)) === set.get(name)),
        );
        seen.add(`${passed} passed, ${isWhole ? 'whole' : 'not whole'}`);
        expect(passed < 2 || isWhole).toBe(true);
      }),
      {numRuns: 3000},
    );
    // The schedules reached the cases that matter.
    expect([...seen]).toEqual(
      expect.arrayContaining(['1 passed, whole', '0 passed, not whole', '2 passed, whole']),
    );
  });
});

describe('rehearseTagPlan', () => {
  it('touches nothing and says what would change', () => {
    const {outcome, results} = rehearseTagPlan([
      move('a'),
      move('c', {after: manifestOf('old-c')}),
    ]);
    expect(outcome).toBe('passed');
    expect(results.map(({state}) => state)).toEqual(['untouched', 'unchanged']);
  });
});
