import {expect, it} from 'vitest';
import {linesByCause} from '../../src/util/same-cause.ts';

const asked = (because: (ref: string) => string, ...refs: readonly string[]) =>
  refs.map((ref) => ({ref, because: because(ref)}));

it('is one line where no login was found, which each reference says for itself', () => {
  const lines = linesByCause(
    asked((ref) => `${ref}: 401. Log in.`, 'r.io/a:1', 'r.io/b:1', 'r.io/c:1'),
  );
  expect(lines).toEqual(['r.io/a:1 and 2 more: 401. Log in.']);
});

it('is one line for a cause of the whole host', () => {
  const lines = linesByCause(asked(() => 'r.io: wrong password', 'r.io/a:1', 'r.io/b:1'));
  expect(lines).toEqual(['r.io: wrong password (asked for r.io/a:1 and 1 more)']);
});

it('keeps hosts and causes apart, and leaves one alone as it is', () => {
  const lines = linesByCause([
    ...asked((ref) => `${ref}: 401`, 'r.io/a:1', 'q.io/a:1'),
    ...asked((ref) => `${ref}: 500`, 'r.io/b:1'),
  ]);
  expect(lines).toEqual(['r.io/a:1: 401', 'q.io/a:1: 401', 'r.io/b:1: 500']);
  expect(linesByCause([])).toEqual([]);
});
