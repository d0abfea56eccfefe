import {describe, expect, it} from 'vitest';
import type {Lookup, Published} from '../../src/adapters/registry/types.ts';
import {makePlan} from '../../src/plan/decide.ts';
import type {Evidence, PlanFacts} from '../../src/plan/facts.ts';
import type {BuildReason, Plan} from '../../src/plan/types.ts';
import {
  digestOf,
  evidenceOf,
  imageSpec,
  planFacts,
  published,
  twinRef,
} from '../support/builders/stack.ts';

const stack = [
  imageSpec('base'),
  imageSpec('left', ['base']),
  imageSpec('right', ['base']),
  imageSpec('leaf', ['left']),
];

const changed = (...keys: string[]): Partial<PlanFacts> => ({
  changes: {
    kind: 'some',
    files: new Map(keys.map((key) => [key, [`images/${key}/Dockerfile`]])),
    undeclared: [],
  },
});

/** The tests of this image failed, says its record. */
const withRed = (name: string): PlanFacts['evidence'] =>
  new Map([...planFacts(stack).evidence, [name, {...evidenceOf(name), passed: undefined}]]);

const noProofs = {proofs: new Map<string, Lookup>()};

function actions(plan: Plan): Record<string, string> {
  return Object.fromEntries(plan.images.map((image) => [image.name, image.action]));
}

function reasons(plan: Plan, name: string): readonly BuildReason[] {
  return plan.images.find((image) => image.name === name)?.reasons ?? [];
}

const withTag = (name: string, lookup: Lookup): PlanFacts['atTag'] =>
  new Map([...planFacts(stack).atTag, [name, lookup]]);

describe('makePlan', () => {
  it('skips everything when nothing changed and everything stands tested', () => {
    const plan = makePlan(planFacts(stack));
    expect(actions(plan)).toEqual({base: 'skip', left: 'skip', right: 'skip', leaf: 'skip'});
    expect(reasons(plan, 'leaf')).toEqual([{kind: 'unchanged'}]);
    expect(plan.changed).toEqual([]);
  });

  it('builds a changed leaf only, on parents that stand as they are', () => {
    const plan = makePlan(planFacts(stack, {...changed('leaf'), ...noProofs}));
    expect(actions(plan)).toEqual({base: 'skip', left: 'skip', right: 'skip', leaf: 'build'});
    expect(plan.changed).toEqual(['leaf']);
    expect(plan.images[1]?.source).toMatchObject({
      ref: 'ghcr.io/o/left:2026.3-feature',
      digest: digestOf('left'),
      manifest: {digest: digestOf('left')},
    });
  });

  it('builds every descendant of a changed image and leaves its siblings alone', () => {
    const plan = makePlan(planFacts(stack, {...changed('left'), ...noProofs}));
    expect(actions(plan)).toEqual({base: 'skip', left: 'build', right: 'skip', leaf: 'build'});
    expect(reasons(plan, 'leaf')).toEqual([{kind: 'parent', image: 'left'}]);
  });

  it('builds what a run that stopped left on another build of its parent', () => {
    const bases = new Map([
      ['left', ['base']],
      ['right', ['base']],
      ['leaf', ['left']],
    ]);
    const layers = (...names: string[]) => ({diffIds: names.map((name) => digestOf(name))});
    const atTag = (base: string, more: Partial<Published> = {}): PlanFacts['atTag'] =>
      new Map([
        ['base', published('base', {...layers(base), ...more})],
        ['left', published('left', layers('old', 'left'))],
        ['right', published('right', layers('old', 'right'))],
        ['leaf', published('leaf', layers('old', 'left', 'leaf'))],
      ]);
    const whole = {base: 'skip', left: 'skip', right: 'skip', leaf: 'skip'};
    expect(actions(makePlan(planFacts(stack, {bases, atTag: atTag('old')})))).toEqual(whole);
    const plan = makePlan(planFacts(stack, {bases, atTag: atTag('new'), ...noProofs}));
    expect(actions(plan)).toEqual({base: 'skip', left: 'build', right: 'build', leaf: 'build'});
    expect(reasons(plan, 'left')).toEqual([{kind: 'parent', image: 'base'}]);
    // What cannot be held against each other says nothing.
    const arm = stack.map((image) =>
      image.name === 'base' ? {...image, platforms: ['linux/arm64']} : image,
    );
    const foreign = {bases, atTag: atTag('new', {platform: 'linux/arm64'})};
    expect(actions(makePlan(planFacts(arm, foreign)))).toEqual(whole);
    const scripts = atTag('new', {labels: new Map()});
    const evidence = new Map([...planFacts(stack).evidence].filter(([name]) => name !== 'base'));
    const old = planFacts(stack, {bases, atTag: scripts, evidence});
    expect(actions(makePlan(old))['left']).toBe('skip');
    const hidden = stack.map((image) =>
      image.name === 'left' ? {...image, publish: false} : image,
    );
    const atTags = new Map([...atTag('new')].filter(([name]) => name !== 'left'));
    const through = makePlan(planFacts(hidden, {bases, atTag: atTags, ...noProofs}));
    expect(actions(through)).toEqual({base: 'skip', left: 'build', right: 'build', leaf: 'build'});
    expect(reasons(through, 'leaf')).toEqual([{kind: 'parent', image: 'base'}]);
  });

  it('builds an image that is missing at this tag, and what sits on it', () => {
    const atTag = withTag('left', {state: 'absent'});
    const plan = makePlan(planFacts(stack, {atTag, ...noProofs}));
    expect(actions(plan)).toEqual({base: 'skip', left: 'build', right: 'skip', leaf: 'build'});
    expect(reasons(plan, 'left')).toEqual([{kind: 'missing'}]);
  });

  it('builds an image that the registry cannot answer for', () => {
    const atTag = withTag('right', {state: 'unknown', because: '503'});
    const plan = makePlan(planFacts(stack, {atTag, ...noProofs}));
    expect(reasons(plan, 'right')).toEqual([{kind: 'unknown-registry', because: '503'}]);
  });

  const withEvidence = (name: string, more: Partial<Evidence>): PlanFacts['evidence'] =>
    new Map([...planFacts(stack).evidence, [name, {...evidenceOf(name), ...more}]]);
  const without = (name: string): PlanFacts['evidence'] =>
    new Map([...planFacts(stack).evidence].filter(([other]) => other !== name));

  it('builds an image that was proved to hold something else', () => {
    const evidence = withEvidence('right', {content: 'x'});
    const plan = makePlan(planFacts(stack, {evidence, ...noProofs}));
    expect(reasons(plan, 'right')).toEqual([
      {kind: 'stale', ref: 'ghcr.io/o/right:2026.3-feature'},
    ]);
    expect(actions(plan)).toMatchObject({left: 'skip', right: 'build'});
  });

  it('takes an image without labels for unchanged', () => {
    const atTag = withTag('right', published('right', {labels: new Map()}));
    const plan = makePlan(planFacts(stack, {atTag, evidence: without('right')}));
    expect(actions(plan).right).toBe('skip');
  });

  it('does not believe labels that nothing proves: they may be those of its base', () => {
    const plan = makePlan(planFacts(stack, {evidence: without('right'), ...noProofs}));
    expect(actions(plan)).toEqual({base: 'skip', left: 'skip', right: 'build', leaf: 'skip'});
    expect(reasons(plan, 'right')).toEqual([{kind: 'untested', ref: twinRef('right')}]);
  });

  it.each([
    ['linux/arm64', 'build'],
    ['linux/amd64', 'reuse'],
    [undefined, 'reuse'],
  ])('for amd64 an image of %s gives %s', (platform, action) => {
    const other = published('right', {platform});
    const proofs = new Map([...planFacts(stack).proofs, ['right', other]]);
    const plan = makePlan(planFacts(stack, {...changed('right'), proofs}));
    expect(actions(plan).right).toBe(action);
  });

  it('builds an image that stands for another platform', () => {
    const atTag = withTag('right', published('right', {platform: 'linux/arm64'}));
    expect(actions(makePlan(planFacts(stack, {atTag, ...noProofs}))).right).toBe('build');
  });

  it('tests again when only tests changed, and nothing proves the image by them', () => {
    const files = new Map([['left', ['images/left/test/test_a.py']]]);
    const evidence = withEvidence('left', {passed: 'older tests'});
    const facts = {changes: {kind: 'some', files, undeclared: []}, evidence, ...noProofs} as const;
    const plan = makePlan(planFacts(stack, facts));
    expect(actions(plan)).toEqual({base: 'skip', left: 'test', right: 'skip', leaf: 'skip'});
    expect(plan.changed).toEqual(['left']);
  });

  it('builds when the changed tests are a part of the image', () => {
    const files = new Map([['left', ['images/left/test/test_a.py']]]);
    const evidence = withEvidence('left', {passed: 'older tests', content: 'older'});
    const facts = {changes: {kind: 'some', files, undeclared: []}, evidence, ...noProofs} as const;
    expect(actions(makePlan(planFacts(stack, facts))).left).toBe('build');
  });

  it.each([
    ['failed them', undefined],
    ['passed others', 'older tests'],
  ])('tests again what %s, though nothing changed', (_, passed) => {
    const evidence = withEvidence('right', {passed});
    const plan = makePlan(planFacts(stack, {evidence, ...noProofs}));
    expect(reasons(plan, 'right')).toEqual([{kind: 'untested', ref: twinRef('right')}]);
    expect(actions(plan).right).toBe('test');
  });

  it('leaves an image alone that passed these tests on a base that moved since', () => {
    const evidence = withEvidence('right', {fingerprint: 'with the older base'});
    expect(actions(makePlan(planFacts(stack, {evidence, ...noProofs}))).right).toBe('skip');
  });

  it('reuses a tested twin of a changed image, and of the images on it', () => {
    const plan = makePlan(planFacts(stack, changed('left')));
    expect(actions(plan)).toEqual({base: 'skip', left: 'reuse', right: 'skip', leaf: 'reuse'});
    expect(reasons(plan, 'left').at(-1)).toEqual({kind: 'fingerprint', ref: twinRef('left')});
  });

  it('builds what was asked for by name although a twin stands', () => {
    const plan = makePlan(planFacts(stack, {requested: new Set(['right'])}));
    expect(actions(plan)).toMatchObject({left: 'skip', right: 'build'});
  });

  it.each([
    ['auto', 'build'],
    ['never', 'build'],
    ['always', 'reuse'],
  ] as const)('with reuse %s a push to the default branch gives %s', (reuse, action) => {
    const plan = makePlan(planFacts(stack, {reuse, everything: [{kind: 'default-branch'}]}));
    expect(new Set(Object.values(actions(plan)))).toEqual(new Set([action]));
    expect(plan.changed).toEqual(['base', 'left', 'right', 'leaf']);
  });

  it('goes on where the first attempt of the same run stopped, on the default branch too', () => {
    const run = {runId: '1', isRetry: true};
    const proofs = new Map([...planFacts(stack).proofs].filter(([name]) => name !== 'leaf'));
    const plan = makePlan(planFacts(stack, {run, proofs, everything: [{kind: 'default-branch'}]}));
    expect(actions(plan)).toEqual({base: 'reuse', left: 'reuse', right: 'reuse', leaf: 'build'});
  });

  it.each([
    [{runId: '1', isRetry: true}, 'reuse'],
    [{runId: '1', isRetry: false}, 'build'],
    [{runId: '2', isRetry: true}, 'build'],
  ])('a run %o of the commit that another run built gives %s', (run, action) => {
    const plan = makePlan(
      planFacts(stack, {run, everything: [{kind: 'event', event: 'schedule'}]}),
    );
    expect(actions(plan).base).toBe(action);
  });

  it('reuses what is proved on the first run of a branch', () => {
    const atTag = new Map(stack.map(({name}) => [name, {state: 'absent'} as const]));
    const plan = makePlan(
      planFacts(stack, {atTag, evidence: new Map(), everything: [{kind: 'first-run'}]}),
    );
    expect(new Set(Object.values(actions(plan)))).toEqual(new Set(['reuse']));
  });

  it('does not trust a twin whose label denies its tag', () => {
    const proofs = new Map([...planFacts(stack).proofs, ['leaf', published('left')]]);
    expect(actions(makePlan(planFacts(stack, {...changed('leaf'), proofs}))).leaf).toBe('build');
  });

  it('does not reuse a twin that sits on another parent than the one of this run', () => {
    const bases = new Map([['leaf', ['left']]]);
    const layers = [digestOf('layer left'), digestOf('layer leaf')];
    const on = (diffIds: readonly string[]): PlanFacts['proofs'] =>
      new Map([...planFacts(stack).proofs, ['leaf', published('leaf', {diffIds})]]);
    const planned = (proofs: PlanFacts['proofs']) =>
      actions(makePlan(planFacts(stack, {...changed('leaf'), bases, proofs}))).leaf;
    expect(planned(on(layers))).toBe('reuse');
    expect(planned(on([digestOf('older layer'), digestOf('layer leaf')]))).toBe('build');
  });

  it('never reuses a child of a parent that is built anew', () => {
    const proofs = new Map([...planFacts(stack).proofs].filter(([name]) => name !== 'left'));
    expect(actions(makePlan(planFacts(stack, {...changed('left'), proofs})))).toMatchObject({
      left: 'build',
      leaf: 'build',
    });
  });

  it('counts every image as changed when a BuildAll file changed', () => {
    const because = {kind: 'build-all', files: ['images/spec.yml']} as const;
    const plan = makePlan(planFacts(stack, {changes: {kind: 'all', because}, ...noProofs}));
    expect(new Set(Object.values(actions(plan)))).toEqual(new Set(['build']));
    expect(plan.changed).toHaveLength(4);
  });

  it('restricts the plan to the images asked for and their ancestors', () => {
    const plan = makePlan(
      planFacts(stack, {...changed('left', 'right'), ...noProofs, only: new Set(['leaf'])}),
    );
    expect(actions(plan)).toEqual({base: 'skip', left: 'skip', leaf: 'skip'});
  });

  it('builds an ancestor outside the restriction that is not there', () => {
    const atTag = withTag('left', {state: 'absent'});
    const plan = makePlan(
      planFacts(stack, {...changed('leaf'), ...noProofs, atTag, only: new Set(['leaf'])}),
    );
    expect(actions(plan)).toEqual({base: 'skip', left: 'build', leaf: 'build'});
    expect(reasons(plan, 'left')).toEqual([{kind: 'needed', image: 'leaf'}]);
  });

  it('tests the parent again on which it builds, also one that was not selected, where its last test was red', () => {
    const evidence = withRed('left');
    const plan = makePlan(
      planFacts(stack, {...changed('leaf'), ...noProofs, evidence, only: new Set(['leaf'])}),
    );
    expect(actions(plan)).toEqual({base: 'skip', left: 'test', leaf: 'build'});
    expect(reasons(plan, 'left').map(({kind}) => kind)).toEqual(['untested']);
    const other = planFacts(stack, {...changed('right'), evidence, only: new Set(['right'])});
    expect(actions(makePlan(other))['left']).toBeUndefined();
  });

  it('builds an unpublished parent only for a child that is built', () => {
    const images = [
      imageSpec('base', [], {publish: false}),
      imageSpec('left', ['base']),
      imageSpec('right', ['base']),
    ];
    const atTag = new Map([...planFacts(images).atTag].filter(([name]) => name !== 'base'));
    expect(actions(makePlan(planFacts(images, {atTag}))).base).toBe('skip');
    const plan = makePlan(planFacts(images, {...changed('left'), ...noProofs, atTag}));
    expect(actions(plan)).toEqual({base: 'build', left: 'build', right: 'skip'});
  });

  it('builds an unpublished image that has not passed its tests, and nothing on it: it was red, or never tested', () => {
    const images = [
      imageSpec('base', [], {publish: false}),
      imageSpec('left', ['base']),
      imageSpec('leaf', ['left']),
    ];
    const whole = planFacts(images);
    const atTag = new Map([...whole.atTag].filter(([name]) => name !== 'base'));
    const evidence = new Map([
      ...whole.evidence,
      ['base', {...evidenceOf('base'), passed: 'other'}],
    ]);
    for (const known of [evidence, new Map([...evidence].filter(([name]) => name !== 'base'))]) {
      const plan = makePlan(planFacts(images, {atTag, evidence: known, ...noProofs}));
      expect(actions(plan)).toEqual({base: 'build', left: 'skip', leaf: 'skip'});
      expect(reasons(plan, 'base').map(({kind}) => kind)).toEqual(['untested']);
      expect(plan.images[0]?.memory).toEqual({
        repository: 'ghcr.io/o/left',
        digest: digestOf('content base'),
      });
    }
    const plan = makePlan(planFacts(images, {...changed('left'), atTag, evidence, ...noProofs}));
    expect(actions(plan)).toEqual({base: 'build', left: 'build', leaf: 'build'});
  });

  it('gives levels by the deepest parent', () => {
    const images = [...stack, imageSpec('both', ['base', 'leaf'])];
    expect(makePlan(planFacts(images)).images.map((image) => image.level)).toEqual([0, 1, 1, 2, 3]);
  });
});
