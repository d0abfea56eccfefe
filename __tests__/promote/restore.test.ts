import {describe, expect, it} from 'vitest';
import type {Lookup} from '../../src/adapters/registry/types.ts';
import {fail, failure, ok} from '../../src/failure.ts';
import type {PromotedTag, PromotionFile} from '../../src/promote/file.ts';
import {checkRestore, planRestore, type RestoreRequest} from '../../src/promote/restore.ts';
import type {FactPorts} from '../../src/promote/types.ts';
import {digestOf, labelsOf, published} from '../support/builders/stack.ts';
import {tagRegistry} from '../support/fakes/tag-registry.ts';

const tag = (name: string, more: Partial<PromotedTag> = {}): PromotedTag => ({
  image: name,
  source: `ghcr.io/o/${name}:1-main`,
  ref: `ghcr.io/o/${name}:1-stable`,
  before: digestOf(`old ${name}`),
  after: digestOf(`new ${name}`),
  isExtra: false,
  outcome: 'moved',
  message: undefined,
  ...more,
});

function request(
  images: readonly PromotedTag[],
  more: Partial<PromotionFile> = {},
): RestoreRequest {
  return {
    promotion: {
      schema: 1,
      repository: 'o/stack',
      run: '1',
      commit: 'c0ffee',
      target: 'stable',
      tag: '1-stable',
      dryRun: false,
      outcome: 'passed',
      images,
      ...more,
    },
    path: 'p.json',
    repository: 'o/stack',
    images: ['ghcr.io/o/a', 'ghcr.io/o/b', 'acme/c'].map((repository) => ({
      repository,
      tagPrefix: '1.5',
      variant: undefined,
      track: undefined,
    })),
    extra: ['latest', '{prefix}-{sha}', '{date}'],
  };
}

/** The plan for these images, where the tags point to these digests; by digest, `gone` images do not exist. */
function plan(
  images: readonly PromotedTag[],
  tags: Readonly<Record<string, string>>,
  more: {
    readonly gone?: string;
    readonly denied?: boolean;
    readonly verdicts?: readonly ('passed' | 'failed')[];
  } = {},
) {
  const registry = tagRegistry(new Map(Object.entries(tags)));
  const inspect = async (ref: string): Promise<Lookup> => {
    const digest = ref.slice(ref.indexOf('@') + 1);
    if (digest === more.gone) return {state: 'absent'};
    return published('x', {
      digest,
      labels: labelsOf('x', {'org.opencontainers.image.version': '1-main'}),
    });
  };
  const mayPush = async () => fail(failure('permission', 'the token cannot write'));
  const readRecord: FactPorts['readRecord'] = async ({digest}) => {
    const verdicts = (more.verdicts ?? []).map((verdict, n) => ({tag: `${n}`, hash: '', verdict}));
    return ok(verdicts[0] && {digest, tests: verdicts.at(-1), verdicts, parents: []});
  };
  const ports = {registry: {...registry, inspect}, readRecord, ...(more.denied ? {mayPush} : {})};
  return planRestore(ports, request(images));
}

const [a, b] = ['ghcr.io/o/a:1-stable', 'ghcr.io/o/b:1-stable'];

describe('planRestore', () => {
  it('gives each tag what it had before, and deletes one that did not exist', async () => {
    const {moves, refusals} = await plan([tag('a'), tag('b', {before: undefined})], {
      [a]: digestOf('new a'),
      [b]: digestOf('new b'),
    });
    expect(refusals).toEqual([]);
    expect(moves.map(({target, before, after}) => [target, before?.digest, after?.digest])).toEqual(
      [
        [a, digestOf('new a'), digestOf('old a')],
        [b, digestOf('new b'), undefined],
      ],
    );
    expect(moves[0]).toMatchObject({builtAs: 'ghcr.io/o/a:1-main', revision: 'c0ffee'});
  });

  it('plans nothing new the second time', async () => {
    const {moves, refusals} = await plan([tag('a'), tag('b', {before: undefined})], {
      [a]: digestOf('old a'),
    });
    expect(refusals).toEqual([]);
    expect(moves.every(({before, after}) => before?.digest === after?.digest)).toBe(true);
  });

  it.each([
    ['has moved since', {[a]: digestOf('theirs')}, 'has since been moved to'],
    ['was deleted since', {}, 'has since been deleted'],
  ])('refuses where a tag %s', async (_, tags, words) => {
    const {refusals} = await plan([tag('a'), tag('b')], {...tags, [b]: digestOf('new b')});
    expect(refusals).toEqual([expect.stringContaining(words)]);
    expect(refusals[0]).toMatch(/^Conflict: /);
  });

  it('refuses where the old image is gone, or nothing may be pushed', async () => {
    const tags = {[a]: digestOf('new a')};
    const gone = await plan([tag('a')], tags, {gone: digestOf('old a')});
    expect(gone.refusals[0]).toContain('does not have that image any more');
    const denied = await plan([tag('a')], tags, {denied: true});
    expect(denied.refusals[0]).toContain('the token cannot write');
  });

  it.each([
    ['passed', ['passed'], [0, 0]],
    ['was red in a later test', ['passed', 'failed'], [0, 0]],
    ['never passed', ['failed'], [1, 0]],
    ['nothing is known of', [], [0, 1]],
  ] as const)('gives a tag back to an image that %s: %j', async (_, verdicts, expected) => {
    const {refusals, warnings} = await plan([tag('a')], {[a]: digestOf('new a')}, {verdicts});
    expect([refusals.length, warnings.length]).toEqual(expected);
  });

  it.each(['unchanged', 'untouched', 'restored', 'conflict', 'failed'] as const)(
    'leaves a tag alone whose outcome was %s',
    async (outcome) => {
      const {moves, warnings} = await plan([tag('a', {outcome})], {[a]: digestOf('new a')});
      expect(moves).toEqual([]);
      expect(warnings).toEqual(['p.json names no tag that its run moved.']);
    },
  );

  it.each(['begun', 'standing', 'unknown'] as const)(
    'takes back a tag that may have moved: %s',
    async (outcome) => {
      const {moves} = await plan([tag('a', {outcome})], {[a]: digestOf('new a')});
      expect(moves).toHaveLength(1);
    },
  );
});

describe('checkRestore', () => {
  it('takes the file of this repository, under any spelling of its images', () => {
    const docker = tag('c', {ref: 'index.docker.io/acme/c:1-stable'});
    expect(checkRestore(request([tag('a'), docker], {repository: 'O/Stack'}))).toEqual([]);
  });

  it.each([
    ['1.5-stable', false],
    ['2023.2-stable', false],
    ['stable', false],
    ['latest', true],
    ['2026-11-25', true],
    ['1.5-0a1b2c3', true],
    ['1.4-0a1b2c3', true],
  ])('takes the tag %s (a further one: %s)', (name, isExtra) => {
    expect(checkRestore(request([tag('a', {ref: `ghcr.io/o/a:${name}`, isExtra})]))).toEqual([]);
  });

  it.each([
    ['of another repository', request([tag('a')], {repository: 'x/y'}), 'is of the repository'],
    ['of a dry run', request([tag('a')], {dryRun: true}), 'dry run'],
    [
      'with an image of somebody else',
      request([tag('a', {ref: 'ghcr.io/victim/a:1-stable'})]),
      'not in a repository of an image of this stack',
    ],
    [
      'with a longer name that begins like ours',
      request([tag('a', {ref: 'ghcr.io/o/a-evil:1-stable'})]),
      'not in a repository',
    ],
    [
      'with a proof',
      request([tag('a', {ref: `ghcr.io/o/a:fp-${'a'.repeat(16)}-${'b'.repeat(8)}`})]),
      'no promotion',
    ],
    [
      'with a record',
      request([tag('a', {ref: `ghcr.io/o/a:rec-${'a'.repeat(16)}`})]),
      'no promotion',
    ],
    [
      'with the tag of a branch',
      request([tag('a', {ref: 'ghcr.io/o/a:1.5-main'})]),
      'no promotion of this stack moves',
    ],
    [
      'with that of a branch that is called like a stable one',
      request([tag('a', {ref: 'ghcr.io/o/a:1.5-gpu-stable'})]),
      'no promotion of this stack moves',
    ],
    [
      'with a branch as a further tag',
      request([tag('a', {ref: 'ghcr.io/o/a:1.5-main', isExtra: true})]),
      'Check tag.extra.stable',
    ],
  ])('refuses a file %s', (_, asked, words) => {
    expect(checkRestore(asked)).toEqual([expect.stringContaining(words)]);
  });
});
