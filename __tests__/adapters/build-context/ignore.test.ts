import {dirname} from 'node:path/posix';
import {describe, expect, it} from 'vitest';
import {compileIgnore} from '../../../src/adapters/build-context/ignore.ts';
import type {Match} from '../../../src/adapters/build-context/patterns.ts';

/** What is left out of these, asked as a walk asks: folders first, and nothing below one that is left out whole. */
function leftOut(text: string, paths: readonly string[]): readonly string[] {
  const rules = compileIgnore(text);
  const found = new Map<string, Match>();
  const whole: string[] = [];
  return paths.filter((path) => {
    if (whole.some((folder) => path.startsWith(folder))) return true;
    const name = path.replace(/\/$/, '');
    const match = rules.match(name, found.get(dirname(name)));
    found.set(name, match);
    const isOut = match.isOut && (name === path || !rules.mayTakeBack(name));
    if (name !== path && isOut) whole.push(path);
    return isOut;
  });
}

// That these are docker's rules is shown beside docker itself, in e2e/context.test.ts.
describe('compileIgnore', () => {
  it('leaves out a folder with all that is in it', () => {
    expect(leftOut('dir\n', ['a', 'dir/', 'dir/b', 'dirt'])).toEqual(['dir/', 'dir/b']);
  });

  it('leaves out what is in such a folder also where it must look into it', () => {
    expect(leftOut('dir\n!**/kept\n', ['dir/', 'dir/b', 'dir/kept'])).toEqual(['dir/b']);
  });

  it('takes back what an exception names', () => {
    expect(leftOut('*\n!src\n', ['a', 'src/', 'src/b', 'data/'])).toEqual(['a', 'data/']);
  });

  it('takes back nothing by an exception that names only the folder, which was never out', () => {
    const paths = ['d/', 'd/x.txt', 'dx.txt'];
    expect(leftOut('**/*.txt\n!d*', paths)).toEqual(['d/x.txt']);
  });

  it.each([
    ['no exception', 'dir', true],
    ['an exception elsewhere', 'dir\n!other/a', true],
    ['an exception below', 'dir\n!dir/sub/a', false],
    ['an exception that may be anywhere', 'dir\n!**/a', false],
  ])('reads a folder that is left out only when it must: %s', (_, text, isWhole) => {
    expect(compileIgnore(text).mayTakeBack('dir')).toBe(!isWhole);
  });

  it.each([
    ['ok\n[a\n', 'line 2: "[a" is not a valid pattern'],
    ['a\\', 'line 1'],
    ['\n\n!\n', 'line 3: "!" needs a pattern after it'],
  ])('names the line that docker would not take: %j', (text, message) => {
    expect(() => compileIgnore(text)).toThrow(message);
  });

  it('takes no longer for a pattern that makes a regular expression try every way', () => {
    const path = 'a'.repeat(120);
    const text = ['*a'.repeat(60), '**/a'.repeat(30), '[a]*'.repeat(60)].map((one) => `${one}b`);
    expect(leftOut(text.join('\n'), [path])).toEqual([]);
    expect(leftOut(text.join('\n'), [`${path}b`])).toEqual([`${path}b`]);
  });

  it.each([
    ['foo\\bar', 'foo/bar', false],
    ['a\\d', 'a1', true],
    ['*x|b', 'lib', true],
    ['a?{2}', 'a?{2}', false],
    ['[[:alpha:]]1', 'b1', true],
    ['a[^b]c', 'a/c', true],
    ['a^*', 'a^b', false],
  ])('reads %j as the regular expression that docker makes of it: %s', (text, path, isOut) => {
    expect(leftOut(text, [path])).toEqual(isOut ? [path] : []);
  });
});
