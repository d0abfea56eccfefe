import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {type LegRequest, type Legs, makeLegs} from '../../src/plan/matrix.ts';
import type {Plan, PlannedImage} from '../../src/plan/types.ts';
import {plannedImage} from '../support/builders/simulation.ts';

const request: LegRequest = {
  maxLegs: 20,
  runners: new Map(),
  platform: 'linux/amd64',
  shares: true,
};

function legsOf(images: readonly PlannedImage[], more: Partial<LegRequest> = {}): Legs {
  const plan: Plan = {tag: 't', images, changed: []};
  return makeLegs(plan, {...request, ...more});
}

/** `base | mid,leaf side`: levels by `|`, legs by spaces. */
function shape({levels}: Legs): string {
  return levels.map((legs) => legs.map(({images}) => images).join(' ')).join(' | ');
}

const family = (seconds: number): readonly PlannedImage[] => [
  plannedImage('root', [], 'build', seconds),
  ...['a', 'b', 'c', 'd'].map((name) => plannedImage(name, ['root'], 'build', seconds)),
];

describe('makeLegs', () => {
  it('divides large children of one root between legs, two images each, after the root', () => {
    expect(shape(legsOf(family(1800)))).toBe('root | a,b c,d');
  });

  it('leaves small images with their root: a machine takes longer to start than they do', () => {
    expect(shape(legsOf(family(10)))).toBe('root,a,b,c,d');
  });

  it('keeps a chain in one leg', () => {
    const chain = ['a', 'b', 'c'].map((name, index, names) =>
      plannedImage(name, index === 0 ? [] : [names[index - 1] ?? ''], 'build', 900),
    );
    expect(shape(legsOf(chain))).toBe('a,b,c');
  });

  it('keeps a chain below a shared root in one leg', () => {
    const images = [
      plannedImage('root', [], 'build', 1800),
      ...['x', 'y', 'z'].flatMap((name) => [
        plannedImage(name, ['root'], 'build', 1800),
        plannedImage(`${name}2`, [name], 'build', 1800),
      ]),
    ];
    expect(shape(legsOf(images))).toBe('root | x,x2,y,y2 z,z2');
  });

  it('packs small images beside a long one', () => {
    const small = ['p', 'q', 'r'].map((name) => plannedImage(name, [], 'build', 900));
    const legs = legsOf([plannedImage('long', [], 'build', 3000), ...small]);
    expect(legs.legs).toHaveLength(1);
    expect(shape(legs)).toBe('long,p,q,r');
  });

  it('counts an image of unknown length as the median of the known', () => {
    const [root, ...children] = family(1800);
    const images = [root, ...children.map((one) => ({...one, expectedSeconds: undefined}))];
    expect(shape(legsOf(images as PlannedImage[]))).toBe('root | a,b c,d');
  });

  it('has nothing for images with nothing to do', () => {
    const images = [plannedImage('root', [], 'skip'), plannedImage('a', ['root'], 'build')];
    expect(legsOf(images).legs).toEqual([
      {
        image: 'a',
        images: 'a',
        level: 0,
        leg: '0-0',
        ref: 'r/a:t',
        action: 'build',
        platform: 'linux/amd64',
        runner: 'ubuntu-24.04',
      },
    ]);
    expect(legsOf([]).levels).toEqual([]);
  });

  it('never has more legs than asked for', () => {
    const roots = Array.from({length: 60}, (_, index) =>
      plannedImage(`r${index}`, [], 'build', 1000 + index),
    );
    expect(legsOf(roots).legs).toHaveLength(20);
    expect(legsOf(roots, {maxLegs: 7}).legs).toHaveLength(7);
    expect(legsOf(roots, {maxLegs: 1}).legs).toHaveLength(1);
  });

  it('never has more than GitHub takes', () => {
    const roots = Array.from({length: 600}, (_, index) =>
      plannedImage(`r${index}`, [], 'build', 4000),
    );
    expect(legsOf(roots, {maxLegs: 1000}).legs.length).toBeLessThanOrEqual(256);
  });

  it('keeps together what hangs together when a run does not push', () => {
    expect(shape(legsOf(family(1800), {shares: false}))).toBe('root,a,b,c,d');
  });

  it('names a key once for all of its tracks', () => {
    const track = plannedImage('root@GPU', [], 'build', 900, {key: 'root', track: 'GPU'});
    expect(shape(legsOf([plannedImage('root', [], 'build', 900), track]))).toBe('root');
    expect(shape(legsOf([plannedImage('root', [], 'skip', 900), track]))).toBe('root@GPU');
  });

  it('leaves an image that is not published to the legs that need it', () => {
    const images = [
      plannedImage('root', [], 'build', 1800),
      plannedImage('hidden', ['root'], 'build', 1800, {publish: false}),
      plannedImage('a', ['hidden'], 'build', 1800),
      plannedImage('b', ['hidden'], 'build', 1800),
      plannedImage('c', ['hidden'], 'build', 1800),
      plannedImage('alone', ['root'], 'build', 1800, {publish: false}),
    ];
    expect(shape(legsOf(images))).toBe('root | a,b c,alone');
  });

  describe('with platforms', () => {
    const both = {platforms: ['linux/amd64', 'linux/arm64']};
    const images = [
      plannedImage('root', [], 'build', 1800, both),
      ...['a', 'b', 'c'].map((name) => plannedImage(name, ['root'], 'build', 1800, both)),
      plannedImage('plain', ['root'], 'build', 1800),
    ];

    it('gives each platform its own runner', () => {
      const {legs, warnings} = legsOf(images, {
        runners: new Map([['linux/arm64', 'ubuntu-24.04-arm']]),
      });
      expect(warnings).toEqual([]);
      expect(legs.map((leg) => [leg.level, leg.images, leg.platform, leg.runner])).toEqual([
        [0, 'root', 'linux/amd64', 'ubuntu-24.04'],
        [0, 'root', 'linux/arm64', 'ubuntu-24.04-arm'],
        [1, 'a,b', 'linux/amd64', 'ubuntu-24.04'],
        [1, 'a,b', 'linux/arm64', 'ubuntu-24.04-arm'],
        [1, 'c,plain', 'linux/amd64', 'ubuntu-24.04'],
        [1, 'c', 'linux/arm64', 'ubuntu-24.04-arm'],
      ]);
    });

    it('says which runner is missing, once an image, and how to name it', () => {
      const {legs, warnings} = legsOf(images.slice(0, 1));
      expect(legs.map(({platform}) => platform)).toEqual(['linux/amd64']);
      expect(warnings).toEqual([
        'root is built for linux/arm64, but no runner is known for it, so it has no leg. Add "runners: {linux/arm64: ubuntu-24.04-arm}" at the top of spec.yml.',
      ]);
    });

    it('says which parent lacks a platform of its child', () => {
      const few = [
        plannedImage('root', [], 'skip'),
        plannedImage('a', ['root'], 'build', 900, both),
      ];
      const {legs, warnings} = legsOf(few, {runners: new Map([['linux/arm64', 'arm']])});
      expect(legs.map(({platform}) => platform)).toEqual(['linux/amd64']);
      expect(warnings).toEqual([
        'a is built for linux/arm64, but its parent root is not, so it has no leg. Add linux/arm64 to the platforms of root.',
      ]);
    });

    it('takes the runner of the spec for its own platform too, however it is spelled', () => {
      const runners = new Map([
        ['linux/amd64', 'big'],
        ['linux/arm64/v8', 'arm'],
      ]);
      const legs = legsOf(images.slice(0, 1), {runners}).legs;
      expect(legs.map(({runner}) => runner)).toEqual(['big', 'arm']);
    });

    it('says so when there are more platforms than legs', () => {
      const runners = new Map([['linux/arm64', 'arm']]);
      const {legs, warnings} = legsOf(images, {runners, maxLegs: 1});
      expect(legs).toHaveLength(2);
      expect(warnings).toEqual([
        'Input "max-legs" is 1, but 2 legs are needed: one for each of linux/amd64, linux/arm64.',
      ]);
    });
  });

  it('holds for any graph: every image once, parents before or beside, bounds kept', () => {
    const graph = fc.array(
      fc.record({
        parents: fc.array(fc.nat(), {maxLength: 2}),
        seconds: fc.option(fc.integer({min: 1, max: 4000}), {nil: undefined}),
        action: fc.constantFrom('build', 'build', 'build', 'skip', 'test', 'reuse'),
      }),
      {minLength: 1, maxLength: 40},
    );
    fc.assert(
      fc.property(graph, fc.integer({min: 1, max: 30}), (nodes, maxLegs) => {
        const images = nodes.map(({parents, seconds, action}, index) => {
          const own = index === 0 ? [] : [...new Set(parents.map((one) => `i${one % index}`))];
          return plannedImage(`i${index}`, own, action, seconds);
        });
        const {legs, levels} = legsOf(images, {maxLegs});
        const place = new Map<string, {level: number; leg: number; position: number}>();
        for (const [leg, {images: list, level}] of legs.entries())
          for (const [position, name] of list.split(',').entries()) {
            expect(place.has(name)).toBe(false);
            place.set(name, {level, leg, position});
          }
        expect([...place.keys()].toSorted()).toEqual(
          images
            .filter(({action}) => action !== 'skip')
            .map(({name}) => name)
            .toSorted(),
        );
        expect(legs.length).toBeLessThanOrEqual(maxLegs);
        expect(levels.length).toBeLessThanOrEqual(6);
        expect(levels.flat()).toEqual(legs);
        // Their artifacts are named after it.
        expect(new Set(legs.map(({leg}) => leg)).size).toBe(legs.length);
        for (const {name, parents} of images) {
          const own = place.get(name);
          for (const parent of parents.flatMap((one) => place.get(one) ?? [])) {
            if (own === undefined) continue;
            const isBeside = parent.leg === own.leg && parent.position < own.position;
            expect(parent.level < own.level || isBeside).toBe(true);
          }
        }
      }),
    );
  });

  it('divides a stack of ten thousand images in a moment', () => {
    const images = Array.from({length: 10_000}, (_, index) =>
      plannedImage(`i${index}`, index === 0 ? [] : [`i${Math.floor((index - 1) / 8)}`]),
    );
    const {legs} = legsOf(images);
    expect(legs.length).toBeLessThanOrEqual(20);
    expect(new Set(legs.flatMap((leg) => leg.images.split(','))).size).toBe(10_000);
  });

  it('takes no longer for a chain of ten thousand, which has as many places to cut it', () => {
    const images = Array.from({length: 10_000}, (_, index) =>
      plannedImage(`i${index}`, index === 0 ? [] : [`i${index - 1}`]),
    );
    expect(legsOf(images).legs.map(({images: list}) => list.split(',').length)).toEqual([10_000]);
  });
});
