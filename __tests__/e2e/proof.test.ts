import {execFileSync} from 'node:child_process';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {runStep, type StepRun, startStep} from '../support/rig/runner.ts';
import {
  makeSmallStack,
  outcomes,
  planned,
  reasonsOf,
  results,
  type SmallStack,
} from '../support/rig/small-stack.ts';

const docker = (...args: readonly string[]): string =>
  execFileSync('docker', args, {encoding: 'utf8'}).trim();

let stack: SmallStack;

beforeEach(async () => {
  stack = await makeSmallStack();
});

afterEach(async () => {
  await stack.remove();
});

const green = 'def test_mid():\n    assert True\n';
const red = 'def test_mid():\n    assert False\n';

/** Everything built, tested and proved. */
async function settled(): Promise<StepRun> {
  const run = await stack.push();
  expect(run.exitCode, run.stdout).toBe(0);
  stack.settle();
  return run;
}

describe('what "tested" means', () => {
  it('stays red until the tests pass, whatever is pushed next', async () => {
    await settled();
    await stack.commit({'images/mid/test/test_mid.py': red});
    const first = await stack.push();
    expect(planned(first)).toContain('mid test');
    expect(first.exitCode).toBe(1);
    expect((await stack.push()).exitCode).toBe(1);
    stack.settle();
    await stack.commit({'README.md': 'Only words.\n'});
    const words = await stack.push();
    expect(reasonsOf(words, 'mid')).toEqual(['untested']);
    expect(words.exitCode).toBe(1);
    const promoted = await promote('1-feature');
    expect(promoted.exitCode, promoted.stdout).toBe(1);
    expect(promoted.stdout).toContain('mid');
    stack.settle();
    await stack.commit({'images/mid/test/test_mid.py': `${green}# mended\n`});
    const mended = await stack.push();
    expect(planned(mended)).toContain('mid test');
    expect(mended.exitCode, mended.stdout).toBe(0);
    expect((await promote('1-feature')).exitCode).toBe(0);
  });

  it('does not promote on older tests what fails those of the checkout, where a red build pushed nothing', async () => {
    const onMain = () => promote('1-main', {GITHUB_REF: 'refs/heads/main'});
    expect((await elsewhere('main', {}, {created: true})).exitCode).toBe(0);
    const good = await onMain();
    expect(good.exitCode, good.stdout).toBe(0);
    stack.settle();
    await stack.commit({'images/mid/test/test_mid.py': red});
    expect(outcomes(await elsewhere('main'))['mid']).toBe('failed');
    const refused = await onMain();
    expect(refused.exitCode).toBe(1);
    expect(refused.stdout).toContain('not those of this checkout');
    // From another branch nothing can be said of these tests.
    expect((await promote('1-main')).exitCode).toBe(0);
  });

  it('lets the tests of another branch with the same image neither block nor unblock a promotion', async () => {
    const branch = (name: string, created = false) => elsewhere(name, {}, {created});
    expect((await branch('release', true)).exitCode).toBe(0);
    stack.settle();
    expect(planned(await branch('hotfix', true))).toContain('mid reuse');
    await stack.commit({'images/mid/test/test_mid.py': red});
    expect((await branch('hotfix')).exitCode).toBe(1);
    expect((await promote('1-hotfix')).exitCode).toBe(1);
    expect((await promote('1-release')).exitCode).toBe(0);
    expect((await branch('release')).exitCode).toBe(1);
    expect((await promote('1-release')).exitCode).toBe(1);
    stack.settle();
    await stack.commit({'images/mid/test/test_mid.py': `${green}# laxer\n`});
    expect(planned(await branch('hotfix'))).toContain('mid test');
    expect((await promote('1-hotfix')).exitCode).toBe(0);
    expect((await promote('1-release')).exitCode).toBe(1);
  });

  it('runs tests that were made stricter, even where the content was proved before', async () => {
    await settled();
    await stack.commit({'images/mid/test/test_mid.py': red});
    const other = await elsewhere('other');
    expect(planned(other)).toEqual(['base reuse', 'mid build', 'side reuse', 'leaf build']);
    expect(outcomes(other)['mid']).toBe('failed');
  });

  it('builds an image that copies its own tests when they change', async () => {
    const mid = await stack.read('images/mid/Dockerfile');
    await stack.commit({'images/mid/Dockerfile': `${mid}COPY ./test /home/tests/\n`});
    await settled();
    await stack.commit({'images/mid/test/test_mid.py': `${green}# more\n`});
    const run = await stack.push();
    expect(planned(run)).toEqual(['base skip', 'mid build', 'side skip', 'leaf build']);
    const text = docker('run', '--rm', stack.ref('mid'), 'cat', '/home/tests/test_mid.py');
    expect(text).toContain('# more');
  });

  it('fails an image whose files another test wrote, instead of calling them the checkout', async () => {
    await stack.commit({
      'images/base/test/test_base.py':
        "def test_base():\n    open('images/mid/extra', 'w').write('not in the commit')\n",
      'images/mid/Dockerfile': `${await stack.read('images/mid/Dockerfile')}COPY . /all\n`,
      'images/mid/extra': 'as committed\n',
    });
    const run = await stack.push({concurrency: '1'});
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toContain('images/mid/extra');
    expect(outcomes(run)['mid']).toBe('failed');
  });

  it('fails an image whose tests another test wrote: it would be proved by tests it never passed', async () => {
    await stack.commit({
      'images/base/test/test_base.py':
        "def test_base():\n    open('images/mid/test/test_mid.py', 'w').write('def test_mid(): pass')\n",
      'images/mid/test/test_mid.py': red,
    });
    const run = await stack.push({concurrency: '1'});
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toContain('images/mid/test/test_mid.py');
    expect(outcomes(run)['mid']).toBe('failed');
  });

  it('proves nothing about a digest by a twin on another branch', async () => {
    await stack.commit({'images/mid/test/test_mid.py': red});
    const broken = await elsewhere('main', {}, {fresh: true});
    expect(outcomes(broken)['mid']).toBe('failed');
    await stack.commit({'images/mid/test/test_mid.py': green});
    const good = await elsewhere('other');
    expect(good.exitCode, good.stdout).toBe(0);
    expect((await promote('1-main')).exitCode).toBe(1);
    expect((await promote('1-other')).exitCode).toBe(0);
  });
});

describe('what "unchanged" and "reused" mean', () => {
  it('builds fresh on the default branch what a feature branch built from the same commit', async () => {
    const feature = await settled();
    const main = await elsewhere('main');
    expect(planned(main)).toEqual(['base build', 'mid build', 'side build', 'leaf build']);
    const again = await elsewhere('main', {GITHUB_RUN_ATTEMPT: '2'});
    expect(planned(again)).toEqual(['base reuse', 'mid reuse', 'side reuse', 'leaf reuse']);
    const other = await elsewhere('main', {GITHUB_RUN_ATTEMPT: '2', GITHUB_RUN_ID: '77'});
    expect(planned(other)).toContain('base build');
    expect(results(feature)['base']?.digest).not.toBe(results(main)['base']?.digest);
  });

  it('reuses everything on the first run of a branch', async () => {
    const feature = await settled();
    const other = await elsewhere('other', {}, {created: true});
    expect(planned(other)).toEqual(['base reuse', 'mid reuse', 'side reuse', 'leaf reuse']);
    expect(results(other)['leaf']?.digest).toBe(results(feature)['leaf']?.digest);
    expect(other.exitCode, other.stdout).toBe(0);
  });

  it('builds on the base of the fingerprint, not on an older one that the engine has under its name', async () => {
    const base = stack.ref('base').replace('/base:1-feature', '/external:1');
    const push = (word: string): void => {
      const text = `FROM debian:bookworm-slim\nRUN echo ${word} > /word\n`;
      execFileSync('docker', ['build', '--quiet', '--tag', base, '-'], {input: text});
      docker('push', '--quiet', base);
    };
    push('old');
    docker('tag', base, `${base}-old`);
    push('new');
    docker('tag', `${base}-old`, base);
    await stack.commit({'images/base/Dockerfile': `FROM ${base}\nRUN cat /word > /base\n`});
    await settled();
    expect(docker('run', '--rm', stack.ref('base'), 'cat', '/base')).toBe('new');
  });

  it('does not count a file that no image can hold', async () => {
    await stack.commit({'.dockerignore': '', 'images/mid/notes.txt': 'one\n'});
    await settled();
    await stack.commit({'images/mid/notes.txt': 'two\n'});
    const run = await stack.push();
    expect(planned(run)).toEqual(['base skip', 'mid reuse', 'side skip', 'leaf reuse']);
    expect(run.exitCode, run.stdout).toBe(0);
  });
});

describe('two runs on one engine', () => {
  it('never stand on each other’s parents', async () => {
    const other = await makeSmallStack();
    try {
      const prefix = stack.ref('base').split('/base:')[0] ?? '';
      const theirs = other.ref('base').split('/base:')[0] ?? '';
      const slow = (who: string) =>
        `FROM debian:bookworm-slim\nRUN echo ${who} > /who && sleep 1\n`;
      const child = `ARG BASE_TAG\nFROM ${prefix}/base:\${BASE_TAG}\nRUN sleep 1 && cat /who > /copied\n`;
      const spec = (await other.read('images/spec.yml')).replaceAll(theirs, prefix);
      for (const name of ['mid', 'side', 'leaf']) {
        await stack.commit({[`images/${name}/Dockerfile`]: child});
        await other.commit({[`images/${name}/Dockerfile`]: child});
      }
      await stack.commit({'images/base/Dockerfile': slow('one')});
      await other.commit({'images/base/Dockerfile': slow('two'), 'images/spec.yml': spec});
      const runs = await Promise.all([
        startStep(stack.request({push: 'false'})),
        startStep(other.request({push: 'false'})),
      ]);
      const done = await Promise.all(runs.map((run) => run.done));
      for (const [index, who] of [
        [0, 'one'],
        [1, 'two'],
      ] as const) {
        const log = await (index === 0 ? stack : other).read(
          `logs/${stack.ref('mid').replace(/[/:]/g, '-')}.build.log`,
        );
        expect(done[index]?.stdout).toContain('mid');
        expect(log).toContain('--build-context');
        expect(log, who).not.toContain('failed to solve');
      }
      // What stands at the shared tag is one of the two, and whole.
      expect(['one', 'two']).toContain(docker('run', '--rm', stack.ref('mid'), 'cat', '/copied'));
      for (const run of done) expect(run.exitCode, run.stdout).toBe(0);
    } finally {
      await other.remove();
    }
  });

  it('leaves no private tag behind', async () => {
    await settled();
    const log = await stack.read(`logs/${stack.ref('mid').replace(/[/:]/g, '-')}.build.log`);
    const own = /docker-image:\/\/(stack-run\.invalid\/[0-9a-f-]+)\//.exec(log)?.[1];
    expect(own).toBeDefined();
    const left = docker('image', 'ls', '--filter', `reference=${own}/*`, '--quiet');
    expect(left).toBe('');
  });
});

describe('tags', () => {
  it('refuses a branch that would take the promoted tag of a track', async () => {
    const spec = await stack.read('images/spec.yml');
    await stack.commit({'images/spec.yml': `${spec}plans: {GPU: {prefix: "1-gpu"}}\n`});
    const run = await elsewhere('gpu-stable');
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toContain('the stable tag of base@GPU');
    expect(run.outputs['plan']).toBeUndefined();
  });

  it('gives a back-merge a tag of its own', async () => {
    const run = await runStep({
      ...stack.request({mode: 'plan'}),
      event: 'pull_request',
      payload: {
        number: 7,
        repository: {full_name: 'o/stack', default_branch: 'main'},
        pull_request: {
          number: 7,
          head: {ref: 'main', sha: stack.head(), repo: {full_name: 'o/stack'}},
          base: {ref: 'release', sha: stack.head(), repo: {full_name: 'o/stack'}},
        },
      },
    });
    expect(run.outputs['tag']).toBe('1-pr-7');
  });
});

/** A push of the same commit to another branch. */
function elsewhere(
  branch: string,
  env: Readonly<Record<string, string>> = {},
  {created = false, fresh = false}: {created?: boolean; fresh?: boolean} = {},
): Promise<StepRun> {
  const request = stack.request();
  return runStep({
    ...request,
    inputs: {...request.inputs, ...(fresh ? {rebuild: 'all'} : {}), 'fail-fast': 'false'},
    payload: {...request.payload, ref: `refs/heads/${branch}`, created},
    env: {...request.env, GITHUB_REF: `refs/heads/${branch}`, ...env},
  });
}

function promote(source: string, env: Readonly<Record<string, string>> = {}): Promise<StepRun> {
  return runStep({
    workspace: stack.root,
    event: 'workflow_dispatch',
    inputs: {mode: 'tag', 'source-tag': source, wiki: 'false'},
    env: {GITHUB_SHA: stack.head(), ...env},
  });
}
