import {alone} from './alone.ts';
import {type Row, seconds} from './measure.ts';

/** What planning costs beside the bare parse of the same spec. */
export async function planningRows(counts: readonly number[]): Promise<readonly Row[]> {
  const rows: Row[] = [];
  let each = 0;
  for (const count of counts) {
    const {ms, bare = 0, peakMb} = await alone('plan', count);
    const ratio = ms / bare;
    // Linear: an image costs no more in a large stack than in one of a tenth.
    const isLinear = each === 0 || ms / count <= 1.5 * each;
    each = ms / count;
    const isBounded = count >= 10_000;
    rows.push({
      what: `planning ${count} images and ${count * 10} changed files`,
      // Smaller specs cost a few milliseconds whatever is done; they show how it grows.
      bound: isBounded ? '≤ 1.5 x the bare YAML parse, ≤ 500 MB, linear' : '',
      measured: `${ratio.toFixed(2)} x (${seconds(ms / 1000)}, ${(each * 1000).toFixed(0)} µs an image)`,
      limit: 'the YAML parser',
      peakMb,
      holds: !isBounded || (ratio <= 1.5 && peakMb <= 500 && isLinear),
    });
  }
  return rows;
}

/** What the scheduler itself costs: its decisions, without anything that it waits for. */
export async function scheduleRows(counts: readonly number[]): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const count of counts) {
    const {ms, peakMb} = await alone('schedule', count);
    rows.push({
      what: `scheduling ${count} images, all steps`,
      bound: '',
      measured: `${seconds(ms / 1000)}, ${((ms / count) * 1000).toFixed(0)} µs an image`,
      peakMb,
      holds: true,
    });
  }
  return rows;
}
