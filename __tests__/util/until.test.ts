import {expect, it} from 'vitest';
import {untilAborted} from '../../src/util/until.ts';

const never = new Promise<string>(() => undefined);

it.each([
  ['before', (stop: AbortController) => stop.abort()],
  ['while it waits', (stop: AbortController) => void setImmediate(() => stop.abort())],
])('gives up what never answers where the signal comes %s', async (_, abort) => {
  const stop = new AbortController();
  abort(stop);
  expect(await untilAborted(never, stop.signal, 'given up')).toBe('given up');
});

it('has the answer where it comes within the grace, and where there is no signal', async () => {
  const stop = new AbortController();
  stop.abort();
  const soon = new Promise<string>((resolve) => void setImmediate(() => resolve('answer')));
  expect(await untilAborted(soon, stop.signal, 'given up', 20_000)).toBe('answer');
  expect(await untilAborted(Promise.resolve('answer'), undefined, 'given up')).toBe('answer');
});

it('passes an error on', async () => {
  const failed = Promise.reject(new Error('no'));
  await expect(untilAborted(failed, new AbortController().signal, 1)).rejects.toThrow('no');
});
