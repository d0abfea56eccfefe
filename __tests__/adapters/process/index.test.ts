import {mkdtempSync, readFileSync, rmSync, statSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {openLog} from '../../../src/adapters/files/log.ts';
import {
  type CommandOutput,
  type CommandRequest,
  type LogSink,
  runCommand,
} from '../../../src/adapters/process/index.ts';
import type {Failure} from '../../../src/failure.ts';
import {createMask} from '../../../src/util/masking.ts';

const sh = (script: string, more: Partial<CommandRequest> = {}) =>
  runCommand({file: 'sh', args: ['-c', script], seconds: 20, ...more});

async function output(running: ReturnType<typeof runCommand>): Promise<CommandOutput> {
  const result = await running;
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

async function failure(running: ReturnType<typeof runCommand>): Promise<Failure> {
  const result = await running;
  if (result.ok) throw new Error('it did not fail');
  return result.error;
}

/** Waits until a process has ended; one that only waits to be collected has. */
async function gone(pid: number): Promise<boolean> {
  for (let left = 100; left > 0; left--) {
    try {
      if (/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))) return true;
    } catch {
      return true;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}

describe('runCommand', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'process-'));
  });
  afterEach(() => rmSync(folder, {recursive: true}));
  const pidIn = (file: string): number => Number(readFileSync(join(folder, file), 'utf8'));

  it('gives both streams apart, and the last lines of both together', async () => {
    const done = await output(sh('echo out; echo err >&2'));
    expect(done).toMatchObject({stdout: 'out\n', stderr: 'err\n'});
    expect([...done.tail].sort()).toEqual(['err', 'out']);
  });

  it('uses no shell', async () => {
    const done = await output(runCommand({file: 'echo', args: ['$HOME; *'], seconds: 5}));
    expect(done.stdout).toBe('$HOME; *\n');
  });

  it('gives the child the environment it is told, and nothing else', async () => {
    const env = {PATH: process.env['PATH'] ?? '', ONLY: 'this'};
    const done = await output(runCommand({file: 'env', args: [], env, seconds: 5}));
    expect(done.stdout.trim().split('\n').sort()).toEqual(['ONLY=this', `PATH=${env.PATH}`]);
  });

  it('hands a secret over on standard input', async () => {
    const done = await output(runCommand({file: 'cat', args: [], input: 'hunter2', seconds: 5}));
    expect(done.stdout).toBe('hunter2');
  });

  it('does not mind a program that reads none of its input', async () => {
    const input = 'x'.repeat(1_000_000);
    expect((await runCommand({file: 'true', args: [], input, seconds: 5})).ok).toBe(true);
  });

  it('lets nobody ask questions', async () => {
    expect((await output(runCommand({file: 'cat', args: [], seconds: 5}))).stdout).toBe('');
  });

  it('says how a program failed, with its last lines', async () => {
    const seen = await failure(sh('for i in $(seq 100); do echo line $i; done; exit 3'));
    expect(seen.cause).toMatchObject({kind: 'exit', exitCode: 3});
    expect(seen.tail).toHaveLength(40);
    expect(seen.tail.at(-1)).toBe('line 100');
  });

  it('counts a program that was killed as failed', async () => {
    expect((await failure(sh('kill -9 $$'))).cause).toMatchObject({exitCode: 137});
  });

  it.each([
    ['is not there', {file: 'no-such-program', args: []}, /"no-such-program" was not found/],
    ['gets a NUL', {file: 'echo', args: ['a\0b']}, /NUL/],
    ['gets too long an argument', {file: 'echo', args: ['x'.repeat(200_000)]}, /128 KiB/],
    [
      'has no folder',
      {file: 'echo', args: [], cwd: '/no/such/folder'},
      /folder \/no\/such\/folder does not exist/,
    ],
    ['may not be executed', {file: '/etc/passwd', args: []}, /cannot be executed/],
  ])('says in a sentence that a program %s', async (_, request, words) => {
    const seen = await failure(runCommand({...request, seconds: 5}));
    expect(seen.cause?.kind).toBe('spawn');
    expect(seen.message).toMatch(words);
  });

  it('ends a program that ignores SIGTERM, and its children, at the deadline', async () => {
    const script = `trap "" TERM; (trap "" TERM; exec sleep 60) & echo $! > ${folder}/pid; echo begun; wait`;
    const seen = await failure(sh(script, {seconds: 0.5}));
    expect(seen).toMatchObject({
      class: 'timeout',
      cause: {kind: 'timeout', seconds: 0.5},
      tail: ['begun'],
    });
    expect(await gone(pidIn('pid'))).toBe(true);
  });

  it('does not wait for a grandchild that holds the pipe, and does not leave it behind', async () => {
    const done = await output(sh(`sleep 60 & echo $! > ${folder}/pid; echo done`));
    expect(done.stdout).toBe('done\n');
    expect(await gone(pidIn('pid'))).toBe(true);
  });

  it('ends a program when the run is cancelled', async () => {
    const abort = new AbortController();
    const running = sh(`echo $$ > ${folder}/pid; sleep 60`, {
      signal: abort.signal,
      onStart: () => setTimeout(() => abort.abort(), 200),
    });
    expect(await failure(running)).toMatchObject({class: 'cancelled'});
    expect(await gone(pidIn('pid'))).toBe(true);
  });

  it('starts nothing in a run that is cancelled already', async () => {
    const seen = await failure(sh(`touch ${folder}/started`, {signal: AbortSignal.abort()}));
    expect(seen.class).toBe('cancelled');
    expect(() => statSync(join(folder, 'started'))).toThrow();
  });

  it('lets its caller report after an interrupt', async () => {
    const adapter = new URL('../../../src/adapters/process/index.ts', import.meta.url).href;
    const script = `
      import {runCommand} from '${adapter}';
      const abort = new AbortController();
      process.once('SIGINT', () => abort.abort());
      const onStart = () => process.kill(process.pid, 'SIGINT');
      const done = await runCommand({file: 'sleep', args: ['60'], seconds: 60, signal: abort.signal, onStart});
      console.log('reported', done.error.class);
    `;
    const args = ['--input-type=module', '--eval', script];
    const done = await output(runCommand({file: process.execPath, args, seconds: 20}));
    expect(done.stdout).toBe('reported cancelled\n');
  });

  it('tells the process id, by which a later clean-up finds it', async () => {
    let pid = 0;
    const done = await output(
      sh('echo $$', {
        onStart: (id) => {
          pid = id;
        },
      }),
    );
    expect(done.stdout.trim()).toBe(String(pid));
  });

  it('replaces what is no UTF-8 in its answer, and keeps the bytes in the log', async () => {
    const path = join(folder, 'a.log');
    const log = openLog({root: folder, file: 'a.log', mask: createMask()});
    const done = await output(sh(`printf 'a\\377\\000\\033[31mb\\r\\n'`, {log}));
    await log.close();
    expect(done.stdout).toBe('a\ufffd\0\u001b[31mb\r\n');
    expect(done.tail).toEqual(['a\ufffdb']);
    expect([...readFileSync(path)]).toEqual([97, 255, 0, 27, 91, 51, 49, 109, 98, 13, 10]);
  });

  it('never tears a line of one stream with the other', async () => {
    const chunks: Buffer[] = [];
    const log: LogSink = {write: (chunk) => chunks.push(Buffer.from(chunk)), close: async () => {}};
    await output(
      sh('for i in 1 2 3 4 5; do printf aaa; printf bbb >&2; sleep 0.02; echo; echo >&2; done', {
        log,
      }),
    );
    const lines = Buffer.concat(chunks).toString().trim().split('\n');
    expect(new Set(lines)).toEqual(new Set(['aaa', 'bbb']));
  });

  it('writes 200 MB to the log and keeps little of it', async () => {
    const path = join(folder, 'big.log');
    const mask = createMask();
    mask.add(['never-there']);
    const log = openLog({root: folder, file: 'big.log', mask});
    const before = process.memoryUsage().rss;
    const done = await output(sh('yes 0123456789 | head -c 200000000', {log}));
    await log.close();
    expect(statSync(path).size).toBe(200_000_000);
    expect(done.stdout.length).toBeLessThanOrEqual(1024 * 1024);
    expect(process.memoryUsage().rss - before).toBeLessThan(120 * 1024 * 1024);
  });
});
