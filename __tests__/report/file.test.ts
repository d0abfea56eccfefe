import {describe, expect, it} from 'vitest';
import type {ImageResult, RunOutcome} from '../../src/build/types.ts';
import {failure} from '../../src/failure.ts';
import {makePlan} from '../../src/plan/decide.ts';
import {mergeReports, parseReport, reportFile} from '../../src/report/file.ts';
import type {Outcome} from '../../src/schedule/steps.ts';
import {imageSpec, planFacts} from '../support/builders/stack.ts';

const plan = makePlan(planFacts([imageSpec('base'), imageSpec('leaf', ['base'])]));

function result(image: string, outcome: Outcome): ImageResult {
  const failure =
    outcome === 'failed'
      ? ({
          reason: 'exit-code',
          class: 'test-failed',
          message: 'pytest says 1',
          command: 'pytest',
          exitCode: 1,
          tail: [],
        } as const)
      : undefined;
  return {
    image,
    ref: `r/${image}:t`,
    digest: outcome === 'built' ? 'sha256:1' : undefined,
    outcome,
    steps: outcome === 'skipped' ? [] : [{step: 'test', durationMs: 1500, failure, notes: []}],
    blockedBy: undefined,
    size: undefined,
    allowedFailure: false,
  };
}

const written = (outcome: RunOutcome, ...images: ImageResult[]) =>
  parseReport('artifacts/a/report.json', reportFile(plan, {outcome, images}));

describe('mergeReports', () => {
  it('gives every image once, as the runner that worked on it says', () => {
    const merged = mergeReports([
      written('passed', result('base', 'built'), result('leaf', 'skipped')),
      written('failed', result('base', 'skipped'), result('leaf', 'failed')),
    ]);
    expect(merged.outcome).toBe('failed');
    expect(merged.images.map(({image, outcome, digest}) => [image, outcome, digest])).toEqual([
      ['base', 'built', 'sha256:1'],
      ['leaf', 'failed', undefined],
    ]);
    expect(merged.images[1]?.steps[0]).toMatchObject({
      durationMs: 1500,
      failure: {message: 'pytest says 1'},
    });
  });

  it('refuses to make a report of nothing, or of two tags', () => {
    expect(() => mergeReports([])).toThrow('no report.json');
    const one = written('passed');
    expect(() => mergeReports([one, {...one, tag: 'other'}])).toThrow(
      'different tags: 2026.3-feature, other',
    );
  });
});

describe('parseReport', () => {
  it('keeps what a person reads of a step', () => {
    const steps: ImageResult['steps'] = [
      {step: 'build', durationMs: 2000, failure: undefined, notes: ['slow'], cacheSeconds: 0.5},
      {
        step: 'push',
        durationMs: 1000,
        failure: failure('rate-limit', 'too many', {tail: ['429'], hint: 'wait'}),
        notes: [],
      },
    ];
    const {images} = written('failed', {...result('base', 'failed'), steps});
    expect(images[0]?.steps).toEqual(steps);
  });

  it('takes no class that this action does not have', () => {
    const step = {step: 'push', seconds: 1, failure: {message: 'no', class: 'mine'}};
    const image = {image: 'a', ref: 'r', outcome: 'failed', steps: [step]};
    const text = JSON.stringify({schema: 1, tag: 't', outcome: 'failed', images: [image]});
    const {images} = parseReport('artifacts/a/report.json', text);
    expect(images[0]?.steps[0]?.failure?.class).toBe('internal');
  });

  it.each([
    ['{', 'not JSON'],
    ['[]', 'not of schema 1'],
    ['{"schema": 1}', 'tag, outcome or images is missing'],
    ['{"schema": 1, "tag": "t", "outcome": "passed", "images": [{}]}', 'images[0] is no result'],
    [
      '{"schema": 1, "tag": "t", "outcome": "passed", "images": [{"image": "a", "ref": "r", "outcome": "great"}]}',
      'images[0]',
    ],
  ])('refuses %s', (text, problem) => {
    expect(() => parseReport('artifacts/a/report.json', text)).toThrow(problem);
    expect(() => parseReport('artifacts/a/report.json', text)).toThrow('artifacts/a/report.json');
  });
});
