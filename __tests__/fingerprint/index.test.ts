import {describe, expect, it} from 'vitest';
import {type FingerprintInputs, fingerprintsOf} from '../../src/fingerprint/index.ts';

const base: FingerprintInputs = {
  contextDigest: 'sha256:context',
  buildArgs: new Map([
    ['A', '1'],
    ['B', '2'],
  ]),
  target: undefined,
  platforms: ['linux/amd64', 'linux/arm64'],
  parents: [],
  externalBases: [{ref: 'debian:12', digest: 'sha256:one'}],
};

function of(
  more: Partial<FingerprintInputs>,
  name = 'a',
  others: readonly [string, FingerprintInputs][] = [],
) {
  const inputs = new Map([...others, [name, {...base, ...more}] as const]);
  const found = fingerprintsOf([...inputs.keys()], inputs).get(name);
  if (found === undefined) throw new Error('no fingerprint');
  return found;
}

const plain = of({});

describe('fingerprintsOf', () => {
  it.each<[string, Partial<FingerprintInputs>]>([
    ['the context', {contextDigest: 'sha256:other'}],
    [
      'a build arg',
      {
        buildArgs: new Map([
          ['A', '1'],
          ['B', '3'],
        ]),
      },
    ],
    [
      'a build arg moved to another name',
      {
        buildArgs: new Map([
          ['A', '2'],
          ['B', '1'],
        ]),
      },
    ],
    ['the target', {target: 'final'}],
    ['a platform', {platforms: ['linux/amd64']}],
  ])('changes with %s', (_, more) => {
    expect(of(more).fingerprint).not.toBe(plain.fingerprint);
    expect(of(more).content).not.toBe(plain.content);
  });

  it.each<[string, Partial<FingerprintInputs>]>([
    [
      'build args',
      {
        buildArgs: new Map([
          ['B', '2'],
          ['A', '1'],
        ]),
      },
    ],
    ['platforms', {platforms: ['linux/arm64', 'linux/amd64']}],
  ])('does not depend on the order of %s', (_, more) => {
    expect(of(more)).toEqual(plain);
  });

  it('has the digests of external bases in the fingerprint, not in the content', () => {
    const moved = of({externalBases: [{ref: 'debian:12', digest: 'sha256:two'}]});
    expect(moved.fingerprint).not.toBe(plain.fingerprint);
    expect(moved.content).toBe(plain.content);
    const unknown = of({externalBases: [{ref: 'debian:12', digest: undefined}]});
    expect(new Set([unknown, moved, plain].map(({fingerprint}) => fingerprint)).size).toBe(3);
  });

  it('changes with a parent, whatever the order of parents', () => {
    const parent = (contextDigest: string): FingerprintInputs => ({...base, contextDigest});
    const child = (one: string, parents = ['p', 'q']) =>
      of({parents}, 'c', [
        ['p', parent(one)],
        ['q', parent('q')],
      ]);
    expect(child('x').content).not.toBe(child('y').content);
    expect(child('x', ['q', 'p'])).toEqual(child('x'));
  });

  it('is the same on the runner of one platform as for the whole: of a parent only that platform counts', () => {
    const one = ['linux/amd64'];
    const child = {platforms: one, parents: ['parent']};
    const whole = of(child, 'child', [['parent', base]]);
    expect(of(child, 'child', [['parent', {...base, platforms: one}]])).toEqual(whole);
    const other = {...base, platforms: ['linux/arm64']};
    expect(of(child, 'child', [['parent', other]])).not.toEqual(whole);
    expect(of({...child, platforms: base.platforms}, 'child', [['parent', base]])).not.toEqual(
      whole,
    );
  });
});
