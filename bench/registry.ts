import {execFileSync} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {startFaultProxy} from '../__tests__/fakes/fault-proxy.ts';
import {pushImage} from '../__tests__/fakes/push-image.ts';
import {startRegistry} from '../__tests__/fakes/registry-server.ts';
import {makeWorkspace} from '../__tests__/fakes/runner.ts';
import {createRegistry} from '../src/adapters/registry.ts';
import {expectGood, type Row, seconds, timed, timedShell, timedStep} from './measure.ts';
import {makeBenchStack, registry} from './stacks.ts';

/** Three images of random bytes: a stable tag by manifest against pull, tag and push. */
export async function promotionRow(megabytes: number): Promise<Row> {
  const proxy = await startFaultProxy(registry, []);
  const name = `bench-${randomBytes(4).toString('hex')}`;
  const keys = ['a', 'b', 'c'];
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
  const script = keys
    .map(
      (key) =>
        `i=${registry}/${name}/${key}; docker pull -q $i:1-main; docker tag $i:1-main $i:old; docker push -q $i:old; docker rmi -f $i:1-main $i:old`,
    )
    .join('\n');
  const old = await timedShell(script, workspace);
  await proxy.close();
  return {
    what: `promote 3 images of ${megabytes} MB`,
    bound: 'no layer request, ≤ 5 requests an image, ≥ 30 x faster than pull + tag + push',
    measured: `${layers} layer requests, ${requests} requests an image (and one config blob), ${(old.seconds / span).toFixed(0)} x (${seconds(span)} against ${seconds(old.seconds)})`,
    holds: layers === 0 && requests <= 5 && old.seconds / span >= 30,
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

export async function existenceRow(): Promise<Row> {
  const server = await startRegistry({delay: 40});
  const client = createRegistry({credentials: new Map()});
  const {seconds: took} = await timed(() =>
    Promise.all(
      Array.from({length: 50}, (_, index) => client.head(`${server.host}/o/i${index}:t`)),
    ),
  );
  await client.close();
  await server.close();
  return {
    what: '50 existence checks at 40 ms a request',
    bound: '≤ 0.6 s',
    measured: seconds(took),
    holds: took <= 0.6,
  };
}

/** Fifty images of which none changed, with a docker that would end the run. */
export async function idleRow(): Promise<Row> {
  const stack = await makeBenchStack({children: 49, lines: ['RUN true']});
  expectGood((await timedStep(stack.request({concurrency: '4'}))).value);
  const idle = await timedStep(
    stack.request(
      {},
      {
        DOCKER_HOST: 'tcp://127.0.0.1:1',
        PATH: `${process.execPath.replace(/\/node$/, '')}:/usr/bin:/bin`,
      },
    ),
  );
  expectGood(idle.value);
  const isIdle = !idle.value.stdout.includes('build done');
  return {
    what: 'a run in which nothing changed, 50 images',
    bound: 'no docker process, ≤ 2 s',
    measured: `${seconds(idle.seconds)}, ${isIdle ? 'no docker (its host was unreachable)' : 'docker ran'}, ${Math.round(idle.peakMb ?? 0)} MB`,
    holds: isIdle && idle.seconds <= 2,
  };
}
