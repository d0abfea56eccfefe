import {describe, expect, it} from 'vitest';
import {compileWatch, normalPath} from '../../src/util/globs.ts';

describe('compileWatch', () => {
  it.each([
    ['*.lock', 'c.lock', true],
    ['*.lock', 'a/c.lock', false],
    ['*.lock', '.lock', true],
    ['**/*.lock', 'c.lock', true],
    ['**/*.lock', 'a/.b/c.lock', true],
    ['a/**', 'a/b/c', true],
    ['a/**', 'a', true],
    ['a/**', 'ab', false],
    ['a/**/b', 'a/b', true],
    ['a/**/b', 'a/x/y/b', true],
    ['a**', 'a/b', false],
    ['a?c', 'a/c', false],
    ['[a-c]x', 'bx', true],
    ['[!a-c]x', 'bx', false],
    ['[^a-c]x', 'dx', true],
    ['[]a]x', ']x', true],
    ['[a', '[a', true],
    ['{a,b/**}/c', 'b/x/y/c', true],
    ['{a,{b,c}d}', 'cd', true],
    ['{a}*', '{a}', true],
    ['{a,b*', '{a,bc', true],
    ['@(a|b)c', 'bc', true],
    ['+(ab)', 'abab', true],
    ['*(ab)x', 'x', true],
    ['?(a)x', 'ax', true],
    ['!(a).py', 'b.py', true],
    ['a\\*', 'a*', true],
    ['a\\*b*', 'axb', false],
    ['ü*', 'üx', true],
    ['?', '😀', true],
    ['.', 'any/thing', true],
    ['lib/', 'lib/x', true],
  ])('%s for %s: %s', (pattern, file, expected) => {
    expect(compileWatch(pattern).matches(file)).toBe(expected);
  });

  it.each([
    ['src/*/a.py', 'src/x', true],
    ['src/*/a.py', 'src/x/y', false],
    ['src/*/a.py', 'lib', false],
    ['**/a.py', 'any/where', true],
    ['lib', 'lib/x', true],
    ['lib/x', 'lib', true],
    ['lib/x', 'other', false],
  ])('%s may hold something in %s: %s', (pattern, folder, expected) => {
    expect(compileWatch(pattern).mayHold(folder)).toBe(expected);
  });

  it('ends for patterns that would keep a backtracking matcher busy for years', () => {
    const text = 'a'.repeat(120);
    for (const pattern of [
      `${'*a'.repeat(60)}*b`,
      `${'**/'.repeat(50)}*a*a*b`,
      `+(+(+(a)))b*`,
      `+(a|aa|a*)b`,
      '{'.repeat(50_000),
      `${'{'.repeat(50_000)}}*`,
      '['.repeat(50_000),
      `${'@('.repeat(20_000)}${')'.repeat(20_000)}`,
      `${'/'.repeat(80_000)}x*`,
    ])
      expect(compileWatch(pattern).matches(text)).toBe(false);
  });
});

describe('normalPath', () => {
  it.each([
    ['./a/', 'a'],
    ['.//./a//', 'a'],
    ['./', '.'],
    ['', '.'],
    ['.a/b', '.a/b'],
  ])('%j is %j', (path, expected) => {
    expect(normalPath(path)).toBe(expected);
  });
});
