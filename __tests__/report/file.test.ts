import {readFileSync} from 'node:fs';
import {Ajv2020} from 'ajv/dist/2020.js';
import {describe, expect, it} from 'vitest';
import {parse} from 'yaml';
import {differenceOf, type ImageFacts} from '../../src/record/index.ts';
import {recordDetails, reportFile, resultFile} from '../../src/report/file.ts';
import {parseReport} from '../../src/report/merge/index.ts';
import {manyImages, reported, reportedStep, sevenImages} from '../support/builders/reports.ts';

const schema = JSON.parse(
  readFileSync(new URL('../../report.schema.json', import.meta.url), 'utf8'),
);
const validate = new Ajv2020({allErrors: true, strict: true, strictRequired: false}).compile(
  schema,
);

describe('report.json', () => {
  it.each([
    ['everything known', sevenImages()],
    ['many images', manyImages(100)],
    [
      'nothing known',
      {
        plan: {tag: 't', images: [], changed: []},
        report: {outcome: 'passed' as const, images: [reported('a')]},
      },
    ],
    [
      'no images',
      {
        plan: {tag: 't', images: [], changed: []},
        report: {outcome: 'cancelled' as const, images: []},
      },
    ],
  ])('fits its schema: %s', (_, facts) => {
    validate(JSON.parse(reportFile(facts)));
    expect(validate.errors ?? []).toEqual([]);
  });

  it('is refused by its schema when something is missing or made up', () => {
    const value = JSON.parse(reportFile(sevenImages()));
    expect(validate({...value, surprise: 1})).toBe(false);
    expect(validate({...value, outcome: 'great'})).toBe(false);
    expect(validate({...value, images: [{}]})).toBe(false);
  });

  it('holds reasons, place and cause of a failure, differences and words', () => {
    const {images} = JSON.parse(reportFile(sevenImages()));
    expect(images[1]).toMatchObject({
      image: 'scipy-ml-notebook',
      success: false,
      why: 'changed: images/scipy-ml-notebook/Dockerfile',
      reasons: [{kind: 'changed', files: ['images/scipy-ml-notebook/Dockerfile']}],
      cause: 'E: Unable to locate package libfoo-dev',
      place: {file: 'images/scipy-ml-notebook/Dockerfile', line: 8},
    });
    expect(images[0]).toMatchObject({
      tests: {passed: 12, failed: 0, skipped: 1},
      difference: {size_change: 12_400_000},
    });
    expect(images[2].not_done).toBe('not started: its parent scipy-ml-notebook failed');
  });

  it('is read back as it was written', () => {
    const facts = sevenImages();
    const {images, outcome, tag} = parseReport('artifacts/a/report.json', reportFile(facts));
    expect([tag, outcome]).toEqual(['2026.3-main', 'failed']);
    expect(images).toEqual(facts.report.images);
  });
});

describe('the result of one image', () => {
  it('is YAML with its steps', () => {
    const text = resultFile(
      reported('a', {steps: [reportedStep('build', 0, 2, {notes: ['slow']})]}),
    );
    expect(parse(text)).toMatchObject({
      image: 'a',
      outcome: 'built',
      success: true,
      steps: [{step: 'build', seconds: 2, notes: ['slow']}],
    });
  });
});

describe('what a record tells', () => {
  const facts: ImageFacts = {
    image: 'web',
    repository: 'ghcr.io/o/web',
    reference: 'ghcr.io/o/web:t',
    platforms: [],
    size: 300,
    diffIds: [],
    layers: [{createdBy: 'RUN apt-get install curl', size: 100}],
    parents: [],
    seconds: {},
    info: [
      {name: 'PY_VER', description: '', command: 'python -V', exitCode: 0, output: ''},
      {
        name: 'R_VER',
        description: '',
        command: 'R -V',
        exitCode: 127,
        output: '',
        errors: 'x\nsh: 1: R: not found\n',
      },
      {name: 'SLOW', description: '', command: 'sleep 1d', output: ''},
    ],
    packages: {pip: {numpy: '2.1.0', scipy: '1.0'}, r: {sf: '1.0'}},
  };

  it('becomes layers, packages, differences and notes', () => {
    const before: ImageFacts = {
      ...facts,
      reference: 'ghcr.io/o/web:stable',
      size: 250,
      packages: {pip: {numpy: '1.26.4', gone: '1'}, r: {sf: '1.0'}},
    };
    expect(recordDetails(facts, differenceOf(before, facts))).toEqual({
      notes: [
        'The info command R_VER failed: exit code 127 (sh: 1: R: not found).',
        'The info command SLOW did not finish.',
      ],
      layers: [{command: 'RUN apt-get install curl', size: 100}],
      packages: [
        {manager: 'pip', name: 'numpy', version: '2.1.0'},
        {manager: 'pip', name: 'scipy', version: '1.0'},
        {manager: 'R', name: 'sf', version: '1.0'},
      ],
      difference: {
        against: 'ghcr.io/o/web:stable',
        compared: ['pip', 'R'],
        sizeChange: 50,
        packages: [
          {manager: 'pip', name: 'numpy', before: '1.26.4', after: '2.1.0'},
          {manager: 'pip', name: 'scipy', after: '1.0'},
          {manager: 'pip', name: 'gone', before: '1'},
        ],
      },
    });
  });

  it('fits the schema of report.json, what was inherited too', () => {
    const moved = {
      ...differenceOf(facts, facts),
      inherited: [{image: 'base', packages: 3, bytes: 9}],
    };
    const run = manyImages(1);
    const value = reportFile({
      ...run,
      details: new Map([['image-0', recordDetails(facts, moved)]]),
    });
    validate(JSON.parse(value));
    expect(validate.errors ?? []).toEqual([]);
    expect(value).toContain('"inherited"');
  });
});
