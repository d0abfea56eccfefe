import {spawnSync} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import type {Row} from './measure.ts';

/** Planning in a process of its own, so that its memory is its own. */
export function planningRows(counts: readonly number[]): readonly Row[] {
  return counts.map((count) => {
    const script = fileURLToPath(new URL('./plan-many.ts', import.meta.url));
    const {stdout, stderr} = spawnSync(process.execPath, [script, String(count)], {
      encoding: 'utf8',
    });
    if (stdout === '') throw new Error(stderr);
    const {bare, plan, peakMb} = JSON.parse(stdout) as {bare: number; plan: number; peakMb: number};
    const ratio = plan / bare;
    const isBounded = count >= 10_000;
    return {
      what: `planning ${count} images and ${count * 10} changed files`,
      // Smaller specs cost a few milliseconds whatever is done; they show how it grows.
      bound: isBounded ? '≤ 1.5 x the bare YAML parse, ≤ 500 MB, linear' : '',
      measured: `${ratio.toFixed(2)} x (${Math.round(plan)} ms), ${Math.round(peakMb)} MB`,
      holds: !isBounded || (ratio <= 1.5 && peakMb <= 500),
    };
  });
}
