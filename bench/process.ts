import {readFile, stat} from 'node:fs/promises';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {makeWorkspace, startStep} from '../__tests__/support/rig/runner.ts';
import {
  expectGood,
  median,
  peakOf,
  type Row,
  seconds,
  timed,
  timedShell,
  timedStep,
  watch,
} from './measure.ts';
import {makeBenchStack} from './stacks.ts';

/** From the start of the process to its first line, beside a node that prints one, in turn. */
export async function startRow(): Promise<Row> {
  const workspace = await makeWorkspace({'images/spec.yml': ''});
  const ours: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < 15; round++) {
    const began = performance.now();
    const step = await startStep({workspace, inputs: {mode: 'plan'}});
    while (step.stdout() === '') await sleep(1);
    ours.push((performance.now() - began) / 1000);
    await step.done;
    bare.push((await timedShell(`"${process.execPath}" -e 'console.log(1)'`, workspace)).seconds);
  }
  const run = await timedStep({workspace, inputs: {mode: 'plan'}});
  const over = median(ours) - median(bare);
  return {
    what: 'start of the action (the middle of 15)',
    bound: '≤ 250 ms to the first log line, ≤ 130 ms over bare node',
    measured: `${seconds(median(ours))}, ${seconds(over)} over bare node (${seconds(median(bare))})`,
    limit: 'reading and compiling the bundle; then @actions/core and execa',
    ...peakOf(run),
    holds: median(ours) <= 0.25 && over <= 0.13,
  };
}

/** A step that prints half a gigabyte. What BuildKit keeps of a build's output is the engine's own limit. */
export async function loudRows(megabytes: readonly number[]): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const size of megabytes) {
    const bytes = size * 1_000_000;
    const stack = await makeBenchStack({
      lines: ['RUN true'],
      imageKeys: `, tests: {command: "bash -c 'yes 0123456789012345678901234567890 | head -c ${bytes}'"}`,
    });
    const run = await timedStep(stack.request({push: 'false'}));
    expectGood(run.value);
    const name = `${stack.prefix}/root:1-feature`.replace(/[/:]/g, '-');
    const log = await stat(join(stack.root, 'logs', `${name}.basic-tests.log`));
    const printed = Buffer.byteLength(run.value.stdout) / 1e6;
    const {peakMb = 0} = run;
    const isBounded = size >= 500;
    rows.push({
      what: `a step that prints ${size} MB`,
      bound: isBounded ? '≤ 150 MB of memory, the log complete, the console bounded' : '',
      measured: `${seconds(run.seconds)}, log ${Math.round(log.size / 1e6)} MB, console ${printed.toFixed(1)} MB`,
      limit: 'the pipe of the program, and masking',
      peakMb,
      holds: !isBounded || (peakMb <= 150 && log.size >= bytes && printed < 5),
    });
  }
  return rows;
}

export async function cancelRow(): Promise<Row> {
  const stack = await makeBenchStack({lines: ['RUN echo NAME > /name && sleep 120']});
  const step = await startStep(stack.request({push: 'false'}));
  while (!step.stdout().includes('pull done')) await sleep(20);
  await sleep(1000);
  const watched = watch(step.pid);
  const {seconds: took} = await timed(async () => {
    step.kill('SIGINT');
    await step.done;
  });
  return {
    what: 'cancel to clean exit',
    bound: '≤ 5 s',
    measured: seconds(took),
    peakMb: watched().peakMb,
    limit: 'the programs that are asked to end',
    holds: took <= 5,
  };
}

/** The pages' commands, all in few containers. */
export async function infoRows(counts: readonly number[]): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const count of counts) {
    const names = Array.from({length: count}, (_, index) => `I${index}`);
    const spec = [
      'all_info_cmds:',
      ...names.map((name) => `  ${name}: {description: ${name}, command: echo ${name}}`),
    ];
    const imageKeys = `, info_cmds: [${names.join(', ')}]`;
    const stack = await makeBenchStack({lines: ['RUN true'], spec, imageKeys});
    const began = Math.floor(Date.now() / 1000);
    const run = await timedStep(stack.request({push: 'false'}));
    expectGood(run.value);
    const file = join(stack.root, 'starts');
    await timedShell(
      `docker events --since ${began} --until $(($(date +%s) + 1)) --filter event=start --filter label=stack-action.run --format x > ${file}`,
      stack.root,
    );
    const starts = (await readFile(file, 'utf8')).split('\n').length - 1;
    const isBounded = count === 20;
    rows.push({
      what: `${count} info commands on one image`,
      bound: isBounded ? '≤ 2 container starts' : '',
      measured: `${starts} container starts`,
      ...peakOf(run),
      limit: 'one start of a container',
      holds: starts > 0 && (!isBounded || starts <= 2),
    });
  }
  return rows;
}

/** The cost is the same for every image: below this it is the share of a build that no stack has. */
const shortestForBound = 5;

/** One image by the action, and the same commands typed by hand, in turn. */
export async function overheadRows(sizes: readonly number[]): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const size of sizes) rows.push(await overheadRow(size));
  return rows;
}

async function overheadRow(size: number): Promise<Row> {
  const lines = [`RUN echo NAME > /name && sleep ${size}`];
  const test = 'def test_it():\n    pass\n';
  const ours: number[] = [];
  const typed: number[] = [];
  let peakMb = 0;
  for (let round = 0; round < 3; round++) {
    const run = await timedStep((await makeBenchStack({lines, test})).request());
    expectGood(run.value);
    ours.push(run.seconds);
    peakMb = Math.max(peakMb, run.peakMb ?? 0);
    const hand = await makeBenchStack({lines, test});
    const image = `${hand.prefix}/root:1`;
    const script = `docker buildx build --progress plain --provenance=false -t ${image} images/root; TEST_IMAGE=${image} python3 -m pytest -x images/root/test; docker push ${image}; docker history ${image}`;
    typed.push((await timedShell(script, hand.root)).seconds);
  }
  const extra = median(ours) - median(typed);
  const over = (extra / median(typed)) * 100;
  const isBounded = size >= shortestForBound;
  return {
    what: `own overhead on an image of ${size} s (the middle of three)`,
    bound: isBounded ? '≤ 5 % over the same docker commands typed by hand' : '',
    measured: `${over.toFixed(1)} %: ${seconds(extra)} more than ${seconds(median(typed))}`,
    limit: 'starts of docker: info, login, inspect and tags beside what was typed',
    peakMb,
    holds: !isBounded || over <= 5,
  };
}
