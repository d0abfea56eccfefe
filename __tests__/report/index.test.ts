import {describe, expect, it} from 'vitest';
import type {JobLog} from '../../src/adapters/github/log.ts';
import type {ImageResult, StepResult} from '../../src/build/types.ts';
import {failure} from '../../src/failure.ts';
import {createReporter, failureSentence} from '../../src/report/index.ts';
import {planned} from '../support/builders/reports.ts';
import {plannedImage} from '../support/builders/simulation.ts';

/** A log that keeps its lines: groups as their title and indented lines, annotations with their kind. */
function keepingLog(): {readonly log: JobLog; readonly lines: string[]} {
  const lines: string[] = [];
  const log: JobLog = {
    info: (line) => lines.push(line),
    group: (title, inside) => lines.push(`[${title}]`, ...inside.map((line) => `  ${line}`)),
    warning: (message, at) => lines.push(`warning ${placed(at)}${message}`),
    error: (message, at) => lines.push(`error ${placed(at)}${message}`),
  };
  return {log, lines};
}

function placed(at: Parameters<JobLog['error']>[1]): string {
  return at?.file === undefined ? '' : `${at.file}:${at.line} `;
}

const buildFailure = failure('build-failed', 'The build of r/b:t failed.', {
  cause: {kind: 'exit', command: 'docker', exitCode: 1},
  tail: ['the last line'],
  hint: 'Look at it.',
});

function step(name: StepResult['step'], more: Partial<StepResult> = {}): StepResult {
  return {step: name, durationMs: 2000, failure: undefined, notes: [], ...more};
}

function result(image: string, more: Partial<ImageResult>): ImageResult {
  return {
    image,
    ref: `r/${image}:t`,
    digest: undefined,
    outcome: 'built',
    steps: [],
    blockedBy: undefined,
    size: undefined,
    allowedFailure: false,
    ...more,
  };
}

function open(logs: Readonly<Record<string, string>> = {}) {
  const {log, lines} = keepingLog();
  const readLog = async (name: string): Promise<string> => logs[name] ?? '';
  const reporter = createReporter({log, readLog, now: () => new Date('2026-11-24T12:34:56Z')});
  return {...reporter, lines};
}

describe('the reporter', () => {
  it('tells what happens in one line each, and shows the logs of an image when it is done', async () => {
    const {emit, flush, lines} = open({
      'r-a-t.build.log': 'built\n::set-output name=x::y\n',
      'r-a-t.basic-tests.log': '1 passed\n',
    });
    emit({kind: 'image-started', image: plannedImage('a')});
    emit({kind: 'step-started', image: 'a', step: 'build'});
    emit({kind: 'step-finished', image: 'a', result: step('build', {notes: ['in the cold']})});
    emit({kind: 'image-finished', result: result('a', {digest: 'sha256:1'})});
    await flush();
    expect(lines).toEqual([
      '12:34:56 a: started (r/a:t)',
      '12:34:56 a: build done in 2.0 s; in the cold',
      '12:34:56 a: built sha256:1',
      '[a: built]',
      '  r-a-t.build.log:',
      '  | built',
      '  | ::set-output name=x::y',
      '  r-a-t.basic-tests.log:',
      '  | 1 passed',
    ]);
  });

  it('says nothing of an image that was skipped', async () => {
    const {emit, flush, lines} = open();
    emit({kind: 'image-finished', result: result('a', {outcome: 'skipped'})});
    await flush();
    expect(lines).toEqual([]);
  });

  it('gives a failed step one annotation: what, why, what to do, the last lines', async () => {
    const {emit, flush, lines} = open();
    const steps = [step('pull'), step('build', {failure: buildFailure})];
    emit({kind: 'image-finished', result: result('b', {outcome: 'failed', steps})});
    await flush();
    expect(lines).toEqual([
      '12:34:56 b: failed: build',
      'error b: build failed: The build of r/b:t failed.\nLook at it.\n| the last line',
    ]);
  });

  it('says who blocks an image, and does not blame it for the step that was stopped', async () => {
    const {emit, flush, lines} = open();
    const stopped = step('build', {
      failure: failure('cancelled', ''),
    });
    const blocked = {outcome: 'blocked', blockedBy: 'a: test', steps: [stopped]} as const;
    emit({kind: 'step-finished', image: 'b', result: stopped});
    emit({kind: 'image-finished', result: result('b', blocked)});
    await flush();
    expect(lines).toEqual([
      '12:34:56 b: build stopped after 2.0 s',
      '12:34:56 b: stopped: its parent a failed',
    ]);
  });

  it('puts the annotation of a failed build at its line of the Dockerfile', async () => {
    const {log, lines} = keepingLog();
    const reporter = createReporter({
      log,
      readLog: async () => '',
      now: () => new Date('2026-11-24T12:34:56Z'),
      plan: {tag: 't', changed: [], images: [planned('b', [])]},
    });
    const tail = [
      'Dockerfile:3',
      '--------------------',
      '   3 | >>> RUNN x',
      '--------------------',
      'ERROR: failed to solve: dockerfile parse error on line 3: unknown instruction: RUNN',
    ];
    const failed = step('build', {failure: failure('build-failed', 'exit code 1', {tail})});
    reporter.emit({
      kind: 'image-finished',
      result: result('b', {outcome: 'failed', steps: [failed]}),
    });
    await reporter.flush();
    expect(lines[1]).toMatch(
      /^error images\/b\/Dockerfile:3 b: build failed: unknown instruction: RUNN\n/,
    );
  });

  it('says which parent failed, or that fail-fast is on', async () => {
    const {emit, flush, lines} = open();
    emit({
      kind: 'image-finished',
      result: result('a', {outcome: 'failed', steps: [step('build', {failure: buildFailure})]}),
    });
    emit({
      kind: 'image-finished',
      result: result('b', {outcome: 'blocked', blockedBy: 'a: build'}),
    });
    emit({kind: 'image-finished', result: result('c', {outcome: 'cancelled'})});
    await flush();
    expect(lines.filter((text) => text.startsWith('12:'))).toEqual([
      '12:34:56 a: failed: build',
      '12:34:56 b: not started: its parent a failed',
      '12:34:56 c: not started: a failed first, and "fail-fast" is on',
    ]);
  });

  it('makes ten annotations at most, and counts the rest', async () => {
    const {emit, flush, lines} = open();
    for (let index = 0; index < 30; index++) {
      const steps = [step('build', {failure: buildFailure})];
      emit({kind: 'image-finished', result: result(`i${index}`, {outcome: 'failed', steps})});
    }
    await flush();
    const errors = lines.filter((text) => text.startsWith('error'));
    expect(errors).toHaveLength(9);
    expect(errors.at(-1)).toBe('error 22 more images failed: see the log and the summary.');
    expect(lines).toContain('[i29: build failed]');
  });

  it('shows what docker’s build checks found at its line, once and at most so many', async () => {
    const {log, lines} = keepingLog();
    const found = (count: number): string =>
      Array.from(
        {length: count},
        (_, index) =>
          `#1 WARN: StageNameCasing: Stage 'S${index}' is not lower case (line ${index + 1})`,
      ).join('\n');
    const logs: Record<string, string> = {
      'r-a-t.build.log': `#1 reading\n${found(2)}\n#1 DONE 0.0s\n`,
      'r-b-t.build.log': found(9),
      'r-b-t.basic-tests.log': '#1 WARN: NotOfABuild: a test printed this (line 3)',
    };
    const reporter = createReporter({
      log,
      readLog: async (name) => logs[name] ?? '',
      now: () => new Date('2026-11-24T12:34:56Z'),
      plan: {tag: 't', changed: [], images: [planned('a', []), planned('b', [])]},
    });
    reporter.emit({kind: 'image-finished', result: result('a', {})});
    reporter.emit({kind: 'image-finished', result: result('a', {})});
    reporter.emit({kind: 'image-finished', result: result('b', {outcome: 'failed'})});
    await reporter.flush();
    const warnings = lines.filter((text) => text.startsWith('warning'));
    expect(warnings.slice(0, 3)).toEqual([
      "warning images/a/Dockerfile:1 StageNameCasing: Stage 'S0' is not lower case",
      "warning images/a/Dockerfile:2 StageNameCasing: Stage 'S1' is not lower case",
      "warning images/b/Dockerfile:1 StageNameCasing: Stage 'S0' is not lower case",
    ]);
    expect(warnings).toHaveLength(6);
    expect(warnings.at(-1)).toBe(
      "warning 6 more warnings of docker's build checks: see the build logs.",
    );
    expect(lines.join('\n')).not.toContain('warning NotOfABuild');
  });

  it('does not mix the groups of images that end at the same time', async () => {
    const {emit, flush, lines} = open({'r-a-t.build.log': 'of a\n', 'r-b-t.build.log': 'of b\n'});
    emit({kind: 'image-finished', result: result('a', {})});
    emit({kind: 'image-finished', result: result('b', {})});
    await flush();
    expect(lines.slice(2)).toEqual([
      '[a: built]',
      '  r-a-t.build.log:',
      '  | of a',
      '[b: built]',
      '  r-b-t.build.log:',
      '  | of b',
    ]);
  });
});

describe('the sentence that fails the step', () => {
  const failed = (name: string, message: string): ImageResult =>
    result(name, {
      outcome: 'failed',
      steps: [step('build', {failure: failure('build-failed', message)})],
    });

  it('says which leg had to build a parent that is missing', () => {
    const blockedBy = 'base: not built by an earlier leg of this run';
    const images = ['mid', 'leaf'].map((name) => result(name, {outcome: 'blocked', blockedBy}));
    expect(failureSentence('failed', images)).toBe(
      'The run failed.\nNot started: mid, leaf. Their parent base was not built by an earlier leg of this run: look at the leg of base, and run that again first.\nThe step summary and the artifact have the details.',
    );
  });

  it('says what failed and why, and what was not started', () => {
    const blocked = result('c', {outcome: 'blocked', blockedBy: 'a: build'});
    expect(failureSentence('failed', [failed('a', 'It broke.'), blocked])).toBe(
      '1 image failed.\na (build): It broke.\nNot started, because a parent failed: c.\nThe step summary and the artifact have the details.',
    );
    expect(failureSentence('passed', [])).toBeUndefined();
    expect(failureSentence('cancelled', [])).toBe('The run was cancelled.');
  });

  it('does not call a child that was under way not started', () => {
    const under = result('b', {outcome: 'blocked', blockedBy: 'a: test', steps: [step('build')]});
    const looked = result('c', {outcome: 'blocked', blockedBy: 'a: test', steps: [step('pull')]});
    const sentence = failureSentence('failed', [failed('a', 'It broke.'), under, looked]);
    expect(sentence).toContain('Stopped or not started, because a parent failed: b, c.');
  });

  it('holds no command, and is short however many fail', () => {
    const many = Array.from({length: 40}, (_, index) =>
      failed(`i${index}`, '##[error]x\n::add-mask::y'),
    );
    const sentence = failureSentence('failed', many) ?? '';
    expect(sentence).not.toMatch(/##\[|^\s*::/m);
    expect(sentence.split('\n')).toHaveLength(8);
    expect(sentence).toContain('And 35 more images failed.');
  });
});
