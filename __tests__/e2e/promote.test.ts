import {randomUUID} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {
  makeWorkspace,
  runStep,
  type StepRequest,
  type StepRun,
  startStep,
} from '../support/rig/runner.ts';
import {type Fault, type FaultProxy, startFaultProxy} from '../support/servers/fault-proxy.ts';
import {type ImageRecipe, pushImage, pushIndex} from '../support/servers/push-image.ts';

const registry = process.env['REGISTRY'] ?? '127.0.0.1:5000';
const keys = ['base', 'left', 'right'];

let prefix: string;
let proxy: FaultProxy | undefined;

beforeEach(() => {
  prefix = `promote-${randomUUID().slice(0, 8)}`;
});

afterEach(async () => {
  await proxy?.close();
  proxy = undefined;
});

const recipe = (key: string, tag: string, layers: readonly string[]): ImageRecipe => ({
  host: registry,
  repository: `${prefix}/${key}`,
  tag,
  layers: layers.map((layer) => Buffer.from(`${prefix} ${layer}`)),
});

/** One of each kind: annotated, an index of two platforms, plain. */
async function publish(tag: string, version = '1'): Promise<readonly string[]> {
  const base = await pushImage({
    ...recipe('base', tag, [`base ${version}`]),
    annotations: {signed: 'yes'},
  });
  const left = await pushIndex(recipe('left', tag, [`base ${version}`, 'left']));
  const right = await pushImage(recipe('right', tag, [`base ${version}`, 'right']));
  return [base.digest, left.digest, right.digest];
}

async function digestsOf(tag: string): Promise<readonly (string | null)[]> {
  const accept =
    'application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json';
  return Promise.all(
    keys.map(async (key) => {
      const url = `http://${registry}/v2/${prefix}/${key}/manifests/${tag}`;
      const answer = await fetch(url, {method: 'HEAD', headers: {accept}});
      return answer.ok ? answer.headers.get('docker-content-digest') : null;
    }),
  );
}

async function promote(
  inputs: Record<string, string>,
  faults: readonly Fault[] = [],
): Promise<StepRun & {workspace: string}> {
  proxy = await startFaultProxy(registry, faults);
  const request = await requestFor(proxy.host, inputs);
  return {...(await runStep(request)), workspace: request.workspace};
}

async function requestFor(host: string, inputs: Record<string, string>): Promise<StepRequest> {
  const image = (key: string): string => `${host}/${prefix}/${key}`;
  const workspace = await makeWorkspace({
    'images/spec.yml': [
      'images:',
      `  base: {image_name: "${image('base')}"}`,
      `  left: {image_name: "${image('left')}", depend_on: base}`,
      `  right: {image_name: "${image('right')}", depend_on: base}`,
      'tag: {prefix: "2026.3"}',
    ].join('\n'),
    'images/base/Dockerfile': 'FROM scratch\n',
    'images/left/Dockerfile': `ARG BASE_TAG\nFROM ${image('base')}:\${BASE_TAG}\n`,
    'images/right/Dockerfile': `ARG BASE_TAG\nFROM ${image('base')}:\${BASE_TAG}\n`,
  });
  return {
    workspace,
    event: 'workflow_dispatch',
    payload: {repository: {default_branch: 'main'}},
    inputs: {mode: 'tag', wiki: 'false', 'source-tag': '2026.3-main', ...inputs},
  };
}

describe('mode: tag', () => {
  it('moves manifests of every kind without a layer, and nothing the second time', async () => {
    const digests = await publish('2026.3-main');
    const first = await promote({});
    expect(first.exitCode, first.stdout).toBe(0);
    expect(await digestsOf('2026.3-stable')).toEqual(digests);
    const seen = proxy?.seen ?? [];
    const layers = seen.filter((line) => line.includes('/blobs/'));
    expect(layers).toHaveLength(3);
    const asked = seen.filter((line) => line.includes(`/base/manifests/`));
    expect(asked.length).toBeLessThanOrEqual(5);
    await proxy?.close();
    const second = await promote({});
    expect(second.stdout).toContain('Every tag is unchanged');
    expect(proxy?.seen.filter((line) => line.startsWith('PUT'))).toEqual([]);
  });

  it('writes what was promoted, enough to undo it', async () => {
    const old = await publish('2026.3-stable', '0');
    const digests = await publish('2026.3-main');
    const {workspace, outputs} = await promote({});
    const file = JSON.parse(
      await readFile(join(workspace, 'artifacts/promotion.json'), 'utf8'),
    ) as {
      images: readonly {before: string; after: string}[];
    };
    expect(file.images.map(({before}) => before)).toEqual(old);
    expect(file.images.map(({after}) => after)).toEqual(digests);
    expect(outputs['outcome']).toBe('passed');
    const tagged = await readFile(join(workspace, 'artifacts/IMAGES_TAGGED'), 'utf8');
    expect(tagged.trim().split('\n')).toHaveLength(3);
  });

  it('moves nothing in a dry run, and promotes to stable from the bare prefix', async () => {
    const digests = await publish('2026.3-stable');
    const rehearsal = await promote({
      target: 'global-stable',
      'source-tag': '2026.3',
      'dry-run': 'true',
    });
    expect(rehearsal.exitCode, rehearsal.stdout).toBe(0);
    expect(await digestsOf('stable')).toEqual([null, null, null]);
    await proxy?.close();
    await promote({target: 'global-stable', 'source-tag': '2026.3'});
    expect(await digestsOf('stable')).toEqual(digests);
  });

  it('puts everything back when one tag is refused for good', async () => {
    const old = await publish('2026.3-stable', '0');
    await publish('2026.3-main');
    const run = await promote({}, [
      {match: /^PUT .*\/left\/manifests\//, answer: 403, code: 'DENIED', message: 'no'},
    ]);
    expect(run.exitCode).toBe(1);
    expect(await digestsOf('2026.3-stable')).toEqual(old);
    expect(run.stdout).toContain('No tag of this set shows a new digest.');
  });

  it('takes away a tag that did not exist, or says that it stands', async () => {
    const [base] = await publish('2026.3-main');
    const run = await promote({}, [
      {match: /^PUT .*\/left\/manifests\//, answer: 403, code: 'DENIED', message: 'no'},
    ]);
    expect(run.exitCode).toBe(1);
    const now = await digestsOf('2026.3-stable');
    const stands = now[0] === base;
    expect(run.stdout.includes('still show the new digest')).toBe(stands);
    expect(now.slice(1)).toEqual([null, null]);
  });

  it('does not overwrite a tag that moved between plan and PUT', async () => {
    const old = await publish('2026.3-stable', '0');
    await publish('2026.3-main');
    let theirs = '';
    const somebodyElse = async (): Promise<void> => {
      theirs = (await pushImage(recipe('right', '2026.3-stable', ['theirs']))).digest;
    };
    const run = await promote({}, [
      {match: /^PUT .*\/base\/manifests\//, answer: 'pass', first: 1, before: somebodyElse},
    ]);
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toContain('right:2026.3-stable is a conflict');
    expect(await digestsOf('2026.3-stable')).toEqual([...old.slice(0, 2), theirs]);
  });

  it('lets one of two promotions at once win, and the other says conflict', async () => {
    await publish('2026.3-stable', '0');
    const sets = [await publish('2026.3-one', '1'), await publish('2026.3-two', '2')];
    proxy = await startFaultProxy(registry, [
      {match: /./, answer: 'pass', before: () => sleep(20)},
    ]);
    const {host} = proxy;
    const runs = await Promise.all(
      ['2026.3-one', '2026.3-two'].map(async (source) =>
        runStep(await requestFor(host, {'source-tag': source})),
      ),
    );
    const winner = runs.findIndex(({exitCode}) => exitCode === 0);
    expect(runs.map(({exitCode}) => exitCode).toSorted()).toEqual([0, 1]);
    expect(runs[1 - winner]?.stdout).toContain('is a conflict');
    expect(await digestsOf('2026.3-stable')).toEqual(sets[winner]);
  });

  it('takes everything back when it is cancelled while a PUT hangs', async () => {
    const old = await publish('2026.3-stable', '0');
    await publish('2026.3-main');
    const hanging = Promise.withResolvers<void>();
    proxy = await startFaultProxy(registry, [
      {
        match: /^PUT .*\/left\/manifests\//,
        answer: 'hang',
        before: async () => hanging.resolve(),
      },
    ]);
    const step = await startStep(await requestFor(proxy.host, {}));
    await hanging.promise;
    step.kill('SIGINT');
    const run = await step.done;
    expect(run.exitCode).toBe(1);
    expect(run.outputs['outcome']).toBe('cancelled');
    expect(await digestsOf('2026.3-stable')).toEqual(old);
  });

  it('ends when it is cancelled while the registry says nothing', async () => {
    await publish('2026.3-main');
    const asked = Promise.withResolvers<void>();
    proxy = await startFaultProxy(registry, [
      {match: /^GET/, answer: 'hang', before: async () => asked.resolve()},
    ]);
    const step = await startStep(await requestFor(proxy.host, {}));
    await asked.promise;
    step.kill('SIGINT');
    const run = await step.done;
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toContain('cancelled before anything moved');
    expect(run.outputs['outcome']).toBe('cancelled');
  });

  it('names a limit that asks for an hour, and waits for one that asks for a second', async () => {
    await publish('2026.3-main');
    const limit = {match: /^PUT .*\/base\/manifests\//, answer: 429} as const;
    const long = await promote({}, [{...limit, retryAfter: 3600}]);
    expect(long.exitCode).toBe(1);
    expect(long.stdout).toContain('3600 s');
    await proxy?.close();
    const short = await promote({}, [{...limit, retryAfter: 1, first: 1}]);
    expect(short.exitCode, short.stdout).toBe(0);
    expect(short.stdout).toContain('attempt 1');
  });

  it('refuses a labelled image whose tests left no proof, and takes one whose fp- tag has its digest', async () => {
    const labels = {'edu.ucsd.ets.stack.fingerprint': `sha256:${'ab'.repeat(32)}`};
    await publish('2026.3-main');
    await pushImage({...recipe('base', '2026.3-main', ['base 1']), labels});
    const untested = await promote({});
    expect(untested.exitCode).toBe(1);
    expect(untested.stdout).toContain('did not pass its tests');
    expect(await digestsOf('2026.3-stable')).toEqual([null, null, null]);
    await proxy?.close();
    await pushImage({...recipe('base', `fp-${'ab'.repeat(8)}`, ['base 1']), labels});
    const tested = await promote({});
    expect(tested.exitCode, tested.stdout).toBe(0);
  });

  it('refuses a set with a missing image before anything moves', async () => {
    await publish('2026.3-main');
    const run = await promote({'source-tag': '2026.3-other'});
    expect(run.exitCode).toBe(1);
    for (const key of keys)
      expect(run.stdout).toContain(`/${key}:2026.3-other is not in the registry`);
    expect(proxy?.seen.filter((line) => line.startsWith('PUT'))).toEqual([]);
  });

  it('refuses a child on another parent than the one promoted with it', async () => {
    await publish('2026.3-main', '1');
    await pushImage(recipe('right', '2026.3-main', ['base 0', 'right']));
    const run = await promote({});
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toContain('right:2026.3-main does not sit on');
    expect(await digestsOf('2026.3-stable')).toEqual([null, null, null]);
  });

  it('refuses when the registry cannot say', async () => {
    await publish('2026.3-main');
    const run = await promote({}, [{match: /^GET .*\/left\/manifests\//, answer: 401}]);
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toContain('cannot say');
    expect(proxy?.seen.filter((line) => line.startsWith('PUT'))).toEqual([]);
  });
});
