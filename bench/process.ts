import {randomBytes} from 'node:crypto';
import {mkdir, stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {makeWorkspace, startStep} from '../__tests__/fakes/runner.ts';
import {hashContext} from '../src/adapters/context-files.ts';
import {expectGood, type Row, seconds, timed, timedShell, timedStep} from './measure.ts';
import {makeBenchStack} from './stacks.ts';

/** From the start of the process to its first line. */
export async function startRow(): Promise<Row> {
  const workspace = await makeWorkspace({'images/spec.yml': ''});
  const times: number[] = [];
  for (let round = 0; round < 5; round++) {
    const began = performance.now();
    const step = await startStep({workspace, inputs: {mode: 'plan'}});
    while (step.stdout() === '') await sleep(1);
    times.push((performance.now() - began) / 1000);
    await step.done;
  }
  const median = times.toSorted((a, b) => a - b)[2] ?? 0;
  return {
    what: 'start of the action',
    bound: '≤ 250 ms to the first log line',
    measured: seconds(median),
    holds: median <= 0.25,
  };
}

/** A build that prints half a gigabyte, and a run that is cancelled. The limit of BuildKit's own log is the engine's. */
export async function loudRow(): Promise<Row> {
  const stack = await makeBenchStack({
    children: 0,
    lines: ['RUN true'],
    imageKeys:
      ', tests: {command: "bash -c \'yes 0123456789012345678901234567890 | head -c 500000000\'"}',
  });
  const run = await timedStep(stack.request({push: 'false'}));
  expectGood(run.value);
  const log = await stat(
    join(
      stack.root,
      'logs',
      `${`${stack.prefix}/root:1-feature`.replace(/[/:]/g, '-')}.basic-tests.log`,
    ),
  );
  const printed = Buffer.byteLength(run.value.stdout) / 1e6;
  const peak = Math.round(run.peakMb ?? 0);
  return {
    what: 'a step that prints 500 MB',
    bound: '≤ 150 MB of memory, the log complete, the console bounded',
    measured: `${peak} MB, log ${Math.round(log.size / 1e6)} MB, console ${printed.toFixed(1)} MB`,
    holds: peak <= 150 && log.size >= 500_000_000 && printed < 5,
  };
}

export async function cancelRow(): Promise<Row> {
  const stack = await makeBenchStack({children: 0, lines: ['RUN echo NAME > /name && sleep 120']});
  const step = await startStep(stack.request({push: 'false'}));
  while (!step.stdout().includes('pull done')) await sleep(20);
  await sleep(1000);
  const {seconds: took} = await timed(async () => {
    step.kill('SIGINT');
    await step.done;
  });
  return {what: 'cancel to clean exit', bound: '≤ 5 s', measured: seconds(took), holds: took <= 5};
}

export async function infoRow(): Promise<Row> {
  const names = Array.from({length: 20}, (_, index) => `I${index}`);
  const spec = [
    'all_info_cmds:',
    ...names.map((name) => `  ${name}: {description: ${name}, command: echo ${name}}`),
  ];
  const stack = await makeBenchStack({
    children: 0,
    lines: ['RUN true'],
    spec,
    imageKeys: `, info_cmds: [${names.join(', ')}]`,
  });
  const began = Math.floor(Date.now() / 1000);
  expectGood((await timedStep(stack.request({push: 'false'}))).value);
  const counted = join(stack.root, 'count');
  await timedShell(
    `docker events --since ${began} --until $(($(date +%s) + 1)) --filter event=start --filter image=${stack.prefix}/root:1-feature --format x | wc -l > ${counted}; docker events --since ${began} --until $(($(date +%s) + 1)) --filter event=start --filter type=container --format '{{.Actor.Attributes.image}}' | wc -l >> ${counted}`,
    stack.root,
  );
  const {readFile} = await import('node:fs/promises');
  const starts = Math.max(...(await readFile(counted, 'utf8')).trim().split('\n').map(Number));
  return {
    what: '20 info commands on one image',
    bound: '≤ 2 container starts',
    measured: `${starts} container starts`,
    holds: starts <= 2 && starts > 0,
  };
}

/** Chain of one image by the action, against the same commands typed by hand. */
export async function overheadRow(): Promise<Row> {
  const lines = ['RUN echo NAME > /name && sleep 8'];
  const test = 'def test_it():\n    pass\n';
  const ours = await timedStep((await makeBenchStack({children: 0, lines, test})).request());
  expectGood(ours.value);
  const hand = await makeBenchStack({children: 0, lines, test});
  const image = `${hand.prefix}/root:1`;
  const typed = await timedShell(
    `docker buildx build --progress plain --provenance=false -t ${image} images/root; TEST_IMAGE=${image} python3 -m pytest -x images/root/test; docker push ${image}; docker history ${image}`,
    hand.root,
  );
  const over = (ours.seconds / typed.seconds - 1) * 100;
  return {
    what: 'own overhead on an image of 8 s',
    bound: '≤ 5 % over the same docker commands typed by hand',
    measured: `${over.toFixed(1)} % (${seconds(ours.seconds)} against ${seconds(typed.seconds)})`,
    holds: over <= 5,
  };
}

export async function fingerprintRows(): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const megabytes of [1, 10, 100]) {
    const root = await makeWorkspace({'a/Dockerfile': 'FROM scratch\n'});
    await mkdir(join(root, 'a/data'));
    for (let index = 0; index < megabytes * 4; index++)
      await writeFile(join(root, `a/data/f${index}`), randomBytes(256 * 1024));
    const ours = await timed(() =>
      hashContext(root, {context: 'a', dockerfile: 'a/Dockerfile', skip: [], watch: []}),
    );
    const tool = await timedShell('find a -type f -print0 | xargs -0 sha256sum', root);
    rows.push({
      what: `fingerprint of a context of ${megabytes} MB`,
      bound: '',
      measured: `${seconds(ours.seconds)} (sha256sum: ${seconds(tool.seconds)})`,
      holds: true,
    });
  }
  return rows;
}
