import {type ChildProcess, spawn} from 'node:child_process';
import {appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, it} from 'vitest';
import {stopLeftOver} from '../../../src/adapters/process/index.ts';

const adapter = new URL('../../../src/adapters/process/index.ts', import.meta.url).href;
let folder: string;
let others: ChildProcess[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ledger-'));
  others = [];
});
afterEach(() => {
  for (const one of others) one.kill('SIGKILL');
  rmSync(folder, {recursive: true});
});

function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 20));
}

const pidIn = (name: string): number => Number(readFileSync(join(folder, name), 'utf8'));
const hasPid = (name: string): boolean => existsSync(join(folder, name)) && pidIn(name) > 0;

/** A main step that runs this script and is killed as the runner kills it. */
async function killedMain(script: string, files: readonly string[]): Promise<void> {
  const source = `
    import {openLedger, runCommand} from '${adapter}';
    const run = openLedger('${folder}', runCommand);
    await run({file: 'sh', args: ['-c', ${JSON.stringify(script)}], cwd: '${folder}', seconds: 600});
  `;
  const main = spawn(process.execPath, ['--input-type=module', '--eval', source], {
    stdio: 'inherit',
  });
  await until(() => files.every(hasPid));
  main.kill('SIGKILL');
  await new Promise((resolve) => main.once('close', resolve));
}

it('stops what a killed run left: deaf programs, their groups, and what left the group', async () => {
  const files = ['leader', 'deaf', 'away', 'bare'];
  await killedMain(
    'trap "" TERM; echo $$ > leader; (trap "" TERM; exec sleep 600) & echo $! > deaf; ' +
      "setsid sh -c 'echo $$ > away; exec sleep 600' & " +
      // Without the mark of the run, but of its group.
      "env -i /bin/sh -c 'echo $$ > bare; exec sleep 600' & wait",
    files,
  );
  const pids = files.map(pidIn);
  expect(pids.map(isAlive)).toEqual([true, true, true, true]);
  // Between two programs a process has no environment that could be read; the one of its group has none of ours.
  const hasMark = (pid: number): boolean =>
    readFileSync(`/proc/${pid}/environ`, 'utf8').includes('STACK_ACTION_RUN=');
  await until(() => [pidIn('leader'), pidIn('deaf'), pidIn('away')].every(hasMark));
  expect(await stopLeftOver(folder)).toBeGreaterThanOrEqual(4);
  await until(() => !pids.some(isAlive));
  expect(await stopLeftOver(folder)).toBe(0);
});

it('leaves a program alone that was given the number of one of ours', async () => {
  const other = spawn('sleep', ['600'], {detached: true});
  others.push(other);
  const line = (time: number): void =>
    appendFileSync(join(folder, 'processes'), `${other.pid} ${time}\n`);
  line(1);
  expect(await stopLeftOver(folder)).toBe(0);
  expect(isAlive(other.pid ?? 0)).toBe(true);
  // With its own time it is ours.
  line(Number(readFileSync(`/proc/${other.pid}/stat`, 'utf8').split(' ')[21]));
  expect(await stopLeftOver(folder)).toBe(1);
  await until(() => !isAlive(other.pid ?? 0));
});

it('finds nothing where nothing was written, and in a ledger of other words', async () => {
  expect(await stopLeftOver(join(folder, 'none'))).toBe(0);
  appendFileSync(join(folder, 'processes'), '1\n-1 0\nx y\n0 0\n \n');
  expect(await stopLeftOver(folder)).toBe(0);
});
