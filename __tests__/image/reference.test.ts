import {describe, expect, it} from 'vitest';
import {
  isLoopback,
  parseReference,
  repositoryKey,
  repositoryOf,
} from '../../src/image/reference.ts';

const digest = `sha256:${'a'.repeat(64)}`;

describe('parseReference', () => {
  it.each([
    ['debian', 'docker.io', 'library/debian', undefined, undefined],
    ['debian:bookworm-slim', 'docker.io', 'library/debian', 'bookworm-slim', undefined],
    ['jupyter/base:x', 'docker.io', 'jupyter/base', 'x', undefined],
    ['localhost:5000/x:t', 'localhost:5000', 'x', 't', undefined],
    ['localhost/x', 'localhost', 'x', undefined, undefined],
    ['127.0.0.1:5000/a/b', '127.0.0.1:5000', 'a/b', undefined, undefined],
    ['[::1]:5000/a', '[::1]:5000', 'a', undefined, undefined],
    [`ghcr.io/o/i:t@${digest}`, 'ghcr.io', 'o/i', 't', digest],
    ['Registry.Example/a', 'Registry.Example', 'a', undefined, undefined],
    ['HOST/a', 'HOST', 'a', undefined, undefined],
    [
      `a@sha512:${'b'.repeat(128)}`,
      'docker.io',
      'library/a',
      undefined,
      `sha512:${'b'.repeat(128)}`,
    ],
    ['a__b/c--d', 'docker.io', 'a__b/c--d', undefined, undefined],
  ])('reads %s', (text, registry, repository, tag, hash) => {
    expect(parseReference(text)).toEqual({registry, repository, tag, digest: hash});
  });

  it.each([
    '',
    'Upper',
    'host/Upper',
    `a@sha512:${'a'.repeat(64)}`,
    `a@md5:${'a'.repeat(32)}`,
    'a___b',
    'a-',
    'a..b',
    'a:tag with blank',
    `a:${'t'.repeat(129)}`,
    'a:.t',
    '-a',
    'a;rm',
    'ghcr.io/',
    'a@sha256:123',
    'f'.repeat(64),
    'x'.repeat(300),
  ])('refuses %s', (text) => {
    expect(parseReference(text)).toBeUndefined();
  });
});

describe('repositoryOf', () => {
  it.each([
    ['localhost:5000/x:t', 'localhost:5000/x'],
    ['localhost:5000/x', 'localhost:5000/x'],
    [`ghcr.io/o/i:t@${digest}`, 'ghcr.io/o/i'],
  ])('of %s is %s', (ref, repository) => {
    expect(repositoryOf(ref)).toBe(repository);
  });
});

describe('isLoopback', () => {
  it.each([
    ['127.0.0.1:5000', true],
    ['localhost', true],
    ['[::1]:5000', true],
    ['localhost.example.org', false],
    ['ghcr.io', false],
  ])('of %s is %s', (host, expected) => {
    expect(isLoopback(host)).toBe(expected);
  });
});

describe('repositoryKey', () => {
  it.each([
    ['acme/base', 'docker.io/acme/base'],
    ['docker.io/acme/base:1', 'docker.io/acme/base'],
    ['index.docker.io/acme/base', 'docker.io/acme/base'],
    ['registry-1.docker.io/acme/base:2', 'docker.io/acme/base'],
    ['debian', 'docker.io/library/debian'],
    ['docker.io/debian', 'docker.io/library/debian'],
    ['registry-1.docker.io/debian', 'docker.io/library/debian'],
    ['library/debian:12', 'docker.io/library/debian'],
    [`GHCR.io/o/a:t@${digest}`, 'ghcr.io/o/a'],
    ['localhost:5000/a', 'localhost:5000/a'],
  ])('of %s is %s', (ref, key) => {
    expect(repositoryKey(ref)).toBe(key);
  });

  it('does not mix up what only looks alike', () => {
    expect(repositoryKey('ghcr.io/acme/base')).not.toBe(repositoryKey('acme/base'));
    expect(repositoryKey('localhost/a')).not.toBe(repositoryKey('localhost:5000/a'));
    expect(repositoryKey('a//b')).toBeUndefined();
  });
});
