import {describe, expect, it} from 'vitest';
import type {Registry} from '../../src/adapters/registry/types.ts';
import {type Failure, failure} from '../../src/failure.ts';
import {runTagPlan} from '../../src/promote/index.ts';
import type {TagMove} from '../../src/promote/plan.ts';
import {digestAfter, promotionFile} from '../../src/promote/report.ts';

const refused: Failure = failure('permission', 'denied', {
  cause: {kind: 'http', request: 'PUT', status: 403},
});

const move = (name: string): TagMove => ({
  name,
  source: `r.io/o/${name}:v-main`,
  target: `r.io/o/${name}:v-stable`,
  digest: `sha256:new-${name}`,
  before: `sha256:old-${name}`,
  bytes: Buffer.from(name),
  mediaType: 'm',
  revision: undefined,
});

interface Rules {
  readonly refuse?: (ref: string) => boolean;
  /** Called before each PUT, with what the tags show. */
  readonly onPut?: (ref: string, tags: Map<string, string>) => void;
  readonly onHead?: (ref: string, tags: Map<string, string>) => void;
  readonly deletes?: boolean;
  /** Whether a HEAD gets no answer, after these PUTs. */
  readonly isSilent?: (ref: string, puts: readonly string[]) => boolean;
  /** PUTs that are accepted and never show. */
  readonly swallows?: (ref: string, puts: readonly string[]) => boolean;
}

/** A registry in memory, with the surprises of a rule. */
function registryWith(
  tags: Map<string, string>,
  {refuse, onPut, onHead, isSilent, swallows, deletes = true}: Rules = {},
): Registry & {puts: string[]} {
  const puts: string[] = [];
  const head: Registry['head'] = async (ref) => {
    onHead?.(ref, tags);
    if (isSilent?.(ref, puts)) return {state: 'unknown', because: '503'};
    const digest = tags.get(ref);
    return digest === undefined ? {state: 'absent'} : {state: 'present', digest};
  };
  return {
    puts,
    head,
    inspect: () => Promise.reject(new Error('not asked')),
    manifest: async (ref) => {
      const digest = ref.slice(ref.indexOf('@') + 1);
      return {state: 'present', digest, bytes: Buffer.from(digest), mediaType: 'm'};
    },
    put: async (ref, {digest}) => {
      puts.push(ref);
      onPut?.(ref, tags);
      if (refuse?.(ref)) return {ok: false, error: refused};
      if (!swallows?.(ref, puts)) tags.set(ref, digest);
      return {ok: true, value: undefined};
    },
    deleteTag: async (ref) => ({ok: true, value: deletes && tags.delete(ref)}),
    waitForDigest: async (ref, digest) =>
      tags.get(ref) === digest
        ? {ok: true, value: undefined}
        : {ok: false, error: {...refused, class: 'tag-conflict'}},
    close: async () => undefined,
  };
}

const moves = [move('a'), {...move('b'), before: undefined}, move('c')];
const before = (): Map<string, string> =>
  new Map([
    ['r.io/o/a:v-stable', 'sha256:old-a'],
    ['r.io/o/c:v-stable', 'sha256:old-c'],
  ]);
const signal = new AbortController().signal;
const states = (report: Awaited<ReturnType<typeof runTagPlan>>) =>
  report.results.map(({state}) => state);

describe('runTagPlan', () => {
  it('moves every tag to its digest', async () => {
    const tags = before();
    const report = await runTagPlan(moves, {registry: registryWith(tags), signal});
    expect(report.outcome).toBe('passed');
    expect([...tags.values()].toSorted()).toEqual(['sha256:new-a', 'sha256:new-b', 'sha256:new-c']);
  });

  it('does nothing the second time', async () => {
    const tags = new Map(moves.map(({target, digest}) => [target, digest]));
    const registry = registryWith(tags);
    const report = await runTagPlan(
      moves.map((one) => ({...one, before: one.digest})),
      {registry, signal},
    );
    expect(states(report)).toEqual(['unchanged', 'unchanged', 'unchanged']);
    expect(registry.puts).toEqual([]);
  });

  it('takes back what it moved when a later tag is refused for good', async () => {
    const tags = before();
    const registry = registryWith(tags, {refuse: (ref) => ref.includes('/c:')});
    const report = await runTagPlan(moves, {registry, signal});
    expect(report.outcome).toBe('failed');
    expect(states(report)).toEqual(['restored', 'restored', 'failed']);
    expect(tags).toEqual(before());
  });

  it('puts the old digest once more where a PUT was accepted and does not show', async () => {
    const tags = before();
    const registry = registryWith(tags, {
      swallows: (ref, puts) => puts.length === 3 && ref.includes('/c:'),
    });
    const report = await runTagPlan(moves, {registry, signal});
    expect(states(report)).toEqual(['restored', 'restored', 'restored']);
    expect(registry.puts.filter((ref) => ref.includes('/c:'))).toHaveLength(2);
    expect(report.results[2]?.failure).toBeDefined();
    expect(tags).toEqual(before());
  });

  it('does not say that a tag is as before when the registry does not say it', async () => {
    const registry = registryWith(before(), {
      refuse: (ref) => ref.includes('/c:'),
      isSilent: (ref, puts) => ref.includes('/c:') && puts.includes(ref),
    });
    const report = await runTagPlan(moves, {registry, signal});
    expect(states(report)).toEqual(['restored', 'restored', 'unknown']);
    expect(JSON.parse(promotionFile(report, false)).images[2]).toMatchObject({
      before: 'sha256:old-c',
      after: null,
      state: 'unknown',
    });
  });

  it('leaves alone what somebody else moved while it took its tags back', async () => {
    const tags = before();
    const registry = registryWith(tags, {
      refuse: (ref) => ref.includes('/c:'),
      onPut: (ref, shown) => {
        if (ref.includes('/c:')) shown.set('r.io/o/a:v-stable', 'sha256:theirs');
      },
    });
    const report = await runTagPlan(moves, {registry, signal});
    expect(states(report)).toEqual(['conflict', 'restored', 'failed']);
    expect(tags.get('r.io/o/a:v-stable')).toBe('sha256:theirs');
    expect(report.results.map(digestAfter)).toEqual(['sha256:theirs', undefined, 'sha256:old-c']);
  });

  it('says which tag stands when the registry cannot delete one', async () => {
    const tags = before();
    const registry = registryWith(tags, {refuse: (ref) => ref.includes('/c:'), deletes: false});
    const report = await runTagPlan(moves, {registry, signal});
    expect(states(report)).toEqual(['restored', 'standing', 'failed']);
    expect(tags.get('r.io/o/b:v-stable')).toBe('sha256:new-b');
    expect(report.results.map(digestAfter)).toEqual([
      'sha256:old-a',
      'sha256:new-b',
      'sha256:old-c',
    ]);
  });

  it('overwrites nothing that moved between plan and move', async () => {
    const tags = before().set('r.io/o/c:v-stable', 'sha256:theirs');
    const report = await runTagPlan(moves, {registry: registryWith(tags), signal});
    expect(states(report)).toEqual(['restored', 'restored', 'conflict']);
    expect(tags.get('r.io/o/c:v-stable')).toBe('sha256:theirs');
    expect(report.results.map(digestAfter)).toEqual(['sha256:old-a', undefined, 'sha256:theirs']);
    expect(report.results[2]?.failure?.message).toContain('sha256:theirs');
  });

  it('leaves what somebody else put there just after', async () => {
    const tags = before();
    let puts = 0;
    const registry = registryWith(tags, {
      onPut: () => {
        puts++;
      },
      onHead: (ref, shown) => {
        if (puts === 1 && ref.includes('/a:')) shown.set(ref, 'sha256:theirs');
      },
    });
    const waitForDigest: Registry['waitForDigest'] = async (ref) => {
      await registry.head(ref);
      return {ok: false, error: {...refused, class: 'tag-conflict'}};
    };
    const report = await runTagPlan(moves, {registry: {...registry, waitForDigest}, signal});
    expect(states(report)).toEqual(['conflict', 'untouched', 'untouched']);
    expect(tags.get('r.io/o/a:v-stable')).toBe('sha256:theirs');
  });

  it('gives way to a rival who read before its first PUT and put just after', async () => {
    const tags = before();
    const wait = async (): Promise<void> => {
      tags.set('r.io/o/a:v-stable', 'sha256:theirs');
    };
    const report = await runTagPlan(moves, {registry: registryWith(tags), signal, wait});
    expect(states(report)).toEqual(['conflict', 'untouched', 'untouched']);
    expect(tags).toEqual(before().set('r.io/o/a:v-stable', 'sha256:theirs'));
  });

  it('finishes the tag at hand and takes all back when it is cancelled', async () => {
    const tags = before();
    const controller = new AbortController();
    const registry = registryWith(tags, {onPut: () => controller.abort()});
    const report = await runTagPlan(moves, {registry, signal: controller.signal});
    expect(report.outcome).toBe('cancelled');
    expect(states(report)).toEqual(['restored', 'untouched', 'untouched']);
    expect(tags).toEqual(before());
  });
});
