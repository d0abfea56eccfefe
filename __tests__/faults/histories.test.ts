import {execFile} from 'node:child_process';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {expect, it} from 'vitest';

const soak = join(import.meta.dirname, '../../scripts/soak.ts');

// Each seed is another history: pushes to two branches, red and green tests, a base that moves, promotions, kills.
it.each([11, 12])(
  'history %i: what is stable passed the tests of its own commit; nothing is lost or left',
  async (seed) => {
    const env = {...process.env, SOAK_SEED: String(seed), SOAK_RUNS: '10', SOAK_VERBOSE: '1'};
    const done = await promisify(execFile)(process.execPath, [soak], {env, maxBuffer: 2 ** 26});
    expect(done.stdout).toContain('Nothing lost, nothing left, no false success.');
  },
  600_000,
);
