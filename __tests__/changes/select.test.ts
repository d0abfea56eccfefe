import {describe, expect, it, test} from 'vitest';
import {type ChangeScope, selectChanges} from '../../src/changes/select.ts';
import type {ChangeRules} from '../../src/stack/spec/types.ts';

const noRules: ChangeRules = {ignore: [], buildAll: []};

function image(key: string, overrides: Partial<ChangeScope> = {}): ChangeScope {
  const folder = overrides.folder ?? `images/${key}`;
  return {
    key,
    folder,
    context: folder,
    dockerfile: `${folder}/Dockerfile`,
    watch: [],
    ...overrides,
  };
}

function changedIn(
  files: readonly string[],
  images: readonly ChangeScope[] = [image('base'), image('leaf')],
  rules = noRules,
  stackDir = 'images',
): Readonly<Record<string, readonly string[]>> | string {
  const changes = selectChanges(files, rules, stackDir, images);
  return changes.kind === 'some' ? Object.fromEntries(changes.files) : changes.because.kind;
}

describe('a file', () => {
  test.each([
    ['of the folder', 'images/leaf/Dockerfile', ['leaf']],
    ['deep in the folder', 'images/leaf/a/b/c.txt', ['leaf']],
    ['that replaced the folder, or a submodule', 'images/leaf', ['leaf']],
    ['with blanks, quotes, newlines and other letters', 'images/leaf/a "b"\n ü/データ', ['leaf']],
    ['of a folder that only begins alike', 'images/leaf2/Dockerfile', []],
    ['directly below the stack', 'images/spec.yml', []],
    ['elsewhere', 'README.md', []],
    ['elsewhere in a folder of the same name', 'docs/images/leaf/Dockerfile', []],
    ['whose name differs in case', 'images/Leaf/Dockerfile', []],
  ])('%s', (_, file, keys) => {
    expect(Object.keys(changedIn([file]))).toEqual(keys);
  });

  test('moved between images changes both', () => {
    const files = ['images/leaf/tool.sh', 'images/base/tool.sh'];
    expect(changedIn(files)).toEqual({base: [files[1]], leaf: [files[0]]});
  });

  test('of a context, Dockerfile or glob outside the folder changes the image', () => {
    const images = [
      image('base', {context: 'docker/base'}),
      image('leaf', {dockerfile: 'docker/leaf.Dockerfile'}),
      image('side', {watch: ['shared/**/*.txt', './requirements.txt', 'data/']}),
    ];
    const files = [
      'docker/base/a',
      'docker/leaf.Dockerfile',
      'docker/other',
      'shared/x/.y/b.txt',
      'shared/x.md',
      'requirements.txt',
      'data/d/e',
    ];
    expect(changedIn(files, images)).toEqual({
      base: ['docker/base/a'],
      leaf: ['docker/leaf.Dockerfile'],
      side: ['data/d/e', 'requirements.txt', 'shared/x/.y/b.txt'],
    });
  });

  test('changes every image whose context holds it', () => {
    const images = [image('base', {context: '.'}), image('leaf')];
    expect(changedIn(['images/leaf/a', 'b'], images)).toEqual({
      base: ['b', 'images/leaf/a'],
      leaf: ['images/leaf/a'],
    });
  });

  test('counts once for the tracks of an image', () => {
    expect(changedIn(['images/leaf/a'], [image('leaf'), image('leaf')])).toEqual({
      leaf: ['images/leaf/a'],
    });
  });
});

describe('watch globs', () => {
  test.each([
    ['**/*.lock', 'a/b/c.lock', true],
    ['*.lock', 'c.lock', true],
    ['*.lock', 'a/c.lock', false],
    ['{lib,ext}/**', 'ext/a', true],
    ['lib/[ab].py', 'lib/c.py', false],
    ['lib/\\*', 'lib/*', true],
    ['lib/\\*', 'lib/x', false],
    ['lib', 'lib/x', true],
    ['lib', 'library/x', false],
    ['a/../lib', 'lib', false],
    ['!lib/**', 'other/x', false],
    ['!lib/**', '!lib/x', true],
  ])('%s for %s: %s', (pattern, file, expected) => {
    expect(changedIn([file], [image('leaf', {watch: [pattern]})])).toEqual(
      expected ? {leaf: [file]} : {},
    );
  });

  test('are shared by images without mixing them up', () => {
    const images = [
      image('base', {watch: ['lib/**', 'one']}),
      image('leaf', {watch: ['lib/**', 'two']}),
    ];
    expect(changedIn(['lib/x', 'one', 'two'], images)).toEqual({
      base: ['lib/x', 'one'],
      leaf: ['lib/x', 'two'],
    });
  });
});

describe('change_ignore.json', () => {
  const rules = {ignore: ['docs', 'leaf', 'both'], buildAll: ['common', 'spec.yml', 'both']};
  const images = [image('base', {watch: ['images/docs/**']}), image('leaf')];

  test('never counts an ignored name, be it an image or watched', () => {
    const files = ['images/leaf/Dockerfile', 'images/docs/a.md'];
    expect(selectChanges(files, rules, 'images', images)).toEqual({
      kind: 'some',
      files: new Map(),
      undeclared: [],
    });
  });

  test('looks at names directly below the stack only', () => {
    expect(changedIn(['images/base/docs/a', 'images/base/common/b'], images, rules)).toEqual({
      base: ['images/base/common/b', 'images/base/docs/a'],
    });
    expect(changedIn(['spec.yml', 'common/x'], images, rules)).toEqual({});
  });

  test.each([['images/spec.yml'], ['images/common/deep/a.py'], ['images/both/x']])(
    '%s rebuilds everything',
    (file) => {
      expect(selectChanges(['images/base/a', file], rules, 'images', images)).toEqual({
        kind: 'all',
        because: {kind: 'build-all', files: [file]},
      });
    },
  );
});

describe('the place of the stack', () => {
  test.each([
    ['.', 'leaf/Dockerfile'],
    ['a/b', 'a/b/leaf/Dockerfile'],
    ['./a/', 'a/leaf/Dockerfile'],
  ])('can be %s', (stackDir, file) => {
    const folder = file.replace('/Dockerfile', '');
    expect(changedIn([file], [image('leaf', {folder})], noRules, stackDir)).toEqual({
      leaf: [file],
    });
  });

  test('at the top applies the rules to the top', () => {
    const rules = {ignore: ['.github'], buildAll: ['spec.yml']};
    const images = [image('leaf', {folder: 'leaf'})];
    expect(changedIn(['.github/workflows/a.yml'], images, rules, '.')).toEqual({});
    expect(changedIn(['spec.yml'], images, rules, '.')).toBe('build-all');
  });
});

test('folders that no image declares are named once, files and the declared are not', () => {
  const changes = selectChanges(
    ['images/z/a', 'images/old/a', 'images/old/b', 'images/spec.yml', 'images/leaf/a', 'x/y'],
    noRules,
    'images',
    [image('leaf')],
  );
  expect(changes).toMatchObject({kind: 'some', undeclared: ['old', 'z']});
});

test('the answer does not depend on the order of files and images', () => {
  const files = ['images/leaf/b', 'images/leaf/a', 'images/leaf/B', 'images/base/é'];
  const there = selectChanges(files, noRules, 'images', [image('base'), image('leaf')]);
  const back = selectChanges(files.toReversed(), noRules, 'images', [image('leaf'), image('base')]);
  expect(JSON.stringify([...(there.kind === 'some' ? there.files : [])])).toBe(
    JSON.stringify([...(back.kind === 'some' ? back.files : [])]),
  );
  expect(there).toMatchObject({
    files: new Map([
      ['base', ['images/base/é']],
      ['leaf', ['images/leaf/B', 'images/leaf/a', 'images/leaf/b']],
    ]),
  });
});

test('100 000 files and 10 000 images with globs are no product of each other', () => {
  // Every pair would be a thousand million comparisons: the test would run out of its time.
  const images = Array.from({length: 10_000}, (_, at) =>
    image(`i${at}`, {watch: [`shared/${at}/**`, 'all/**/*.txt']}),
  );
  const files = Array.from({length: 100_000}, (_, at) => `images/i${at % 10_000}/f${at}`);
  const changes = selectChanges([...files, 'shared/7/x'], noRules, 'images', images);
  if (changes.kind !== 'some') throw new Error('no rule asks for all');
  expect(changes.files.size).toBe(10_000);
  expect(changes.files.get('i7')).toHaveLength(11);
});

describe('an image whose files are elsewhere', () => {
  const rules = {ignore: [], buildAll: []};
  const linked = {
    key: 'a',
    folder: 'images/a',
    context: 'images/a',
    dockerfile: 'images/a/Dockerfile',
    watch: [],
    places: ['shared/a', 'common/tests/test_a.py'],
  };

  it.each([
    ['behind a linked folder', 'shared/a/Dockerfile'],
    ['behind a linked test', 'common/tests/test_a.py'],
    ['in a submodule that holds it', 'shared'],
    ['in a submodule that holds the stack', 'images'],
  ])('changes with a file %s', (_, file) => {
    expect(selectChanges([file], rules, 'images', [linked])).toMatchObject({
      kind: 'some',
      files: new Map([['a', [file]]]),
    });
  });

  it('does not change with its neighbours', () => {
    expect(selectChanges(['shared/b/x', 'common/x'], rules, 'images', [linked])).toMatchObject({
      files: new Map(),
    });
  });
});
