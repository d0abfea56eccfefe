import {execFileSync} from 'node:child_process';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {labels} from '../../src/image/tags.ts';
import {startWorkflow, type Workflow} from '../support/rig/legs.ts';
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
const workflows: Workflow[] = [];

function workflow(...[request]: [Parameters<typeof startWorkflow>[1]]): Workflow {
  const one = startWorkflow(stack, request);
  workflows.push(one);
  return one;
}

beforeEach(async () => {
  stack = await makeSmallStack();
});

afterEach(async () => {
  for (const one of workflows.splice(0)) await one.remove();
  await stack.remove();
});

/** What the registry has behind a reference, brought here. */
function inspect(ref: string): {run: string | undefined; layers: readonly string[]} {
  docker('pull', '--quiet', ref);
  const [image] = JSON.parse(docker('image', 'inspect', ref)) as [
    {Config: {Labels: Record<string, string>}; RootFS: {Layers: string[]}},
  ];
  return {run: image.Config.Labels[labels.run], layers: image.RootFS.Layers};
}

const red = 'def test_base():\n    assert False\n';

describe('several runners on one registry', () => {
  it('build on the parents that earlier legs of the same run built, and on no older ones', async () => {
    const before = await workflow({runId: '10', branch: 'main'}).leg({images: '', parents: 'auto'});
    expect(before.exitCode, before.stdout).toBe(0);
    // The same content again: a push to the default branch wants everything fresh.
    const again = workflow({runId: '11', branch: 'main'});
    const plan = await again.step({mode: 'plan'});
    expect(planned(plan)).toEqual(['base build', 'mid build', 'side build', 'leaf build']);
    expect(JSON.parse(plan.outputs['levels'] ?? '')).toMatchObject([{include: [{level: 0}]}]);
    const [base] = await again.legs('base');
    expect(base?.exitCode, base?.stdout).toBe(0);
    const [mid, side] = await again.legs('mid,leaf', 'side');
    expect(mid?.exitCode, mid?.stdout).toBe(0);
    expect(side?.exitCode, side?.stdout).toBe(0);
    expect(planned(mid as never)).toEqual(['base skip', 'mid build', 'leaf build']);
    expect(planned(side as never)).toEqual(['base skip', 'side build']);
    const images = ['base', 'mid', 'leaf', 'side'].map((name) =>
      inspect(stack.ref(name, '1-main')),
    );
    expect(images.map(({run}) => run)).toEqual(['11', '11', '11', '11']);
    const [root] = images;
    for (const {layers} of images)
      expect(layers.slice(0, root?.layers.length)).toEqual(root?.layers);
    const report = await again.report();
    expect(report.exitCode, report.stdout).toBe(0);
    expect(outcomes(report)).toEqual({base: 'built', mid: 'built', leaf: 'built', side: 'built'});
    expect(results(report)['base']?.digest).not.toBe(results(before)['base']?.digest);
  });

  it('are blocked by a parent that its leg did not build, though an older one stands at the tag', async () => {
    const before = await workflow({runId: '20', branch: 'main'}).leg({images: '', parents: 'auto'});
    expect(before.exitCode, before.stdout).toBe(0);
    await stack.commit({'images/base/Dockerfile': 'FROM debian:bookworm-slim\nRUN false\n'});
    // Of unchanged content, and only asked for again.
    for (const [runId, branch, breaks] of [
      ['21', 'feature', true],
      ['22', 'main', false],
    ] as const) {
      if (!breaks) await stack.commit({'images/base/Dockerfile': await firstDockerfile()});
      const later = workflow({runId, branch});
      if (breaks) expect((await later.legs('base'))[0]?.exitCode).toBe(1);
      const [mid, side] = await later.legs('mid,leaf', 'side');
      expect(mid?.exitCode, mid?.stdout).toBe(1);
      expect(side?.exitCode).toBe(1);
      expect(outcomes(mid as never)).toMatchObject({mid: 'blocked', leaf: 'blocked'});
      expect(mid?.stdout).toContain('parent base was not built by an earlier leg of this run');
      expect(mid?.stdout).not.toContain('docker buildx build');
    }
    const report = workflows.at(-1)?.report();
    expect((await report)?.exitCode).toBe(1);
  });

  it('do not build on a parent that was pushed and then failed its integration tests', async () => {
    const spec = await stack.read('images/spec.yml');
    await stack.commit({
      'images/spec.yml': spec.replace(
        'info_cmds: [GREETING',
        'integration_tests: true, info_cmds: [GREETING',
      ),
      'images/base/integration_tests/test_base.py': red,
    });
    const one = workflow({runId: '30'});
    const [base] = await one.legs('base');
    expect(outcomes(base as never)['base']).toBe('failed');
    const [side] = await one.legs('side');
    expect(outcomes(side as never)['side']).toBe('blocked');
  });

  it('are missed when their report never comes, though their images are proved by then', async () => {
    const one = workflow({runId: '33'});
    expect((await one.step({mode: 'plan'})).exitCode).toBe(0);
    for (const images of ['base', 'mid,leaf', 'side']) await one.legs(images);
    const whole = await one.report();
    expect(whole.exitCode, whole.stdout).toBe(0);
    const report = await one.report({}, 'side');
    expect(report.exitCode, report.stdout).toBe(1);
    expect(outcomes(report)).toMatchObject({base: 'built', mid: 'built', side: 'failed'});
    expect(report.stdout).toContain('side (build): No runner reported it: its job did not finish');
  });

  it('build what they need themselves where nothing may be pushed', async () => {
    const leg = await workflow({runId: '35'}).leg({images: 'mid', push: 'false'});
    expect(leg.exitCode, leg.stdout).toBe(0);
    expect(planned(leg)).toEqual(['base build', 'mid build']);
  });

  it('go on where a leg is run again', async () => {
    const first = workflow({runId: '40', branch: 'main'});
    await first.legs('base');
    await first.legs('side');
    const again = workflow({runId: '40', branch: 'main', attempt: '2'});
    const [mid, side] = await again.legs('mid,leaf', 'side');
    expect(mid?.exitCode, mid?.stdout).toBe(0);
    expect(planned(side as never)).toEqual(['base skip', 'side reuse']);
  });

  it('look again at what sits on a parent that was built anew from the same files', async () => {
    await workflow({runId: '50'}).leg({images: '', parents: 'auto'});
    stack.settle();
    const one = workflow({runId: '51'});
    const [base] = await Promise.all([one.leg({images: 'base', rebuild: 'base'})]);
    expect(base?.exitCode, base?.stdout).toBe(0);
    const mid = await one.leg({images: 'mid', rebuild: 'base'});
    expect(planned(mid)).toEqual(['base skip', 'mid reuse']);
    expect(reasonsOf(mid, 'mid')).toContain('parent');
    expect(inspect(stack.ref('mid')).layers[0]).toBe(inspect(stack.ref('base')).layers[0]);
  });
});

async function firstDockerfile(): Promise<string> {
  return 'FROM debian:bookworm-slim\nRUN echo base > /base\n';
}
