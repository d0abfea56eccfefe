import {describe, expect, it} from 'vitest';
import {compileIgnore} from '../../../src/adapters/build-context/ignore.ts';

/** What is left out of these, asked as a walk asks: folders first, and nothing below one that is left out whole. */
function leftOut(text: string, paths: readonly string[]): readonly string[] {
  const isIgnored = compileIgnore(text);
  const whole: string[] = [];
  return paths.filter((path) => {
    if (whole.some((folder) => path.startsWith(folder))) return true;
    const isFolder = path.endsWith('/');
    const isOut = isIgnored(path.replace(/\/$/, ''), isFolder);
    if (isFolder && isOut) whole.push(path);
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
    expect(compileIgnore(text)('dir', true)).toBe(isWhole);
  });

  it.each([
    ['ok\n[a\n', 'line 2: "[a" is no pattern'],
    ['a\\', 'line 1'],
    ['\n\n!\n', 'line 3: "!" names nothing'],
  ])('names the line that docker would not take: %j', (text, message) => {
    expect(() => compileIgnore(text)).toThrow(message);
  });
});
