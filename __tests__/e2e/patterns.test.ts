import {rm} from 'node:fs/promises';
import {dirname} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {compileGoMatch} from '../../src/adapters/build-context/go-match.ts';
import {compileIgnore} from '../../src/adapters/build-context/ignore.ts';
import type {Match} from '../../src/adapters/build-context/patterns.ts';
import {createChance} from '../support/builders/chance.ts';
import {type Answer, buildOracle, type Oracle} from '../support/patternmatcher/index.ts';

/** Everything that means something to docker's patterns, to the regular expressions behind them, or to Go's Match. */
const bits = [
  ...['a', 'b', 'c', 'dir', 'sub', '*', '**', '?', '/', '/', '.', '..', '[a-c]', '[^a]', '[!a]'],
  ...['[*]', '[a?]', '[[]', '[]]', '[[:alpha:]]', '[^[:^digit:]]', '[a-', '[-a]', '[a\\-c]', '-'],
  ...['\\a', '\\*', '\\d', '\\D', '\\b', '\\B', '\\w', '\\.', '\\', '\\Q', '\\E', '\\x61', '\\141'],
  ...['\\1', '\\pL', '\\p{Greek}', '^', '$', '+', '(', ')', '{', '|', '!', '#', ' ', 'ü', '.txt'],
  ...['{2}', '{,2}', '{1,}', 'x}', '\t', '\ufeff', '\u0085', '\u00a0', '\r'],
];

const names = [
  ...['a', 'b', 'a.b/c', 'dir/a', 'dir/sub/a', 'dir/sub/b.txt', '.x', 'dir/.x', 'a[1]', 'star*x'],
  ...['back\\s', '#h', '!bang', 'ü', 'a/b/c', 'abc', 'a b', 'dirt', 'a^b', 'a$', '(a)', 'λ', '1'],
  ...['1/2', 'a-c', 'a/b', 'a.b', 'z/a', 'z/dir/a', ']', 'aa', 'ab', 'ba', 'b/a', 'x}', 'a{2}'],
];
/** Folders before what is in them. */
const paths = [
  ...new Set(
    names.flatMap((name) => name.split('/').map((_, at, all) => all.slice(0, at + 1).join('/'))),
  ),
];

const refused: Answer = {refused: true, matched: null};

function ofIgnore(text: string): Answer {
  try {
    const rules = compileIgnore(text);
    const found = new Map<string, Match>();
    const matched = paths.map((path) => {
      const match = rules.match(path, found.get(dirname(path)));
      found.set(path, match);
      return match.isOut;
    });
    return {refused: false, matched};
  } catch {
    return refused;
  }
}

function ofMatch(pattern: string): Answer {
  try {
    const matcher = compileGoMatch(pattern);
    return {refused: false, matched: paths.map((path) => matcher.matches(path))};
  } catch {
    return refused;
  }
}

const count = Number(process.env['SOAK_PATTERNS'] ?? 20_000);
let oracle: Oracle;

beforeAll(async () => {
  oracle = await buildOracle();
});

afterAll(() => rm(dirname(oracle.program), {recursive: true}));

describe('random patterns mean what they mean to docker', () => {
  const {pick, upTo} = createChance(Number(process.env['SOAK_SEED'] ?? 1));
  const many = (make: () => string, most: number): readonly string[] =>
    Array.from({length: 1 + upTo(most)}, make);
  const pattern = (): string => (upTo(3) === 0 ? '!' : '') + many(() => pick(bits), 6).join('');

  it('in a .dockerignore', () => {
    const texts = Array.from({length: count}, () => many(pattern, 4).join('\n'));
    const theirs = oracle.ask(texts.map((ignore) => ({ignore, paths})));
    const wrong = texts.filter((text, at) => different(ofIgnore(text), theirs[at]));
    expect(wrong).toEqual([]);
    expect(theirs.filter((answer) => !answer.refused).length).toBeGreaterThan(count / 3);
  });

  it('as a source of COPY', () => {
    const patterns = Array.from({length: count}, pattern);
    const theirs = oracle.ask(patterns.map((match) => ({match, paths})));
    const ours = patterns.map(ofMatch);
    // Go does not look at what is behind a part that does not match; here that is refused, and everything counts.
    const wrong = patterns.filter((_, at) => {
      const isDoubt = ours[at]?.refused === true && theirs[at]?.refused === false;
      return !isDoubt && different(ours[at], theirs[at]);
    });
    expect(wrong).toEqual([]);
  });
});

function different(ours: Answer | undefined, theirs: Answer | undefined): boolean {
  return JSON.stringify(ours) !== JSON.stringify(theirs);
}
