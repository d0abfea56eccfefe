import {expect, it} from 'vitest';
import type {RunEvent} from '../../src/build/index.ts';
import {createLive} from '../../src/cli/index.ts';

it('follows what runs since when, and counts what is done', () => {
  let now = 0;
  const live = createLive(() => now);
  const take = (event: object): void => live.take(event as RunEvent);
  expect(live.line()).toBeUndefined();
  take({kind: 'image-started', image: {name: 'base'}});
  expect(live.line()).toBe('0 done');
  take({kind: 'step-started', image: 'base', step: 'build'});
  now = 12_400;
  take({kind: 'image-started', image: {name: 'web'}});
  take({kind: 'step-started', image: 'web', step: 'test'});
  expect(live.line()).toBe('0 done · base: build 12 s · web: test');
  now = 75_000;
  take({kind: 'image-finished', result: {image: 'web'}});
  expect(live.line()).toBe('1 done · base: build 1 min 15 s');
  take({kind: 'step-finished', image: 'base', result: {}});
  expect(live.line()).toBe('1 done');
  take({kind: 'image-finished', result: {image: 'base'}});
  expect(live.line()).toBeUndefined();
});
