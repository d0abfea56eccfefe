import {describe, expect, it} from 'vitest';
import {architectures, operatingSystems, platformPattern} from '../../src/image/platforms.ts';
import {
  branchTag,
  fileNameOf,
  fingerprintTag,
  gitTagSuffix,
  globalStableTag,
  proofTag,
  stableTag,
  tagEnd,
} from '../../src/image/tags.ts';

const tagOf = (tagPrefix: string, branch: string): string => branchTag({tagPrefix}, branch);

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

  it.each(['tag-v1', 'pr-7'])(
    'keeps the branch %s apart from git tags and pull requests',
    (name) => {
      expect(tagOf('2026.3', name)).toMatch(new RegExp(`^2026\\.3-${name}-[0-9a-f]{8}$`));
    },
  );

  it('keeps every branch and git tag apart from the images of one platform', () => {
    for (const os of operatingSystems)
      for (const architecture of architectures)
        for (const variant of ['', '/v7', '/8', '/v9.0']) {
          const platform = `${os}/${architecture}${variant}`;
          expect(platform).toMatch(platformPattern);
          const end = tagEnd({platform});
          const own = branchTag({tagPrefix: '1', platform}, 'main');
          expect(own).toBe(`1-main${end}`);
          expect(tagOf('1', `main${end}`)).toMatch(new RegExp(`^1-main${end}-[0-9a-f]{8}$`));
          expect(gitTagSuffix(`v1${end}`, 100)).toMatch(new RegExp(`^tag-v1${end}-[0-9a-f]{8}$`));
        }
  });

  it.each(['fix-linux', 'linux-arm64-port', 'my-arm64', 'x-linux-arm640'])(
    'keeps the branch %s, which ends in no platform',
    (branch) => expect(tagOf('1', branch)).toBe(`1-${branch}`),
  );

  it('never gives a branch the tag that another has because it was altered', () => {
    const taken = tagOf('2026.3', 'feature/a').replace('2026.3-', '');
    expect(tagOf('2026.3', taken)).toMatch(new RegExp(`^2026\\.3-${taken}-[0-9a-f]{8}$`));
    const tag = gitTagSuffix('v/1', 100).replace('tag-', '');
    expect(gitTagSuffix(tag, 100)).not.toBe(`tag-${tag}`);
  });

  it.each(['ü', '日本語/x', 'a'.repeat(300), '💥'])('gives %s a valid tag', (branch) => {
    expect(tagOf('2026.3', branch)).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/);
  });

  it('begins with the variant where several images share a repository', () => {
    const owner = {tagPrefix: '2026.3', variant: 'cuda12'};
    expect(branchTag(owner, 'main')).toBe('cuda12-2026.3-main');
    expect(stableTag(owner)).toBe('cuda12-2026.3-stable');
    expect(globalStableTag(owner)).toBe('cuda12-stable');
  });
});

describe('gitTagSuffix', () => {
  it('is apart from every branch', () => {
    expect(gitTagSuffix('v1', 100)).toBe('tag-v1');
    expect(gitTagSuffix('release/v1', 100)).toMatch(/^tag-release-v1-[0-9a-f]{8}$/);
  });
});

describe('proofTag', () => {
  it('has 16 hex digits of the fingerprint and 8 of the tests', () => {
    const hash = `sha256:${'0123456789abcdef'.repeat(4)}`;
    expect(proofTag(hash, hash)).toBe('fp-0123456789abcdef-01234567');
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
