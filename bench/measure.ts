import {spawn} from 'node:child_process';
import {type StepRequest, type StepRun, startStep} from '../__tests__/support/rig/runner.ts';
import {peakMb} from './peak.ts';

/** One line of the table. */
export interface Row {
  readonly what: string;
  readonly bound: string;
  readonly measured: string;
  /** Of the process that did it; undefined where it is docker that works. */
  readonly peakMb?: number;
  readonly holds: boolean;
}

export interface Timed<T> {
  readonly value: T;
  readonly seconds: number;
  /** Peak resident memory of the process in MB, where one was watched. */
  readonly peakMb?: number;
}

export async function timed<T>(work: () => Promise<T> | T): Promise<Timed<T>> {
  const began = performance.now();
  const value = await work();
  return {value, seconds: (performance.now() - began) / 1000};
}

/** The kernel keeps the peak; what is read last before the end is it, nearly. */
export function watchPeak(pid: number): () => number {
  let peak = 0;
  const timer = setInterval(() => {
    try {
      peak = Math.max(peak, peakMb(pid));
    } catch {
      // It has ended.
    }
  }, 20);
  return () => {
    clearInterval(timer);
    return peak;
  };
}

/** The action, as the runner starts it. */
export async function timedStep(request: StepRequest): Promise<Timed<StepRun>> {
  const began = performance.now();
  const step = await startStep(request);
  const peak = watchPeak(step.pid);
  const value = await step.done;
  return {value, seconds: (performance.now() - began) / 1000, peakMb: peak()};
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
