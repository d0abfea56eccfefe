import {expect, it} from 'vitest';
import {findNearest} from '../../../src/util/nearest.ts';

const keys = ['image_name', 'depend_on', 'build_args', 'prune', 'prepull', 'tests'];

it.each([
  ['image_nam', 'image_name'],
  ['imagename', 'image_name'],
  ['Image-Name', 'image_name'],
  ['depends_on', 'depend_on'],
  ['buildargs', 'build_args'],
  ['purne', 'prune'],
  ['tsets', 'tests'],
  ['stste', undefined],
  ['prun', 'prune'],
  ['test', 'tests'],
  ['xyz', undefined],
  ['', undefined],
])('for %j means %j', (word, meant) => {
  expect(findNearest(word, keys)).toBe(meant);
});

it('takes the closest, and of equals the first', () => {
  expect(findNearest('abcdef', ['abcxyf', 'abcdxf', 'abcdey'])).toBe('abcdxf');
});
