import {describe, expect, it} from 'vitest';
import {isLoopback, parseReference, repositoryOf} from '../../src/image/reference.ts';

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
    ['a__b/c--d', 'docker.io', 'a__b/c--d', undefined, undefined],
  ])('reads %s', (text, registry, repository, tag, hash) => {
    expect(parseReference(text)).toEqual({registry, repository, tag, digest: hash});
  });

  it.each([
    '',
    'Upper/case',
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
