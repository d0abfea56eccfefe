import {mkdir, rm, symlink, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {openContexts} from '../../src/adapters/build-context/index.ts';
import {checkTests, hashTests} from '../../src/fingerprint/tests.ts';
import type {ImageSpec} from '../../src/stack/spec/index.ts';
import {imageSpec} from '../support/builders/stack.ts';
import {makeWorkspace} from '../support/rig/runner.ts';

let root: string;

beforeEach(async () => {
  root = await makeWorkspace({
    'images/a/test/test_a.py': 'pass',
    'images/a/tests/sub/test_b.py': 'pass',
    'images/a/integration_tests/test_c.py': 'pass',
    'images/a/file': 'x',
    'images/tests_common/test_all.py': 'pass',
    'images/tests_common/expected.txt': '7',
    'images/a/test/screen.png': 'left by an earlier run',
    'ci/check.sh': 'exit 1',
    'ci/more/x': '',
    'shared/helper.py': 'pass',
    'shared/suite/test_d.py': 'pass',
  });
});

afterEach(() => rm(root, {recursive: true, force: true}));

const plain = imageSpec('a').tests;

async function look(more: Partial<ImageSpec> = {}) {
  const image = imageSpec('a', [], more);
  const found = await hashTests(openContexts(root, ['logs']), {stackDir: 'images', image});
  if (!found.ok) throw new Error(found.error.message);
  return found.value;
}

async function write(name: string): Promise<void> {
  await mkdir(dirname(join(root, name)), {recursive: true});
  await writeFile(join(root, name), 'other');
}

describe('just before tests run', () => {
  const file = (name: string) => join(root, name);
  const check = async (change: () => Promise<void>) => {
    const isTracked = async (name: string) => name !== 'images/a/test/screen.png';
    const request = {name: 'a', stackDir: 'images', image: imageSpec('a'), isTracked};
    const contexts = openContexts(root, ['logs']);
    const planned = await hashTests(contexts, request);
    if (!planned.ok) throw new Error(planned.error.message);
    await change();
    return await checkTests(contexts, request, planned.value);
  };

  it.each<[string, string, () => Promise<void>]>([
    ['of the image', 'images/a/test/test_a.py', () => write('images/a/test/test_a.py')],
    [
      'of every image',
      'images/tests_common/test_all.py',
      () => write('images/tests_common/test_all.py'),
    ],
    [
      'with the data of the commit',
      'images/tests_common/expected.txt',
      () => write('images/tests_common/expected.txt'),
    ],
    ['that is gone', 'images/a/test/test_a.py', () => rm(file('images/a/test/test_a.py'))],
    ['that is switched off', 'images/a/test/conftest.py', () => write('images/a/test/conftest.py')],
    [
      'that became a link',
      'images/a/test/test_a.py',
      async () => {
        await rm(file('images/a/test/test_a.py'));
        await symlink('../file', file('images/a/test/test_a.py'));
      },
    ],
  ])('a test %s is not the one that was planned', async (_, name, change) => {
    const found = await check(change);
    expect(found).toMatchObject({ok: false, error: {class: 'context-changed'}});
    expect(!found.ok && found.error.message).toBe(
      `The tests of a changed after this run was planned: ${name}.`,
    );
  });

  it.each<[string, () => Promise<void>]>([
    ['nothing', async () => {}],
    ['what tests leave behind', () => write('images/a/test/__pycache__/test_a.pyc')],
    ['data that tests write', () => write('images/a/test/new.png')],
    ['data that tests wrote in an earlier run too', () => write('images/a/test/screen.png')],
    ['one test more', () => write('images/a/test/test_more.py')],
    ['a file of the image', () => write('images/a/file')],
  ])('does not mind %s', async (_, change) => {
    expect(await check(change)).toEqual({ok: true, value: undefined});
  });
});

describe('hashTests', () => {
  it.each([
    'images/a/test/test_a.py',
    'images/a/tests/sub/test_b.py',
    'images/a/integration_tests/test_c.py',
    'images/a/test/data.json',
    'images/tests_common/test_all.py',
    'images/a/test/conftest.py',
    'images/a/conftest.py',
    'images/conftest.py',
    'conftest.py',
    'images/pytest.ini',
    'pyproject.toml',
  ])('changes with %s', async (name) => {
    const before = await look();
    await write(name);
    expect((await look()).digest).not.toBe(before.digest);
  });

  it.each([
    'images/a/file',
    'images/b/test/test_a.py',
    'images/b/conftest.py',
    'shared/helper.py',
    'images/a/test/__pycache__/test_a.cpython-311.pyc',
    'images/a/test/old.pyc',
    'images/a/test/.pytest_cache/v/lastfailed',
  ])('does not change with %s', async (name) => {
    const before = await look();
    await write(name);
    expect((await look()).digest).toBe(before.digest);
  });

  it.each<[string, Partial<ImageSpec>]>([
    ['the command', {tests: {...plain, words: ['make', 'test']}}],
    ['where the words of the command end', {tests: {...plain, words: ['make test']}}],
    ['where they run', {tests: {...plain, where: 'container'}}],
    ['their deadline', {tests: {...plain, timeoutMinutes: 5}}],
    ['integration_tests', {integrationTests: true}],
  ])('changes with %s', async (_, more) => {
    expect((await look(more)).digest).not.toBe((await look()).digest);
  });

  it.each([
    ['ci/check.sh', ['sh', 'ci/check.sh'], true],
    ['ci/check.sh', ['./ci/../ci/check.sh', '--all'], true],
    ['ci/more/x', ['make', '-C', 'ci/', 'test'], true],
    ['ci/conftest.py', ['pytest', 'ci/more'], true],
    ['ci/check.sh', ['make', 'test'], false],
    ['images/a/file', ['pytest', 'images/a', '.', 'images', '../x', '/etc'], false],
  ])('counts %s for the command %j: %s', async (name, words, counts) => {
    const tests = {...plain, words};
    const before = await look({tests});
    await write(name);
    expect((await look({tests})).digest !== before.digest).toBe(counts);
  });

  it('does not count a program of the command that is not in git', async () => {
    const image = imageSpec('a', [], {tests: {...plain, words: ['ci/more/x', 'ci/check.sh']}});
    const isTracked = async (file: string) => file === 'ci/check.sh';
    const hash = async () => {
      const request = {stackDir: 'images', image, isTracked};
      const found = await hashTests(openContexts(root, ['logs']), request);
      return found.ok && found.value.digest;
    };
    const before = await hash();
    await write('ci/more/x');
    expect(await hash()).toBe(before);
    await write('ci/check.sh');
    expect(await hash()).not.toBe(before);
  });

  it('counts the files and folders of tests.paths, and names those that do not exist', async () => {
    const tests = {...plain, paths: ['shared/suite/', 'shared/none']};
    const before = await look({tests});
    expect(before.missing).toEqual(['shared/none']);
    await write('shared/suite/test_d.py');
    expect((await look({tests})).digest).not.toBe(before.digest);
  });

  it('sees through links: of a file, of a folder, and of the test folder itself', async () => {
    await symlink('../../../shared/helper.py', join(root, 'images/a/test/test_link.py'));
    await symlink('../../../shared/suite', join(root, 'images/a/test/suite'));
    await rm(join(root, 'images/a/tests'), {recursive: true});
    await mkdir(join(root, 'elsewhere'));
    await symlink('../../elsewhere', join(root, 'images/a/tests'));
    for (const name of ['shared/helper.py', 'shared/suite/test_d.py', 'elsewhere/test_e.py']) {
      const before = await look();
      await write(name);
      expect((await look()).digest, name).not.toBe(before.digest);
    }
  });

  it('ends with links in a circle, and does not leave the workspace', async () => {
    await symlink('..', join(root, 'images/a/test/up'));
    await symlink('self', join(root, 'images/a/test/self'));
    await symlink('/', join(root, 'images/a/test/out'));
    expect((await look()).files).toBeLessThan(20);
  });

  it('takes an image folder that is a link for what it leads to', async () => {
    await symlink('a', join(root, 'images/way'));
    const before = await look({folder: 'images/way'});
    await write('images/a/test/test_a.py');
    expect((await look({folder: 'images/way'})).digest).not.toBe(before.digest);
  });
});
