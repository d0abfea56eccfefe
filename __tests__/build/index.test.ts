import {describe, expect, it} from 'vitest';
import {runPlan} from '../../src/build/index.ts';
import type {RunEvent, RunStep, StepResult} from '../../src/build/types.ts';
import {failure} from '../../src/failure.ts';
import type {PlannedImage} from '../../src/plan/types.ts';
import type {StepName} from '../../src/schedule/steps.ts';
import {plainOptions, plannedImage} from '../support/builders/simulation.ts';

const good = (step: StepName): StepResult => ({step, durationMs: 1, failure: undefined, notes: []});

const bad = (step: StepName): StepResult => ({
  ...good(step),
  failure: failure('test-failed', 'no', {cause: {kind: 'exit', command: 'pytest', exitCode: 1}}),
});

const images = [
  plannedImage('base'),
  plannedImage('leaf', ['base']),
  plannedImage('idle', [], 'skip'),
];

async function run(
  runStep: RunStep,
  plan: readonly PlannedImage[] = images,
  more: {signal?: AbortSignal} = {},
) {
  const events: RunEvent[] = [];
  const report = await runPlan(
    {tag: 't', images: plan, changed: []},
    {
      runStep,
      facts: (image) => ({digest: `sha256:${image}`, size: 1}),
      emit: (event) => events.push(event),
      signal: more.signal ?? new AbortController().signal,
      now: () => 0,
    },
    plainOptions,
  );
  return {report, events, outcomes: report.images.map(({outcome}) => outcome)};
}

describe('runPlan', () => {
  it('reports every image in the order of the plan, with its steps', async () => {
    const {report, outcomes} = await run(async (_, step) => good(step));
    expect(report.outcome).toBe('passed');
    expect(outcomes).toEqual(['built', 'built', 'skipped']);
    expect(report.images[0]?.steps.map(({step}) => step)).toEqual([
      'pull',
      'build',
      'test',
      'push',
      'manifest',
    ]);
    expect(report.images[1]).toMatchObject({digest: 'sha256:leaf', size: 1, blockedBy: undefined});
  });

  it('tells what happens, each image begun once and ended once', async () => {
    const {events} = await run(async (_, step) => good(step));
    const of = (kind: RunEvent['kind']) => events.filter((event) => event.kind === kind);
    expect(of('image-started')).toHaveLength(2);
    expect(of('image-finished')).toHaveLength(3);
    expect(of('step-finished')).toHaveLength(10);
  });

  it('takes an exception of a step for a failure of its image, and loses nothing', async () => {
    const {report, outcomes} = await run(async (image, step) => {
      if (image.name === 'base' && step === 'test') throw new TypeError('x is not a function');
      return good(step);
    });
    expect(report.outcome).toBe('failed');
    expect(outcomes).toEqual(['failed', 'blocked', 'skipped']);
    const failed = report.images[0]?.steps.find(({failure}) => failure !== undefined);
    expect(failed?.failure).toMatchObject({
      class: 'internal',
      message: 'Internal error: x is not a function',
    });
    expect(report.images[1]?.blockedBy).toBe('base: test');
  });

  it('stops the steps of a child when its parent fails', async () => {
    let isStopped = false;
    const begun = Promise.withResolvers<void>();
    const {outcomes} = await run(async (image, step, signal) => {
      if (image.name === 'base' && step === 'test') {
        await begun.promise;
        return bad(step);
      }
      if (image.name === 'leaf' && step === 'build') {
        begun.resolve();
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        isStopped = true;
      }
      return good(step);
    });
    expect(isStopped).toBe(true);
    expect(outcomes.slice(0, 2)).toEqual(['failed', 'blocked']);
  });

  it('ends and reports everything when the run is cancelled', async () => {
    const controller = new AbortController();
    const {report, outcomes} = await run(
      async (_, step, signal) => {
        if (step === 'build') {
          controller.abort();
          await new Promise((resolve) =>
            signal.aborted ? resolve(undefined) : signal.addEventListener('abort', resolve),
          );
        }
        return good(step);
      },
      images,
      {signal: controller.signal},
    );
    expect(report.outcome).toBe('cancelled');
    expect(outcomes).toEqual(['cancelled', 'cancelled', 'skipped']);
  });

  it('passes although an image failed that may', async () => {
    const {report} = await run(
      async (_, step) => (step === 'test' ? bad(step) : good(step)),
      [plannedImage('base', [], 'build', undefined, {allowFailure: true})],
    );
    expect(report.outcome).toBe('passed');
    expect(report.images[0]).toMatchObject({outcome: 'failed', allowedFailure: true});
  });
});
