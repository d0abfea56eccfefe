import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import type {JobLog} from '../../src/adapters/github/log.ts';
import {failure} from '../../src/failure.ts';
import {
  annotate,
  annotationsOf,
  buildWarningAnnotations,
  buildWarnings,
  findingAnnotations,
  limited,
  warnOf,
} from '../../src/report/annotations.ts';
import {reported, reportedStep, sevenImages} from '../support/builders/reports.ts';

function recorded(name: string): readonly string[] {
  const url = new URL(`../fixtures/report/${name}.txt`, import.meta.url);
  return readFileSync(url, 'utf8').split('\n');
}

describe('annotations of a run', () => {
  it('name the Dockerfile line, docker’s own cause and what to do', () => {
    expect(annotationsOf(sevenImages())).toEqual([
      {
        level: 'error',
        message:
          'scipy-ml-notebook: build failed: E: Unable to locate package libfoo-dev\nCheck the name of the package, and run apt-get update before.',
        place: {file: 'images/scipy-ml-notebook/Dockerfile', line: 8},
      },
    ]);
  });

  it('name the test file and line, and warn where the failure is allowed', () => {
    const tests = failure('test-failed', 'The tests failed.', {tail: recorded('pytest-fail')});
    const image = reported('a', {
      outcome: 'failed',
      allowedFailure: true,
      steps: [reportedStep('test', 0, 1, {failure: tests})],
    });
    const facts = {
      plan: {tag: 't', images: [], changed: []},
      report: {outcome: 'passed' as const, images: [image]},
    };
    expect(annotationsOf(facts)).toEqual([
      {
        level: 'warning',
        message: 'a: tests failed: test_version: AssertionError: python is too old',
        place: {file: 'test/test_a.py', line: 9},
      },
    ]);
  });

  it.each(['/etc/passwd', '../other/x.py', 'a/../../x.py'])(
    'have no place outside of the repository: %s',
    (file) => {
      const failed = failure('build-failed', 'no', {place: {file, line: 1}});
      const image = reported('a', {
        outcome: 'failed',
        steps: [reportedStep('build', 0, 1, {failure: failed})],
      });
      const facts = {
        plan: {tag: 't', images: [], changed: []},
        report: {outcome: 'failed' as const, images: [image]},
      };
      expect(annotationsOf(facts)[0]).not.toHaveProperty('place');
    },
  );
});

describe('annotations of findings', () => {
  it('take the place out of the message', () => {
    const findings = [
      'images/spec.yml:4:16: depend_on contains "c": no such image',
      'images/a/Dockerfile:3: RUN before the first FROM',
      'images/spec.yml: and 20 more mistakes',
      'a sentence: with a colon',
    ];
    expect(findingAnnotations(findings, 'error')).toEqual([
      {
        level: 'error',
        place: {file: 'images/spec.yml', line: 4, column: 16},
        message: 'depend_on contains "c": no such image',
      },
      {
        level: 'error',
        place: {file: 'images/a/Dockerfile', line: 3},
        message: 'RUN before the first FROM',
      },
      {level: 'error', message: 'images/spec.yml: and 20 more mistakes'},
      {level: 'error', message: 'a sentence: with a colon'},
    ]);
  });

  it('are ten at most, of which the last counts the rest', () => {
    const many = findingAnnotations(
      Array.from({length: 25}, (_, index) => `a:${index + 1}:1: no`),
      'error',
    );
    const shown = limited(many);
    expect(shown).toHaveLength(10);
    expect(shown[9]?.message).toBe('16 more mistakes: see the log and the step summary.');
    expect(limited(many.slice(0, 10))).toEqual(many.slice(0, 10));
  });

  it('leave through the job log with their place', () => {
    const calls: unknown[] = [];
    const log: JobLog = {
      info: () => undefined,
      group: () => undefined,
      warning: (...all) => calls.push(['warning', ...all]),
      error: (...all) => calls.push(['error', ...all]),
    };
    annotate(log, [
      ...findingAnnotations(['a:1:2: x'], 'error'),
      ...findingAnnotations(['y'], 'warning'),
    ]);
    expect(calls).toEqual([
      ['error', 'x', {file: 'a', line: 1, column: 2}],
      ['warning', 'y', undefined],
    ]);
  });
});

describe('warnings before the first build', () => {
  it('are at their place with all their words; what is too much is in the log', () => {
    const calls: unknown[] = [];
    const log: JobLog = {
      info: () => undefined,
      group: (...all) => calls.push(['group', ...all]),
      warning: (...all) => calls.push(['warning', ...all]),
      error: () => undefined,
    };
    warnOf(log, ['images/spec.yml:2:3: odd', 'plain']);
    expect(calls).toEqual([
      ['warning', 'images/spec.yml:2:3: odd', {file: 'images/spec.yml', line: 2, column: 3}],
      ['warning', 'plain', undefined],
    ]);
    calls.length = 0;
    warnOf(log, ['a', 'b', 'c', 'd', 'e']);
    expect(calls.slice(3)).toEqual([
      ['warning', '2 more warnings: see the log.'],
      ['group', '2 more warnings', ['d', 'e']],
    ]);
  });

  it('and mistakes leave room for the sentence that fails the step', () => {
    const calls: string[] = [];
    const log = {error: (message: string) => calls.push(message)} as unknown as JobLog;
    annotate(
      log,
      findingAnnotations(
        Array.from({length: 30}, (_, n) => `a:${n + 1}: x`),
        'error',
      ),
    );
    expect(calls).toHaveLength(9);
    expect(calls.at(-1)).toBe('22 more mistakes: see the log and the step summary.');
  });
});

describe('docker’s build checks', () => {
  const expected = [
    ['StageNameCasing', 1],
    ['ConsistentInstructionCasing', 1],
    ['MaintainerDeprecated', 2],
    ['LegacyKeyValueFormat', 3],
    ['JSONArgsRecommended', 4],
  ];

  it.each(['buildkit-e', 'check'])('are read once each, with their line: %s', (name) => {
    const found = buildWarnings(recorded(name)).map(({rule, line}) => [rule, line]);
    expect(found).toHaveLength(5);
    expect(found).toEqual(expect.arrayContaining(expected));
  });

  it('become warnings of the Dockerfile', () => {
    expect(buildWarningAnnotations('images/e/Dockerfile', recorded('check'))[0]).toEqual({
      level: 'warning',
      message: "StageNameCasing: Stage name 'Base' should be lowercase",
      place: {file: 'images/e/Dockerfile', line: 1},
    });
  });
});
