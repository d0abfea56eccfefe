import {describe, expect, it} from 'vitest';
import {tagNames} from '../../src/promote/names.ts';

const known = ['2026.3', 'py39-2023.2'];

describe('tagNames for stable', () => {
  it.each([
    ['2026.3-main', '2026.3-stable'],
    ['2026.3-feature-a', '2026.3-stable'],
    ['2023.10-main', '2023.10-stable'],
    ['v1-main', 'v1-stable'],
    ['py39-2023.2-main', 'py39-2023.2-stable'],
    ['2023.1-stable-fix', '2023.1-stable'],
    ['2026.3-linux-arm64', '2026.3-stable'],
  ])('%s -> %s', (source, target) => {
    expect(tagNames('stable', source, known)).toMatchObject({ok: true, value: {source, target}});
  });

  it.each([
    ['2026.3-stable', 'already a stable tag'],
    ['2026.3-main-linux-arm64', 'is the tag of one platform. Use "2026.3-main"'],
    ['main', 'not of the form'],
    ['-main', 'not a valid tag'],
    ['2026.3-', 'not of the form'],
    ['', 'not a valid tag'],
    ['2026.3/main', 'not a valid tag'],
    ['fp-0123456789abcdef-01234567', 'the action keeps for itself'],
    ['rec-0123456789abcdef', 'the action keeps for itself'],
    [`sha256:${'a'.repeat(64)}`, 'not a valid tag'],
  ])('refuses %j', (source, problem) => {
    expect(tagNames('stable', source, known)).toMatchObject({
      ok: false,
      error: expect.stringContaining(problem),
    });
  });
});

describe('tagNames for global-stable', () => {
  it.each([
    ['2026.3-stable', '2026.3-stable'],
    ['2026.3', '2026.3-stable'],
    ['2023.10', '2023.10-stable'],
    ['py39-2023.2', 'py39-2023.2-stable'],
    ['py39-2023.2-stable', 'py39-2023.2-stable'],
  ])('%s -> %s becomes stable', (given, source) => {
    expect(tagNames('global-stable', given, known)).toMatchObject({
      ok: true,
      value: {source, target: 'stable'},
    });
  });

  it.each([['2026.3-main'], ['stable'], ['a-b-c']])('refuses %s', (source) => {
    expect(tagNames('global-stable', source, known)).toMatchObject({ok: false});
  });
});
