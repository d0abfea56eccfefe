import {existsSync, readdirSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import type {ContainerRequest, Docker} from '../../../src/adapters/docker/types.ts';
import {pytestCounts} from '../../../src/build/steps/pytest.ts';
import type {TestCounts} from '../../../src/build/types.ts';
import {ok} from '../../../src/failure.ts';
import type {PlannedImage} from '../../../src/plan/types.ts';
import type {TestSpec} from '../../../src/stack/spec/types.ts';
import {imageSpec} from '../../support/builders/stack.ts';
import {builtImage, privateTag} from '../../support/fakes/step-ports.ts';
import {failed, planned, useSteps} from '../../support/rig/steps.ts';

const {calls, go, program, read, write, written} = useSteps();

function withTests(tests: Partial<TestSpec>): PlannedImage {
  return planned('a', {}, {tests: {...imageSpec('a').tests, ...tests}});
}

describe('test', () => {
  const log = (): string => read('logs/r.io-a-1-topic.basic-tests.log');
  const own = (): string => write('images/a/test/test_a.py', '');

  it('says that there are none', async () => {
    expect((await go(['test'])).notes).toEqual(['no tests']);
  });

  it('runs the common ones and its own from the root of the workspace', async () => {
    program('pytest', 0);
    write('images/tests_common/test_c.py', '');
    write('images/a/tests/test_a.py', '');
    expect((await go(['test'])).failure).toBeUndefined();
    expect(log()).toContain('args -x -p no:cacheprovider images/tests_common images/a/tests');
    expect(log()).toContain('image r.io/a:1-topic token \n');
  });

  it('passes when nothing was collected, and says so', async () => {
    program('pytest', 5);
    own();
    const {failure, notes} = await go(['test']);
    expect(failure).toBeUndefined();
    expect(notes).toEqual(['no tests collected']);
  });

  it.each([1, 2, 3, 4])('fails with exit code %d of pytest', async (exitCode) => {
    program('pytest', exitCode);
    own();
    expect((await go(['test'])).failure).toMatchObject({
      class: 'test-failed',
      cause: {kind: 'exit', exitCode},
    });
  });

  it('does not run tests that are not the planned ones', async () => {
    program('pytest', 0);
    own();
    const verifyTests = async () => failed('context-changed');
    const done = await go(['test'], {context: {verifyTests}});
    expect(done.failure).toMatchObject({class: 'context-changed'});
    expect(() => log()).toThrow('ENOENT');
  });

  it('finds pytest as a module', async () => {
    program('python3', 0);
    own();
    expect((await go(['test'])).failure).toBeUndefined();
    expect(log()).toContain('args -m pytest -x');
  });

  it('says in one sentence that there is no pytest', async () => {
    own();
    const {failure} = await go(['test']);
    expect(failure?.message).toMatch(/^pytest is not installed/);
    expect(failure?.hint).toContain('pip install pytest');
  });

  it('runs the command of the spec instead', async () => {
    program('check', 0);
    const images = [withTests({words: ['check', 'a b']})];
    expect((await go(['test'], {images})).failure).toBeUndefined();
    expect(log()).toContain('args a b\n');
  });

  it('does not take exit code 5 of another program for no tests', async () => {
    program('check', 5);
    const images = [withTests({words: ['check']})];
    const {failure} = await go(['test'], {images});
    expect(failure).toMatchObject({class: 'test-failed'});
  });

  it('wants the integration tests that the spec promises', async () => {
    const images = [planned('a', {}, {integrationTests: true})];
    expect((await go(['integration-test'], {images})).failure).toMatchObject({class: 'no-tests'});
  });

  it('hands the files and folders of tests.paths to pytest, after the folders', async () => {
    program('pytest', 0);
    own();
    const images = [withTests({paths: ['shared/suite', 'tests/test_child.py']})];
    expect((await go(['test'], {images})).failure).toBeUndefined();
    expect(log()).toContain(
      'args -x -p no:cacheprovider images/a/test shared/suite tests/test_child.py\n',
    );
  });

  it('runs tests.paths alone where the image has no folder of tests', async () => {
    program('pytest', 0);
    const {notes, failure} = await go(['test'], {images: [withTests({paths: ['shared/suite']})]});
    expect({notes, failure}).toEqual({notes: [], failure: undefined});
    expect(log()).toContain('args -x -p no:cacheprovider shared/suite\n');
  });

  it('tells what pytest counted, whether the tests passed or not', async () => {
    own();
    program('pytest', 0, 'echo "=== 3 passed, 1 skipped in 0.12s ==="');
    expect((await go(['test'])).tests).toEqual({passed: 3, failed: 0, skipped: 1});
    program('pytest', 1, 'echo "=== 1 failed, 2 passed in 0.12s ==="');
    const {tests, failure} = await go(['test']);
    expect(tests).toEqual({passed: 2, failed: 1, skipped: 0});
    expect(failure).toMatchObject({class: 'test-failed'});
  });
});

describe('tests on an engine that other runs use too', () => {
  const other = `sha256:${'9'.repeat(64)}`;
  const showing = (id: string | undefined): Partial<Docker> => ({
    ids: async (refs) =>
      ok(new Map(refs.flatMap((ref) => (id === undefined ? [] : [[ref, id] as const])))),
  });
  const images = (): readonly string[] =>
    read('logs/r.io-a-1-topic.basic-tests.log')
      .split('\n')
      .flatMap((line) => /^image (\S+)/.exec(line)?.[1] ?? []);

  it('run on the image of this run, under its reference', async () => {
    program('pytest', 0);
    write('images/a/test/test_a.py', '');
    expect((await go(['build', 'test'])).failure).toBeUndefined();
    expect(calls).toEqual(['build r.io/a:1-topic']);
    expect(images()).toEqual(['r.io/a:1-topic']);
  });

  it.each([
    ['moved', other, 0],
    ['moved', other, 1],
    ['removed', undefined, 0],
  ])(
    'are run again under a name that only this run knows where the reference was %s (%s, exit code %d)',
    async (_, id, exitCode) => {
      // The first answer counts for nothing, so it is the opposite of the second.
      const first = exitCode === 0 ? 1 : 0;
      program('pytest', exitCode, `case $TEST_IMAGE in r.io/*) exit ${first};; esac`);
      write('images/a/test/test_a.py', '');
      const {failure} = await go(['build', 'test'], {docker: showing(id)});
      expect(failure?.class).toBe(exitCode === 0 ? undefined : 'test-failed');
      expect(images()).toEqual(['r.io/a:1-topic', privateTag('a')]);
      expect(calls.at(-1)).toBe(`tagPrivately ${builtImage.id} a`);
    },
  );

  it('fail when the image cannot be named privately, and say nothing of it', async () => {
    program('pytest', 0);
    write('images/a/test/test_a.py', '');
    const tagPrivately = async () => failed('daemon-lost');
    const docker = {...showing(other), tagPrivately};
    const {failure} = await go(['build', 'test'], {docker});
    expect(failure).toMatchObject({class: 'daemon-lost'});
    expect(written()).toEqual([]);
  });
});

describe('tests in the container', () => {
  const inside = {where: 'container'} as const;
  const ending = (exitCode: number, tail: readonly string[] = []): Partial<Docker> => ({
    start: async () =>
      failed('internal', {cause: {kind: 'exit', command: 'docker start', exitCode}, tail}),
  });

  it('run pytest on copies of the folders and paths, on the very image, and remove the container', async () => {
    const created: ContainerRequest[] = [];
    const copied: string[] = [];
    const docker: Partial<Docker> = {
      create: async (request) => {
        created.push(request);
        return ok();
      },
      copy: async (from) => {
        if (existsSync(from)) copied.push(...readdirSync(from).toSorted());
        return ok();
      },
      removeContainer: async (name) => {
        calls.push(`remove ${name}`);
        return ok();
      },
    };
    write('images/a/test/test_a.py', '');
    write('shared/test_more.py', '');
    const images = [withTests({...inside, paths: ['shared/test_more.py']})];
    expect((await go(['build', 'test'], {images, docker})).failure).toBeUndefined();
    expect(created[0]?.image).toBe(builtImage.id);
    expect(created[0]?.command.slice(-2)).toEqual(['test', 'test_more.py']);
    expect(copied).toEqual(['logs', 'test', 'test_more.py']);
    expect(calls.at(-1)).toBe(`remove ${created[0]?.name}`);
  });

  it('say that the image has no pytest where nothing could start', async () => {
    write('images/a/test/test_a.py', '');
    const {failure} = await go(['build', 'test'], {
      images: [withTests(inside)],
      docker: ending(127),
    });
    expect(failure).toMatchObject({
      class: 'no-tests',
      message: 'The tests of r.io/a:1-topic could not start: the image has no pytest.',
    });
    expect(failure?.hint).toContain('where: container');
  });

  it('do not speak of pytest where the spec has a command of its own', async () => {
    const images = [withTests({...inside, words: ['sh', 'check.sh']})];
    const {failure} = await go(['build', 'test'], {images, docker: ending(127)});
    expect(failure).toMatchObject({
      class: 'test-failed',
      message: 'The tests of r.io/a:1-topic failed: a command was not found in the image.',
    });
    expect(failure?.hint).toContain('"tests.command"');
  });
});

describe('pytestCounts', () => {
  it.each<[string, Partial<TestCounts>]>([
    ['===== 3 passed in 0.12s =====', {passed: 3}],
    ['3 passed in 0.12s', {passed: 3}],
    ['== 1 failed, 3 passed, 2 skipped in 61.20s (0:01:01) ==', {failed: 1, passed: 3, skipped: 2}],
    ['== 1 failed, 2 errors in 0.1s ==', {failed: 3}],
    ['== 1 error in 0.1s ==', {failed: 1}],
    ['== 12 skipped in 0.01s ==', {skipped: 12}],
    ['== 2 passed, 1 xfailed, 1 xpassed, 4 warnings in 1s ==', {passed: 3, skipped: 1}],
    ['== 2 passed, 3 deselected, 1 warning in 1.5s ==', {passed: 2}],
  ])('of "%s"', (line, counts) => {
    expect(pytestCounts(['collected', line])).toEqual({
      passed: 0,
      failed: 0,
      skipped: 0,
      ...counts,
    });
  });

  it.each([
    [[]],
    [['no tests ran in 0.01s']],
    [['3 passed']],
    [['the server had 3 failed logins']],
  ])('are none in %j', (lines) => {
    expect(pytestCounts(lines)).toBeUndefined();
  });

  // A pattern that tries each place anew needs a minute for these, and the test ends at its deadline.
  it.each(['1 passed, ', '0', 'a', ' in 1'])('are found in one pass: 800,000 × "%s"', (part) => {
    expect(pytestCounts([part.repeat(800_000 / part.length)])).toBeUndefined();
    expect(pytestCounts([`${part.repeat(9)} 2 failed in 1s ${part.repeat(50_000)}`])?.failed).toBe(
      2,
    );
  });

  it('are those of the last such line, whatever tests printed before', () => {
    expect(pytestCounts(['9 passed in 9s', '== 1 passed in 1s ==', 'bye'])?.passed).toBe(1);
  });
});
