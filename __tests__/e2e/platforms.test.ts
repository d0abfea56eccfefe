import {createHash} from 'node:crypto';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {startWorkflow, type Workflow} from '../support/rig/legs.ts';
import {runStep} from '../support/rig/runner.ts';
import {
  makeSmallStack,
  outcomes,
  planned,
  results,
  type SmallStack,
} from '../support/rig/small-stack.ts';

let stack: SmallStack;
const workflows: Workflow[] = [];

function workflow(request: Parameters<typeof startWorkflow>[1]): Workflow {
  const one = startWorkflow(stack, request);
  workflows.push(one);
  return one;
}

/** `whole` and `child` for two platforms, `plain` on top for this machine only. No command runs in them. */
beforeEach(async () => {
  stack = await makeSmallStack();
  const prefix = stack.ref('x').replace(/\/x:.*/, '');
  const both = 'platforms: [linux/amd64, linux/arm64]';
  await stack.commit({
    'images/spec.yml': [
      'images:',
      `  whole: {image_name: "${prefix}/whole", ${both}}`,
      `  child: {image_name: "${prefix}/child", ${both}, depend_on: whole}`,
      `  plain: {image_name: "${prefix}/plain", depend_on: whole}`,
      'runners: {linux/arm64: an-arm-runner}',
      'tag: {prefix: "1"}',
      'all_info_cmds: {}',
      '',
    ].join('\n'),
    'images/whole/Dockerfile': 'FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /arch\n',
    'images/whole/amd64': 'amd64\n',
    'images/whole/arm64': 'arm64\n',
    'images/child/Dockerfile': `FROM ${prefix}/whole:1\nCOPY note /note\n`,
    'images/child/note': 'child\n',
    'images/plain/Dockerfile': `FROM ${prefix}/whole:1\nCOPY note /note\n`,
    'images/plain/note': 'plain\n',
  });
});

afterEach(async () => {
  for (const one of workflows.splice(0)) await one.remove();
  await stack.remove();
});

interface Index {
  readonly manifests: readonly {
    readonly digest: string;
    readonly platform: {readonly architecture: string};
  }[];
}

async function manifestAt(ref: string): Promise<{digest: string; json: Index}> {
  const [, host = '', path = '', tag = ''] = /^([^/]+)\/(.+):([^:]+)$/.exec(ref) ?? [];
  const accept = [
    'application/vnd.oci.image.index.v1+json',
    'application/vnd.oci.image.manifest.v1+json',
    'application/vnd.docker.distribution.manifest.v2+json',
  ].join(', ');
  const answer = await fetch(`http://${host}/v2/${path}/manifests/${tag}`, {headers: {accept}});
  const bytes = Buffer.from(await answer.arrayBuffer());
  expect(answer.status, ref).toBe(200);
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  return {digest, json: JSON.parse(bytes.toString('utf8')) as Index};
}

const platforms = ['linux/amd64', 'linux/arm64'];

describe('two platforms on two runners', () => {
  it('are built and proved apart, put together, and promoted as one', async () => {
    const run = workflow({runId: '60', branch: 'main'});
    const plan = await run.step({mode: 'plan'});
    const [level] = JSON.parse(plan.outputs['levels'] ?? '[]') as {include: object[]}[];
    expect(level?.include).toMatchObject([
      {images: 'whole,child,plain', platform: 'linux/amd64', runner: 'ubuntu-24.04'},
      {images: 'whole,child', platform: 'linux/arm64', runner: 'an-arm-runner'},
    ]);
    // Two levels here, so that a leg takes its parent of this platform from another.
    for (const images of ['whole', 'child']) {
      const legs = await Promise.all(platforms.map((platform) => run.leg({images, platform})));
      for (const leg of legs) expect(leg.exitCode, leg.stdout).toBe(0);
    }
    const plain = await run.leg({images: 'plain', platform: 'linux/amd64'});
    expect(plain.exitCode, plain.stdout).toBe(0);
    const report = await run.report();
    expect(report.exitCode, report.stdout).toBe(0);
    expect(outcomes(report)).toEqual({whole: 'built', child: 'built', plain: 'built'});

    for (const name of ['whole', 'child']) {
      const index = await manifestAt(stack.ref(name, '1-main'));
      expect(results(report)[name]?.digest).toBe(index.digest);
      const parts = await Promise.all(
        ['linux-amd64', 'linux-arm64'].map((end) => manifestAt(stack.ref(name, `1-main-${end}`))),
      );
      expect(index.json.manifests.map(({digest}) => digest)).toEqual(
        parts.map(({digest}) => digest),
      );
      expect(index.json.manifests.map(({platform}) => platform.architecture)).toEqual([
        'amd64',
        'arm64',
      ]);
    }

    stack.settle();
    const next = await workflow({runId: '61', branch: 'main'}).step({mode: 'plan', push: 'true'});
    expect(next.stdout).not.toContain('not trusted');
    const feature = await workflow({runId: '62', branch: 'other'}).step({mode: 'plan'});
    expect(planned(feature)).toEqual(['whole reuse', 'child reuse', 'plain reuse']);

    const promoted = await runStep({
      workspace: stack.root,
      event: 'workflow_dispatch',
      inputs: {mode: 'tag', 'source-tag': '1-main', wiki: 'false'},
      env: {GITHUB_SHA: stack.head()},
    });
    expect(promoted.exitCode, promoted.stdout).toBe(0);
    const stable = await manifestAt(stack.ref('child', '1-stable'));
    expect(stable.digest).toBe(results(report)['child']?.digest);
  });

  it('are not put together when one of them is missing', async () => {
    const run = workflow({runId: '63'});
    await run.leg({images: 'whole', platform: 'linux/amd64'});
    const report = await run.report({'fail-fast': 'false'});
    expect(report.exitCode).toBe(1);
    expect(report.stdout).toContain('the image for linux/arm64 is missing');
    expect(report.summary).toContain('Look at the leg of whole for linux/arm64, and run it again.');
    // It cannot have come where nothing says which runner has the platform.
    const spec = await stack.read('images/spec.yml');
    await stack.commit({'images/spec.yml': spec.replace(/^runners: .*\n/m, '')});
    const other = workflow({runId: '67'});
    const plan = await other.step({mode: 'plan'});
    const mend = 'Add "runners: {linux/arm64: ubuntu-24.04-arm}" at the top of spec.yml.';
    expect(plan.stdout).toContain(mend);
    await other.leg({images: 'whole', platform: 'linux/amd64'});
    expect((await other.report()).summary).toMatch(/runners: .*linux\/arm64: ubuntu-24\.04-arm/);
  });

  it('says what a leg for an unknown platform needs', async () => {
    const leg = await workflow({runId: '64'}).leg({images: 'whole', platform: 'linux/riscv64'});
    expect(leg.exitCode).toBe(1);
    expect(leg.stdout).toContain('no runner is known for it');
  });

  it('refuses a child of another platform than its parent has on this machine, before the first build', async () => {
    const spec = await stack.read('images/spec.yml');
    const other = process.arch === 'arm64' ? 'linux/amd64' : 'linux/arm64';
    await stack.commit({
      'images/spec.yml': spec
        .replace(/( {2}whole: .*), platforms: [^\]]*\]/, '$1')
        .replace(/( {2}child: .*platforms: )\[[^\]]*\]/, `$1[${other}]`),
    });
    const run = await workflow({runId: '65'}).leg({
      images: 'child',
      parents: 'auto',
      push: 'false',
    });
    expect(run.exitCode, run.stdout).toBe(1);
    expect(run.stdout).toContain(
      `"child" takes "whole" for ${other}, but "whole" is only built for`,
    );
    expect(run.stdout).not.toContain('docker buildx build');
  });

  it('says before the first build that nothing here runs programs of a platform, and what to add', async () => {
    const spec = await stack.read('images/spec.yml');
    await stack.commit({
      'images/spec.yml': spec
        .replace(/( {2}whole: .*platforms: )\[[^\]]*\]/, '$1[linux/s390x]')
        .replace(/ {2}(?:child|plain): .*\n/g, ''),
      'images/whole/Dockerfile': 'FROM scratch\nCOPY amd64 /arch\nRUN ["/arch"]\n',
    });
    const run = await workflow({runId: '66'}).leg({
      images: 'whole',
      parents: 'auto',
      push: 'false',
    });
    expect(run.exitCode, run.stdout).toBe(1);
    expect(run.stdout).toContain('cannot run programs of another platform');
    expect(run.stdout).toContain('whole (linux/s390x)');
    expect(run.stdout).toContain('docker/setup-qemu-action@v3');
    expect(run.stdout).not.toContain('docker buildx build');
  });
});
