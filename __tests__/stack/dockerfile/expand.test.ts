// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Dockerfiles write their variables so.

import {expect, it} from 'vitest';
import {expandWord} from '../../../src/stack/dockerfile/expand.ts';

const values = new Map([
  ['A', 'x'],
  ['EMPTY', ''],
  ['VERSION', 'v1.2.3-rc1'],
  ['PATHS', 'a/b/c'],
]);
function expand(word: string, escapeChar = '\\'): string {
  const expanded = expandWord(word, (name) => values.get(name), {escapeChar});
  return expanded.ok ? expanded.text : `! ${expanded.message}`;
}

it.each([
  ['debian:12', 'debian:12'],
  ['$A', 'x'],
  ['${A}y', 'xy'],
  ['$A-$A', 'x-x'],
  ['$Ay', ''],
  ['$UNSET', ''],
  ['${UNSET}', ''],
  ['${UNSET:-d}', 'd'],
  ['${UNSET-d}', 'd'],
  ['${EMPTY:-d}', 'd'],
  ['${EMPTY-d}', ''],
  ['${A:-d}', 'x'],
  ['${A:+alt}', 'alt'],
  ['${EMPTY:+alt}', ''],
  ['${EMPTY+alt}', 'alt'],
  ['${UNSET:+alt}', ''],
  ['${A:?message}', 'x'],
  ['${UNSET:-${A}}', 'x'],
  ['${UNSET:-${UNSET:-deep}}-end', 'deep-end'],
  ['${UNSET:-"a}b"}', 'a}b'],
  ['${VERSION#v}', '1.2.3-rc1'],
  ['${VERSION%-*}', 'v1.2.3'],
  ['${PATHS#*/}', 'b/c'],
  ['${PATHS##*/}', 'c'],
  ['${PATHS%/*}', 'a/b'],
  ['${PATHS%%/*}', 'a'],
  ['${VERSION%nothing}', 'v1.2.3-rc1'],
  ['${VERSION/./_}', 'v1_2.3-rc1'],
  ['${VERSION//./_}', 'v1_2_3-rc1'],
  ['"$A b"', 'x b'],
  ["'$A'", '$A'],
  [`"'$A'"`, "'x'"],
  ['\\$A', '$A'],
  ['a\\b', 'ab'],
  ['$', '$'],
  ['$1', ''],
  ['${', '! a "}" is missing'],
  ['${A', '! a "}" is missing'],
  ['${A!b}', '! bad substitution: "!" is not a modifier that Docker knows'],
  ['${UNSET:?why}', '! UNSET: why'],
  ['"$A', '! a double quote is not closed'],
  ['${PATHS/\\//-}', 'a-b/c'],
  ['${PATHS//\\//-}', 'a-b-c'],
])('%s is %j', (word, value) => {
  expect(expand(word)).toBe(value);
});

it('takes the escape character of the file', () => {
  expect(expand('`$A', '`')).toBe('$A');
  expect(expand('\\$A', '`')).toBe('\\x');
});

it('takes no exponential time for a hostile pattern', () => {
  const long = `${'a'.repeat(2_000)}`;
  const expanded = expandWord('${L%%*a*a*a*a*a*a*a*a*b}', () => long);
  expect(expanded).toEqual({ok: true, text: long, words: [long]});
});
