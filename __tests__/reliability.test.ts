import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, it} from 'vitest';
import {failureClasses} from '../src/failure.ts';

const page = readFileSync(join(import.meta.dirname, '../docs/reliability.md'), 'utf8');

/** ``| … | `file`: title; title |`` */
const named = [...page.matchAll(/`([\w/-]+\.test\.ts)`: ([^|]+) \|$/gm)].flatMap(
  ([, file = '', titles = '']) => titles.split('; ').map((title) => ({file, title})),
);

it('names tests that exist', () => {
  const missing = named.filter(({file, title}) => {
    const path = join(import.meta.dirname, file);
    return !existsSync(path) || !readFileSync(path, 'utf8').includes(title);
  });
  expect(missing).toEqual([]);
  expect(named.length).toBeGreaterThan(70);
});

it('maps each of the 48 defects of the scripts', () => {
  const numbers = [...page.matchAll(/^\| (\d+) \| .*\.test\.ts/gm)].map(([, number]) =>
    Number(number),
  );
  expect(numbers).toEqual(Array.from({length: 48}, (_, index) => index + 1));
});

it('explains every class of failure', () => {
  const rows = [...page.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name]) => name);
  expect(rows).toEqual([...failureClasses]);
});
