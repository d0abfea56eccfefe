import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {createProgress, type Progress} from '../../src/report/progress.ts';
import {reported, reportedStep} from '../support/builders/reports.ts';
import {plannedImage} from '../support/builders/simulation.ts';

function running(): Progress {
  const progress = createProgress(3);
  progress.take({kind: 'image-started', image: plannedImage('base', [], 'build', 95)}, 0);
  progress.take({kind: 'step-started', image: 'base', step: 'build'}, 1000);
  return progress;
}

describe('progress lines', () => {
  it('say every 30 s what each running image does, for how long, and what it printed last', () => {
    const progress = running();
    progress.output('base', 'first\nDownloading 10%\rDownloading 60%');
    expect(progress.lines(29_999)).toEqual([]);
    expect(progress.lines(31_000)).toEqual([
      'base: build for 30.0 s, 31.0 s in all, last time 1 min 35 s in all: Downloading 60%',
    ]);
    expect(progress.lines(60_000)).toEqual([]);
    expect(progress.lines(61_000)).toHaveLength(1);
  });

  it('do without what is not known', () => {
    const progress = createProgress(1);
    progress.take({kind: 'image-started', image: plannedImage('a')}, 0);
    expect(progress.lines(0)).toEqual([]);
    expect(progress.lines(30_000)).toEqual(['a: waiting for 30.0 s']);
  });

  it('end with the image', () => {
    const progress = running();
    progress.take(
      {kind: 'step-finished', image: 'base', result: reportedStep('build', 0, 1)},
      2000,
    );
    progress.take({kind: 'image-finished', result: reported('base')}, 2000);
    expect(progress.lines(40_000)).toEqual([]);
    progress.output('base', 'late');
    expect(progress.lines(80_000)).toEqual([]);
  });

  it('hold one harmless line each, whatever is printed in whatever pieces', () => {
    const bait = fc.constantFrom(
      '::add-mask::x',
      '##[error]x',
      '\n',
      '\r',
      '\u001b[2J',
      '\u202e',
      '%0a',
      'a'.repeat(500),
      ' ',
    );
    fc.assert(
      fc.property(
        fc.array(fc.oneof(bait, fc.string({maxLength: 20})), {maxLength: 20}),
        (chunks) => {
          const progress = running();
          for (const chunk of chunks) progress.output('base', chunk);
          const [line = ''] = progress.lines(31_000);
          expect(line.startsWith('base: build for 30.0 s')).toBe(true);
          // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
          expect(line).not.toMatch(/[\u0000-\u001f\u202a-\u202e]|##\[/);
          expect([...line].length).toBeLessThan(300);
        },
      ),
    );
  });
});

describe('the live view', () => {
  it('shows what is done, what runs and how much is left', () => {
    const progress = running();
    progress.take({kind: 'image-finished', result: reported('web', {outcome: 'skipped'})}, 1500);
    expect(progress.frame(31_000, {columns: 100, rows: 24})).toEqual([
      'web: unchanged',
      '  base: build for 30.0 s, 31.0 s in all, last time 1 min 35 s in all',
      '1 of 3 images done, 1 running',
    ]);
  });

  it('fits any terminal', () => {
    const progress = createProgress(30);
    for (let index = 0; index < 20; index++)
      progress.take({kind: 'image-started', image: plannedImage(`image-${index}`)}, 0);
    const frame = progress.frame(1000, {columns: 20, rows: 10});
    expect(frame.length).toBeLessThanOrEqual(10);
    expect(frame.every((line) => [...line].length < 20)).toBe(true);
    expect(progress.frame(1000, {columns: 80, rows: 10}).at(-1)).toBe(
      '0 of 30 images done, 20 running, 12 of them not shown',
    );
  });
});
