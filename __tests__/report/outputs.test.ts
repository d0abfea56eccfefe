import {describe, expect, it} from 'vitest';
import type {ImageResult} from '../../src/build/types.ts';
import {makePlan} from '../../src/plan/decide.ts';
import {makeLegs} from '../../src/plan/matrix.ts';
import type {Plan} from '../../src/plan/types.ts';
import {
  imagesOutput,
  levelsOutput,
  matrixOutput,
  planJson,
  planOutput,
} from '../../src/report/outputs.ts';
import {imageSpec, planFacts} from '../support/builders/stack.ts';

const small = makePlan(
  planFacts([imageSpec('base'), imageSpec('leaf', ['base'])], {requested: new Set(['leaf'])}),
);

function large(count: number): Plan {
  const [idle, busy] = small.images;
  if (idle === undefined || busy === undefined) throw new Error('the fixture has two images');
  const images = Array.from({length: count}, (_, index) => ({
    ...(index === 0 ? busy : idle),
    name: `image-${index}`,
  }));
  return {...small, images};
}

describe('planOutput', () => {
  it('has the shape of the contract', () => {
    expect(JSON.parse(planOutput(small))).toEqual({
      schema: 1,
      tag: '2026.3-feature',
      images: [
        {
          name: 'base',
          parents: [],
          level: 0,
          ref: 'ghcr.io/o/base:2026.3-feature',
          action: 'skip',
          fingerprint: small.images[0]?.fingerprint,
          tests: small.images[0]?.tests,
          reasons: [{kind: 'unchanged'}],
        },
        expect.objectContaining({name: 'leaf', action: 'build', reasons: [{kind: 'requested'}]}),
      ],
    });
  });

  it('keeps only the images with something to do when it would be too large, and says so', () => {
    const text = planOutput(large(5000));
    expect(Buffer.byteLength(text)).toBeLessThan(900_000);
    expect(JSON.parse(text)).toMatchObject({truncated: true, images: [{name: 'image-0'}]});
    expect(JSON.parse(planJson(large(5000))).images).toHaveLength(5000);
  });
});

describe('matrixOutput and levelsOutput', () => {
  const request = {maxLegs: 20, runners: new Map(), platform: 'linux/amd64'};
  const legs = makeLegs(small, {...request, shares: true});
  const leg = {
    image: 'leaf',
    images: 'leaf',
    level: 0,
    leg: '0-0',
    ref: 'ghcr.io/o/leaf:2026.3-feature',
    action: 'build',
    platform: 'linux/amd64',
    runner: 'ubuntu-24.04',
  };

  it('have one entry a leg, and one matrix a level', () => {
    expect(JSON.parse(matrixOutput(legs))).toEqual({include: [leg]});
    expect(JSON.parse(levelsOutput(legs))).toEqual([{include: [leg]}]);
  });

  it('are empty when nothing is to be done', () => {
    const idle = makeLegs(makePlan(planFacts([imageSpec('base')])), {...request, shares: true});
    expect(matrixOutput(idle)).toBe('{"include":[]}');
    expect(levelsOutput(idle)).toBe('[]');
  });
});

describe('imagesOutput', () => {
  const result: ImageResult = {
    image: 'leaf',
    ref: 'ghcr.io/o/leaf:t',
    digest: 'sha256:1',
    outcome: 'built',
    steps: [],
    blockedBy: undefined,
    size: 1,
    allowedFailure: false,
  };

  it('maps an image to its reference, digest and outcome', () => {
    expect(JSON.parse(imagesOutput([result]))).toEqual({
      leaf: {ref: 'ghcr.io/o/leaf:t', digest: 'sha256:1', outcome: 'built'},
    });
  });

  it('drops skipped images when it would be too large', () => {
    const skipped = Array.from({length: 20_000}, (_, index) => ({
      ...result,
      image: `image-${index}`,
      outcome: 'skipped' as const,
    }));
    expect(JSON.parse(imagesOutput([...skipped, result]))).toEqual({
      leaf: expect.anything(),
      truncated: true,
    });
  });
});
