import {failure} from '../../../src/failure.ts';
import type {PlannedImage} from '../../../src/plan/types.ts';
import type {
  ImageDetails,
  ReportedImage,
  ReportedStep,
  RunFacts,
} from '../../../src/report/types.ts';
import type {Outcome} from '../../../src/schedule/steps.ts';
import {imageSpec} from './stack.ts';

const start = Date.UTC(2026, 10, 24, 12, 0, 0);

export function reportedStep(
  step: ReportedStep['step'],
  from: number,
  seconds: number,
  more: Partial<ReportedStep> = {},
): ReportedStep {
  return {
    step,
    durationMs: seconds * 1000,
    startedMs: start + from * 1000,
    failure: undefined,
    notes: [],
    ...more,
  };
}

export function reported(image: string, more: Partial<ReportedImage> = {}): ReportedImage {
  return {
    image,
    ref: `ghcr.io/ucsd-ets/${image}:2026.3-main`,
    digest: undefined,
    outcome: 'built',
    steps: [],
    blockedBy: undefined,
    size: undefined,
    allowedFailure: false,
    ...more,
  };
}

export function planned(
  name: string,
  parents: readonly string[],
  more: Partial<PlannedImage> = {},
): PlannedImage {
  return {
    name,
    spec: imageSpec(name, parents),
    parents,
    level: parents.length,
    ref: `ghcr.io/ucsd-ets/${name}:2026.3-main`,
    action: 'build',
    reasons: [{kind: 'default-branch'}],
    fingerprint: `sha256:${'f'.repeat(64)}`,
    content: `sha256:${'c'.repeat(64)}`,
    tests: `sha256:${'e'.repeat(64)}`,
    source: undefined,
    before: undefined,
    expectedSeconds: undefined,
    ...more,
  };
}

const digest = (text: string): string =>
  `sha256:${Buffer.from(text).toString('hex').padEnd(64, '0').slice(0, 64)}`;

const buildTail = [
  '#7 1.204 Reading package lists...',
  '#7 1.913 E: Unable to locate package libfoo-dev',
  '#7 ERROR: process "/bin/sh -c apt-get update && apt-get install -y libfoo-dev" did not complete successfully: exit code: 100',
  '------',
  ' > [3/5] RUN apt-get update && apt-get install -y libfoo-dev:',
  '1.204 Reading package lists...',
  '1.913 E: Unable to locate package libfoo-dev',
  '------',
  'Dockerfile:8',
  '--------------------',
  '   6 |     ',
  '   7 |     USER root',
  '   8 | >>> RUN apt-get update && apt-get install -y libfoo-dev',
  '--------------------',
  'ERROR: failed to build: failed to solve: process "/bin/sh -c apt-get update && apt-get install -y libfoo-dev" did not complete successfully: exit code: 100',
];

/** A stack of seven with every outcome, and everything known that can be. */
export function sevenImages(): RunFacts {
  const tests = {passed: 12, failed: 0, skipped: 1};
  const images: ReportedImage[] = [
    reported('datascience-notebook', {
      digest: digest('base'),
      size: 1_355_000_000,
      steps: [
        reportedStep('build', 0, 185),
        reportedStep('test', 185, 22, {tests}),
        reportedStep('push', 207, 31, {notes: ['pushed after 2 retries']}),
      ],
    }),
    reported('scipy-ml-notebook', {
      outcome: 'failed',
      steps: [
        reportedStep('build', 185, 74, {
          failure: failure(
            'build-failed',
            'The build of ghcr.io/ucsd-ets/scipy-ml-notebook:2026.3-main failed: exit code: 100',
            {
              tail: buildTail,
              hint: 'Check the name of the package, and run apt-get update before.',
            },
          ),
        }),
      ],
    }),
    reported('pytorch-notebook', {outcome: 'blocked', blockedBy: 'scipy-ml-notebook: build'}),
    reported('rstudio-notebook', {
      digest: digest('rstudio'),
      size: 2_100_000_000,
      steps: [reportedStep('build', 190, 120), reportedStep('test', 310, 8, {notes: ['no tests']})],
    }),
    reported('web', {outcome: 'skipped', digest: digest('web'), size: 80_000_000}),
    reported('tools', {
      outcome: 'reused',
      digest: digest('tools'),
      size: 12_000_000,
      steps: [reportedStep('reuse', 3, 1)],
    }),
    reported('nbgrader', {outcome: 'cancelled'}),
  ];
  const details: readonly (readonly [string, ImageDetails])[] = [
    [
      'datascience-notebook',
      {
        url: 'https://github.com/ucsd-ets/stack/pkgs/container/datascience-notebook',
        difference: {
          against: 'ghcr.io/ucsd-ets/datascience-notebook:2026.3-stable@sha256:0123456789ab',
          compared: ['pip', 'conda', 'apt'],
          sizeChange: 12_400_000,
          packages: [
            {manager: 'pip', name: 'numpy', before: '1.26.4', after: '2.1.0'},
            {manager: 'apt', name: 'curl', after: '7.88.1-10'},
            {manager: 'conda', name: 'mkl', before: '2023.1'},
          ],
          base: {before: 'sha256:0123456789ab', after: 'sha256:ba9876543210'},
        },
        layers: [
          {command: 'FROM debian:bookworm-slim', size: 74_000_000},
          {command: 'RUN apt-get install -y curl', size: 1_281_000_000},
        ],
        packages: [
          {manager: 'pip', name: 'numpy', version: '2.1.0'},
          {manager: 'apt', name: 'curl', version: '7.88.1-10'},
        ],
      },
    ],
    [
      'scipy-ml-notebook',
      {
        logs: [{name: 'scipy-ml-notebook.build.log', lines: buildTail}],
      },
    ],
    ['rstudio-notebook', {notes: ['The info command R_VER failed: exit code 127.']}],
  ];
  const parents: Record<string, readonly string[]> = {
    'scipy-ml-notebook': ['datascience-notebook'],
    'pytorch-notebook': ['scipy-ml-notebook'],
    'rstudio-notebook': ['datascience-notebook'],
    web: ['tools'],
    nbgrader: ['datascience-notebook'],
  };
  return {
    plan: {
      tag: '2026.3-main',
      images: images.map(({image, outcome}) =>
        planned(image, parents[image] ?? [], {
          action: outcome === 'skipped' ? 'skip' : outcome === 'reused' ? 'reuse' : 'build',
          reasons:
            outcome === 'skipped'
              ? [{kind: 'unchanged'}]
              : [{kind: 'changed', files: [`images/${image}/Dockerfile`]}],
        }),
      ),
      changed: [],
    },
    report: {outcome: 'failed', images},
    run: {
      runId: '77',
      attempt: 2,
      runUrl: 'https://github.com/ucsd-ets/stack/actions/runs/77',
      event: 'push',
      branch: 'main',
      commit: {
        sha: 'c0ffee0123456789c0ffee0123456789c0ffee01',
        url: 'https://github.com/ucsd-ets/stack/commit/c0ffee0123456789c0ffee0123456789c0ffee01',
        subject: 'Newer numpy (#12)',
      },
      artifactUrl: 'https://github.com/ucsd-ets/stack/actions/runs/77/artifacts/5',
      wikiUrl: 'https://github.com/ucsd-ets/stack/wiki',
    },
    details: new Map(details),
  };
}

const outcomes: readonly Outcome[] = [
  'built',
  'failed',
  'blocked',
  'skipped',
  'reused',
  'cancelled',
];

/** Any number of images, all outcomes in turn; each image sits on the one before it in its group of ten. */
export function manyImages(count: number, only?: Outcome): RunFacts {
  const names = Array.from({length: count}, (_, index) => `image-${index}`);
  const images = names.map((name, index) => {
    const outcome = only ?? outcomes[index % outcomes.length] ?? 'built';
    const isFailed = outcome === 'failed';
    const steps =
      outcome === 'built' || isFailed
        ? [
            reportedStep('build', index, 20, {
              ...(isFailed
                ? {
                    failure: failure('build-failed', `The build of ${name} failed.`, {
                      tail: buildTail,
                    }),
                  }
                : {}),
            }),
          ]
        : [];
    return reported(name, {
      outcome,
      steps,
      ...(outcome === 'blocked' ? {blockedBy: `image-${index - 1}: build`} : {}),
      ...(outcome === 'built' ? {digest: digest(name), size: 1_000_000 * (index + 1)} : {}),
    });
  });
  return {
    plan: {
      tag: '2026.3-main',
      images: names.map((name, index) =>
        planned(name, index % 10 === 0 ? [] : [`image-${index - 1}`]),
      ),
      changed: [],
    },
    report: {
      outcome: images.some(({outcome}) => outcome === 'failed') ? 'failed' : 'passed',
      images,
    },
  };
}
