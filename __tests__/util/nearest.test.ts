import {expect, it} from 'vitest';
import {byNearness} from '../../src/util/nearest.ts';

it('sorts by how near a word is, equally near ones by name, each once', () => {
  const known = ['stable', '2026.3-dev', '2026.3-mian', '2026.3-main-2', '2026.3-mian'];
  expect(byNearness('2026.3-main', known)).toEqual([
    '2026.3-mian',
    '2026.3-main-2',
    '2026.3-dev',
    'stable',
  ]);
});
