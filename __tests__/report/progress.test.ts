import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {createProgress, type Progress} from '../../src/report/progress.ts';
import {reported, reportedStep} from '../support/builders/reports.ts';
import {plannedImage} from '../support/builders/simulation.ts';

function running(): Progress {
  const progress = createProgress();
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
    const progress = createProgress();
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

  it('are one line for a terminal: what is done, what runs since when, what it printed last', () => {
    const progress = createProgress();
    expect(progress.status(0)).toBeUndefined();
    progress.take({kind: 'image-started', image: plannedImage('base')}, 0);
    expect(progress.status(0)).toBe('0 done');
    progress.take({kind: 'step-started', image: 'base', step: 'build'}, 0);
    progress.output('base', '#5 Get:1\n');
    expect(progress.status(12_400)).toBe('0 done · base: build 12 s · #5 Get:1');
    progress.take({kind: 'image-started', image: plannedImage('web')}, 12_400);
    progress.take({kind: 'step-started', image: 'web', step: 'test'}, 12_400);
    expect(progress.status(12_400)).toBe('0 done · base: build 12 s · web: tests');
    progress.take({kind: 'image-finished', result: reported('web')}, 75_000);
    expect(progress.status(75_000)).toBe('1 done · base: build 1 min 15 s · #5 Get:1');
    progress.take({kind: 'image-finished', result: reported('base')}, 75_000);
    expect(progress.status(75_000)).toBeUndefined();
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
