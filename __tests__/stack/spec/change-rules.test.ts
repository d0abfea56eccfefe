import {expect, it} from 'vitest';
import {parseChangeRules} from '../../../src/stack/spec/change-rules.ts';
import {SpecError} from '../../../src/stack/yaml/findings.ts';

const parse = (text: string) => parseChangeRules('images/change_ignore.json', text);

it('reads both lists', () => {
  const text = '{\n\t"ChangeIgnore": ["README.md", "docs/"],\n\t"BuildAll": ["tests_common"]\n}\n';
  expect(parse(text)).toEqual({ignore: ['README.md', 'docs'], buildAll: ['tests_common']});
});

it('takes a missing list for an empty one', () => {
  expect(parse('\uFEFF{"BuildAll": null}\r\n')).toEqual({ignore: [], buildAll: []});
});

it.each([
  ['', '1:1: bad JSON: Unexpected end of JSON input.'],
  ['{\n  "BuildAll": ["a"\n  "b"]}', '3:3: bad JSON: '],
  ['{"BuildAll": [\n"a",\n]}', '2:4: bad JSON: a comma follows the last entry.'],
  ['{"BuildAll": oops}', "1:1: bad JSON: Unexpected token 'o'."],
  ["{'a': 1}", '1:2: bad JSON: '],
  ['[]', '1:1: the file must contain keys (ChangeIgnore, BuildAll), not a list.'],
  ['{\n  "Buildall": []\n}', '2:3: unknown key "Buildall" in the file. Did you mean "BuildAll"?'],
  ['{"BuildAll": {}}', '1:14: BuildAll of the file must be text, not a mapping.'],
  ['{"BuildAll": ["a/b.txt"]}', '1:15: BuildAll has "a/b.txt". Only names directly below'],
  ['{"BuildAll": [], "BuildAll": []}', '1:18: duplicate key "BuildAll" (first defined at'],
])('refuses %j with its place', (text, message) => {
  expect(() => parse(text)).toThrow(SpecError);
  expect(() => parse(text)).toThrow(`images/change_ignore.json:${message}`);
});

it('names all mistakes at once', () => {
  expect(() => parse('{"Build": [], "ChangeIgnore": ["a/b"]}')).toThrow(
    /unknown key "Build"[^\n]*\n[^\n]*ChangeIgnore has "a\/b"/,
  );
});
