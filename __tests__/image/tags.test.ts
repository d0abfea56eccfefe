import {describe, expect, it} from 'vitest';
import {branchTag, fileNameOf, fingerprintTag} from '../../src/image/tags.ts';

const tagOf = (prefix: string, branch: string): string => {
  const result = branchTag(prefix, branch);
  return result.ok ? result.value : result.error;
};

describe('branchTag', () => {
  it.each([
    ['2026.3', 'main', '2026.3-main'],
    ['v1', 'Feature_1.x', 'v1-Feature_1.x'],
    ['2023.10', 'fix-merge-conflict', '2023.10-fix-merge-conflict'],
  ])('keeps a branch that fits: %s + %s', (prefix, branch, tag) => {
    expect(tagOf(prefix, branch)).toBe(tag);
  });

  it('never gives two branches one tag', () => {
    const tags = ['feature/a', 'feature-a', 'feature a', 'feature:a', 'feature\ta'].map((branch) =>
      tagOf('2026.3', branch),
    );
    expect(new Set(tags).size).toBe(5);
    expect(tags[0]).toMatch(/^2026\.3-feature-a-[0-9a-f]{8}$/);
    expect(tags[1]).toBe('2026.3-feature-a');
  });

  it.each(['ü', '日本語/x', 'a'.repeat(300), '💥'])('gives %s a valid tag', (branch) => {
    expect(tagOf('2026.3', branch)).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/);
  });

  it('refuses a branch that would overwrite the stable tag', () => {
    expect(branchTag('2026.3', 'stable')).toMatchObject({
      ok: false,
      message: expect.stringContaining('2026.3-stable'),
    });
  });
});

describe('fileNameOf', () => {
  it('keeps the names that wiki links already use', () => {
    expect(fileNameOf('ghcr.io/ucsd-ets/datascience-notebook:2023.2-main')).toBe(
      'ghcr-io-ucsd-ets-datascience-notebook-2023.2-main',
    );
  });
});

describe('fingerprintTag', () => {
  it('is fp- and 16 hex digits', () => {
    expect(fingerprintTag(`sha256:${'0123456789abcdef'.repeat(4)}`)).toBe('fp-0123456789abcdef');
  });
});
