import {describe, expect, it} from 'vitest';
import type {Presence} from '../src/adapters/registry/types.ts';
import type {CacheKind} from '../src/build/build-cache.ts';
import {findCaches} from '../src/build/cache.ts';
import {plannedImage} from './fakes/simulation.ts';
import {imageSpec} from './fakes/stack.ts';
import {fakeRegistryPort, pushedDigest} from './fakes/step-ports.ts';

const images = [plannedImage('a'), plannedImage('b', ['a']), plannedImage('c', [], 'skip')];
const specs = new Map(images.map(({name}) => [name, imageSpec(name, [], {tagPrefix: '1'})]));

/** What is found in a registry with these references, and what was asked for. */
async function find(standing: Readonly<Record<string, Presence['state']>>, cache: CacheKind) {
  const asked: string[] = [];
  const found = await findCaches({
    plan: {tag: '1-topic', images, changed: []},
    images: specs,
    cache,
    defaultBranch: 'main',
    registry: fakeRegistryPort([], {
      head: async (ref) => {
        asked.push(ref);
        const state = standing[ref] ?? 'absent';
        if (state === 'present') return {state, digest: pushedDigest};
        return state === 'absent' ? {state} : {state, because: 'it is ill'};
      },
    }),
  });
  return {found: Object.fromEntries(found), asked};
}

describe('findCaches', () => {
  it('takes the first that is there: the same tag, the default branch, stable', async () => {
    const standing = {
      'r/a:t': 'present',
      'r/a:1-main': 'present',
      'r/b:1-stable': 'present',
    } as const;
    const {found} = await find(standing, 'inline');
    expect(found).toEqual({a: ['r/a:t'], b: ['r/b:1-stable']});
  });

  it('reads the store and an earlier image', async () => {
    const standing = {'r/a:buildcache': 'present', 'r/a:1-main': 'present'} as const;
    const {found} = await find(standing, 'registry');
    expect(found).toEqual({a: ['r/a:buildcache', 'r/a:1-main'], b: []});
  });

  it('has none from a registry that cannot say', async () => {
    expect((await find({'r/a:t': 'unknown'}, 'inline')).found).toEqual({a: [], b: []});
  });

  it('asks for images that are built, and for nothing with "cache: none"', async () => {
    expect((await find({}, 'inline')).asked.some((ref) => ref.startsWith('r/c'))).toBe(false);
    expect((await find({}, 'none')).asked).toEqual([]);
  });
});
