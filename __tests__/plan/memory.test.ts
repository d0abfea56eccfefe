import {expect, it} from 'vitest';
import {memoryOf} from '../../src/plan/memory.ts';
import type {ImageSpec} from '../../src/stack/spec/index.ts';
import {imageSpec} from '../support/builders/stack.ts';

const hidden = {publish: false};

function placeOf(...images: readonly ImageSpec[]): string | undefined {
  const spec = new Map(images.map((image) => [image.name, image]));
  return memoryOf(spec, imageSpec('own'), 'sha256:c')?.repository;
}

it.each([
  ['the nearest that is built on it', ['own', 'mid', 'leaf'], 'ghcr.io/o/leaf'],
  ['else the nearest that it is built on', ['root', 'own', 'mid'], 'ghcr.io/o/root'],
  ['else any of the stack', ['alone', 'own'], 'ghcr.io/o/alone'],
  ['else none', ['own', 'mid'], undefined],
])('what the tests of an unpublished image said is kept beside %s', (_, names, expected) => {
  const all = [
    imageSpec('alone'),
    imageSpec('root'),
    imageSpec('own', names.includes('root') ? ['root'] : [], hidden),
    imageSpec('mid', ['own'], hidden),
    imageSpec('leaf', ['mid']),
  ];
  expect(placeOf(...all.filter(({name}) => names.includes(name)))).toBe(expected);
});

it('a published image has its own', () => {
  expect(placeOf(imageSpec('own'))).toBeUndefined();
});
