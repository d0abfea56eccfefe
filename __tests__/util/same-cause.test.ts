import {expect, it} from 'vitest';
import {linesByCause} from '../../src/util/same-cause.ts';

const asked = (because: (ref: string) => string, ...refs: readonly string[]) =>
  refs.map((ref) => ({ref, because: because(ref)}));

it('is one line where no login was found, which each reference says for itself', () => {
  const lines = linesByCause(
    asked((ref) => `${ref}: 401. Log in.`, 'r.io/a:1', 'r.io/b:1', 'r.io/c:1'),
  );
  expect(lines).toEqual(['r.io: 401. Log in. The same holds for all 3: a:1, b:1, c:1.']);
});

it('is one line for a cause of the whole host', () => {
  const lines = linesByCause(asked(() => 'r.io: wrong password', 'r.io/a:1', 'r.io/b:1'));
  expect(lines).toEqual(['r.io: wrong password. The same holds for all 2: a:1, b:1.']);
});

it('keeps hosts and causes apart, and leaves one alone as it is', () => {
  const lines = linesByCause([
    ...asked((ref) => `${ref}: 401`, 'r.io/a:1', 'q.io/a:1'),
    ...asked((ref) => `${ref}: 500`, 'r.io/b:1'),
  ]);
  expect(lines).toEqual(['r.io/a:1: 401', 'q.io/a:1: 401', 'r.io/b:1: 500']);
  expect(linesByCause([])).toEqual([]);
});

it('counts what does not fit, names a reference once, and knows that no host is Docker Hub', () => {
  const many = Array.from({length: 15}, (_, index) => `acme/i${index}:1`);
  const [line = '', ...others] = linesByCause(asked((ref) => `${ref}: 401`, ...many, ...many));
  expect(others).toEqual([]);
  expect(line).toMatch(
    /^docker\.io: 401\. The same holds for all 15: acme\/i0:1, .* and 3 more\.$/,
  );
  const single = linesByCause(asked(() => 'r.io: 401', 'r.io/a:1'));
  expect(single).toEqual(['r.io: 401 (asked for r.io/a:1)']);
});
