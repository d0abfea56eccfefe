import {expect, it} from 'vitest';
import {startWorkflow} from '../support/rig/legs.ts';
import {runStep} from '../support/rig/runner.ts';
import {makeSmallStack, outcomes, results} from '../support/rig/small-stack.ts';

/** The tags of a repository and the digest behind each, without those that the action keeps for itself. */
async function tagsOf(ref: string): Promise<Readonly<Record<string, string>>> {
  const [, host = '', path = ''] = /^([^/]+)\/(.+):[^:]+$/.exec(ref) ?? [];
  const list = await fetch(`http://${host}/v2/${path}/tags/list`);
  const {tags} = (await list.json()) as {tags: readonly string[]};
  const accept =
    'application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json';
  const own = tags.filter((tag) => !/^(?:fp|rec)-/.test(tag)).toSorted();
  const digests = own.map(async (tag) => {
    const answer = await fetch(`http://${host}/v2/${path}/manifests/${tag}`, {
      method: 'HEAD',
      headers: {accept},
    });
    return [tag, answer.headers.get('docker-content-digest') ?? ''] as const;
  });
  return Object.fromEntries(await Promise.all(digests));
}

it('two images of one repository are built on each other, promoted to tags of their own, and get extra tags', async () => {
  const stack = await makeSmallStack();
  const prefix = stack.ref('x').replace(/\/x:.*/, '');
  await stack.commit({
    'images/spec.yml': [
      'images:',
      `  plain: {image_name: "${prefix}/app"}`,
      `  gpu: {image_name: "${prefix}/app", variant: gpu}`,
      `  tool: {image_name: "${prefix}/tool"}`,
      'tag: {prefix: "1", extra: {default_branch: [latest, "{prefix}"], stable: ["{prefix}-{sha}"]}}',
      'all_info_cmds: {}',
      '',
    ].join('\n'),
    'images/plain/Dockerfile': 'FROM scratch\nCOPY name /plain\n',
    'images/plain/name': 'plain\n',
    'images/gpu/Dockerfile': `FROM ${prefix}/app\nCOPY name /gpu\n`,
    'images/gpu/name': 'gpu\n',
    // As people name it elsewhere.
    'images/tool/Dockerfile': `FROM ${prefix}/app:latest-gpu\nCOPY name /tool\n`,
    'images/tool/name': 'tool\n',
  });
  const workflow = startWorkflow(stack, {runId: '90', branch: 'main'});
  try {
    const built = await workflow.leg({images: '', parents: 'auto'});
    expect(built.exitCode, built.stdout).toBe(0);
    expect(outcomes(built)).toEqual({plain: 'built', gpu: 'built', tool: 'built'});
    const digestOf = (name: string): string => results(built)[name]?.digest ?? '';
    const [plain, gpu] = [digestOf('plain'), digestOf('gpu')];
    const pushed = {'1': plain, '1-main': plain, latest: plain};
    const variant = {'gpu-1': gpu, 'gpu-1-main': gpu, 'gpu-latest': gpu};
    expect(await tagsOf(stack.ref('app'))).toEqual({...pushed, ...variant});
    const {layers} = await layersOf(stack.ref('tool', '1-main'));
    expect(layers.slice(0, 2)).toEqual((await layersOf(stack.ref('app', 'gpu-1-main'))).layers);

    const promote = (inputs: Readonly<Record<string, string>>) =>
      runStep({
        workspace: stack.root,
        event: 'workflow_dispatch',
        inputs: {mode: 'tag', wiki: 'false', ...inputs},
        env: {GITHUB_SHA: stack.head()},
      });
    const stable = await promote({'source-tag': '1-main'});
    expect(stable.exitCode, stable.stdout).toBe(0);
    const global = await promote({'source-tag': '1-stable', target: 'global-stable'});
    expect(global.exitCode, global.stdout).toBe(0);
    const sha = stack.head().slice(0, 7);
    expect(await tagsOf(stack.ref('app'))).toEqual({
      ...pushed,
      ...variant,
      ...{'1-stable': plain, [`1-${sha}`]: plain, stable: plain},
      ...{'gpu-1-stable': gpu, [`gpu-1-${sha}`]: gpu, 'gpu-stable': gpu},
    });
  } finally {
    await workflow.remove();
    await stack.remove();
  }
});

async function layersOf(ref: string): Promise<{readonly layers: readonly string[]}> {
  const [, host = '', path = '', tag = ''] = /^([^/]+)\/(.+):([^:]+)$/.exec(ref) ?? [];
  const answer = await fetch(`http://${host}/v2/${path}/manifests/${tag}`, {
    headers: {accept: 'application/vnd.docker.distribution.manifest.v2+json'},
  });
  const {layers} = (await answer.json()) as {layers: readonly {digest: string}[]};
  return {layers: layers.map(({digest}) => digest)};
}
