import {readFileSync} from 'node:fs';
import {Ajv} from 'ajv';
import {describe, expect, it} from 'vitest';
import {parse} from 'yaml';
import {mistakesOf} from '../../support/builders/specs.ts';

const root = new URL('../../../', import.meta.url);
const schema = JSON.parse(readFileSync(new URL('spec.schema.json', root), 'utf8'));
const isValid = new Ajv({allowUnionTypes: true, strict: false}).compile(schema);

function accepts(text: string): boolean {
  return isValid(parse(text, {merge: true}));
}

describe('the schema that editors use', () => {
  it.each([
    'images/spec.yml',
    '__tests__/fixtures/spec/datahub.yml',
    '__tests__/fixtures/spec/every-key.yml',
  ])('accepts %s', (file) => {
    const text = readFileSync(new URL(file, root), 'utf8');
    expect(mistakesOf(text)).toEqual([]);
    expect(accepts(text), JSON.stringify(isValid.errors)).toBe(true);
  });

  it.each([
    'tag: {prefix: v1}',
    'images: {}',
    'images: {a: {imge_name: x}}',
    'images: {a: {image_name: x/a, prune: "true"}}',
    'images: {a: {image_name: x/a, prepull: false -- later}}',
    'images: {a/b: {image_name: x/a}}',
    'images: {a: {image_name: x/a, build_args: [A]}}',
    'images: {a: {image_name: x/a, tests: {where: moon}}}',
    'images: {a: {image_name: x/a}}\nplans: {P: {}}',
    'images: {a: {image_name: x/a}}\nall_info_cmds: {V: {description: v}}',
    'images: {a: {image_name: x/a}}\ntag_prefix: v1',
  ])('refuses %j, as the action does', (text) => {
    expect(accepts(text)).toBe(false);
    expect(mistakesOf(text, 'v1')).not.toEqual([]);
  });

  /** The keys that the action knows are the ones it lists when it finds no near one. */
  it.each([
    ['the top', 'QQQQQQQQ: 1', schema.properties],
    ['an image', 'images: {a: {QQQQQQQQ: 1}}', schema.definitions.image.properties],
    ['tag', 'tag: {QQQQQQQQ: 1}', schema.properties.tag.properties],
    ['a track', 'plans: {P: {QQQQQQQQ: 1}}', schema.definitions.track.properties],
    ['tests', 'images: {a: {tests: {QQQQQQQQ: 1}}}', schema.definitions.tests.properties],
    [
      'an info command',
      'all_info_cmds: {V: {QQQQQQQQ: 1}}',
      schema.definitions.infoCommand.properties,
    ],
  ])('knows the same keys in %s', (_, text, properties) => {
    const message = mistakesOf(text).find((mistake) => mistake.includes('QQQQQQQQ'));
    const known = /Known keys: (.*)\.$/.exec(message ?? '')?.[1]?.split(', ') ?? [];
    const declared = Object.keys(properties).filter((key) => key !== 'basic_tests');
    expect(declared.toSorted()).toEqual(known.toSorted());
  });
});

describe('the examples of the docs', () => {
  it.each([
    ['docs/spec.md', 0],
    ['docs/migrating.md', -1],
  ])('%s', (file, index) => {
    const text = readFileSync(new URL(file, root), 'utf8');
    const blocks = [...text.matchAll(/```yaml\n(.*?)```/gs)].map((match) => match[1] ?? '');
    const example = blocks.at(index) ?? '';
    expect(mistakesOf(example)).toEqual([]);
    expect(accepts(example), JSON.stringify(isValid.errors)).toBe(true);
  });

  it('name every key', () => {
    const text = readFileSync(new URL('docs/spec.md', root), 'utf8');
    const {properties, definitions} = schema;
    const keys = [properties, definitions.image.properties, definitions.tests.properties].flatMap(
      (known) => Object.keys(known),
    );
    expect(keys.filter((key) => !text.includes(`\`${key}`))).toEqual([]);
  });
});
