import type {ChildProcess} from 'node:child_process';
import type {Readable} from 'node:stream';

/** From SIGTERM to SIGKILL. */
const termMs = 3000;
/** How long pipes may stay open after the process is gone: a grandchild can hold them for hours. */
const pipeMs = 1500;

/** How a process stopped. */
export type Ending =
  | {readonly kind: 'exit'; readonly exitCode: number}
  | {readonly kind: 'spawn'; readonly error: unknown}
  | {readonly kind: 'stuck'};

/** What is needed of execa's subprocess. */
export interface Child
  extends PromiseLike<{
    readonly failed: boolean;
    readonly exitCode?: number;
    readonly signal?: string;
  }> {
  readonly pid?: number;
  readonly nodeChildProcess: ChildProcess;
  readonly stdout: Readable;
  readonly stderr: Readable;
}

export interface Limits {
  readonly seconds: number;
  readonly signal?: AbortSignal;
}

export interface End {
  readonly settled: Promise<Ending>;
  /** Whether we stopped it ourselves. */
  stoppedBy(): 'deadline' | 'signal' | undefined;
}

/** Resolves when the process is over, or as good as over; its deadline and the signal terminate the whole group. */
export function watchEnd(child: Child, {seconds, signal}: Limits): End {
  const {promise: settled, resolve} = Promise.withResolvers<Ending>();
  const timers: NodeJS.Timeout[] = [];
  let stoppedBy: 'deadline' | 'signal' | undefined;
  const after = (ms: number, work: () => void): void => {
    timers.push(setTimeout(work, ms));
  };
  const finish = (ending: Ending): void => {
    for (const timer of timers) clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
    child.stdout.destroy();
    child.stderr.destroy();
    resolve(ending);
  };
  const stop = (by: 'deadline' | 'signal'): void => {
    if (stoppedBy !== undefined) return;
    stoppedBy = by;
    killGroup(child.pid, 'SIGTERM');
    after(termMs, () => killGroup(child.pid, 'SIGKILL'));
    after(termMs + pipeMs, () => finish({kind: 'stuck'}));
  };
  const onAbort = (): void => stop('signal');
  signal?.addEventListener('abort', onAbort);
  // It may have fired while the program was started.
  if (signal?.aborted === true) onAbort();
  after(Math.min(seconds * 1000, 2 ** 31 - 1), () => stop('deadline'));

  const open = new Set([child.stdout, child.stderr]);
  let ending: Ending | undefined;
  for (const stream of open) {
    stream.once('close', () => {
      open.delete(stream);
      if (ending !== undefined && open.size === 0) finish(ending);
    });
  }
  child.nodeChildProcess.once('exit', (code, signalName) => {
    const exit: Ending = {kind: 'exit', exitCode: code ?? 128 + signalNumber(signalName)};
    ending = exit;
    if (open.size === 0) return finish(exit);
    // What still holds the pipes after a stop has had its SIGTERM; after a normal end it is left over.
    after(stoppedBy === undefined ? pipeMs : 0, () => {
      killGroup(child.pid, 'SIGKILL');
      after(100, () => finish(exit));
    });
  });
  // A program that cannot be started has no exit event.
  void child.then((result) => {
    if (ending === undefined && result.failed && result.exitCode === undefined) {
      if (result.signal === undefined) finish({kind: 'spawn', error: result});
    }
  });
  return {settled, stoppedBy: () => stoppedBy};
}

function killGroup(pid: number | undefined, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // Every process of the group is gone already.
  }
}

function signalNumber(name: NodeJS.Signals | null): number {
  return name === 'SIGKILL' ? 9 : name === 'SIGTERM' ? 15 : name === 'SIGINT' ? 2 : 0;
}
