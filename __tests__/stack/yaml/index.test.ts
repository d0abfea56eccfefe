import {describe, expect, it} from 'vitest';
import {refuseLargeSpec} from '../../../src/stack/spec/index.ts';
import {mistakesOf} from '../../support/builders/specs.ts';

describe('a file that is not a spec', () => {
  it.each([
    ['empty', '', '1:1: the file is empty'],
    ['only comments', '# nothing\n', '1:1: the file is empty'],
    ['a word', 'hello', '1:1: the spec must contain keys'],
    ['a list', '- a\n', '1:1: the spec must contain keys'],
    ['two documents', 'images: {}\n---\nb: 2\n', '2:1: a second document begins here'],
    ['a tab', 'images:\n\ta: 1\n', '2:1: tab used for indentation; YAML requires spaces.'],
    [
      'bad indentation',
      'a:\n   b: 1\n  c: 2\n',
      '3:1: inconsistent indentation: this key does not line up',
    ],
    ['an open bracket', 'images: [a\n', '2:1: bad YAML: '],
    [
      'a command with a colon and no quotes around it',
      'x-a: bash -c "echo a: b"',
      '1:6: a value without quotes cannot contain ": ". Quote the whole value; a command',
    ],
    ['the same in braces', 'x-a: {b: bash -c "echo a: b"}', '1:10: a value without quotes'],
    ['text after a value', 'x-a: "pip list" | grep x', '1:17: text follows a value'],
    ['a percent sign', 'x-a: %x', '1:6: a value without quotes cannot begin with %. Quote it.'],
    ['a missing blank', 'images:{}\ntag: x', '1:1: a key and its value belong on one line'],
    ['a NUL', 'images: {a: "x\\0y"}', '1:13: contains a NUL character'],
    [
      'a foreign tag',
      'images: !!python/object:os {a: 1}',
      'unsupported YAML tag !!python/object:os. Remove it.',
    ],
    ['an own tag', 'images: !mine {a: 1}', 'unsupported YAML tag !mine. Remove it.'],
    ['a key in brackets', '{a: b}: c', '1:1: a key must be a word'],
    ['a missing anchor', 'images: *gone', '1:9: the alias *gone has no anchor &gone before it'],
    ['an anchor in itself', 'x-a: &a {<<: *a}', '1:14: the alias *a has no anchor &a before it'],
    ['a merge of text', 'images: {<<: text}', '1:14: "<<" merges keys'],
  ])('%s is told with its place', (_, text, message) => {
    expect(mistakesOf(text).join('\n')).toContain(`${message}`);
  });
});

it('a value that should be quoted is one mistake, whatever follows on its line', () => {
  const text = 'a: {command: bash -c "echo a: b"}\nc: bash -c "echo d: e"\n';
  expect(mistakesOf(text).map((mistake) => mistake.split(': a value')[0])).toEqual([
    'images/spec.yml:1:14',
    'images/spec.yml:2:4',
  ]);
});

describe('what would take the machine down', () => {
  it('a file of 5 MB is refused by its size alone', () => {
    expect(() => refuseLargeSpec('images/spec.yml', 5_000_000)).toThrow(
      'images/spec.yml:1:1: 4.8 MiB is too large for a spec; the limit is 4 MiB.',
    );
    expect(mistakesOf('x'.repeat(5_000_000))).toHaveLength(1);
    expect(() => refuseLargeSpec('images/spec.yml', 2_000_000)).not.toThrow();
  });

  it('a bomb of aliases is refused, below x- keys too', () => {
    const levels = [...'bcdefghi'].map((name, index) => {
      const before = 'abcdefgh'[index];
      return `x-${name}: &${name} [${Array(9).fill(`*${before}`).join(', ')}]`;
    });
    const text = `x-a: &a [${Array(9).fill('lol').join(', ')}]\n${levels.join('\n')}\n`;
    expect(mistakesOf(text)).toEqual([
      'images/spec.yml:7:10: aliases expand to more than a million nodes. Write fewer of them.',
    ]);
  });

  it('a bomb of merges is refused while it grows', () => {
    const chain = Array.from({length: 3000}, (_, index) => {
      const merge = index === 0 ? '' : `<<: *m${index - 1}, `;
      return `x-${index}: &m${index} {${merge}k${index}: 1}`;
    });
    expect(mistakesOf(chain.join('\n')).at(-1)).toContain('aliases expand to more than a million');
  });

  it.each([
    ['open brackets', '['.repeat(50_000)],
    ['closed brackets', `${'['.repeat(50_000)}${']'.repeat(50_000)}`],
    ['mappings', '{a: '.repeat(50_000)],
    ['dashes', '- '.repeat(50_000)],
    ['sixty levels', `${'['.repeat(60)}${']'.repeat(60)}`],
  ])('nesting without end is one mistake: %s', (_, text) => {
    expect(mistakesOf(text)).toHaveLength(1);
    expect(mistakesOf(text)[0]).toMatch(/nested (?:too deeply|more than 50 levels)/);
  });

  it.each([
    ['commas', `[${','.repeat(100_000)}`],
    ['quotes', '"'.repeat(100_000)],
    ['anchors', '&a '.repeat(100_000)],
  ])('garbage ends at the 20th error: %s', (_, text) => {
    expect(mistakesOf(text)).toHaveLength(20);
  });

  it('mistakes without end are counted after the first thousand', () => {
    const mistakes = mistakesOf('k: 1\n'.repeat(2000));
    expect(mistakes).toHaveLength(1001);
    expect(mistakes.at(-1)).toMatch(/^images\/spec\.yml: and \d+ more mistakes$/);
  });

  it.each(['__proto__', 'constructor', 'prototype'])('the name %s is refused', (name) => {
    const text = `images: {${name}: {image_name: x/a}}\ntag: {prefix: v1}`;
    expect(mistakesOf(text)[0]).toContain(`1:10: "${name}" cannot be the name of an image`);
    expect(({} as Record<string, unknown>)['image_name']).toBeUndefined();
  });
});
