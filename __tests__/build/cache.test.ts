import {describe, expect, it} from 'vitest';
import {cacheSeconds} from '../../src/adapters/docker/build.ts';
import type {Presence} from '../../src/adapters/registry/types.ts';
import {
  type CacheKind,
  type CacheRequest,
  cacheOptions,
  cachePlaces,
  findCaches,
} from '../../src/build/cache.ts';
import type {PlannedImage} from '../../src/plan/types.ts';
import {plannedImage} from '../support/builders/simulation.ts';
import {fakeRegistryPort, pushedDigest} from '../support/fakes/step-ports.ts';

const request: CacheRequest = {
  cache: 'inline',
  name: 'a',
  ref: 'ghcr.io/o/a:1-topic',
  found: ['ghcr.io/o/a:buildcache', 'ghcr.io/o/a:1-main'],
  isWritten: true,
  canExport: true,
};
const buildcache = 'type=registry,ref=ghcr.io/o/a:buildcache';
const found = [buildcache, 'type=registry,ref=ghcr.io/o/a:1-main'];

describe('cachePlaces', () => {
  const places = (
    cache: CacheKind,
    ref: string,
    spec: {
      readonly prepull?: boolean;
      readonly tagPrefix?: string;
      readonly variant?: string;
    } = {},
  ) =>
    cachePlaces(
      {ref, spec: {tagPrefix: '1', variant: undefined, prepull: true, ...spec}},
      {cache, defaultBranch: 'main'},
    );
  const topic = 'ghcr.io/o/a:1-topic';
  const earlier = [topic, 'ghcr.io/o/a:1-main', 'ghcr.io/o/a:1-stable'];

  it('are the tag itself, the default branch and stable', () => {
    expect(places('inline', topic)).toEqual({stores: [], earlier});
    expect(places('inline', 'ghcr.io/o/a:1-main').earlier).toEqual(earlier.slice(1));
    expect(places('inline', topic, {tagPrefix: '2023.10'}).earlier.slice(1)).toEqual([
      'ghcr.io/o/a:2023.10-main',
      'ghcr.io/o/a:2023.10-stable',
    ]);
  });

  it('are those of the variant, where several images share a repository', () => {
    const ref = 'ghcr.io/o/a:cuda-1-topic';
    expect(places('inline', ref, {variant: 'cuda'}).earlier).toEqual([
      ref,
      'ghcr.io/o/a:cuda-1-main',
      'ghcr.io/o/a:cuda-1-stable',
    ]);
  });

  it('begin with the store of the image, where there is one', () => {
    expect(places('registry', topic)).toEqual({stores: ['ghcr.io/o/a:buildcache'], earlier});
  });

  it('are no images with "prepull: false", and nothing with "cache: none"', () => {
    expect(places('registry', topic, {prepull: false})).toEqual({
      stores: ['ghcr.io/o/a:buildcache'],
      earlier: [],
    });
    expect(places('none', topic)).toEqual({stores: [], earlier: []});
  });
});

describe('cacheOptions', () => {
  const cases: readonly (readonly [string, Partial<CacheRequest>, string[], string[]])[] = [
    ['reads what there is and writes inline', {}, found, ['type=inline']],
    ['writes inline where there is nothing to read', {found: []}, [], ['type=inline']],
    ['does nothing when told so', {cache: 'none'}, [], []],
    [
      'keeps one reference for each image in the registry',
      {cache: 'registry'},
      found,
      [`${buildcache},mode=max,ignore-error=true,image-manifest=true,oci-mediatypes=true`],
    ],
    ['only reads when the run pushes nothing', {cache: 'registry', isWritten: false}, found, []],
    [
      "uses GitHub's cache by the name of the image",
      {cache: 'gha'},
      ['type=gha,scope=a'],
      ['type=gha,scope=a,mode=max,ignore-error=true'],
    ],
    [
      'falls back to inline where the builder can no more',
      {cache: 'gha', canExport: false},
      found,
      ['type=inline'],
    ],
  ];
  it.each(cases)('%s', (_, more, from, to) => {
    expect(cacheOptions({...request, ...more})).toEqual({from, to});
  });
});

describe('cacheSeconds', () => {
  it.each([
    [
      'inline',
      [
        '#8 exporting layers 0.1s done',
        '#8 preparing layers for inline cache 1.5s done',
        '#8 DONE 2.0s',
      ],
      1.5,
    ],
    ['small inline', ['#8 preparing layers for inline cache done', '#8 DONE 0.0s'], 0],
    [
      'registry',
      [
        '#11 DONE 1.0s',
        '#12 exporting cache to registry',
        '#12 writing layer sha256:1 done',
        '#12 DONE 3.4s',
      ],
      3.4,
    ],
    ['gha', ['#12 exporting to GitHub Actions Cache', '#12 DONE 9.1s'], 9.1],
    ['none', ['#8 exporting to image', '#8 DONE 2.0s'], undefined],
  ])('reads the export of an %s cache', (_, lines, seconds) => {
    expect(cacheSeconds(lines)).toBe(seconds);
  });
});

const own = {tagPrefix: '1'};
const images = [
  plannedImage('a', [], 'build', undefined, own),
  plannedImage('b', ['a'], 'build', undefined, own),
  plannedImage('c', [], 'skip', undefined, own),
];

/** What is found in a registry with these references, and what was asked for. */
async function find(
  standing: Readonly<Record<string, Presence['state']>>,
  cache: CacheKind,
  more: Partial<PlannedImage> = {},
) {
  const asked: string[] = [];
  const found = await findCaches({
    plan: {tag: '1-topic', images: images.map((image) => ({...image, ...more})), changed: []},
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
    const standing = {'r/a:1-main': 'present', 'r/b:1-stable': 'present'} as const;
    expect((await find(standing, 'inline')).found).toEqual({
      a: ['r/a:1-main'],
      b: ['r/b:1-stable'],
    });
  });

  it('takes the tag itself where the plan found an image there, and asks for it no more', async () => {
    const {found, asked} = await find({'r/a:1-main': 'present'}, 'inline', {before: pushedDigest});
    expect(found).toEqual({a: ['r/a:t'], b: ['r/b:t']});
    expect(asked).toEqual([]);
  });

  it('does not believe in a tag that the plan did not find', async () => {
    const {found, asked} = await find({'r/a:t': 'present'}, 'inline');
    expect(found).toEqual({a: [], b: []});
    expect(asked).not.toContain('r/a:t');
  });

  it('reads the store and an earlier image', async () => {
    const standing = {'r/a:buildcache': 'present', 'r/a:1-main': 'present'} as const;
    const {found} = await find(standing, 'registry');
    expect(found).toEqual({a: ['r/a:buildcache', 'r/a:1-main'], b: []});
  });

  it('has none from a registry that cannot say', async () => {
    expect((await find({'r/a:1-main': 'unknown'}, 'inline')).found).toEqual({a: [], b: []});
  });

  it('asks for images that are built, and for nothing with "cache: none"', async () => {
    expect((await find({}, 'inline')).asked.some((ref) => ref.startsWith('r/c'))).toBe(false);
    expect((await find({}, 'none')).asked).toEqual([]);
  });
});
