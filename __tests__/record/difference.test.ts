import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {
  type Difference,
  differenceOf,
  isSame,
  ownBytes,
  type Packages,
  withoutInherited,
} from '../../src/record/index.ts';
import {digestOf, layer, recordFor} from '../support/builders/records.ts';

const base = layer('ADD rootfs', 100);
const baseThen = recordFor('base', {layers: [base, layer('RUN numpy 1', 10)]});
const baseNow = recordFor('base', {
  digest: digestOf('base now'),
  layers: [base, layer('RUN numpy 2', 15)],
  packages: {pip: {numpy: '2.2.0', requests: '2.32.0'}},
});
const webThen = recordFor('web', {
  layers: [base, layer('RUN numpy 1', 10), layer('RUN flask 1', 3)],
  packages: {pip: {numpy: '2.1.0', requests: '2.32.0', flask: '3.0.0'}},
});
const webNow = recordFor('web', {
  digest: digestOf('web now'),
  layers: [base, layer('RUN numpy 2', 15), layer('RUN flask 2', 4)],
  packages: {pip: {numpy: '2.2.0', requests: '2.32.0', flask: '3.1.0', jinja2: '3.1.6'}},
});

describe('the difference of two images', () => {
  it('lists packages by manager', () => {
    const change = differenceOf(
      recordFor('a', {packages: {pip: {gone: '1', stays: '1', moves: '1'}, apt: {bash: '5'}}}),
      recordFor('a', {packages: {pip: {comes: '1', stays: '1', moves: '2'}, apt: {bash: '5'}}}),
    );
    expect(change.packages).toEqual({
      pip: {
        added: [{name: 'comes', version: '1'}],
        removed: [{name: 'gone', version: '1'}],
        changed: [{name: 'moves', from: '1', to: '2'}],
      },
    });
  });

  it('does not take an info command that is new for packages that are', () => {
    const change = differenceOf(
      recordFor('a', {packages: {}}),
      recordFor('a', {packages: {apt: {bash: '5'}}}),
    );
    expect(change.packages).toEqual({});
  });

  it('shares layers by their content, and counts bytes', () => {
    const change = differenceOf(baseThen, baseNow);
    expect(change).toMatchObject({
      from: {reference: baseThen.reference, digest: baseThen.digest, size: 110},
      to: {digest: baseNow.digest, size: 115},
      layers: {
        shared: {count: 1, size: 100},
        added: [{createdBy: 'RUN numpy 2'}],
        removed: [{createdBy: 'RUN numpy 1'}],
      },
    });
    expect(ownBytes(change)).toBe(5);
  });

  it('counts a layer that is there twice twice, and lines without a layer not at all', () => {
    const empty = {createdBy: 'ENV a=b', size: 0};
    const change = differenceOf(
      recordFor('a', {layers: [base, base, empty]}),
      recordFor('a', {layers: [base, {...empty, createdBy: 'ENV a=c'}]}),
    );
    expect(change.layers).toMatchObject({shared: {count: 1}, added: [], removed: [base]});
  });

  it('compares layers of unknown identity by what made them', () => {
    const plain = (createdBy: string) => ({createdBy, size: 5});
    const change = differenceOf(
      recordFor('a', {layers: [plain('RUN x'), plain('RUN y')]}),
      recordFor('a', {layers: [plain('RUN x'), plain('RUN z')]}),
    );
    expect(change.layers).toMatchObject({
      shared: {count: 1},
      added: [{createdBy: 'RUN z'}],
      removed: [{createdBy: 'RUN y'}],
    });
  });

  it('tells when the base moved, and not when its name is spelled differently', () => {
    const moved = {reference: 'debian:12', digest: digestOf('moved')};
    const change = differenceOf(baseThen, {...baseNow, base: moved});
    expect(change.base).toEqual({from: baseThen.base, to: moved});
    const spelled = {...baseNow.base, reference: 'debian:12', digest: digestOf('debian')};
    expect(differenceOf(baseThen, {...baseNow, base: spelled}).base).toBeUndefined();
    const {base: _, ...none} = baseNow;
    expect(differenceOf(baseThen, none).base).toEqual({from: baseThen.base});
  });

  it('of an image with itself is nothing', () => {
    expect(isSame(differenceOf(webThen, webThen))).toBe(true);
    expect(isSame(differenceOf(webThen, webNow))).toBe(false);
  });
});

describe('an inherited change', () => {
  const parent = differenceOf(baseThen, baseNow);
  const child = differenceOf(webThen, webNow);

  it('is told at the image that caused it', () => {
    const own = withoutInherited(child, [parent]);
    expect(own.packages).toEqual({
      pip: {
        added: [{name: 'jinja2', version: '3.1.6'}],
        removed: [],
        changed: [{name: 'flask', from: '3.0.0', to: '3.1.0'}],
      },
    });
    expect(own.layers).toMatchObject({
      added: [{createdBy: 'RUN flask 2'}],
      removed: [{createdBy: 'RUN flask 1'}],
    });
    expect(own.inherited).toEqual([{image: 'base', packages: 1, bytes: 5}]);
    expect(ownBytes(own)).toBe(1);
    expect({from: own.from, to: own.to}).toEqual({from: child.from, to: child.to});
  });

  it('is the child’s own where the child changed it further', () => {
    const pinned = differenceOf(webThen, {
      ...webNow,
      packages: {pip: {...webNow.packages.pip, numpy: '1.26.4'}},
    });
    expect(withoutInherited(pinned, [parent]).packages.pip?.changed).toContainEqual({
      name: 'numpy',
      from: '2.1.0',
      to: '1.26.4',
    });
  });

  it('takes the move of a base with it, but not another move', () => {
    const moved = {reference: 'debian:12', digest: digestOf('moved')};
    const parentMoved = differenceOf(baseThen, {...baseNow, base: moved});
    const childMoved = differenceOf(webThen, {...webNow, base: moved});
    expect(withoutInherited(childMoved, [parentMoved]).base).toBeUndefined();
    expect(withoutInherited(childMoved, [parent]).base).toEqual(childMoved.base);
  });

  it('is none where the parents did not change', () => {
    expect(withoutInherited(child, [differenceOf(baseThen, baseThen)])).toBe(child);
    expect(withoutInherited(child, [])).toBe(child);
  });

  it('and what is told at the child are the whole, for all packages', () => {
    const versions = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.constantFrom('1', '2'));
    const packages = versions.map((pip): Packages => ({pip}));
    fc.assert(
      fc.property(packages, packages, packages, packages, (one, two, three, four) => {
        const above = differenceOf({...baseThen, packages: one}, {...baseNow, packages: two});
        const whole = differenceOf({...webThen, packages: three}, {...webNow, packages: four});
        const own = withoutInherited(whole, [above]);
        const told = new Set([...linesOf(own), ...linesOf(above)]);
        expect(linesOf(whole).filter((line) => !told.has(line))).toEqual([]);
        expect(linesOf(own).filter((line) => linesOf(above).includes(line))).toEqual([]);
      }),
    );
  });
});

function linesOf({packages}: Difference): readonly string[] {
  const {added = [], removed = [], changed = []} = packages.pip ?? {};
  return [
    ...added.map((one) => `+ ${JSON.stringify(one)}`),
    ...removed.map((one) => `- ${JSON.stringify(one)}`),
    ...changed.map((one) => `~ ${JSON.stringify(one)}`),
  ];
}
