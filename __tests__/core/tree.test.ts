import {describe, expect, it} from 'vitest';
import {buildTree, sortParentsFirst} from '../../src/stack/spec/tree.ts';
import type {ImageSpec} from '../../src/stack/spec/types.ts';
import {imageSpec} from '../fakes/stack.ts';

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
