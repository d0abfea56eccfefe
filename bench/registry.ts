import {execFileSync} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {makeWorkspace} from '../__tests__/support/rig/runner.ts';
import {startFaultProxy} from '../__tests__/support/servers/fault-proxy.ts';
import {pushImage} from '../__tests__/support/servers/push-image.ts';
import {
  digestOf,
  type RegistryServer,
  startRegistry,
} from '../__tests__/support/servers/registry-server.ts';
import {openContexts} from '../src/adapters/build-context/index.ts';
import {openWorkspace} from '../src/adapters/files/index.ts';
import {createRegistry} from '../src/adapters/registry/index.ts';
import {hashStack} from '../src/fingerprint/index.ts';
import {labels, proofTag} from '../src/image/tags.ts';
import {loadStack} from '../src/stack/index.ts';
import {alone} from './alone.ts';
import {expectGood, peakOf, type Row, seconds, timedShell, timedStep, took} from './measure.ts';
import {type BenchStack, makeBenchStack, makeTree, registry, withoutDocker} from './stacks.ts';

/** Images of random bytes: a stable tag by manifest against pull, tag and push. */
export async function promotionRow(images: number, megabytes: number): Promise<Row> {
  const proxy = await startFaultProxy(registry, []);
  const name = `bench-${randomBytes(4).toString('hex')}`;
  const keys = Array.from({length: images}, (_, index) => `image${index}`);
  for (const key of keys) {
    await pushImage({
      host: registry,
      repository: `${name}/${key}`,
      tag: '1-main',
      layers: [await tarOf(randomBytes(megabytes * 1024 * 1024))],
    });
  }
  const files = Object.fromEntries(
    keys.map((key) => [`images/${key}/Dockerfile`, 'FROM scratch\n']),
  );
  const spec = [
    'images:',
    ...keys.map((key) => `  ${key}: {image_name: "${proxy.host}/${name}/${key}"}`),
    'tag: {prefix: "1"}',
  ];
  const workspace = await makeWorkspace({...files, 'images/spec.yml': spec.join('\n')});
  const run = await timedStep({
    workspace,
    event: 'workflow_dispatch',
    inputs: {mode: 'tag', wiki: 'false', 'source-tag': '1-main'},
  });
  expectGood(run.value);
  const {times} = proxy;
  const span = ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 1000;
  const requests = proxy.seen.filter((line) => line.includes('/manifests/')).length / keys.length;
  const layers = proxy.seen.filter((line) => line.includes('/blobs/')).length - keys.length;
  const isBounded = images === 3;
  const script = keys
    .map(
      (key) =>
        `i=${registry}/${name}/${key}; docker pull -q $i:1-main; docker tag $i:1-main $i:old; docker push -q $i:old; docker rmi -f $i:1-main $i:old`,
    )
    .join('\n');
  const old = isBounded ? await timedShell(script, workspace) : undefined;
  await proxy.close();
  const times30 = old === undefined ? 0 : old.seconds / span;
  return {
    what: `promote ${images} images of ${megabytes} MB`,
    bound: isBounded
      ? 'no layer request, ≤ 8 requests an image, ≥ 30 x faster than pull + tag + push'
      : '',
    measured: [
      seconds(span),
      `${layers} layer requests`,
      `${requests} requests an image (and one config blob)`,
      ...(old === undefined ? [] : [`${times30.toFixed(0)} x faster (${seconds(old.seconds)})`]),
    ].join(', '),
    limit: 'a PUT between two looks at the tag, and one more look at all of them',
    ...peakOf(run),
    holds: !isBounded || (layers === 0 && requests <= 8 && times30 >= 30),
  };
}

/** A layer is a tar file, or docker does not take it. */
async function tarOf(content: Uint8Array): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'layer-'));
  await writeFile(join(folder, 'data'), content);
  const tar = execFileSync('tar', ['--create', '--directory', folder, 'data'], {
    maxBuffer: 1024 ** 3,
  });
  await rm(folder, {recursive: true});
  return tar;
}

/** HEAD requests in one batch, against a registry that takes its time. */
export async function existenceRows(counts: readonly number[]): Promise<readonly Row[]> {
  const server = await startRegistry({delay: 40});
  const rows: Row[] = [];
  for (const count of counts) {
    const {ms, peakMb} = await alone('exist', `${server.host} ${count}`);
    const isBounded = count === 50;
    rows.push({
      what: `${count} existence checks at 40 ms a request`,
      bound: isBounded ? '≤ 0.6 s' : '',
      measured: seconds(ms / 1000),
      limit: '32 connections to a host',
      peakMb,
      holds: !isBounded || ms <= 600,
    });
  }
  await server.close();
  return rows;
}

/** Fifty images of which none changed, after a real run that built them all. */
export async function idleRow(): Promise<Row> {
  const stack = await makeBenchStack({children: 49, lines: ['RUN true']});
  expectGood((await timedStep(stack.request({concurrency: '4'}))).value);
  const idle = await timedStep(stack.request({}, withoutDocker));
  expectGood(idle.value);
  const isIdle = !idle.value.stdout.includes('build done');
  return {
    what: 'a run in which nothing changed, 50 images',
    bound: 'no docker process, ≤ 2 s',
    measured: `${took(idle)}, ${isIdle ? 'no docker (its host was unreachable)' : 'docker ran'}`,
    limit: 'start, git, and two round trips to the registry',
    ...peakOf(idle),
    holds: isIdle && idle.seconds <= 2,
  };
}

/** The same with more images than anybody builds for a benchmark: what the registry shows is made, not built. */
export async function idleGrowthRows(
  counts: readonly number[],
  env: Readonly<Record<string, string>> = {},
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const count of counts) {
    const server = await startRegistry();
    const stack = await makeTree(`${server.host}/o`, count);
    await publishAll(stack, server);
    const isBounded = count >= 10_000;
    const idle = await timedStep(stack.request({}, {...withoutDocker, ...env}));
    expectGood(idle.value);
    // The output holds only what there is to do when there are many.
    const plan = await readFile(join(stack.root, 'artifacts/plan.json'), 'utf8');
    if (plan.match(/"action": "skip"/g)?.length !== count)
      throw new Error(`not idle: ${idle.value.stdout.slice(0, 2000)}`);
    rows.push({
      what: `… ${count} images, in a registry in memory`,
      bound: isBounded ? '≤ 10 s, ≤ 500 MB' : '',
      measured: `${took(idle)}, ${(server.seen.length / count).toFixed(1)} requests an image`,
      limit:
        'three requests an image: most of the time the action waits for the registry, a single node process',
      ...peakOf(idle),
      holds: !isBounded || (idle.seconds <= 10 && (idle.peakMb ?? 0) <= 500),
    });
    await server.close();
  }
  return rows;
}

/** Puts into the registry what a good run would have left: each image with its labels, at its tag and its `fp-` tag. */
async function publishAll({root}: BenchStack, server: RegistryServer): Promise<void> {
  const workspace = openWorkspace(root);
  const stack = await loadStack(workspace, {
    stackDir: 'images',
    tagPrefix: undefined,
    tagOf: () => '1-feature',
  });
  const registry = createRegistry({credentials: new Map()});
  const {values} = await hashStack(
    {stack, stackDir: 'images', platform: 'linux/amd64'},
    {contexts: openContexts(root, ['logs', 'artifacts', 'manifests']), registry},
  );
  await registry.close();
  for (const {name, repository} of stack.spec.images.values()) {
    const {fingerprint = '', content = '', tests = ''} = values.get(name) ?? {};
    const Labels = {
      [labels.fingerprint]: fingerprint,
      [labels.content]: content,
      [labels.tests]: tests,
    };
    const config = Buffer.from(JSON.stringify({config: {Labels}, rootfs: {diff_ids: []}}));
    server.blobs.set(digestOf(config), config);
    const body = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: manifestType,
        config: {digest: digestOf(config), size: config.length},
        layers: [],
      }),
    );
    const path = repository.slice(repository.indexOf('/') + 1);
    for (const tag of ['1-feature', proofTag(fingerprint, tests)])
      server.manifests.set(`${path} ${tag}`, {body, type: manifestType});
  }
}

const manifestType = 'application/vnd.oci.image.manifest.v1+json';
