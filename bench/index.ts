/** `npm run bench`: what the action costs, as ratios from one run on one machine. Writes docs/performance.md. */
import {writeFileSync} from 'node:fs';
import {cpus} from 'node:os';
import {parseArgs} from 'node:util';
import {chainRows} from './chain.ts';
import type {Row} from './measure.ts';
import {planningRows} from './planning.ts';
import {cancelRow, fingerprintRows, infoRow, loudRow, overheadRow, startRow} from './process.ts';
import {existenceRow, idleRow, promotionRow} from './registry.ts';

const {values} = parseArgs({
  options: {rows: {type: 'string'}, quick: {type: 'boolean', default: false}},
});

const all: Readonly<Record<string, () => Promise<Row | readonly Row[]> | readonly Row[]>> = {
  chain: chainRows,
  promote: () => promotionRow(values.quick ? 30 : 300),
  exist: existenceRow,
  idle: idleRow,
  plan: () => planningRows(values.quick ? [10, 1000] : [10, 100, 1000, 10_000]),
  info: infoRow,
  overhead: overheadRow,
  start: startRow,
  loud: loudRow,
  cancel: cancelRow,
  fingerprint: fingerprintRows,
};

const wanted = values.rows?.split(',') ?? Object.keys(all);
const rows: Row[] = [];
for (const name of wanted) {
  const make = all[name];
  if (make === undefined)
    throw new Error(`no row "${name}": there are ${Object.keys(all).join(', ')}`);
  const made = [await make()].flat();
  for (const row of made)
    console.log(`${row.holds ? 'holds' : 'FAILS'}  ${row.what}: ${row.measured}`);
  rows.push(...made);
}

if (values.rows === undefined && !values.quick) {
  const line = (row: Row): string =>
    `| ${row.what} | ${row.bound || '–'} | ${row.measured}${row.notes === undefined ? '' : ` (${row.notes})`} | ${row.bound === '' ? '' : row.holds ? 'yes' : '**no**'} |`;
  const machine = `${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.versions.node}`;
  writeFileSync(
    'docs/performance.md',
    `# Performance\n\nWritten by \`npm run bench\` (needs a Docker engine and the registry of \`scripts/bootstrap\`; \`--rows a,b\` for some rows,\n\`--quick\` for small numbers). One run on one machine (${machine}): read the ratios, not the seconds.\n\n| what | bound | measured | holds |\n|---|---|---|---|\n${rows.map(line).join('\n')}\n`,
  );
}
process.exit(rows.every(({holds}) => holds) ? 0 : 1);
