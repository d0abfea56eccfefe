import {describe, expect, it} from 'vitest';
import {mistakesOf} from '../fakes/specs.ts';

describe('images against each other', () => {
  const spec = (images: string): string => `${images}\ntag: {prefix: v1}\n`;

  it('a cycle is printed whole, once', () => {
    const text = spec(
      'images:\n  out: {image_name: x/o, depend_on: c}\n  a: {image_name: x/a, depend_on: c}\n  b: {image_name: x/b, depend_on: a}\n  c: {image_name: x/c, depend_on: b}',
    );
    expect(mistakesOf(text)).toEqual([
      'images/spec.yml:5:35: depend_on goes in a circle: c -> b -> a -> c. Remove one of these.',
    ]);
  });

  it('two cycles are two mistakes', () => {
    const pair = (one: string, other: string): string =>
      `  ${one}: {image_name: x/${one}, depend_on: ${other}}\n  ${other}: {image_name: x/${other}, depend_on: ${one}}\n`;
    const mistakes = mistakesOf(spec(`images:\n${pair('a', 'b')}${pair('c', 'd')}`));
    expect(mistakes.map((mistake) => mistake.split(': ')[2])).toEqual([
      'a -> b -> a. Remove one of these.',
      'c -> d -> c. Remove one of these.',
    ]);
  });

  it('a cycle is found behind parents that are in none', () => {
    const text = spec(
      'images: {r: {image_name: x/r}, a: {image_name: x/a, depend_on: [r, b]}, b: {image_name: x/b, depend_on: [r, a]}}',
    );
    expect(mistakesOf(text).join()).toContain('a -> b -> a. Remove one of these.');
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
    expect(mistakesOf(text)[0]).toContain('depend_on of image "b" names "a" twice');
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

  it('an image in no tree of root is told', () => {
    const text = spec(
      'root: a\nimages: {a: {image_name: x/a}, b: {image_name: x/b, depend_on: a}, lost: {image_name: x/c}}',
    );
    expect(mistakesOf(text)).toEqual([
      'images/spec.yml:2:68: image "lost" has no depend_on and is not in root, so it is in no tree. Add it to root, or say what it depends on.',
    ]);
  });

  it('a root with a parent is told', () => {
    const text = spec(
      'root: [a, b]\nimages: {a: {image_name: x/a}, b: {image_name: x/b, depend_on: a}}',
    );
    expect(mistakesOf(text)).toEqual([
      'images/spec.yml:1:11: root names "b", which depends on a. A root has no depend_on.',
    ]);
  });

  it('one reference for two images is told with both lines', () => {
    const text = spec('images:\n  a: {image_name: docker.io/library/x}\n  b: {image_name: x}');
    expect(mistakesOf(text)).toEqual([
      'images/spec.yml:3:3: image "b" has the same reference as "a" (images/spec.yml:2:3): x:v1-…. Give one of them another image_name.',
    ]);
  });

  it('one file name for two images is told, whatever the case', () => {
    const text = spec('images: {a: {image_name: R.example/a}, b: {image_name: r.example/a}}');
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
