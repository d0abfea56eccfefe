import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expectGood, type Row, seconds, timedShell, timedStep} from './measure.ts';
import {makeBenchStack} from './stacks.ts';

const test = 'import time\n\n\ndef test_waits():\n    time.sleep(2)\n';
const shape = {children: 6, lines: ['RUN echo NAME > /name && sleep 8'], test};

/** One root and six children that wait: the action against the longest chain, and against other ways to do it. */
export async function chainRows(): Promise<readonly Row[]> {
  const ours = await makeBenchStack(shape);
  const action = await timedStep(ours.request({concurrency: '6'}));
  expectGood(action.value);
  // What the chain costs without anything around it: two builds, then one test.
  const bare = await makeBenchStack(shape);
  const build = (name: string): string =>
    `docker buildx build -q --provenance=false --build-arg BASE_TAG=1 -t ${bare.prefix}/${name}:1 images/${name} >/dev/null`;
  const pytest = (name: string): string =>
    `TEST_IMAGE=${bare.prefix}/${name}:1 python3 -m pytest -q -x -p no:cacheprovider images/${name}/test >/dev/null`;
  const chain = await timedShell(
    [build('root'), build('child0'), pytest('child0')].join('\n'),
    bare.root,
  );
  const serial = await serialLoop();
  const bake = await bakeAll();
  const parallel = await bareParallel();
  const ratio = (value: number): string => `${(value / chain.seconds).toFixed(2)} x`;
  const row = (what: string, value: number, bound = ''): Row => ({
    what,
    bound,
    measured: `${seconds(value)}, ${ratio(value)} the chain`,
    holds: true,
  });
  return [
    {
      ...row(
        '1 root + 6 waiting children, concurrency 6: the action, with tests, pushes, pages',
        action.seconds,
        '≤ 1.15 x longest chain',
      ),
      holds: action.seconds <= 1.15 * chain.seconds,
      notes: `chain ${seconds(chain.seconds)}; peak ${Math.round(action.peakMb ?? 0)} MB`,
    },
    row('… a serial loop in the order of the scripts: build, test, push', serial),
    row('… docker buildx bake, builds only', bake),
    row('… bare docker commands in parallel: build, test, push', parallel),
  ];
}

async function serialLoop(): Promise<number> {
  const {root, prefix, names} = await makeBenchStack(shape);
  const script = names.map((name) => one(prefix, name)).join('\n');
  return (await timedShell(script, root)).seconds;
}

async function bareParallel(): Promise<number> {
  const {root, prefix, names} = await makeBenchStack(shape);
  const [first = '', ...others] = names;
  const script = `${one(prefix, first)}\n${others.map((name) => `{ ${one(prefix, name).replaceAll('\n', '; ')}; } &`).join('\n')}\nwait`;
  return (await timedShell(script, root)).seconds;
}

function one(prefix: string, name: string): string {
  return [
    `docker buildx build -q --provenance=false --build-arg BASE_TAG=1 -t ${prefix}/${name}:1 images/${name} >/dev/null`,
    `TEST_IMAGE=${prefix}/${name}:1 python3 -m pytest -q -x -p no:cacheprovider images/${name}/test >/dev/null`,
    `docker push -q ${prefix}/${name}:1 >/dev/null`,
  ].join('\n');
}

async function bakeAll(): Promise<number> {
  const {root, prefix, names} = await makeBenchStack(shape);
  const target = (name: string): object => ({
    context: `images/${name}`,
    tags: [`${prefix}/${name}:1`],
    args: {BASE_TAG: '1'},
    output: ['type=docker'],
    ...(name === 'root' ? {} : {contexts: {[`${prefix}/root:1`]: 'target:root'}}),
  });
  const file = {
    group: {default: {targets: names}},
    target: Object.fromEntries(names.map((name) => [name, target(name)])),
  };
  await writeFile(join(root, 'bake.json'), JSON.stringify(file));
  return (await timedShell('docker buildx bake --provenance=false -f bake.json', root)).seconds;
}
