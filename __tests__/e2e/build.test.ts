import {execFileSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {createRegistry} from '../../src/adapters/registry/index.ts';
import {proofTag} from '../../src/image/tags.ts';
import {
  runPost,
  runStep,
  type StartedStep,
  type StepRequest,
  startStep,
} from '../support/rig/runner.ts';
import {
  makeSmallStack,
  outcomes,
  planned,
  reasonsOf,
  results,
  type SmallStack,
} from '../support/rig/small-stack.ts';

let stack: SmallStack;

beforeEach(async () => {
  stack = await makeSmallStack();
});

afterEach(() => stack.remove());

const broken = {
  'images/mid/test/test_mid.py':
    'def test_mid():\n    print("::set-output name=x::evil")\n    assert False, "##[add-mask]broken"\n',
};

/** The digest behind a reference. */
async function shown(ref: string): Promise<string | undefined> {
  const registry = createRegistry({credentials: new Map()});
  const found = await registry.head(ref);
  await registry.close();
  return found.state === 'present' ? found.digest : undefined;
}

const docker = (...args: readonly string[]): string =>
  execFileSync('docker', args, {encoding: 'utf8'});

/** A pull request from `feature`, as it stands, into `main` at this commit. */
function pullRequest(base: string): Partial<StepRequest> {
  const repo = {full_name: 'o/stack', default_branch: 'main'};
  return {
    event: 'pull_request',
    payload: {
      number: 1,
      repository: repo,
      pull_request: {
        number: 1,
        head: {ref: 'feature', sha: stack.head(), repo},
        base: {ref: 'main', sha: base, repo},
      },
    },
    env: {GITHUB_REF: 'refs/pull/1/merge', GITHUB_HEAD_REF: 'feature', GITHUB_BASE_REF: 'main'},
  };
}

/** The push to `main` that merges what stands on `feature`. */
function merge(inputs: Readonly<Record<string, string>>): StepRequest {
  const request = stack.request(inputs);
  return {...request, payload: {...request.payload, ref: 'refs/heads/main'}};
}

async function until(step: StartedStep, text: string): Promise<void> {
  for (let tries = 0; tries < 200 && !step.stdout().includes(text); tries++) await sleep(50);
}

describe('mode: build', () => {
  it('builds, tests, pushes and documents everything once, and nothing the second time', async () => {
    const first = await stack.push();
    expect(first.exitCode, first.stdout).toBe(0);
    expect(outcomes(first)).toEqual({base: 'built', mid: 'built', leaf: 'built', side: 'built'});
    const {digest} = results(first)['leaf'] ?? {};
    const pulled = `${stack.ref('leaf').replace(':1-feature', '')}@${digest}`;
    docker('pull', '--quiet', pulled);
    // BASE_TAG and BASE_IMAGE reached the child, and it sits on its parent.
    expect(docker('run', '--rm', pulled, 'cat', '/leaf').trim()).toBe(
      `leaf on ${stack.ref('mid')}`,
    );
    expect(docker('run', '--rm', pulled, 'cat', '/base').trim()).toBe('base');
    const page = await stack.read(`manifests/${stack.ref('base').replace(/[/:]/g, '-')}.md`);
    expect(page).toContain('hello');
    expect(page).toContain('exit code 1');
    expect(first.summary).toContain(digest?.slice(0, 'sha256:'.length + 12));
    const second = await stack.push(
      {},
      {env: {PATH: process.env['PATH'] ?? '', DOCKER_HOST: 'tcp://127.0.0.1:1'}},
    );
    expect(second.exitCode, second.stdout).toBe(0);
    expect(planned(second)).toEqual(['base skip', 'mid skip', 'side skip', 'leaf skip']);
  });

  it('fails an image with a broken test, blocks what sits on it, and pushes its sibling; a second run stays red', async () => {
    await stack.commit(broken);
    const run = await stack.push({'fail-fast': 'false'});
    expect(run.exitCode).toBe(1);
    expect(outcomes(run)).toEqual({base: 'built', mid: 'failed', leaf: 'blocked', side: 'built'});
    expect(results(run)['side']?.digest).toMatch(/^sha256:/);
    expect(run.stdout).toContain('broken');
    const report = JSON.parse(await stack.read('artifacts/report.json')) as {
      images: readonly object[];
    };
    expect(report.images).toContainEqual(
      expect.objectContaining({image: 'leaf', blocked_by: 'mid: test'}),
    );
    expect(existsSync(`${stack.root}/manifests/${stack.ref('mid').replace(/[/:]/g, '-')}.md`)).toBe(
      false,
    );
    // What a test prints is no command of the runner's.
    expect(run.stdout).not.toMatch(/^\s*::set-output/m);
    expect(run.stdout).not.toContain('##[');
    expect((await stack.push({'fail-fast': 'false'})).exitCode).toBe(1);
  });

  it('keeps an image red whose integration tests failed after its push, and no page of it', async () => {
    const spec = await stack.read('images/spec.yml');
    execFileSync('mkdir', ['-p', `${stack.root}/images/side/integration_tests`]);
    await stack.commit({
      'images/spec.yml': spec.replace('prune: true', 'prune: true, integration_tests: true'),
      'images/side/integration_tests/test_side.py': 'def test_side():\n    assert False\n',
    });
    const run = await stack.push();
    expect(outcomes(run)['side']).toBe('failed');
    stack.settle();
    const second = await stack.push();
    expect(planned(second)).toContain('side test');
    expect(reasonsOf(second, 'side')).toEqual(['untested']);
    expect(second.exitCode).toBe(1);
  });

  it('builds exactly the leaf that a pull request touches', async () => {
    await stack.push();
    const base = stack.head();
    const dockerfile = await stack.read('images/leaf/Dockerfile');
    await stack.commit({'images/leaf/Dockerfile': `${dockerfile}RUN echo more\n`});
    const run = await stack.push({}, pullRequest(base));
    expect(run.exitCode, run.stdout).toBe(0);
    expect(planned(run)).toEqual(['base skip', 'mid skip', 'side skip', 'leaf build']);
    expect((await stack.read('artifacts/IMAGES_CHANGED')).trim()).toBe('leaf');
  });

  it('tests again when only tests changed, and reuses what has the same content', async () => {
    await stack.push();
    stack.settle();
    await stack.commit({'images/mid/test/test_mid.py': 'def test_mid():\n    assert 1\n'});
    const tested = await stack.push();
    expect(planned(tested)).toEqual(['base skip', 'mid test', 'side skip', 'leaf skip']);
    expect(tested.exitCode, tested.stdout).toBe(0);
    const fresh = await stack.push({rebuild: 'all', images: 'side'});
    expect(planned(fresh)).toEqual(['base skip', 'side build']);
  });

  it('merges what a pull request built without a build, or fresh when nobody asked for that', async () => {
    await stack.push();
    const base = stack.head();
    stack.settle();
    const mid = await stack.read('images/mid/Dockerfile');
    await stack.commit({'images/mid/Dockerfile': `${mid}RUN echo more\n`});
    const asked = await stack.push({}, pullRequest(base));
    expect(planned(asked)).toEqual(['base skip', 'mid build', 'side skip', 'leaf build']);
    // The merge commit is another commit with the same content.
    await stack.commit({});
    const request = merge({reuse: 'always'});
    const withoutDocker = {...request.env, DOCKER_HOST: 'tcp://127.0.0.1:1'};
    const merged = await runStep({...request, env: withoutDocker});
    expect(merged.exitCode, merged.stdout).toBe(0);
    expect(planned(merged)).toEqual(['base reuse', 'mid reuse', 'side reuse', 'leaf reuse']);
    expect(reasonsOf(merged, 'leaf')).toEqual([
      'default-branch',
      'first-run',
      'parent',
      'fingerprint',
    ]);
    for (const image of ['mid', 'leaf']) {
      expect(results(merged)[image]?.digest).toBe(results(asked)[image]?.digest);
      expect(await shown(stack.ref(image, '1-main'))).toBe(results(asked)[image]?.digest);
    }
    const fresh = await runStep(merge({}));
    expect(planned(fresh)).toEqual(['base build', 'mid build', 'side build', 'leaf build']);
  });

  it('builds rather than trust an fp- tag that somebody overwrote, and says so', async () => {
    await stack.push();
    stack.settle();
    const leaf = await stack.read('images/leaf/Dockerfile');
    await stack.commit({'images/leaf/Dockerfile': `${leaf}RUN echo more\n`});
    const built = await stack.push();
    const {fingerprint, tests} = JSON.parse(await stack.read('artifacts/plan.json')).images.at(-1);
    const tag = proofTag(fingerprint, tests);
    const proof = stack.ref('leaf', tag);
    expect(await shown(proof)).toBe(results(built)['leaf']?.digest);
    // The image of another fingerprint, under the name of this one.
    docker('tag', stack.ref('base'), proof);
    docker('push', '--quiet', proof);
    const again = await runStep(merge({reuse: 'always'}));
    expect(planned(again)).toEqual(['base reuse', 'mid reuse', 'side reuse', 'leaf build']);
    expect(again.stdout).toContain(`${tag} points to an image with the fingerprint sha256:`);
    expect(again.exitCode, again.stdout).toBe(0);
    expect(await shown(proof)).toBe(results(again)['leaf']?.digest);
  });

  it('goes on where a killed run stopped, and the post step removes what it left', async () => {
    const leaf = await stack.read('images/leaf/Dockerfile');
    await stack.commit({'images/leaf/Dockerfile': `${leaf}RUN sleep 90\n`});
    const killed = await startStep(stack.request());
    await until(killed, 'side: built');
    await until(killed, 'mid: built');
    killed.kill('SIGKILL');
    const dead = await killed.done;
    expect(existsSync(dead.state['runFolder'] ?? '')).toBe(true);
    const post = await runPost({workspace: stack.root}, dead);
    expect(post.exitCode).toBe(0);
    expect(existsSync(dead.state['runFolder'] ?? '')).toBe(false);
    await stack.commit({'images/leaf/Dockerfile': leaf});
    const again = await stack.push();
    expect(again.exitCode, again.stdout).toBe(0);
    expect(planned(again).filter((line) => line.endsWith('build'))).toEqual(['leaf build']);
  });

  it('reports a run that is cancelled, and leaves no container', async () => {
    const leaf = await stack.read('images/leaf/Dockerfile');
    await stack.commit({'images/leaf/Dockerfile': `${leaf}RUN sleep 90\n`});
    const step = await startStep(stack.request());
    await until(step, 'leaf: started');
    step.kill('SIGINT');
    const run = await step.done;
    expect(run.exitCode).toBe(1);
    expect(run.outputs['outcome']).toBe('cancelled');
    expect(outcomes(run)['leaf']).toBe('cancelled');
    expect(run.summary).toContain('cancelled');
    expect(
      docker('ps', '--quiet', '--filter', `label=stack-action.run=${run.state['runId']}`),
    ).toBe('');
  });

  it('shows the last lines of a build that fails, and nothing of it acts as a command', async () => {
    const side = await stack.read('images/side/Dockerfile');
    await stack.commit({
      'images/side/Dockerfile': `${side}RUN echo '##[set-output name=tag]evil'; printf '10%%\\r::add-mask::x\\n'; echo the reason; exit 7\n`,
    });
    const run = await stack.push({'fail-fast': 'true', concurrency: '1'});
    expect(outcomes(run)['side']).toBe('failed');
    expect(run.stdout).toMatch(
      /::error file=images\/side\/Dockerfile,line=\d+::side: build failed: the reason/,
    );
    expect(run.stdout).toContain('the reason');
    expect(run.stdout).not.toContain('##[');
    expect(run.stdout).not.toMatch(/[\r\n]\s*::add-mask/);
    expect(run.outputs['tag']).toBe('1-feature');
  });

  it('builds and tests without pushing when it must not', async () => {
    const run = await stack.push({push: 'false'});
    expect(run.exitCode, run.stdout).toBe(0);
    expect(outcomes(run)).toEqual({base: 'built', mid: 'built', leaf: 'built', side: 'built'});
    expect(results(run)['base']?.digest).toBeUndefined();
    expect(docker('image', 'inspect', '--format', '{{.Id}}', stack.ref('leaf'))).toMatch(
      /^sha256:/,
    );
  });
});
