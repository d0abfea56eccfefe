import {type Failure, failure} from '../../failure.ts';
import type {StepName} from '../../schedule/index.ts';
import type {ImageFacts, RunStep} from '../types.ts';
import {buildStep, pullStep} from './build.ts';
import {
  type ImageDetails,
  type ImageState,
  internalFailure,
  type Step,
  type StepContext,
  type StepEnd,
  type Work,
} from './context.ts';
import {manifestStep, pruneStep} from './page.ts';
import {pushStep, reuseStep} from './push.ts';
import {integrationTestStep, testStep} from './test.ts';

export type {RecordStore, StepContext, Work} from './context.ts';

/** The steps of a run's images; who calls them, and when, is the scheduler's business. */
export interface Steps {
  readonly runStep: RunStep;
  /** What is known of an image so far. */
  facts(image: string): ImageFacts;
  /** What its page says; undefined where no page was made. */
  details(image: string): ImageDetails | undefined;
}

const steps: Record<StepName, Step> = {
  pull: pullStep,
  build: buildStep,
  test: testStep,
  push: pushStep,
  reuse: reuseStep,
  'integration-test': integrationTestStep,
  manifest: manifestStep,
  prune: pruneStep,
};

/**
 * The steps of one image: pull, build, test, push, reuse, integration test, page and record, prune.
 * Enters: what the steps of a run share (docker, registry, workspace, plan, environment of tests), then one step of one
 *   image at a time.
 * Leaves: StepResult, with its failure or notes; facts of the image (digest, size). Steps share nothing but the context
 *   and what earlier steps of the same image left.
 * Not here: their order and their slots (schedule/), walking the plan (build/index.ts), what is on a page (page/).
 */
export function createSteps(context: StepContext): Steps {
  const states = new Map<string, ImageState>();
  const stateOf = (image: string): ImageState => {
    const known = states.get(image) ?? freshState();
    states.set(image, known);
    return known;
  };

  const runStep: RunStep = async (image, step, signal) => {
    const started = context.now().getTime();
    const state = stateOf(image.name);
    const end = await endOf(steps[step], {context, image, state, signal, stateOf});
    const {notes = [], cacheSeconds, tests} = end;
    const failure = end.failure && withMend(end.failure, step);
    const ended = context.now().getTime();
    state.seconds.set(step, (ended - started) / 1000);
    // Builds that wait for this image to be in the registry must not wait for ever.
    if (failure !== undefined) {
      state.pushed.resolve(undefined);
      state.isFailed = true;
    }
    return {
      step,
      startedMs: started,
      durationMs: ended - started,
      failure,
      notes,
      ...(cacheSeconds === undefined ? {} : {cacheSeconds}),
      ...(tests === undefined ? {} : {tests}),
    };
  };

  return {
    runStep,
    details: (name) => stateOf(name).details,
    facts: (name) => {
      const planned = context.plan.images.find((image) => image.name === name);
      const {digest, size} = stateOf(name);
      const standing = planned?.action === 'build' ? undefined : planned?.source?.digest;
      return {digest: digest ?? standing, size};
    },
  };
}

/** A deadline is one of ours: where it is set is what there is to do. */
function withMend(found: Failure, step: StepName): Failure {
  if (found.class !== 'timeout' || found.hint !== undefined) return found;
  const isTest = step === 'test' || step === 'integration-test';
  const keys = isTest ? '"tests.timeout_minutes" in spec.yml, or the input' : 'the input';
  return {
    ...found,
    hint: `The end of its log shows what it was doing. If it needs longer, raise ${keys} "timeout-minutes".`,
  };
}

/** Every exception of a step is a bug, or what cancelling left behind; neither ends the run. */
async function endOf(step: Step, work: Work): Promise<StepEnd> {
  try {
    return await step(work);
  } catch (error) {
    return {failure: work.signal.aborted ? cancelled : internalFailure(error)};
  }
}

const cancelled: Failure = failure('cancelled', 'The run was cancelled.');

function freshState(): ImageState {
  return {
    id: undefined,
    size: undefined,
    digest: undefined,
    manifest: undefined,
    pulledCache: [],
    logs: new Set(),
    pushed: Promise.withResolvers(),
    brought: undefined,
    verdict: undefined,
    counts: undefined,
    isTested: false,
    inventory: undefined,
    details: undefined,
    difference: undefined,
    reserved: 0,
    isFailed: false,
    seconds: new Map(),
  };
}
