import type {PlannedImage} from '../plan/index.ts';

/** What of the spec and the inputs decides which steps an image has. */
export interface ScheduleOptions {
  /** Builds at once; tests and pushes, which mostly wait, have as many slots of their own. 1 is the plain order of the tree. */
  readonly concurrency: number;
  readonly failFast: boolean;
  /** The run writes to the registry. */
  readonly push: boolean;
  /** A reused image gets a page too, which costs a pull: only where pages are published. */
  readonly documentsReused: boolean;
}

/** Each kind of work has slots of its own; nothing waits for pages and pruning, which run beside. */
export const pools = ['build', 'test', 'push', 'aside'] as const;

export type Pool = (typeof pools)[number];

/** Which slots a step takes. */
export const poolOf: Record<StepName, Pool> = {
  pull: 'build',
  build: 'build',
  test: 'test',
  push: 'push',
  reuse: 'push',
  'integration-test': 'test',
  manifest: 'aside',
  prune: 'aside',
};

/** Steps that must come one after the other; the image is good when the last one is done. */
export function chainOf(image: PlannedImage, options: ScheduleOptions): readonly StepName[] {
  const integration: StepName[] = image.spec.integrationTests ? ['integration-test'] : [];
  switch (image.action) {
    case 'build': {
      const push: StepName[] = isPushed(image, options) ? ['push'] : [];
      return ['pull', 'build', 'test', ...push, ...integration];
    }
    case 'test':
      return ['pull', 'test', ...integration];
    case 'reuse':
      return ['reuse'];
    case 'skip':
      return [];
  }
}

export function isPushed(image: PlannedImage, {push}: Pick<ScheduleOptions, 'push'>): boolean {
  return push && image.spec.publish;
}

/**
 * The step after which the info commands run, beside the push and the rest of the chain; undefined when there is no page.
 * The page itself names the digest and the verdict: it is written by whichever step comes last.
 */
export function pageAfter(
  image: PlannedImage,
  options: Pick<ScheduleOptions, 'documentsReused'>,
): StepName | undefined {
  switch (image.action) {
    case 'build':
    case 'test':
      return 'test';
    case 'reuse':
      return options.documentsReused ? 'reuse' : undefined;
    case 'skip':
      return undefined;
  }
}

/** The steps of one image, in this order; `reuse` replaces all of them up to the push. Pages are made beside the others. */
export const stepNames = [
  'pull',
  'build',
  'test',
  'push',
  'reuse',
  'integration-test',
  'manifest',
  'prune',
] as const;

export type StepName = (typeof stepNames)[number];

export type Outcome = 'built' | 'reused' | 'skipped' | 'failed' | 'blocked' | 'cancelled';
