import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {parse} from 'yaml';

const read = (file: string): string => readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');
const action = parse(read('action.yml')) as {
  inputs: Record<string, unknown>;
  outputs: Record<string, unknown>;
};

function namesIn(source: string, pattern: RegExp): ReadonlySet<string> {
  return new Set([...source.matchAll(pattern)].map((match) => match[1] ?? ''));
}

describe('action.yml', () => {
  it('declares exactly the inputs that the program reads', () => {
    const reads = namesIn(
      read('src/run/inputs.ts'),
      /(?:getInput|oneOf|optional|wholeNumber)\(\s*'([a-z-]+)'/g,
    );
    expect([...reads].toSorted()).toEqual(Object.keys(action.inputs).toSorted());
  });

  it.each([['inputs'], ['outputs']] as const)(
    'has the same %s as the tables of README.md',
    (kind) => {
      const section = read('README.md').split(`<!-- ${kind}-start -->`)[1]?.split('<!--')[0] ?? '';
      const rows = namesIn(section, /^\| `([a-z-]+)`/gm);
      expect([...rows]).toEqual(Object.keys(action[kind]));
    },
  );
});
