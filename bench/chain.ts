import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import type {StepRun} from '../__tests__/support/rig/runner.ts';
import {startFaultProxy} from '../__tests__/support/servers/fault-proxy.ts';
import {
  expectGood,
  peakOf,
  type Row,
  seconds,
  type Timed,
  timedShell,
  timedStep,
  took,
} from './measure.ts';
import {makeBenchStack, registry} from './stacks.ts';

const test = 'import time\n\n\ndef test_waits():\n    time.sleep(1)\n';
const shape = {children: 6, lines: ['RUN echo NAME > /name && sleep 15'], test};

/** A registry that answers so much later, as one on the internet does. */
const latencyMs = 40;

/** One root and six children that wait: the action against the longest chain, and against other ways to do it. */
export async function chainRows(): Promise<readonly Row[]> {
  const action = await actionOn(registry);
  const chain = await bareChain();
  const serial = await serialLoop();
  const bake = await bakeAll();
  const parallel = await bareParallel();
  const pass = {match: /./, answer: 'pass', before: () => sleep(latencyMs)} as const;
  const proxy = await startFaultProxy(registry, [pass]);
  const far = await actionOn(proxy.host);
  await proxy.close();
  const row = (what: string, took: number, bound = ''): Row => ({
    what,
    bound,
    measured: `${seconds(took)}, ${(took / chain).toFixed(2)} x the chain of ${seconds(chain)}`,
    holds: bound === '' || took <= 1.15 * chain,
  });
  const what = '1 root + 6 waiting children, concurrency 6: the action, with tests, pushes, pages';
  return [
    {
      ...row(what, action.seconds, '≤ 1.15 x longest chain'),
      limit: 'the start of docker for each command, and two cores for seven images',
      ...peakOf(action),
    },
    {
      ...row(`… with a registry that takes ${latencyMs} ms for each request`, far.seconds),
      limit: 'requests that wait for each other: the upload of a push, then its check',
      ...peakOf(far),
    },
    row('… a serial loop in the order of the scripts: build, test, push', serial),
    row('… docker buildx bake, builds only', bake),
    row('… bare docker commands in parallel: build, test, push', parallel),
  ];
}

/** How many slots it takes until the chain is what counts: a root and eight children of 3 s with a test of 1 s. */
export async function slotRows(counts: readonly number[]): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const concurrency of counts) {
    const stack = await makeBenchStack({
      children: 8,
      lines: ['RUN echo NAME > /name && sleep 3'],
      test,
    });
    const run = await timedStep(stack.request({concurrency: String(concurrency)}));
    expectGood(run.value);
    // Rounds of builds, then the last test.
    const least = 3 + Math.ceil(8 / concurrency) * 3 + 1;
    rows.push({
      what: `1 root + 8 children of 3 s, concurrency ${concurrency}`,
      bound: '',
      measured: `${took(run)}, ${(run.seconds / least).toFixed(2)} x the ${least} s that its rounds wait`,
      limit:
        concurrency < 8 ? 'the slots' : 'the chain, and the cores for what docker does around it',
      ...peakOf(run),
      holds: true,
    });
  }
  return rows;
}

async function actionOn(host: string): Promise<Timed<StepRun>> {
  const run = await timedStep((await makeBenchStack({...shape, host})).request({concurrency: '6'}));
  expectGood(run.value);
  return run;
}

/** What the chain costs without anything around it: two builds, then one test. */
async function bareChain(): Promise<number> {
  const {root, prefix} = await makeBenchStack(shape);
  const script = [build(prefix, 'root'), build(prefix, 'child0'), pytest(prefix, 'child0')];
  return (await timedShell(script.join('\n'), root)).seconds;
}

function build(prefix: string, name: string): string {
  return `docker buildx build -q --provenance=false --build-arg BASE_TAG=1 -t ${prefix}/${name}:1 images/${name} >/dev/null`;
}

function pytest(prefix: string, name: string): string {
  return `TEST_IMAGE=${prefix}/${name}:1 python3 -m pytest -q -x -p no:cacheprovider images/${name}/test >/dev/null`;
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
  const push = `docker push -q ${prefix}/${name}:1 >/dev/null`;
  return [build(prefix, name), pytest(prefix, name), push].join('\n');
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
