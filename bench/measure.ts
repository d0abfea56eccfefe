import {spawn} from 'node:child_process';
import {type StepRequest, type StepRun, startStep} from '../__tests__/support/rig/runner.ts';
import {cpuSeconds, peakMb} from './peak.ts';

/** One line of the table. */
export interface Row {
  readonly what: string;
  readonly bound: string;
  readonly measured: string;
  /** Of the process that did it; undefined where it is docker that works. */
  readonly peakMb?: number;
  /** The same with an earlier bundle, in the same run; undefined where none was measured. */
  readonly before?: string;
  /** What it would take to make it faster. */
  readonly limit?: string;
  readonly holds: boolean;
}

export interface Timed<T> {
  readonly value: T;
  readonly seconds: number;
  /** Peak resident memory of the process in MB, where one was watched. */
  readonly peakMb?: number;
  /** User and system time of the process alone, without the programs that it starts. */
  readonly cpu?: number;
}

export async function timed<T>(work: () => Promise<T> | T): Promise<Timed<T>> {
  const began = performance.now();
  const value = await work();
  return {value, seconds: (performance.now() - began) / 1000};
}

export interface Watched {
  readonly peakMb: number;
  readonly cpu: number;
}

/** The kernel keeps the peak and the time; what is read last before the end is it, nearly. */
export function watch(pid: number): () => Watched {
  let [peak, cpu] = [0, 0];
  const timer = setInterval(() => {
    try {
      peak = Math.max(peak, peakMb(pid));
      cpu = Math.max(cpu, cpuSeconds(pid));
    } catch {
      // It has ended.
    }
  }, 10);
  return () => {
    clearInterval(timer);
    return {peakMb: peak, cpu};
  };
}

/** The action, as the runner starts it. */
export async function timedStep(request: StepRequest): Promise<Timed<StepRun>> {
  const began = performance.now();
  const step = await startStep(request);
  const watched = watch(step.pid);
  const value = await step.done;
  return {value, seconds: (performance.now() - began) / 1000, ...watched()};
}

/** A shell script; what it prints is shown only when it fails. */
export async function timedShell(script: string, cwd: string): Promise<Timed<void>> {
  return timed(
    () =>
      new Promise<void>((resolve, reject) => {
        const child = spawn('bash', ['-euo', 'pipefail', '-c', script], {cwd});
        let output = '';
        for (const stream of [child.stdout, child.stderr]) {
          stream.setEncoding('utf8').on('data', (text: string) => {
            output = `${output}${text}`.slice(-2000);
          });
        }
        child.on('close', (code) =>
          code === 0 ? resolve() : reject(new Error(`${script}\nended with ${code}: ${output}`)),
        );
      }),
  );
}

/** The column of a row, where it was watched. */
export function peakOf({peakMb}: Timed<unknown>): {readonly peakMb?: number} {
  return peakMb === undefined ? {} : {peakMb};
}

export function expectGood(run: StepRun): void {
  if (run.exitCode !== 0) throw new Error(`the action failed:\n${run.stdout}`);
}

/** The middle one of three or five. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

export const seconds = (value: number): string =>
  value < 1 ? `${Math.round(value * 1000)} ms` : `${value.toFixed(2)} s`;

/** Seconds by the clock and of the processor; on a machine that is busy with other things only the second counts. */
export const took = ({seconds: wall, cpu}: Timed<unknown>): string =>
  cpu === undefined ? seconds(wall) : `${seconds(wall)} (${seconds(cpu)} of CPU)`;
