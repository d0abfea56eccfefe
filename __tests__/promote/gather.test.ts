import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {openWorkspace} from '../../src/adapters/files/index.ts';
import type {Lookup} from '../../src/adapters/registry/types.ts';
import {fail, failure, ok} from '../../src/failure.ts';
import {readTagFacts, readTagRequest} from '../../src/promote/gather.ts';
import {makeTagPlan} from '../../src/promote/plan.ts';
import type {FactPorts} from '../../src/promote/types.ts';
import {readInputs} from '../../src/run/index.ts';
import {digestOf, labelsOf, published} from '../support/builders/stack.ts';
import {tagRegistry} from '../support/fakes/tag-registry.ts';

let root: string;
const saved = {...process.env};

const files: Readonly<Record<string, string>> = {
  'images/spec.yml': [
    'images:',
    '  tools: {image_name: r.io/o/tools}',
    '  base: {image_name: r.io/o/base}',
    '  leaf: {image_name: r.io/o/leaf, depend_on: [base, tools]}',
    'tag: {prefix: "1"}',
  ].join('\n'),
  'images/tools/Dockerfile': 'FROM scratch\n',
  'images/base/Dockerfile': 'FROM scratch\n',
  'images/leaf/Dockerfile':
    'ARG BASE_TAG\nFROM r.io/o/tools:$BASE_TAG AS tools\nFROM r.io/o/base:$BASE_TAG\nCOPY --from=tools /a /a\n',
};

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'gather-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), {recursive: true});
    writeFileSync(join(root, name), text);
  }
  process.env['INPUT_MODE'] = 'tag';
  process.env['INPUT_SOURCE-TAG'] = '1-main';
});
afterEach(() => {
  rmSync(root, {recursive: true, force: true});
  process.env = {...saved};
});

const request = (extra: readonly string[] = []) =>
  readTagRequest({inputs: readInputs(), workspace: openWorkspace(root)}, () => () => extra);

/** The facts of an image, where every source has our labels unless the look-up says otherwise. */
async function factsOf(
  name: string,
  ports: Partial<FactPorts> = {},
  more: {readonly lookup?: Lookup; readonly extra?: readonly string[]} = {},
) {
  const registry = {
    ...tagRegistry(new Map([['r.io/o/base:1-stable', digestOf('old')]])),
    inspect: async (ref: string) =>
      more.lookup ?? published(/o\/(\w+):/.exec(ref)?.[1] ?? '', {labels: labelsOf('x')}),
  };
  const read = await readTagFacts({registry, ...ports}, await request(more.extra));
  const facts = read.facts.find((one) => one.name === name);
  if (facts === undefined) throw new Error(`no facts of ${name}`);
  return {...facts, all: read};
}

describe('what is read before a promotion', () => {
  it('looks through a base that is not published: the layers begin with those of its own base', async () => {
    const spec = [
      'images:',
      '  base: {image_name: r.io/o/base}',
      '  mid: {image_name: r.io/o/mid, publish: false}',
      '  leaf: {image_name: r.io/o/leaf}',
      'tag: {prefix: "1"}',
    ].join('\n');
    writeFileSync(join(root, 'images/spec.yml'), spec);
    mkdirSync(join(root, 'images/mid'));
    writeFileSync(join(root, 'images/mid/Dockerfile'), 'FROM r.io/o/base:1\n');
    writeFileSync(join(root, 'images/leaf/Dockerfile'), 'FROM r.io/o/mid:1\n');
    const leaf = await factsOf('leaf', {
      readRecord: async () => ok(undefined),
    });
    expect(leaf.bases).toEqual(['base']);
    expect(leaf.all.facts.map(({name}) => name)).toEqual(['base', 'leaf']);
  });

  it('names further tags after the commit that the image was built from', async () => {
    const asked: (string | undefined)[] = [];
    const registry = {
      ...tagRegistry(new Map()),
      inspect: async () => published('base', {labels: labelsOf('x')}),
    };
    const wish = await readTagRequest(
      {inputs: readInputs(), workspace: openWorkspace(root)},
      () => (image, revision) => {
        asked.push(revision);
        return [`${image.tagPrefix}-${revision}`];
      },
    );
    const {facts} = await readTagFacts({registry}, wish);
    expect(new Set(asked)).toEqual(new Set(['c0ffee']));
    expect(facts[0]?.targets.map(({ref, isExtra}) => [ref.split(':')[1], isExtra])).toEqual([
      ['1-stable', false],
      ['1-c0ffee', true],
    ]);
  });

  it('is every image with its tag, and the edges of its Dockerfile', async () => {
    const {names, images} = await request();
    expect(names).toEqual({prefix: '1', source: '1-main', target: '1-stable'});
    expect(images.map(({name}) => name)).toContain('leaf');
    expect(await factsOf('leaf')).toMatchObject({
      source: 'r.io/o/leaf:1-main',
      bases: ['base'],
      copies: ['tools'],
      targets: [{ref: 'r.io/o/leaf:1-stable', isExtra: false, current: {state: 'known'}}],
    });
    const [target] = (await factsOf('base')).targets;
    expect(target?.current).toMatchObject({manifest: {digest: digestOf('old')}});
  });

  it('has further tags once each', async () => {
    const {targets} = await factsOf('base', {}, {extra: ['latest', '1-stable', 'latest']});
    expect(targets.map(({ref, isExtra}) => [ref, isExtra])).toEqual([
      ['r.io/o/base:1-stable', false],
      ['r.io/o/base:latest', true],
    ]);
  });

  it('asks for records of our own images only, and says which one cannot be read', async () => {
    const asked: string[] = [];
    const readRecord: FactPorts['readRecord'] = async ({repository, digest}) => {
      asked.push(repository);
      return repository === 'r.io/o/base'
        ? fail(failure('registry-inconsistent', 'it is not JSON'))
        : ok({digest, tests: {hash: 'x', verdict: 'passed'}, parents: []});
    };
    const {tested, all} = await factsOf('leaf', {readRecord});
    expect(tested).toMatchObject({state: 'passed', by: 'record'});
    expect(all.warnings).toEqual([expect.stringMatching(/record of r.io\/o\/base.*not JSON/)]);
    expect(asked.toSorted()).toEqual(['r.io/o/base', 'r.io/o/leaf', 'r.io/o/tools']);
    asked.length = 0;
    await factsOf('leaf', {readRecord}, {lookup: published('x', {labels: new Map()})});
    expect(asked).toEqual([]);
  });

  it('lists, for a source with a typo, the tags that do exist: nearest first, none of our own', async () => {
    process.env['INPUT_SOURCE-TAG'] = '1-mian';
    const tags: FactPorts['tags'] = async () =>
      ok(['1-dev', `fp-${'0'.repeat(16)}`, '1-main', `rec-${'0'.repeat(16)}`, 'stable']);
    const facts = await factsOf('base', {tags}, {lookup: {state: 'absent'}});
    expect(facts.similar).toEqual(['1-main', '1-dev', 'stable']);
    expect(makeTagPlan([facts]).refusals[0]).toBe(
      'r.io/o/base:1-mian is not in the registry. Its repository has these tags: 1-main, 1-dev, stable.',
    );
  });

  it('says only that it is missing where the tags cannot be listed', async () => {
    const tags: FactPorts['tags'] = async () => fail(failure('permission', 'no'));
    const facts = await factsOf('base', {tags}, {lookup: {state: 'absent'}});
    expect(facts.similar).toBeUndefined();
    expect(makeTagPlan([facts]).refusals[0]).toBe('r.io/o/base:1-main is not in the registry.');
  });

  it('says where this run may not push', async () => {
    const mayPush: FactPorts['mayPush'] = async () =>
      fail(failure('permission', 'denied', {hint: 'Mend it.'}));
    expect((await factsOf('base', {mayPush})).denied).toBe('denied Mend it.');
  });
});
