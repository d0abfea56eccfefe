import {describe, expect, it} from 'vitest';
import type {Lookup} from '../../src/adapters/registry/types.ts';
import type {ImageRecord, Tested} from '../../src/fingerprint/index.ts';
import {makeTagPlan} from '../../src/promote/plan.ts';
import type {TagAt, TagFacts} from '../../src/promote/types.ts';
import {digestOf, published} from '../support/builders/stack.ts';
import {manifestOf} from '../support/fakes/tag-registry.ts';

const stable = (name: string, digest?: string): TagAt => ({
  ref: `ghcr.io/o/${name}:2026.3-stable`,
  isExtra: false,
  current: {state: 'known', manifest: digest === undefined ? undefined : manifestOf(digest)},
});

function facts(name: string, more: Partial<TagFacts> = {}): TagFacts {
  return {
    name,
    source: `ghcr.io/o/${name}:2026.3-main`,
    lookup: published(name),
    targets: [stable(name)],
    tested: {state: 'passed', by: 'proof'},
    bases: [],
    copies: [],
    record: undefined,
    similar: undefined,
    denied: undefined,
    ...more,
  };
}

const layers = (...names: string[]): Lookup =>
  published('leaf', {diffIds: names.map((name) => digestOf(`layer ${name}`))});

describe('makeTagPlan', () => {
  it('moves a tested set, and knows what each tag pointed to before', () => {
    const plan = makeTagPlan([
      facts('base', {targets: [stable('base', digestOf('old'))]}),
      facts('leaf'),
    ]);
    expect(plan.refusals).toEqual([]);
    expect(plan.warnings).toEqual([]);
    expect(
      plan.moves.map(({target, after, before, revision}) => [
        target,
        after?.digest,
        before?.digest,
        revision,
      ]),
    ).toEqual([
      ['ghcr.io/o/base:2026.3-stable', digestOf('base'), digestOf('old'), 'c0ffee'],
      ['ghcr.io/o/leaf:2026.3-stable', digestOf('leaf'), undefined, 'c0ffee'],
    ]);
  });

  it('moves further tags of the image to the same digest', () => {
    const latest: TagAt = {...stable('base', digestOf('old')), ref: 'ghcr.io/o/base:latest'};
    const {moves} = makeTagPlan([facts('base', {targets: [stable('base'), latest]})]);
    expect(moves.map(({target, after}) => [target, after?.digest])).toEqual([
      ['ghcr.io/o/base:2026.3-stable', digestOf('base')],
      ['ghcr.io/o/base:latest', digestOf('base')],
    ]);
  });

  it('says once what holds for every image: a wrong password is one line', () => {
    const because = 'ghcr.io: the registry returned 401. Check the input "password".';
    const {refusals} = makeTagPlan(
      ['a', 'b', 'c'].map((name) => facts(name, {lookup: {state: 'unknown', because}})),
    );
    expect(refusals).toEqual([
      `The registry could not be queried: ${because} The same holds for all 3: o/a:2026.3-main, o/b:2026.3-main, o/c:2026.3-main.`,
    ]);
  });

  it('names every cause at once', () => {
    const silent = {state: 'unknown', because: 'timeout'} as const;
    const {refusals} = makeTagPlan([
      facts('a', {lookup: {state: 'absent'}, tested: undefined}),
      facts('b', {lookup: {state: 'unknown', because: '503'}, tested: undefined}),
      facts('c', {targets: [{...stable('c'), current: silent}]}),
      facts('d', {tested: {state: 'failed', because: 'its record says so'}}),
      facts('e', {denied: 'the token cannot write'}),
      facts('f', {targets: [{...stable('f'), ref: 'ghcr.io/o/f:no tag'}]}),
    ]);
    expect(refusals).toHaveLength(6);
    expect(refusals.join('\n')).toMatch(
      /queried: 503.*b:2026.3-main\)\n.*queried: timeout.*c:2026.3-stable\)\n.*cannot write.*o\/e\)\n.*a:2026.3-main is not in.*\n.*d:2026.3-main.*did not pass.*record says so.*\n.*no tag is not a valid tag/,
    );
  });

  it('refuses an empty set', () => {
    expect(makeTagPlan([]).refusals).toHaveLength(1);
  });

  it('refuses a tag that two images would take from each other', () => {
    const twice = {targets: [stable('base')]};
    const {refusals} = makeTagPlan([facts('one', twice), facts('two', twice)]);
    expect(refusals).toEqual([expect.stringMatching(/base:2026.3-stable.*one, two/)]);
  });

  it.each([
    ['with the nearest first', ['2026.3-main', '2026.3-dev'], ': 2026.3-main, 2026.3-dev.'],
    ['where there are none', [], 'has no tags'],
    ['and no more than ten', Array.from({length: 12}, (_, at) => `t${at}`), 't9, and 2 more.'],
  ])('lists the tags that do exist for a missing source, %s', (_, similar, words) => {
    const missing = facts('base', {lookup: {state: 'absent'}, tested: undefined, similar});
    expect(makeTagPlan([missing]).refusals[0]).toContain(words);
  });
});

describe('lineage', () => {
  const child = (lookup: Lookup, more: Partial<TagFacts> = {}) =>
    facts('leaf', {lookup, bases: ['base'], ...more});

  it('refuses a child that is not built on the parent promoted with it', () => {
    expect(makeTagPlan([facts('base'), child(layers('base', 'leaf'))]).refusals).toEqual([]);
    const [refusal] = makeTagPlan([facts('base'), child(layers('other', 'leaf'))]).refusals;
    expect(refusal).toContain('leaf:2026.3-main is not built on ghcr.io/o/base:2026.3-main');
  });

  it('does not ask about a parent that is not promoted with it', () => {
    expect(makeTagPlan([child(layers('other', 'leaf'))]).refusals).toEqual([]);
  });

  const recordOf = (digest: string): ImageRecord => ({
    digest: digestOf('leaf'),
    tests: {hash: 'x', verdict: 'passed'},
    parents: [{image: 'tools', digest}],
  });

  it('asks the record where the images have no platform in common', () => {
    const arm = published('leaf', {platform: 'linux/arm64', diffIds: [digestOf('arm')]});
    const text = JSON.stringify({manifests: [{digest: digestOf('tools arm')}]});
    const lookup = published('tools', {platform: 'linux/amd64', bytes: Buffer.from(text)});
    const count = (record: ImageRecord | undefined) => {
      const images = [
        facts('tools', {lookup}),
        facts('leaf', {lookup: arm, bases: ['tools'], record}),
      ];
      const {refusals, warnings} = makeTagPlan(images);
      return [refusals.length, warnings.length];
    };
    expect(count(recordOf(digestOf('tools arm')))).toEqual([0, 0]);
    expect(count(recordOf(digestOf('tools')))).toEqual([0, 0]);
    expect(count(recordOf(digestOf('other')))).toEqual([1, 0]);
    expect(count(undefined)).toEqual([0, 1]);
  });

  it.each([
    ['of this build of the parent', recordOf(digestOf('tools')), 0, 0],
    ['of another build of the parent', recordOf(digestOf('other')), 1, 0],
    ['of other parents only', {...recordOf(''), parents: []}, 0, 1],
    ['that does not exist', undefined, 0, 1],
  ])('checks what a COPY --from took by a record %s', (_, record, refusals, warnings) => {
    const plan = makeTagPlan([facts('tools'), facts('leaf', {copies: ['tools'], record})]);
    expect(plan.refusals).toHaveLength(refusals);
    expect(plan.warnings).toHaveLength(warnings);
  });
});

describe('proof', () => {
  it.each<[Tested, number, number]>([
    [{state: 'passed', by: 'record'}, 0, 0],
    [{state: 'passed', by: 'proof'}, 0, 0],
    [{state: 'passed', by: 'old-proof'}, 0, 1],
    [{state: 'unlabelled'}, 0, 1],
    [{state: 'failed', because: 'no'}, 1, 0],
    [{state: 'unknown', because: '503'}, 1, 0],
  ])('%o: %i refusals, %i warnings', (tested, refusals, warnings) => {
    const plan = makeTagPlan([facts('base', {tested})]);
    expect(plan.refusals).toHaveLength(refusals);
    expect(plan.warnings).toHaveLength(warnings);
  });

  it('promotes an image that this action did not build, without a commit', () => {
    const lookup = published('base', {labels: new Map()});
    const plan = makeTagPlan([facts('base', {lookup, tested: {state: 'unlabelled'}})]);
    expect(plan.moves[0]?.revision).toBeUndefined();
    expect(plan.warnings[0]).toContain('no fingerprint label');
  });
});
