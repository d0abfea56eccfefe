/**
 * Many runners on a simulated clock: `node bench/many-runners.ts` writes the table of docs/many-runners.md, `--check`
 * only says whether it differs. Nothing is built: the schedule of the action says what each runner does when.
 */
import {readFileSync, writeFileSync} from 'node:fs';
import {plainOptions, simulate} from '../__tests__/support/builders/simulation.ts';
import {makeLegs, type PlannedImage} from '../src/plan/index.ts';
import type {StepName} from '../src/schedule/index.ts';
import {languages, monorepo, notebooks, type PublicGraph, services} from './graphs.ts';

/** Machine and checkout; what a hosted runner takes from "queued" to the first command. */
const startSeconds = 45;
/** To pull what the leg builds on. */
const pullSeconds = 20;
/** Cores of a hosted runner for public repositories. */
const concurrency = 4;
/** Of the seconds of an image. */
const shares: Partial<Record<StepName, number>> = {build: 0.8, test: 0.15, push: 0.05};

interface Row {
  readonly graph: string;
  readonly legs: number;
  readonly levels: number;
  readonly chain: number;
  readonly one: number;
  readonly many: number;
  /** What all runners cost together; what is more than one runner takes is lost to starting, pulling and waiting. */
  readonly runnerSeconds: number;
}

function secondsOf(image: PlannedImage | undefined): number {
  return image?.expectedSeconds ?? 0;
}

/** When one runner that does these images has done them. */
function runOne(images: readonly PlannedImage[]): number {
  const byName = new Map(images.map((image) => [image.name, image]));
  const {end} = simulate(
    images,
    {...plainOptions, concurrency},
    {
      seconds: ({image, step}) => (shares[step] ?? 0) * secondsOf(byName.get(image)),
      fails: () => false,
    },
  );
  return end;
}

function longestChain(images: readonly PlannedImage[]): number {
  const ends = new Map<string, number>();
  for (const image of images) {
    const before = image.parents.map((parent) => ends.get(parent) ?? 0);
    // A child's build begins when its parent's build is done; its tests and push go on beside it.
    ends.set(image.name, Math.max(0, ...before) + (shares.build ?? 0) * secondsOf(image));
  }
  const tail = 1 - (shares.build ?? 0);
  return Math.max(...images.map((image) => (ends.get(image.name) ?? 0) + tail * secondsOf(image)));
}

export function rowOf({name, images}: PublicGraph, maxLegs: number): Row {
  const {legs, levels} = makeLegs(
    {tag: 't', images, changed: []},
    {maxLegs, runners: new Map(), platform: 'linux/amd64', shares: true},
  );
  const byName = new Map(images.map((image) => [image.name, image]));
  let [many, runnerSeconds] = [0, 0];
  for (const level of levels) {
    const ends = level.map(({images: list, level: depth}) => {
      const own = list.split(',').flatMap((one) => byName.get(one) ?? []);
      const names = new Set(own.map((image) => image.name));
      const planned = own.map((image) => ({
        ...image,
        parents: image.parents.filter((parent) => names.has(parent)),
      }));
      return startSeconds + (depth > 0 ? pullSeconds : 0) + runOne(planned);
    });
    many += Math.max(...ends);
    runnerSeconds += ends.reduce((sum, one) => sum + one, 0);
  }
  const one = startSeconds + runOne(images);
  return {
    graph: name,
    legs: legs.length,
    levels: levels.length,
    chain: longestChain(images),
    one,
    many,
    runnerSeconds,
  };
}

const minutes = (seconds: number): string => `${Math.round(seconds / 60)}`;
const times = (ratio: number): string => ratio.toFixed(2);

export function table(): string {
  const rows = [notebooks(), languages(), services(), monorepo()].flatMap((graph) =>
    [20, 60].map((maxLegs) => ({maxLegs, ...rowOf(graph, maxLegs)})),
  );
  const lines = rows.map(
    (row) =>
      `| ${row.graph} | ${row.maxLegs} | ${row.legs} in ${row.levels} | ${minutes(row.chain)} | ${minutes(row.one)} | ${minutes(row.many)} | ${times(row.many / row.chain)} | ${times(row.one / row.many)} | ${minutes(row.runnerSeconds)} | ${minutes(row.runnerSeconds - row.one)} |`,
  );
  return [
    '| graph | `max-legs` | legs in levels | longest chain (min) | one runner (min) | many runners (min) | × chain | × faster than one | runner minutes | of them lost |',
    '|---|---|---|---|---|---|---|---|---|---|',
    ...lines,
  ].join('\n');
}

const page = new URL('../docs/many-runners.md', import.meta.url);

function main(): void {
  const marked = /(<!-- table-start -->\n)[\s\S]*?(<!-- table-end -->)/;
  const before = readFileSync(page, 'utf8');
  const after = before.replace(
    marked,
    (_, start: string, end: string) => `${start}${table()}\n${end}`,
  );
  if (!process.argv.includes('--check')) writeFileSync(page, after);
  else if (after !== before) {
    console.error('docs/many-runners.md has another table. Run: node bench/many-runners.ts');
    process.exitCode = 1;
  }
}

if (process.argv.includes('--print')) console.log(table());
else if (import.meta.main) main();
