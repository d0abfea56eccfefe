import {describe, expect, it} from 'vitest';
import {labels} from '../../src/image/tags.ts';
import {makePlan} from '../../src/plan/decide.ts';
import type {PlanFacts} from '../../src/plan/facts.ts';
import type {Plan} from '../../src/plan/types.ts';
import {
  digestOf,
  evidenceOf,
  imageSpec,
  labelsOf,
  planFacts,
  published,
} from '../support/builders/stack.ts';

const stack = [
  imageSpec('base'),
  imageSpec('mid', ['base']),
  imageSpec('leaf', ['mid']),
  imageSpec('side', ['base']),
];

/** What this run built: its label names run 2. */
const ofThisRun = (name: string) =>
  published(name, {labels: labelsOf(name, {[labels.run]: '2'}), digest: digestOf(`new ${name}`)});

function leg(only: string, more: Partial<PlanFacts> = {}): Plan {
  return makePlan(planFacts(stack, {only: new Set(only.split(',')), parents: 'ready', ...more}));
}

const atTag = (...built: readonly string[]): Partial<PlanFacts> => {
  const plain = planFacts(stack).atTag;
  return {
    atTag: new Map(
      [...plain].map(([name, old]) => [name, built.includes(name) ? ofThisRun(name) : old]),
    ),
  };
};
const fresh: Partial<PlanFacts> = {everything: [{kind: 'default-branch'}], proofs: new Map()};
const shape = (plan: Plan): readonly string[] =>
  plan.images.map(({name, action, missingParent}) =>
    missingParent === undefined ? `${name} ${action}` : `${name} waits for ${missingParent}`,
  );

describe('a leg of a run', () => {
  it('takes a parent of this run where a fresh build is the wish', () => {
    expect(shape(leg('mid', {...fresh, ...atTag('base')}))).toEqual(['base skip', 'mid build']);
  });

  it('takes no older parent there, though its content and tests are the same', () => {
    expect(shape(leg('mid,leaf', fresh))).toEqual([
      'base skip',
      'mid waits for base',
      'leaf build',
    ]);
  });

  it('takes an older parent with which nothing was to be done', () => {
    const changes = {
      kind: 'some',
      files: new Map([['mid', ['images/mid/x']]]),
      undeclared: [],
    } as const;
    const one = leg('mid', {
      changes,
      proofs: new Map(),
      ...{evidence: new Map([['base', evidenceOf('base')]])},
    });
    expect(shape(one)).toEqual(['base skip', 'mid build']);
  });

  it('looks through an ancestor that was to be built on a new parent', () => {
    expect(shape(leg('leaf', {...fresh, ...atTag('base')}))).toContain('leaf waits for mid');
    const changes = {
      kind: 'some',
      files: new Map([['base', ['images/base/x']]]),
      undeclared: [],
    } as const;
    // `mid` has no reason of its own, but its parent is of this run and it is not.
    const one = leg('leaf', {
      changes,
      proofs: new Map(),
      requested: new Set(['leaf']),
      ...atTag('base'),
    });
    expect(shape(one)).toContain('leaf waits for mid');
  });

  it('builds again what sits on a parent that this run built from the same files', () => {
    const one = leg('mid', {...atTag('base'), proofs: new Map()});
    expect(one.images.at(-1)?.reasons).toEqual([{kind: 'parent', image: 'base'}]);
    expect(shape(leg('mid', {...atTag('base', 'mid'), proofs: new Map()}))).toEqual([
      'base skip',
      'mid skip',
    ]);
  });

  it('takes a parent that was given the tag of its proved twin', () => {
    const everything = [{kind: 'first-run'}] as const;
    expect(shape(leg('mid', {everything}))).toEqual(['base skip', 'mid reuse']);
    const proofs = new Map([
      ...planFacts(stack).proofs,
      ['base', published('base', {digest: digestOf('other')})],
    ]);
    expect(shape(leg('mid', {everything, proofs}))).toEqual(['base skip', 'mid waits for base']);
  });

  it('takes no parent that failed its tests after it was pushed', () => {
    const evidence = new Map([
      ...planFacts(stack).evidence,
      ['base', {...evidenceOf('base'), passed: undefined}],
    ]);
    expect(shape(leg('mid', {...fresh, ...atTag('base'), evidence}))).toContain(
      'mid waits for base',
    );
  });

  it('builds a parent that is not published for itself', () => {
    const images = [imageSpec('base', [], {publish: false}), imageSpec('mid', ['base'])];
    const facts = planFacts(images, {...fresh, only: new Set(['mid']), parents: 'ready'});
    const unpublished = new Map([...facts.atTag].filter(([name]) => name !== 'base'));
    expect(shape(makePlan({...facts, atTag: unpublished}))).toEqual(['base build', 'mid build']);
  });

  it('builds missing parents itself when it is no leg', () => {
    const there = new Map([...planFacts(stack).atTag, ['base', {state: 'absent'} as const]]);
    const one = leg('mid', {...fresh, parents: 'auto', atTag: there});
    expect(shape(one)).toEqual(['base build', 'mid build']);
  });
});
