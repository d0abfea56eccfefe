import {describe, expect, it} from 'vitest';
import type {Lookup} from '../../src/adapters/registry/types.ts';
import {makeTagPlan, type TagFacts, tagNames} from '../../src/promote/plan.ts';
import {digestOf, labelsOf, published} from '../support/builders/stack.ts';

function facts(name: string, more: Partial<TagFacts> = {}): TagFacts {
  return {
    name,
    source: `ghcr.io/o/${name}:2026.3-main`,
    target: `ghcr.io/o/${name}:2026.3-stable`,
    lookup: published(name),
    current: {state: 'absent'},
    proof: published(name),
    bases: [],
    ...more,
  };
}

const layers = (...names: string[]): Lookup =>
  published('leaf', {diffIds: names.map((name) => digestOf(`layer ${name}`))});

const at = (created: string, more: Record<string, string> = {}): Lookup =>
  published('base', {
    digest: digestOf(created),
    labels: labelsOf('base', {'org.opencontainers.image.created': created, ...more}),
  });

describe('makeTagPlan', () => {
  it('moves a tested set, and knows what each tag showed before', () => {
    const current = {state: 'present', digest: digestOf('old')} as const;
    const plan = makeTagPlan([facts('base', {current}), facts('leaf')]);
    expect(plan.refusals).toEqual([]);
    expect(
      plan.moves.map(({target, digest, before, revision}) => [target, digest, before, revision]),
    ).toEqual([
      ['ghcr.io/o/base:2026.3-stable', digestOf('base'), digestOf('old'), 'c0ffee'],
      ['ghcr.io/o/leaf:2026.3-stable', digestOf('leaf'), undefined, 'c0ffee'],
    ]);
  });

  it('names every cause at once', () => {
    const {refusals} = makeTagPlan([
      facts('a', {lookup: {state: 'absent'}}),
      facts('b', {lookup: {state: 'unknown', because: '503'}}),
      facts('c', {current: {state: 'unknown', because: 'timeout'}}),
      facts('d', {proof: {state: 'absent'}}),
    ]);
    expect(refusals).toHaveLength(4);
    expect(refusals.join('\n')).toMatch(
      /a:2026.3-main is not in.*\n.*503\n.*timeout\n.*d:2026.3-main.*did not pass/,
    );
  });

  it('refuses an empty set', () => {
    expect(makeTagPlan([]).refusals).toHaveLength(1);
  });

  it('refuses a child that does not sit on the parent promoted with it', () => {
    const child = (lookup: Lookup) => facts('leaf', {lookup, proof: lookup, bases: ['base']});
    expect(makeTagPlan([facts('base'), child(layers('base', 'leaf'))]).refusals).toEqual([]);
    const [refusal] = makeTagPlan([facts('base'), child(layers('other', 'leaf'))]).refusals;
    expect(refusal).toContain('leaf:2026.3-main does not sit on ghcr.io/o/base:2026.3-main');
  });

  it('does not ask about a parent that is not promoted with it', () => {
    const lookup = layers('other', 'leaf');
    expect(makeTagPlan([facts('leaf', {lookup, proof: lookup, bases: ['base']})]).refusals).toEqual(
      [],
    );
  });

  it.each<[string, Lookup, boolean]>([
    ['shows another image with the same content, tested later', at('2026-02-01T00:00:00Z'), true],
    ['shows one that was tested before this one was built', at('2025-01-01T00:00:00Z'), false],
    [
      'shows another content',
      at('2026-02-01T00:00:00Z', {'edu.ucsd.ets.stack.fingerprint': 'x'}),
      false,
    ],
    ['cannot be read', {state: 'unknown', because: '503'}, false],
  ])('when the fp- tag %s', (_, proof, isGood) => {
    expect(makeTagPlan([facts('base', {proof})]).refusals).toHaveLength(isGood ? 0 : 1);
  });

  it('warns of an image without a fingerprint, and promotes it', () => {
    const lookup = published('base', {labels: new Map()});
    const plan = makeTagPlan([facts('base', {lookup, proof: undefined})]);
    expect(plan).toMatchObject({
      refusals: [],
      warnings: [expect.stringContaining('no fingerprint')],
    });
    expect(plan.moves[0]?.revision).toBeUndefined();
  });
});

const known = ['2026.3', 'py39-2023.2'];

describe('tagNames for stable', () => {
  it.each([
    ['2026.3-main', '2026.3-stable'],
    ['2026.3-feature-a', '2026.3-stable'],
    ['2023.10-main', '2023.10-stable'],
    ['v1-main', 'v1-stable'],
    ['py39-2023.2-main', 'py39-2023.2-stable'],
    ['2023.1-stable-fix', '2023.1-stable'],
  ])('%s -> %s', (source, target) => {
    expect(tagNames('stable', source, known)).toMatchObject({ok: true, source, target});
  });

  it.each([
    ['2026.3-stable', 'stable tag already'],
    ['main', 'not of the form'],
    ['-main', 'no valid tag'],
    ['2026.3-', 'not of the form'],
    ['', 'no valid tag'],
    ['2026.3/main', 'no valid tag'],
  ])('refuses %j', (source, problem) => {
    expect(tagNames('stable', source, known)).toMatchObject({
      ok: false,
      problem: expect.stringContaining(problem),
    });
  });
});

describe('tagNames for global-stable', () => {
  it.each([
    ['2026.3-stable', '2026.3-stable'],
    ['2026.3', '2026.3-stable'],
    ['2023.10', '2023.10-stable'],
    ['py39-2023.2', 'py39-2023.2-stable'],
    ['py39-2023.2-stable', 'py39-2023.2-stable'],
  ])('%s -> %s becomes stable', (given, source) => {
    expect(tagNames('global-stable', given, known)).toMatchObject({
      ok: true,
      source,
      target: 'stable',
    });
  });

  it.each([['2026.3-main'], ['stable'], ['a-b-c']])('refuses %s', (source) => {
    expect(tagNames('global-stable', source, known)).toMatchObject({ok: false});
  });
});
