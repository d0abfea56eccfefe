import {describe, expect, it} from 'vitest';
import type {Presence} from '../../src/adapters/registry/types.ts';
import {
  begunPromotion,
  donePromotion,
  type PromotionRun,
  parsePromotion,
  promotionText,
  tellInterrupted,
} from '../../src/promote/file.ts';
import type {TagMove} from '../../src/promote/types.ts';
import {digestOf} from '../support/builders/stack.ts';
import {manifestOf} from '../support/fakes/tag-registry.ts';

const run: PromotionRun = {
  repository: 'o/stack',
  run: '42',
  commit: 'c0ffee',
  target: 'stable',
  tag: '1-stable',
  dryRun: false,
};
const move = (name: string, before: string | undefined): TagMove => ({
  name,
  source: `r.io/o/${name}:1-main`,
  target: `r.io/o/${name}:1-stable`,
  before: before === undefined ? undefined : manifestOf(digestOf(before)),
  after: manifestOf(digestOf(`new ${name}`)),
  revision: undefined,
  builtAs: undefined,
  isExtra: false,
});
const moves = [move('a', 'old a'), move('b', undefined)];
const begun = begunPromotion(run, moves);

describe('promotion.json', () => {
  it('says before the first tag moves what is wanted, and comes back as it was written', () => {
    expect(parsePromotion(promotionText(begun), 'p')).toEqual({ok: true, value: begun});
    expect(JSON.parse(promotionText(begun))).toMatchObject({
      schema: 1,
      repository: 'o/stack',
      run: '42',
      commit: 'c0ffee',
      target: 'stable',
      outcome: 'begun',
      images: [
        {ref: 'r.io/o/a:1-stable', before: digestOf('old a'), after: digestOf('new a')},
        {ref: 'r.io/o/b:1-stable', before: null, outcome: 'begun'},
      ],
    });
  });

  it('says in the end what became of each tag', () => {
    const results = moves.map((one) => ({
      move: one,
      state: 'moved' as const,
      shows: {state: 'absent'} as const,
      failure: undefined,
    }));
    const done = donePromotion(run, {outcome: 'passed', results});
    expect(done.images.map(({outcome}) => outcome)).toEqual(['moved', 'moved']);
    expect(parsePromotion(promotionText(done), 'p')).toEqual({ok: true, value: done});
  });

  it('takes a file that a person wrote, with what is needed only', () => {
    const text = `{"schema": 1, "repository": "o/stack", "run": "0", "commit": "", "target": "stable",
      "images": [{"ref": "r.io/o/a:1-stable", "outcome": "moved",
                  "before": "${digestOf('old')}", "after": "${digestOf('new')}"}]}`;
    expect(parsePromotion(text, 'p')).toMatchObject({
      ok: true,
      value: {dryRun: false, images: [{ref: 'r.io/o/a:1-stable', isExtra: false}]},
    });
  });

  const changed = (change: object): string =>
    JSON.stringify({...JSON.parse(promotionText(begun)), ...change});
  const image = (change: object): string =>
    changed({images: [{...JSON.parse(promotionText(begun)).images[0], ...change}]});

  it.each([
    ['that is cut off', promotionText(begun).slice(0, 90), 'not valid JSON'],
    ['that is empty', '', 'not valid JSON'],
    ['that is another thing', '[1]', 'not a promotion.json'],
    ['that is null', 'null', 'not a promotion.json'],
    ['of another schema', changed({schema: 2}), 'has schema 2'],
    ['of a strange schema', changed({schema: {a: 1}}), 'has schema {"a":1}'],
    ['without a repository', changed({repository: undefined}), '"repository"'],
    ['with a strange target', changed({target: 'latest'}), '"target" must be'],
    ['with a strange outcome', changed({outcome: 'fine'}), '"outcome" must be'],
    ['whose images are no list', changed({images: {}}), '"images" must be a list'],
    ['with an image that is null', changed({images: [null]}), 'images[0]: must be an object'],
    ['without a tag', image({ref: 'r.io/o/a'}), 'images[0]: "ref"'],
    ['with a digest in the place of a tag', image({ref: `r.io/o/a@${digestOf('x')}`}), '"ref"'],
    ['with a path in a reference', image({ref: 'r.io/o/../a:x'}), '"ref"'],
    ['with a short digest', image({before: 'sha256:12'}), '"before" and "after"'],
    ['without what was before', image({before: undefined}), '"before" and "after"'],
    ['with a strange state', image({outcome: 'x'}), 'images[0]: "outcome"'],
    [
      'that lists a tag twice',
      changed({images: [...begun.images, ...begun.images].map((one) => ({...one, before: null}))}),
      'listed twice',
    ],
  ])('refuses a file %s in one sentence with its place', (_, text, words) => {
    const parsed = parsePromotion(text, 'artifacts/promotion.json');
    expect(parsed).toMatchObject({ok: false, error: expect.stringContaining(words)});
    if (parsed.ok) throw new Error('unreachable');
    expect(parsed.error).toMatch(/^artifacts\/promotion\.json: [^\n]*\.$/);
  });
});

describe('tellInterrupted', () => {
  const at = (digest: string | undefined): Presence =>
    digest === undefined ? {state: 'absent'} : {state: 'present', digest: digestOf(digest)};
  const tell = (a: Presence, b: Presence) =>
    tellInterrupted(
      begun,
      new Map([
        ['r.io/o/a:1-stable', a],
        ['r.io/o/b:1-stable', b],
      ]),
    );

  it('says of each tag where it stands, and how to go on', () => {
    const lines = tell(at('new a'), at(undefined));
    expect(lines[0]).toContain('promotion to stable was interrupted');
    expect(lines[1]).toMatch(/a:1-stable points to .*as this promotion wants it/);
    expect(lines[2]).toMatch(/b:1-stable does not exist \(as before: not moved yet\)/);
    expect(lines[3]).toMatch(/Re-run the job to complete the promotion/);
  });

  it('knows tags that moved on, and those that cannot be read', () => {
    const lines = tell(at('else'), {state: 'unknown', because: '503'});
    expect(lines[1]).toContain('moved by someone else');
    expect(lines[2]).toContain('could not be read: 503');
    expect(tellInterrupted(begun, new Map())[1]).toContain('could not be read');
  });

  it('says when all tags were moved already', () => {
    expect(tell(at('new a'), at('new b'))[3]).toContain('All tags were moved');
  });

  it('says nothing of a promotion that reported, or moved nothing', () => {
    expect(tellInterrupted({...begun, outcome: 'passed'}, new Map())).toEqual([]);
    expect(tellInterrupted({...begun, dryRun: true}, new Map())).toEqual([]);
  });
});
