import {describe, expect, it} from 'vitest';
import {type CacheRequest, cacheOptions, cacheSeconds} from '../../src/core/build-cache.ts';

const request: CacheRequest = {
  cache: 'inline',
  name: 'a',
  ref: 'ghcr.io/o/a:1-topic',
  earlier: ['ghcr.io/o/a:1-topic', 'ghcr.io/o/a:1-main'],
  prepull: true,
  isWritten: true,
  canExport: true,
};
const earlier = ['type=registry,ref=ghcr.io/o/a:1-topic', 'type=registry,ref=ghcr.io/o/a:1-main'];
const buildcache = 'type=registry,ref=ghcr.io/o/a:buildcache';

describe('cacheOptions', () => {
  const cases: readonly (readonly [string, Partial<CacheRequest>, string[], string[]])[] = [
    ['reads earlier images and writes inline', {}, earlier, ['type=inline']],
    ['honours "prepull: false"', {prepull: false}, [], ['type=inline']],
    ['does nothing when told so', {cache: 'none'}, [], []],
    [
      'keeps one reference for each image in the registry',
      {cache: 'registry'},
      [buildcache, ...earlier],
      [`${buildcache},mode=max,ignore-error=true,image-manifest=true,oci-mediatypes=true`],
    ],
    [
      'only reads when the run pushes nothing',
      {cache: 'registry', isWritten: false},
      [buildcache, ...earlier],
      [],
    ],
    [
      "uses GitHub's cache by the name of the image",
      {cache: 'gha'},
      ['type=gha,scope=a'],
      ['type=gha,scope=a,mode=max,ignore-error=true'],
    ],
    [
      'falls back to inline where the builder can no more',
      {cache: 'gha', canExport: false},
      earlier,
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
