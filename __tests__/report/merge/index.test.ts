import {describe, expect, it} from 'vitest';
import {failure} from '../../../src/failure.ts';
import {reportFile} from '../../../src/report/file.ts';
import {
  latestReports,
  mergeReports,
  parseReport,
  plannedWork,
  requireReports,
} from '../../../src/report/merge/index.ts';
import type {ReportedImage} from '../../../src/report/types.ts';
import {planned, reported, reportedStep} from '../../support/builders/reports.ts';
import {imageSpec} from '../../support/builders/stack.ts';

const standing = {
  ref: 'x',
  digest: `sha256:${'1'.repeat(64)}`,
  manifest: {bytes: new Uint8Array(), mediaType: '', digest: ''},
  fingerprint: '',
  content: '',
};
const plan = {
  tag: '2026.3-main',
  changed: [],
  images: [
    planned('base', []),
    planned('leaf', ['base']),
    planned('idle', [], {action: 'skip', source: standing}),
  ],
};
const good = reportedStep('build', 0, 1);
const bad = reportedStep('build', 0, 1, {failure: failure('build-failed', 'It failed.')});
const built = (image: string, more: Partial<ReportedImage> = {}) =>
  reported(image, {steps: [good], ...more});

/** A report as a runner writes it, with whatever an attacker changes of it. */
function claimed(
  images: readonly ReportedImage[],
  more: Record<string, unknown> = {},
  file = 'artifacts/a/report.json',
) {
  const value = JSON.parse(reportFile({plan, report: {outcome: 'passed', images}}));
  return parseReport(file, JSON.stringify({...value, ...more}));
}
const outcomes = (images: readonly ReportedImage[]) =>
  images.map(({image, outcome}) => `${image} ${outcome}`);

describe('mergeReports', () => {
  it('gives every image of the plan once, as the runner that worked on it says', () => {
    const merged = mergeReports(plan, [
      claimed([built('base'), reported('leaf', {outcome: 'skipped'})]),
      claimed([reported('base', {outcome: 'skipped'}), built('leaf')]),
    ]);
    expect(merged).toMatchObject({outcome: 'passed', notes: []});
    expect(outcomes(merged.images)).toEqual(['base built', 'leaf built', 'idle skipped']);
    expect(merged.images[2]?.digest).toBe(`sha256:${'1'.repeat(64)}`);
  });

  it('is red where a report calls itself passed and an image failed', () => {
    const merged = mergeReports(plan, [
      claimed([built('base'), reported('leaf', {outcome: 'failed', steps: [bad]})]),
    ]);
    expect(merged.outcome).toBe('failed');
  });

  it('is red where a good image has a failed step', () => {
    const merged = mergeReports(plan, [claimed([built('base', {steps: [bad]}), built('leaf')])]);
    expect(merged.outcome).toBe('failed');
    expect(merged.images[0]?.outcome).toBe('failed');
  });

  it.each([
    ['none', []],
    ['skipped only', [reported('leaf', {outcome: 'skipped' as const})]],
  ])('is red where no runner reported a planned image: %s', (_, leaf) => {
    const merged = mergeReports(plan, [claimed([built('base'), ...leaf])]);
    expect(merged.outcome).toBe('failed');
    expect(merged.images[1]).toMatchObject({image: 'leaf', outcome: 'failed', digest: undefined});
    expect(merged.images[1]?.steps[0]?.failure?.message).toMatch(
      /^No runner (?:reported|worked on) it/,
    );
  });

  it('ignores images and references that the plan does not have, and says so', () => {
    const merged = mergeReports(plan, [
      claimed([
        built('base'),
        built('leaf', {ref: 'Home'}),
        built('Home', {ref: 'Home'}),
        built('leaf'),
      ]),
    ]);
    expect(merged.outcome).toBe('passed');
    expect(outcomes(merged.images)).toEqual(['base built', 'leaf built', 'idle skipped']);
    expect(merged.images[1]?.ref).toBe('ghcr.io/ucsd-ets/leaf:2026.3-main');
    expect(merged.notes).toEqual([
      'artifacts/a/report.json: the result of leaf was ignored: it is of "Home", not ghcr.io/ucsd-ets/leaf:2026.3-main.',
      'artifacts/a/report.json: the unknown image "Home" was ignored.',
    ]);
  });

  it('ignores a report of another tag, so that its images are not reported', () => {
    const merged = mergeReports(plan, [
      claimed([built('base'), built('leaf')], {tag: '2025.1-main'}),
    ]);
    expect(merged.outcome).toBe('failed');
    expect(merged.notes[0]).toContain('it is of the tag "2025.1-main", not 2026.3-main');
  });

  it('takes the worst of two reports, in either order', () => {
    const one = claimed([built('base'), built('leaf')]);
    const other = claimed([built('base'), reported('leaf', {outcome: 'failed', steps: [bad]})]);
    for (const reports of [
      [one, other],
      [other, one],
    ]) {
      expect(mergeReports(plan, reports).outcome).toBe('failed');
      expect(mergeReports(plan, reports).images[1]?.outcome).toBe('failed');
    }
  });

  it('lets the spec allow a failure, never the report', () => {
    const leaf = reported('leaf', {outcome: 'failed', steps: [bad], allowedFailure: true});
    const reports = [claimed([built('base'), leaf])];
    expect(mergeReports(plan, reports).outcome).toBe('failed');
    const images = plan.images.map((image) =>
      image.name === 'leaf'
        ? {...image, spec: imageSpec('leaf', ['base'], {allowFailure: true})}
        : image,
    );
    expect(mergeReports({...plan, images}, reports).outcome).toBe('passed');
  });

  it('believes a runner that says it failed or was cancelled', () => {
    const images = [built('base'), built('leaf')];
    expect(
      mergeReports(plan, [claimed(images), claimed(images, {outcome: 'failed'})]).outcome,
    ).toBe('failed');
    expect(
      mergeReports(plan, [claimed(images), claimed(images, {outcome: 'cancelled'})]).outcome,
    ).toBe('cancelled');
  });

  it('counts what is too much to name', () => {
    const many = Array.from({length: 200}, (_, index) => built(`other-${index}`));
    const {notes} = mergeReports(plan, [claimed([built('base'), built('leaf'), ...many])]);
    expect(notes).toHaveLength(51);
    expect(notes.at(-1)).toBe('And 150 more like these.');
  });
});

describe('the reports of a run whose jobs were run again', () => {
  const failedLeaf = reported('leaf', {outcome: 'failed', steps: [bad]});
  const attempt = (number: number, images: readonly ReportedImage[], more = {}) =>
    claimed(images, {run: {id: '1', attempt: number}, ...more});
  const merge = (...reports: ReturnType<typeof claimed>[]) =>
    mergeReports(plan, latestReports(reports));

  it('count as the last attempt that worked on an image, though those of the first are still there', () => {
    const first = attempt(1, [built('base'), failedLeaf], {outcome: 'failed'});
    const again = attempt(2, [reported('base', {outcome: 'skipped'}), built('leaf')]);
    for (const reports of [
      [first, again],
      [again, first],
    ]) {
      const merged = merge(...reports);
      expect(merged.outcome).toBe('passed');
      expect(outcomes(merged.images)).toEqual(['base built', 'leaf built', 'idle skipped']);
    }
  });

  it('are red where the last attempt is, whatever the first said', () => {
    const first = attempt(1, [built('base'), built('leaf')]);
    expect(merge(first, attempt(2, [failedLeaf], {outcome: 'failed'})).outcome).toBe('failed');
  });

  it('keep what no later attempt did again', () => {
    const first = attempt(1, [reported('base', {outcome: 'failed', steps: [bad]}), built('leaf')]);
    expect(merge(first, attempt(2, [built('leaf')])).outcome).toBe('failed');
  });
});

describe('plannedWork', () => {
  const text = (tag: string) =>
    JSON.stringify({
      schema: 1,
      tag,
      images: [{name: 'idle', action: 'build'}, {name: 'base', action: 'skip'}, null, {}],
    });

  it('is what the plan of this run had work for', () => {
    expect(plannedWork(plan, text('2026.3-main'))).toEqual(['idle']);
  });

  it.each([
    text('other'),
    '{',
    'null',
    '{"tag": "2026.3-main"}',
    '{"tag": "2026.3-main", "images": 1}',
  ])('is nothing where it is not: %s', (written) => expect(plannedWork(plan, written)).toEqual([]));

  it('makes a run red whose leg never came, though its image is in the registry by now', () => {
    const reports = [claimed([built('base'), built('leaf')])];
    expect(mergeReports(plan, reports).outcome).toBe('passed');
    const merged = mergeReports(plan, reports, new Set(['idle']));
    expect(merged.outcome).toBe('failed');
    expect(merged.images[2]?.steps[0]?.failure?.message).toMatch(/^No runner reported it/);
    const done = claimed([reported('idle', {outcome: 'reused', steps: [good]})]);
    expect(mergeReports(plan, [...reports, done], new Set(['idle'])).outcome).toBe('passed');
  });
});

describe('parseReport', () => {
  it('asks for reports where there are none', () => {
    expect(() => requireReports([])).toThrow('There is no report.json below artifacts/');
  });

  it('takes no class, digest or number that this action cannot have written', () => {
    const step = {
      step: 'push',
      seconds: 1,
      failure: {message: 'no', class: 'mine'},
      tests: {passed: -1},
    };
    const image = {
      image: 'a',
      ref: 'r',
      outcome: 'failed',
      steps: [step, {step: '__proto__', seconds: 1}],
      digest: 'sha256:x',
      size: -5,
    };
    const text = JSON.stringify({schema: 1, tag: 't', outcome: 'failed', images: [image]});
    const {images} = parseReport('artifacts/a/report.json', text);
    expect(images[0]).toMatchObject({digest: undefined, size: undefined});
    expect(images[0]?.steps).toHaveLength(1);
    expect(images[0]?.steps[0]?.failure?.class).toBe('internal');
    expect(images[0]?.steps[0]).not.toHaveProperty('tests');
  });

  it.each([
    ['{', 'not JSON'],
    ['[]', 'not of schema 1'],
    ['{"schema": 1}', 'tag, outcome or images is missing'],
    ['{"schema": 1, "tag": "t", "outcome": "passed", "images": [{}]}', 'images[0] is not a result'],
    ['{"schema": 1, "tag": "t", "outcome": "passed", "images": [null]}', 'images[0]'],
    [
      '{"schema": 1, "tag": "t", "outcome": "passed", "images": [{"image": "a", "ref": "r", "outcome": "great"}]}',
      'images[0]',
    ],
  ])('refuses %s', (text, problem) => {
    expect(() => parseReport('artifacts/a/report.json', text)).toThrow(problem);
    expect(() => parseReport('artifacts/a/report.json', text)).toThrow('artifacts/a/report.json');
  });
});

describe('what runners know beside the results', () => {
  const own = {
    difference: {against: 'x@sha256:1', compared: ['pip'], packages: [], sizeChange: -5},
    layers: [{command: 'RUN x', size: 5}],
    packages: [{manager: 'pip', name: 'numpy', version: '2'}],
    logs: [{name: 'logs/x.build.log', lines: ['one', 'two']}],
    notes: ['The info command X failed.'],
  };
  const written = (outcome: ReportedImage['outcome'], details: object): string => {
    const {tag} = plan;
    const known = new Map([['leaf', details]]);
    const report = {outcome: 'passed', images: [built('leaf', {outcome})]} as const;
    return reportFile({plan: {...plan, tag}, report, details: known});
  };

  it('is in the merged report, from the report that counts', () => {
    const [worse, better] = [
      parseReport('a', written('failed', own)),
      parseReport('b', written('built', {notes: ['another']})),
    ];
    expect(mergeReports(plan, [better, worse]).details.get('leaf')).toEqual(own);
    expect(mergeReports(plan, [worse, better]).details.get('leaf')).toEqual(own);
  });

  it('is left out where it is not what it should be, and costs nothing else', () => {
    const value = JSON.parse(written('built', own));
    const leaf = value.images[0];
    Object.assign(leaf, {
      layers: 'no',
      packages: [{name: 1}],
      url: 'https://example.org',
      logs: {},
    });
    const {details, images} = parseReport('a', JSON.stringify(value));
    expect(images).toHaveLength(1);
    expect(details.get('leaf')).toEqual({difference: own.difference, notes: own.notes});
  });
});
