import {describe, expect, it} from 'vitest';
import {buildTree, sortParentsFirst} from '../../../src/stack/spec/graph.ts';
import type {ImageSpec} from '../../../src/stack/spec/types.ts';
import {mistakesOf} from '../../support/builders/specs.ts';
import {imageSpec} from '../../support/builders/stack.ts';

describe('images against each other', () => {
  const spec = (images: string): string => `${images}\ntag: {prefix: v1}\n`;

  it('a cycle is printed whole, once', () => {
    const text = spec(
      'images:\n  out: {image_name: x/o, depend_on: c}\n  a: {image_name: x/a, depend_on: c}\n  b: {image_name: x/b, depend_on: a}\n  c: {image_name: x/c, depend_on: b}',
    );
    expect(mistakesOf(text)).toEqual([
      'images/spec.yml:5:35: depend_on forms a cycle: c -> b -> a -> c. Remove one of these dependencies.',
    ]);
  });

  it('two cycles are two mistakes', () => {
    const pair = (one: string, other: string): string =>
      `  ${one}: {image_name: x/${one}, depend_on: ${other}}\n  ${other}: {image_name: x/${other}, depend_on: ${one}}\n`;
    const mistakes = mistakesOf(spec(`images:\n${pair('a', 'b')}${pair('c', 'd')}`));
    expect(mistakes.map((mistake) => mistake.split(': ')[2])).toEqual([
      'a -> b -> a. Remove one of these dependencies.',
      'c -> d -> c. Remove one of these dependencies.',
    ]);
  });

  it('a cycle is found behind parents that are in none', () => {
    const text = spec(
      'images: {r: {image_name: x/r}, a: {image_name: x/a, depend_on: [r, b]}, b: {image_name: x/b, depend_on: [r, a]}}',
    );
    expect(mistakesOf(text).join()).toContain('a -> b -> a. Remove one of these dependencies.');
  });

  it('a cycle of ten thousand ends', () => {
    const images = Array.from(
      {length: 10_000},
      (_, index) => `  i${index}: {image_name: x/i${index}, depend_on: i${(index + 1) % 10_000}}`,
    );
    const [mistake = ''] = mistakesOf(spec(`images:\n${images.join('\n')}`));
    expect(mistake).toContain('i0 -> i1 -> i2');
    expect(mistake).toContain('i9999 -> i0. Remove');
  });

  it('a parent named twice is told', () => {
    const text = spec('images: {a: {image_name: x/a}, b: {image_name: x/b, depend_on: [a, a]}}');
    expect(mistakesOf(text)[0]).toContain('depend_on of image "b" lists "a" twice');
  });

  it('the nearest image is suggested, never the image itself', () => {
    const text = spec(
      'images: {base-notebook: {image_name: x/a}, b: {image_name: x/b, depend_on: base_notebok}}',
    );
    expect(mistakesOf(text)[0]).toContain('Did you mean "base-notebook"?');
    expect(mistakesOf(spec('images: {bb: {image_name: x/a, depend_on: bbb}}'))[0]).not.toContain(
      'mean',
    );
  });

  it('a root with a parent is told', () => {
    const text = spec(
      'root: [a, b]\nimages: {a: {image_name: x/a}, b: {image_name: x/b, depend_on: a}}',
    );
    expect(mistakesOf(text)).toEqual([
      'images/spec.yml:1:11: root lists "b", which depends on a. Remove it from "root", or remove its depend_on.',
    ]);
  });

  it('one reference for two images is told with both lines', () => {
    const text = spec('images:\n  a: {image_name: docker.io/library/x}\n  b: {image_name: x}');
    expect(mistakesOf(text)).toEqual([
      'images/spec.yml:3:3: image "b" has the same reference as "a" (images/spec.yml:2:3): x:v1-…. Give one of them another image_name, or a variant.',
    ]);
  });

  it('one file name for two images is told, whatever the case', () => {
    const text = spec('images: {a: {image_name: R.example/a-b}, b: {image_name: r.example/a/b}}');
    expect(mistakesOf(text)[0]).toContain('the files of image "b" would have the same name');
  });

  it('one file name for two images is told', () => {
    const text = spec(
      'images:\n  a: {image_name: ghcr.io/o/a-b}\n  b: {image_name: ghcr.io/o/a/b}',
    );
    expect(mistakesOf(text)).toEqual([
      'images/spec.yml:3:3: the files of image "b" would have the same name as those of "a" (images/spec.yml:2:3): ghcr-io-o-a-b-v1-…. Give one of them another image_name.',
    ]);
  });
});

function images(
  parents: Readonly<Record<string, readonly string[]>>,
  track?: string,
): ReadonlyMap<string, ImageSpec> {
  return new Map(
    Object.entries(parents).map(([name, names]) => [name, imageSpec(name, names, {track})]),
  );
}

describe('the order', () => {
  it('is breadth-first in the order of the file, as that of the Python scripts', () => {
    const tree = buildTree(
      images({leaf: ['b'], root: [], b: ['root'], a: ['root'], other: [], c: ['a']}),
    );
    expect(tree.order).toEqual(['root', 'other', 'b', 'a', 'leaf', 'c']);
  });

  it('puts an image with several parents after the last of them', () => {
    const tree = buildTree(images({join: ['a', 'deep'], a: [], b: ['a'], deep: ['b']}));
    expect(tree.order).toEqual(['a', 'b', 'deep', 'join']);
    expect(['a', 'b', 'deep', 'join'].map(tree.level)).toEqual([0, 1, 2, 3]);
  });

  it('keeps each track together', () => {
    const tree = buildTree(
      new Map([...images({a: [], b: ['a']}), ...images({'a@T': [], 'b@T': ['a@T']}, 'T')]),
    );
    expect(tree.order).toEqual(['a', 'b', 'a@T', 'b@T']);
  });

  it('leaves out what stands in or below a cycle', () => {
    const parents = new Map([
      ['a', ['b']],
      ['b', ['a']],
      ['below', ['b']],
      ['free', []],
    ]);
    expect(sortParentsFirst(parents)).toEqual(['free']);
  });

  it('of images that form no tree is a bug', () => {
    expect(() => buildTree(images({a: ['a']}))).toThrow('Internal error');
  });
});

describe('the relations', () => {
  const tree = buildTree(
    images({root: [], a: ['root'], b: ['root'], c: ['a', 'b'], d: ['c'], alone: []}),
  );

  it('have an entry for every image', () => {
    expect([...tree.children.keys()]).toEqual(['root', 'a', 'b', 'c', 'd', 'alone']);
    expect(tree.children.get('root')).toEqual(['a', 'b']);
    expect(tree.children.get('alone')).toEqual([]);
    expect(tree.parents.get('c')).toEqual(['a', 'b']);
  });

  it('reach all below and all above, nearest first, each once', () => {
    expect([...tree.descendants('root')]).toEqual(['a', 'b', 'c', 'd']);
    expect([...tree.ancestors('d')]).toEqual(['c', 'a', 'b', 'root']);
    expect([...tree.descendants('alone'), ...tree.ancestors('alone')]).toEqual([]);
  });
});

it('a chain of ten thousand images needs no recursion', () => {
  const chain = Object.fromEntries(
    Array.from({length: 10_000}, (_, index) => [`i${index}`, index === 0 ? [] : [`i${index - 1}`]]),
  );
  const tree = buildTree(images(chain));
  expect(tree.level('i9999')).toBe(9999);
  expect(tree.descendants('i0').size).toBe(9999);
  expect(tree.ancestors('i9999').size).toBe(9999);
});
