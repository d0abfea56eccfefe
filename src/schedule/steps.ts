import type {PlannedImage} from '../plan/index.ts';

/** What of the spec and the inputs decides which steps an image has. */
export interface ScheduleOptions {
  /** Images worked on at once. 1 is the plain order of the tree. */
  readonly concurrency: number;
  readonly failFast: boolean;
  readonly isPushed: (image: string) => boolean;
  readonly hasIntegrationTests: (image: string) => boolean;
  readonly isPruned: (image: string) => boolean;
  readonly mayFail: (image: string) => boolean;
  /** A reused image gets a page too, which costs a pull: only where pages are published. */
  readonly documentsReused: boolean;
}

/** Pages and tidying up come beside the work, and have slots of their own: nobody waits for them. */
export type Pool = 'work' | 'aside';

/** Which slots a step takes. */
export const poolOf: Record<StepName, Pool> = {
  pull: 'work',
  build: 'work',
  test: 'work',
  push: 'work',
  reuse: 'work',
  'integration-test': 'work',
  manifest: 'aside',
  prune: 'aside',
};

/** Steps that must come one after the other; the image is good when the last one is done. */
export function chainOf(image: PlannedImage, options: ScheduleOptions): readonly StepName[] {
  const integration: StepName[] = options.hasIntegrationTests(image.name)
    ? ['integration-test']
    : [];
  switch (image.action) {
    case 'build': {
      const push: StepName[] = options.isPushed(image.name) ? ['push'] : [];
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

/** The step after which the page is made, beside the rest of the chain; undefined when there is no page. */
export function pageAfter(image: PlannedImage, options: ScheduleOptions): StepName | undefined {
  switch (image.action) {
    case 'build':
      // The page names the digest, which there is after the push.
      return options.isPushed(image.name) ? 'push' : 'test';
    case 'test':
      return 'test';
    case 'reuse':
      return options.documentsReused ? 'reuse' : undefined;
    case 'skip':
      return undefined;
  }
}

/** The steps of one image, in this order (DESIGN.md section 5); `reuse` stands for all up to the push. */
export type StepName =
  | 'pull'
  | 'build'
  | 'test'
  | 'push'
  | 'reuse'
  | 'integration-test'
  | 'manifest'
  | 'prune';

export type Outcome = 'built' | 'reused' | 'skipped' | 'failed' | 'blocked' | 'cancelled';
