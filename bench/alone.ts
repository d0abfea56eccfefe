import {execFile} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import type {TaskName} from './tasks.ts';

export interface Alone {
  readonly ms: number;
  /** The same by the library alone, where there is such a thing. */
  readonly bare?: number;
  readonly peakMb: number;
}

const script = fileURLToPath(new URL('./tasks.ts', import.meta.url));

/** Runs a piece of work of tasks.ts in its own process. */
export async function alone(task: TaskName, argument: string | number): Promise<Alone> {
  const {stdout} = await promisify(execFile)(process.execPath, [script, task, String(argument)]);
  return JSON.parse(stdout) as Alone;
}
