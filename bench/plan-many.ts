/** Prints what planning so many images costs beside the bare parse of the same spec. */
import {readFileSync} from 'node:fs';
import {parse} from 'yaml';
import {planFacts} from '../__tests__/fakes/stack.ts';
import {selectChanges} from '../src/core/changes.ts';
import {makePlan} from '../src/core/plan.ts';
import {parseSpec} from '../src/core/spec.ts';
import {buildTree} from '../src/core/tree.ts';

const count = Number(process.argv[2]);
const lines = ['images:'];
for (let index = 0; index < count; index++) {
  lines.push(
    `  image${index}:`,
    `    image_name: ghcr.io/o/image${index}`,
    '    build_args: {A: "1"}',
  );
  if (index > 0) lines.push(`    depend_on: image${Math.floor(index / 10)}`);
}
const text = `${lines.join('\n')}\ntag: {prefix: "1"}\n`;
const files = Array.from(
  {length: count * 10},
  (_, index) => `images/image${index % count}/file${index}`,
);

const milliseconds = (work: () => unknown): number => {
  const began = performance.now();
  work();
  return performance.now() - began;
};

const best = (work: () => unknown): number => Math.min(...[1, 2, 3].map(() => milliseconds(work)));
const plan = best(() => {
  const spec = parseSpec({file: 'images/spec.yml', text, stackDir: 'images', tagPrefix: undefined});
  const changes = selectChanges(files, {ignore: [], buildAll: []}, 'images', spec.images.values());
  const images = [...spec.images.values()];
  makePlan({...planFacts(images), order: buildTree(spec.images).order, changes, twins: new Map()});
});
// Not resourceUsage: its peak would be that of the process that started this one.
const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'));
const peakMb = Number(peak?.[1]) / 1024;
const bare = best(() => parse(text));
console.log(JSON.stringify({bare, plan, peakMb}));
