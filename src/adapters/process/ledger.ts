import {appendFileSync, readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as wait} from 'node:timers/promises';
import type {RunCommand} from './types.ts';

/** The variable that every program of a run has in its environment, and whatever it starts inherits. */
const marker = 'STACK_ACTION_RUN';

const ledgerName = 'processes';

/**
 * Runs programs, and writes them down in the folder of the run for a post step that finds the main step killed. A line
 * has the process id, which is also the id of its group, and the time at which it started: an id that the system gave
 * to another program since has another time.
 */
export function openLedger(folder: string, run: RunCommand): RunCommand {
  const file = join(folder, ledgerName);
  const note = (pid: number): void => {
    try {
      appendFileSync(file, `${pid} ${startTimeOf(pid) ?? ''}\n`);
    } catch {
      // Without the line the program is still found by its environment.
    }
  };
  return (request) =>
    run({
      ...request,
      env: {...(request.env ?? definedVariables()), [marker]: folder},
      onStart: (pid) => {
        note(pid);
        request.onStart?.(pid);
      },
    });
}

const graceMs = 1500;

/**
 * Stops what a killed run left behind: its programs, their process groups, and whatever has the mark of the run in its
 * environment. SIGTERM first, SIGKILL for what is still there after a moment. Resolves with how many there were.
 */
export async function stopLeftOver(folder: string, waitMs: number = graceMs): Promise<number> {
  const found = leftOver(folder);
  if (found.length === 0) return 0;
  for (const {pid} of found) signalTo(pid, 'SIGTERM');
  const end = performance.now() + waitMs;
  while (found.some(isAlive) && performance.now() < end) await wait(50);
  for (const {pid} of [...found.filter(isAlive), ...leftOver(folder)]) signalTo(pid, 'SIGKILL');
  return found.length;
}

interface Process {
  readonly pid: number;
  readonly group: number;
  readonly startTime: string;
}

function leftOver(folder: string): readonly Process[] {
  const noted = new Set(linesOf(join(folder, ledgerName)));
  const alive = readProcesses().filter(({pid}) => pid !== process.pid);
  // A group is known by its first process: when that is gone, the number may be another program's by now.
  const groups = new Set(
    alive.filter(({pid, startTime}) => noted.has(`${pid} ${startTime}`)).map(({pid}) => pid),
  );
  return alive.filter(({pid, group}) => groups.has(group) || isMarked(pid, folder));
}

function isAlive({pid, startTime}: Process): boolean {
  return startTimeOf(pid) === startTime;
}

function linesOf(file: string): readonly string[] {
  return (readText(file) ?? '').split('\n').filter((line) => /^\d+ \d+$/.test(line));
}

/** Every process of the machine that has not ended; none where there is no /proc. */
function readProcesses(): readonly Process[] {
  return entriesOf('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcess(Number(name)) ?? []);
}

function readProcess(pid: number): Process | undefined {
  // The name of the program is in parentheses and may hold any character, so the last one counts.
  const fields = readText(`/proc/${pid}/stat`)
    ?.replace(/^.*\) /s, '')
    .split(' ');
  const [state, , group] = fields ?? [];
  const startTime = fields?.[19];
  if (state === undefined || startTime === undefined || 'ZX'.includes(state)) return undefined;
  return {pid, group: Number(group), startTime};
}

function startTimeOf(pid: number): string | undefined {
  return readProcess(pid)?.startTime;
}

function isMarked(pid: number, folder: string): boolean {
  const environment = readText(`/proc/${pid}/environ`) ?? '';
  return environment.split('\0').includes(`${marker}=${folder}`);
}

function signalTo(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended by itself.
  }
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function definedVariables(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    ),
  );
}
