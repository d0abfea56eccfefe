import {expect, it} from 'vitest';
import {logEnds} from '../../src/report/index.ts';
import {reported, reportedStep} from '../support/builders/reports.ts';

const steps = [reportedStep('build', 0, 1)];
const name = (image: string): string => `ghcr-io-ucsd-ets-${image}-2026.3-main.build.log`;
const many = (count: number): string =>
  Array.from({length: count}, (_, index) => `line ${index + 1}\n`).join('');

it('holds the end of each log, more of what failed, and says what is missing', async () => {
  const texts: Record<string, string> = {
    [name('good')]: many(300),
    [name('bad')]: `\u001b[31m${many(300)}`,
    [name('idle')]: 'of another run\n',
  };
  const images = [
    reported('good', {steps}),
    reported('bad', {steps, outcome: 'failed'}),
    reported('idle', {outcome: 'skipped'}),
  ];
  const ends = await logEnds(images, async (file) => texts[file] ?? '');
  expect([...ends.keys()]).toEqual(['bad', 'good']);
  expect(ends.get('bad')?.[0]).toMatchObject({name: `logs/${name('bad')}`, lines: {length: 300}});
  expect(ends.get('bad')?.[0]?.lines[0]).toBe('line 1');
  const [good] = ends.get('good') ?? [];
  expect(good?.lines).toHaveLength(101);
  expect(good?.lines[0]).toBe('… 200 earlier lines are in the file.');
  expect(good?.lines.at(-1)).toBe('line 300');
});

it('never grows over four million characters, and what failed has its log', async () => {
  const long = `${'x'.repeat(5000)}\n`.repeat(3000);
  const images = Array.from({length: 60}, (_, index) =>
    reported(`i${index}`, {steps, outcome: index === 59 ? 'failed' : 'built'}),
  );
  const ends = await logEnds(images, async (file) => (file.includes('build') ? long : ''));
  const characters = [...ends.values()].flat().flatMap(({lines}) => lines);
  expect(characters.join('').length).toBeLessThanOrEqual(4 * 1024 * 1024);
  expect([...ends.keys()][0]).toBe('i59');
  expect(ends.size).toBeGreaterThan(1);
});
