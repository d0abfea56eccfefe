/** One piece of work in a process of its own, so that its memory is its own: `node bench/tasks.ts <name> <argument>` */

import {parse} from 'yaml';
import {plainOptions, plannedImage, simulate} from '../__tests__/support/builders/simulation.ts';
import {planFacts} from '../__tests__/support/builders/stack.ts';
import {openContexts} from '../src/adapters/build-context/index.ts';
import {createRegistry} from '../src/adapters/registry/index.ts';
import {selectChanges} from '../src/changes/select.ts';
import {makePlan} from '../src/plan/decide.ts';
import {buildTree} from '../src/stack/spec/graph.ts';
import {parseSpec} from '../src/stack/spec/index.ts';
import {peakMb} from './peak.ts';
import {parentOf, specLines} from './stacks.ts';

/** Milliseconds; `peakMb` when it is not that of the whole process. */
type Measured = {readonly ms: number; readonly bare?: number; readonly peakMb?: number};

const milliseconds = async (work: () => unknown): Promise<number> => {
  const began = performance.now();
  await work();
  return performance.now() - began;
};

const best = async (work: () => unknown): Promise<number> =>
  Math.min(await milliseconds(work), await milliseconds(work), await milliseconds(work));

/** From the text of a spec and the changed files to the plan, and the bare parse of the same text. */
async function plan(argument: string): Promise<Measured> {
  const count = Number(argument);
  const text = specLines('ghcr.io/o', count).join('\n');
  const files = Array.from(
    {length: count * 10},
    (_, index) => `images/image${index % count}/file${index}`,
  );
  const rules = {ignore: [], buildAll: []};
  const ms = await best(() => {
    const spec = parseSpec({
      file: 'images/spec.yml',
      text,
      stackDir: 'images',
      tagPrefix: undefined,
    });
    const images = [...spec.images.values()];
    const changes = selectChanges(files, rules, 'images', images);
    makePlan({
      ...planFacts(images),
      order: buildTree(spec.images).order,
      changes,
    });
  });
  const peak = peakMb('self');
  return {ms, bare: await best(() => parse(text)), peakMb: peak};
}

/** Every decision of the scheduler for a tree of so many images, on a clock that does not wait. */
async function schedule(argument: string): Promise<Measured> {
  const images = Array.from({length: Number(argument)}, (_, index) =>
    plannedImage(`image${index}`, index === 0 ? [] : [`image${parentOf(index)}`]),
  );
  const world = {seconds: () => 1, fails: () => false};
  return {
    ms: await milliseconds(() => simulate(images, {...plainOptions, concurrency: 16}, world)),
  };
}

/** So many HEAD requests in one batch: `<host> <count>` */
async function exist(argument: string): Promise<Measured> {
  const [host, count] = argument.split(' ');
  const client = createRegistry({credentials: new Map()});
  const refs = Array.from({length: Number(count)}, (_, index) => `${host}/o/i${index}:t`);
  const ms = await milliseconds(() => Promise.all(refs.map((ref) => client.head(ref))));
  await client.close();
  return {ms};
}

async function fingerprint(root: string): Promise<Measured> {
  const uses = {sources: [], unresolved: 'everything'};
  const request = {context: 'a', dockerfile: 'a/Dockerfile', uses, watch: []};
  return {ms: await milliseconds(() => openContexts(root, []).hashContext(request))};
}

const tasks = {plan, schedule, exist, fingerprint};

/** The name of a piece of work. */
export type TaskName = keyof typeof tasks;

const [name = '', argument = ''] = process.argv.slice(2);
const measured = await tasks[name as TaskName](argument);
console.log(JSON.stringify({peakMb: peakMb('self'), ...measured}));
