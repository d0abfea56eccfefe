import {afterEach, beforeEach, expect, it, vi} from 'vitest';
import {createDockerCli, type DockerCall} from '../../../src/adapters/docker/cli.ts';
import type {RunCommand} from '../../../src/adapters/process/index.ts';
import {failure} from '../../../src/failure.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** An engine that never answers: only the signal ends a call. */
function hanging() {
  const asked: string[] = [];
  const run: RunCommand = async ({args, signal}) => {
    asked.push(args[0] ?? '');
    const ended = failure('cancelled', 'The run was cancelled.');
    return new Promise((resolve) => {
      const end = (): void => resolve({ok: false, error: ended});
      if (signal?.aborted === true) end();
      signal?.addEventListener('abort', end);
    });
  };
  const stop = new AbortController();
  const call = createDockerCli({run, env: {}, cwd: '/', stop: stop.signal});
  const question = (name: string, more: Partial<DockerCall> = {}): DockerCall => ({
    args: [name],
    operation: 'other',
    subject: name,
    seconds: 60,
    ...more,
  });
  return {asked, stop, ask: (name: string) => call(question(name)), call, question};
}

it('ends what cleans up after a cancelled run two seconds later, and asks a silent engine no more', async () => {
  const {ask, stop} = hanging();
  const before = ask('tag');
  await vi.advanceTimersByTimeAsync(30_000);
  stop.abort();
  const after = ask('rm');
  const ends = Promise.all([before, after]);
  await vi.advanceTimersByTimeAsync(1999);
  await expect(Promise.race([ends, 'waiting'])).resolves.toBe('waiting');
  await vi.advanceTimersByTimeAsync(1);
  expect(await ends).toMatchObject([{ok: false}, {ok: false}]);
  // Without a further moment passing.
  expect(await ask('image')).toMatchObject({ok: false});
});

it('leaves a call with a signal of its own to that', async () => {
  const {call, question, stop} = hanging();
  const own = new AbortController();
  const asked = call(question('build', {options: {signal: own.signal}}));
  stop.abort();
  await vi.advanceTimersByTimeAsync(60_000);
  await expect(Promise.race([asked, 'waiting'])).resolves.toBe('waiting');
  own.abort();
  expect(await asked).toMatchObject({ok: false});
});
