import {describe, expect, it} from 'vitest';
import {safeLine, safeLines} from '../../src/util/safe-output.ts';

describe('safeLines', () => {
  it.each([
    ['::set-output name=digest::evil'],
    ['  ::add-mask::x'],
    ['\u0085::add-mask::x'],
    ['10%\r::add-mask::x'],
    ['a\r\n::warning::x\rb'],
    ['text ##[set-output name=digest]evil'],
    ['##[##[add-mask]x'],
  ])('leaves no command in %j', (text) => {
    for (const line of safeLines(text)) {
      expect(line).toMatch(/^\| /);
      expect(line).not.toMatch(/[\r\n]/);
      expect(line).not.toContain('##[');
    }
  });

  it('keeps ordinary lines as they are', () => {
    expect(safeLines('one\ntwo\n')).toEqual(['| one', '| two']);
  });

  it('cuts a line that would hold up the runner', () => {
    expect(safeLines('x'.repeat(1_000_000))[0]?.length).toBeLessThan(4100);
  });
});

describe('safeLine', () => {
  it('makes one line of a branch name that holds several', () => {
    expect(safeLine('branch a\n::error::x ##[endgroup]')).toBe(
      'branch a ::error::x ##\u200b[endgroup]',
    );
  });
});
