import {describe, expect, it} from 'vitest';
import {movedBaseLine, movedBases} from '../../src/plan/moved-bases.ts';
import {plannedImage} from '../support/builders/simulation.ts';

const plan = {
  tag: 't',
  changed: [],
  images: ['a', 'b', 'c', 'd'].map((name) => plannedImage(name)),
};
const on = (reference: string, digest: string) => ({
  reference,
  digest: `sha256:${digest.repeat(64)}`,
});

describe('movedBases', () => {
  it('says which base moved, from what to what, and who stands on it', () => {
    const built = new Map([
      ['a', on('debian:12', '1')],
      ['b', on('debian:12', '2')],
      ['c', on('debian:12', '1')],
      // Another base in the Dockerfile now: a change, which the plan tells.
      ['d', on('debian:11', '1')],
    ]);
    const now = new Map(['a', 'b', 'c', 'd'].map((name) => [name, on('debian:12', '2')]));
    const moved = movedBases(plan, built, now);
    expect(moved).toEqual([
      {
        reference: 'debian:12',
        before: on('', '1').digest,
        now: on('', '2').digest,
        images: ['a', 'c'],
      },
    ]);
    expect(moved.map(movedBaseLine)).toEqual([
      'stale base: debian:12 moved from sha256:111111111111 to sha256:222222222222 since a, c were built',
    ]);
  });

  it('says nothing where nothing is known', () => {
    expect(movedBases(plan, new Map(), new Map([['a', on('debian:12', '2')]]))).toEqual([]);
    expect(movedBases(plan, new Map([['a', on('debian:12', '2')]]), new Map())).toEqual([]);
  });
});
