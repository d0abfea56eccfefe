import {randomUUID} from 'node:crypto';
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {
  makeWorkspace,
  runPost,
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

const image = (host: string, key: string): string => `${host}/${prefix}/${key}`;

/** The promotion.json of a run, as a later run with a checkout of its own finds it. */
const promotionOf = (workspace: string): string => join(workspace, 'artifacts/promotion.json');

async function requestFor(host: string, inputs: Record<string, string>): Promise<StepRequest> {
  const workspace = await makeWorkspace({
    'images/spec.yml': [
      'images:',
      `  base: {image_name: "${image(host, 'base')}"}`,
      `  left: {image_name: "${image(host, 'left')}", depend_on: base}`,
      `  right: {image_name: "${image(host, 'right')}", depend_on: base}`,
      'tag: {prefix: "2026.3"}',
    ].join('\n'),
    'images/base/Dockerfile': 'FROM scratch\n',
    'images/left/Dockerfile': `ARG BASE_TAG\nFROM ${image(host, 'base')}:\${BASE_TAG}\n`,
    'images/right/Dockerfile': `ARG BASE_TAG\nFROM ${image(host, 'base')}:\${BASE_TAG}\n`,
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
    expect(asked.length).toBeLessThanOrEqual(6);
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
      images: readonly {ref: string; before: string; after: string; outcome: string}[];
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
    expect(run.stdout).toContain('All tags were rolled back.');
  });

  it('takes away a tag that did not exist, or says that it stands', async () => {
    const [base] = await publish('2026.3-main');
    const run = await promote({}, [
      {match: /^PUT .*\/left\/manifests\//, answer: 403, code: 'DENIED', message: 'no'},
    ]);
    expect(run.exitCode).toBe(1);
    const now = await digestsOf('2026.3-stable');
    const stands = now[0] === base;
    expect(run.stdout.includes('could not be rolled back')).toBe(stands);
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
    expect(run.stdout).toMatch(/Conflict: .*right:2026\.3-stable/);
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
    expect(runs[1 - winner]?.stdout).toContain('Conflict: ');
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
    expect(run.stdout).toContain('cancelled before anything was moved');
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
    expect(tested.stdout).toContain('built by an earlier version of this action');
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
    expect(run.stdout).toContain('right:2026.3-main is not built on');
    expect(await digestsOf('2026.3-stable')).toEqual([null, null, null]);
  });

  it('refuses when the registry cannot say', async () => {
    await publish('2026.3-main');
    const run = await promote({}, [{match: /^GET .*\/left\/manifests\//, answer: 401}]);
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toContain('could not be queried');
    expect(proxy?.seen.filter((line) => line.startsWith('PUT'))).toEqual([]);
  });
});

/** Two runs for the same images, the second so many milliseconds later. */
async function bothAtOnce(
  host: string,
  [first, second]: readonly [string, string],
  delay: number,
): Promise<readonly StepRun[]> {
  const requests = await Promise.all(
    [first, second].map((source) => requestFor(host, {'source-tag': source})),
  );
  return Promise.all(
    requests.map(async (request, at) => {
      await sleep(at * delay);
      return runStep(request);
    }),
  );
}

describe('two promotions at once', () => {
  it('never both pass when the set is mixed, in 50 rounds started 0 to 120 ms apart', async () => {
    const sets = [await publish('2026.3-one', '1'), await publish('2026.3-two', '2')];
    const ends: string[] = [];
    for (let round = 0; round < 50; round++) {
      await publish('2026.3-stable', '0');
      const delay = (round * 37) % 121;
      const order = round % 2 === 0 ? (['one', 'two'] as const) : (['two', 'one'] as const);
      const runs = await bothAtOnce(registry, [`2026.3-${order[0]}`, `2026.3-${order[1]}`], delay);
      const now = await digestsOf('2026.3-stable');
      const passed = runs.filter(({exitCode}) => exitCode === 0).length;
      const isWhole = sets.some((set) => set.every((digest, at) => digest === now[at]));
      ends.push(`${passed} passed, ${isWhole ? 'whole' : 'mixed'}`);
      // One after the other, both may pass: then the later one has the set.
      expect(
        passed === 2 && !isWhole,
        `round ${round}: ${runs.map((run) => run.stdout).join()}`,
      ).toBe(false);
    }
    // Mostly one of them wins; that all fail is safe, but no way to live.
    expect(ends.filter((end) => end.startsWith('0')).length).toBeLessThan(25);
  });

  it('a PUT that comes late is a failure of its own run, which says that the set may be mixed', async () => {
    await publish('2026.3-stable', '0');
    await publish('2026.3-one', '1');
    const two = await publish('2026.3-two', '2');
    const held = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    proxy = await startFaultProxy(registry, [
      {
        match: /^PUT .*\/base\/manifests\//,
        answer: 'pass',
        first: 1,
        before: () => {
          arrived.resolve();
          return held.promise;
        },
      },
    ]);
    const late = runStep(await requestFor(proxy.host, {'source-tag': '2026.3-one'}));
    await arrived.promise;
    const early = await runStep(await requestFor(proxy.host, {'source-tag': '2026.3-two'}));
    expect(early.exitCode, early.stdout).toBe(0);
    expect(await digestsOf('2026.3-stable')).toEqual(two);
    held.resolve();
    const run = await late;
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toContain('may now be from different promotions');
  });
});

describe('restore', () => {
  it('gives every tag back what it had, when the branch tag has moved on', async () => {
    const old = await publish('2026.3-stable', '0');
    await publish('2026.3-main', '1');
    const promoted = await promote({});
    await proxy?.close();
    await publish('2026.3-main', '2');
    const undo = {'source-tag': '', restore: promotionOf(promoted.workspace)};
    const file = await readFile(undo.restore, 'utf8');
    proxy = await startFaultProxy(registry, []);
    const {host} = proxy;
    const workspace = await requestFor(host, undo);
    await writeFile(undo.restore, file.replaceAll(/127\.0\.0\.1:\d+/g, host));
    const rehearsal = await runStep({
      ...workspace,
      inputs: {...workspace.inputs, 'dry-run': 'true'},
    });
    expect(rehearsal.exitCode, rehearsal.stdout).toBe(0);
    expect(await digestsOf('2026.3-stable')).not.toEqual(old);
    const run = await runStep(workspace);
    expect(run.exitCode, run.stdout).toBe(0);
    expect(await digestsOf('2026.3-stable')).toEqual(old);
    const again = await runStep(workspace);
    expect(again.exitCode, again.stdout).toBe(0);
    expect(again.stdout).toContain('Every tag is unchanged');
  });

  it('touches nothing when one tag has moved since', async () => {
    await publish('2026.3-stable', '0');
    await publish('2026.3-main', '1');
    const direct = await requestFor(registry, {});
    expect((await runStep(direct)).exitCode).toBe(0);
    const theirs = (await pushImage(recipe('right', '2026.3-stable', ['theirs']))).digest;
    const before = await digestsOf('2026.3-stable');
    const undo = {'source-tag': '', restore: promotionOf(direct.workspace)};
    const run = await runStep(await requestFor(registry, undo));
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toMatch(/Conflict: .*right:2026\.3-stable/);
    expect(await digestsOf('2026.3-stable')).toEqual(before);
    expect(before[2]).toBe(theirs);
  });

  it('deletes tags that did not exist, or says that they could not be deleted', async () => {
    const digests = await publish('2026.3-main');
    const direct = await requestFor(registry, {});
    expect((await runStep(direct)).exitCode).toBe(0);
    const undo = {'source-tag': '', restore: promotionOf(direct.workspace)};
    const run = await runStep(await requestFor(registry, undo));
    const now = await digestsOf('2026.3-stable');
    const isGone = now.every((digest) => digest === null);
    expect(isGone ? [null, null, null] : digests).toEqual(now);
    expect(run.exitCode).toBe(isGone ? 0 : 1);
    expect(run.stdout.includes('could not be deleted'), run.stdout).toBe(!isGone);
    expect(await digestsOf('2026.3-main')).toEqual(digests);
  });

  it.each([
    ['is not there', undefined, 'there is no file'],
    ['is not JSON', '{', 'is not valid JSON'],
    ['has another schema', '{"schema": 7}', 'has schema 7'],
    ['is of another repository', '{"repository": "x/y"}', 'is of the repository \\"x/y\\"'],
    ['names images of somebody else', '{"ref": true}', 'not in a repository of an image'],
  ])('refuses in one sentence a file that %s', async (_, text, words) => {
    const request = await requestFor(registry, {'source-tag': '', restore: 'undo.json'});
    const change = text === undefined || text === '{' ? {} : (JSON.parse(text) as object);
    const digest = `sha256:${'0'.repeat(64)}`;
    const ref =
      'ref' in change ? `${registry}/victim/base:stable` : `${image(registry, 'base')}:stable`;
    const whole = {
      schema: 1,
      repository: 'o/stack',
      run: '1',
      commit: 'x',
      target: 'stable',
      images: [{ref, before: digest, after: digest, outcome: 'moved'}],
      ...change,
    };
    if (text !== undefined) {
      const bytes = text === '{' ? text : JSON.stringify(whole);
      await writeFile(join(request.workspace, 'undo.json'), bytes);
    }
    const run = await runStep(request);
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toContain(words.replaceAll('\\"', '"'));
  });
});

describe('a promotion that is killed half-way', () => {
  it('is told by the post step, and completed by running it again', async () => {
    await publish('2026.3-stable', '0');
    const digests = await publish('2026.3-main');
    const hanging = Promise.withResolvers<void>();
    proxy = await startFaultProxy(registry, [
      {
        match: /^PUT .*\/left\/manifests\//,
        answer: 'hang',
        first: 1,
        before: async () => hanging.resolve(),
      },
    ]);
    const request = await requestFor(proxy.host, {});
    const step = await startStep(request);
    await hanging.promise;
    step.kill('SIGKILL');
    const main = await step.done;
    const told = await runPost(request, main);
    expect(told.stdout).toContain('was interrupted before it could report');
    expect(told.stdout).toMatch(/base:2026\.3-stable points to \S+ \(as this promotion wants it\)/);
    expect(told.stdout).toMatch(/left:2026\.3-stable points to \S+ \(as before: not moved yet\)/);
    const again = await runStep(request);
    expect(again.exitCode, again.stdout).toBe(0);
    expect(await digestsOf('2026.3-stable')).toEqual(digests);
    expect((await runPost(request, again)).stdout).not.toContain('interrupted');
  });
});

describe('proof', () => {
  const fingerprint = `sha256:${'cd'.repeat(32)}`;
  const tests = `sha256:${'7e'.repeat(32)}`;
  const labels = {
    'edu.ucsd.ets.stack.fingerprint': fingerprint,
    'edu.ucsd.ets.stack.tests': tests,
  };
  const proof = `fp-${'cd'.repeat(8)}-${'7e'.repeat(4)}`;

  it('is about this digest: a twin of another branch with the same content proves nothing', async () => {
    await publish('2026.3-main');
    await pushImage({...recipe('base', '2026.3-main', ['base 1']), labels});
    const twin = {...recipe('base', proof, ['base 1']), labels: {...labels, other: 'run'}};
    await pushImage(twin);
    const refusedRun = await promote({});
    expect(refusedRun.exitCode).toBe(1);
    expect(refusedRun.stdout).toContain('is about another image');
    expect(await digestsOf('2026.3-stable')).toEqual([null, null, null]);
    await proxy?.close();
    await pushImage({...recipe('base', proof, ['base 1']), labels});
    const tested = await promote({});
    expect(tested.exitCode, tested.stdout).toBe(0);
    const asked = (proxy?.seen ?? []).filter((line) => line.includes('/base/manifests/'));
    expect(asked.length).toBeLessThanOrEqual(8);
  });

  it('a registry whose HEAD says 404 to everything loses no tag', async () => {
    const old = await publish('2026.3-stable', '0');
    await publish('2026.3-main');
    const run = await promote({}, [
      {match: /^HEAD .*\/manifests\//, answer: 404, code: 'MANIFEST_UNKNOWN'},
      {match: /^PUT .*\/right\/manifests\//, answer: 403, code: 'DENIED', message: 'no'},
    ]);
    expect(run.exitCode).toBe(1);
    expect(proxy?.seen.filter((line) => line.startsWith('DELETE'))).toEqual([]);
    expect(await digestsOf('2026.3-stable')).toEqual(old);
  });
});
