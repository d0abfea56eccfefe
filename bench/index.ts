/** `npm run bench`: what the action costs, as ratios from one run on one machine. Writes docs/performance.md. */
import {execFileSync} from 'node:child_process';
import {mkdirSync, rmSync, writeFileSync} from 'node:fs';
import {parseArgs} from 'node:util';
import {chainRows, slotRows} from './chain.ts';
import {fingerprintRows} from './fingerprint.ts';
import type {Row} from './measure.ts';
import {deadRows, sharedRows} from './planned.ts';
import {planningRows, scheduleRows} from './planning.ts';
import {cancelRow, infoRows, loudRows, overheadRows, startRow} from './process.ts';
import {existenceRows, idleGrowthRows, idleRow, promotionRow} from './registry.ts';
import {mergeRow, smallRows} from './small.ts';
import {performancePage} from './table.ts';

const {values} = parseArgs({
  options: {
    rows: {type: 'string'},
    quick: {type: 'boolean', default: false},
    write: {type: 'boolean', default: false},
    before: {type: 'string'},
  },
});
const {quick, write, before} = values;
/** How much there is of what grows. */
const grow = (...counts: readonly number[]): readonly number[] =>
  quick ? counts.slice(0, 2) : counts;

const all: Readonly<Record<string, () => Promise<Row | readonly Row[]>>> = {
  chain: chainRows,
  small: smallRows,
  slots: () => slotRows(grow(2, 4, 8)),
  merge: () => mergeRow(quick ? 3 : 300),
  promote: () => promotionRow(3, quick ? 30 : 300),
  'promote-many': async () => {
    const rows: Row[] = [];
    for (const count of grow(10, 100)) rows.push(await promotionRow(count, 0));
    return rows;
  },
  exist: () => existenceRows(grow(10, 50, 100, 1000, 10_000)),
  idle: idleRow,
  'idle-many': () => idleGrowthRows(grow(10, 100, 1000, 10_000)),
  shared: () => sharedRows(grow(1, 10, 50, 150)),
  dead: () => deadRows(grow(1, 100, 1000)),
  plan: () => planningRows(grow(10, 100, 1000, 10_000)),
  schedule: () => scheduleRows(grow(10, 100, 1000, 10_000)),
  info: () => infoRows(grow(1, 20, 200)),
  overhead: () => overheadRows(grow(2, 5, 10, 30)),
  start: startRow,
  loud: () => loudRows(grow(5, 50, 500)),
  cancel: cancelRow,
  fingerprint: () => fingerprintRows(grow(1, 10, 100), grow(1000, 10_000, 100_000)),
};

const wanted = values.rows?.split(',') ?? Object.keys(all);
/** Milliseconds count in these, so they are measured while the machine is still at rest. */
const delicate = ['start', 'overhead'];
const order = wanted.toSorted((a, b) => delicate.indexOf(b) - delicate.indexOf(a));
const made = new Map<string, readonly Row[]>();

/** Rows that run the whole action in less than minutes, also by an earlier bundle; a row that it cannot do says so. */
const comparable = ['start', 'small', 'shared'];
const oldBundle = 'bench/before';

async function measureBefore(
  commit: string,
  make: () => Promise<Row | readonly Row[]>,
): Promise<readonly Row[]> {
  const show = (file: string) =>
    execFileSync('git', ['show', `${commit}:dist/${file}`], {maxBuffer: 2 ** 26});
  mkdirSync(oldBundle, {recursive: true});
  for (const file of ['index.js', 'package.json'])
    writeFileSync(`${oldBundle}/${file}`, show(file));
  process.env['STACK_ENTRY'] = `${oldBundle}/index.js`;
  try {
    return [await make()].flat();
  } catch (error) {
    console.log(`before: ${String(error).slice(0, 300)}`);
    return [];
  } finally {
    delete process.env['STACK_ENTRY'];
    rmSync(oldBundle, {recursive: true});
  }
}

for (const name of order) {
  const make = all[name];
  if (make === undefined)
    throw new Error(`no row "${name}": there are ${Object.keys(all).join(', ')}`);
  const isCompared = before !== undefined && comparable.includes(name);
  const earlier = isCompared ? await measureBefore(before, make) : [];
  const some = [await make()].flat().map((row, index) => {
    if (!isCompared) return row;
    return {...row, before: earlier[index]?.measured ?? 'could not do it'};
  });
  made.set(name, some);
  for (const row of some)
    console.log(
      `${row.holds ? 'holds' : 'FAILS'}  ${row.what}: ${row.measured}${row.before === undefined ? '' : ` (before: ${row.before})`}`,
    );
}
const rows = wanted.flatMap((name) => made.get(name) ?? []);

const left = Object.keys(all).filter((name) => !wanted.includes(name));
if (write || (left.length === 0 && !quick))
  writeFileSync('docs/performance.md', performancePage(rows, {left, quick, before}));
process.exit(rows.every(({holds}) => holds) ? 0 : 1);
