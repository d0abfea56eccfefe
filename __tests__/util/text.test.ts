import {describe, expect, it} from 'vitest';
import {codeBlock, codeCell, escapeCell, escapeMarkdown} from '../../src/util/markdown.ts';
import {
  formatBytes,
  formatChange,
  formatDuration,
  hasPhrase,
  plainText,
  safeLine,
  safeLines,
} from '../../src/util/text.ts';

describe('formatDuration', () => {
  it.each([
    [0, '0 ms'],
    [999.4, '999 ms'],
    [1000, '1.0 s'],
    [59_940, '59.9 s'],
    [59_960, '1 min 00 s'],
    [245_000, '4 min 05 s'],
    [3_599_600, '1 h 00 min'],
    [3_720_000, '1 h 02 min'],
  ])('says %d ms as %s', (ms, words) => expect(formatDuration(ms)).toBe(words));
});

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1200, '1.2 kB'],
    [355_000_000, '355 MB'],
    [999_900_000, '1.0 GB'],
    [12_345_678_901, '12 GB'],
  ])('says %d bytes as %s', (bytes, words) => expect(formatBytes(bytes)).toBe(words));
});

describe('formatChange', () => {
  it.each([
    [0, '±0 B'],
    [1200, '+1.2 kB'],
    [-355_000_000, '-355 MB'],
  ])('says %d bytes as %s', (bytes, words) => expect(formatChange(bytes)).toBe(words));
});

describe('plainText', () => {
  it.each([
    ['\u001b[1;31mred\u001b[0m', 'red'],
    ['\u001b]8;;http://x\u0007link\u001b]8;;\u0007', 'link'],
    ['10%\r20%\r\n30%', '10%\n20%\n30%'],
    ['a\0b\u0007c\u202ed', 'abcd'],
    ['tab\tstays', 'tab\tstays'],
  ])('reads %j as %j', (text, plain) => expect(plainText(text)).toBe(plain));
});

describe('Markdown', () => {
  it('keeps a cell in one line and one column', () => {
    expect(escapeCell('a|b\nc `d` <script>')).toBe('a\\|b<br>c \\`d\\` &lt;script&gt;');
  });

  it('breaks a line of a cell once, whatever blanks are around', () => {
    expect(escapeCell('a \n\n  b  c')).toBe('a<br>b  c');
    expect(codeCell('a \n\n  b  c')).toBe('<code>a b  c</code>');
  });

  // A pattern that tries each blank anew needs minutes for these, and the test ends at its deadline.
  it.each([
    ['blanks', ' '],
    ['line ends', '\n'],
    ['backticks', '` '],
    ['escape characters', '\u001b'],
    ['unfinished colours', '\u001b[0;'],
    ['unfinished links', '\u001b]8;;'],
    ['angle brackets', '<'],
  ])('is escaped in one pass: 200,000 %s', (_, part) => {
    const text = `a${part.repeat(200_000)}b`;
    for (const escaped of [escapeCell, codeCell, escapeMarkdown, codeBlock, plainText])
      expect(escaped(text)).toContain('a');
  });

  it('lets no code close its cell', () => {
    expect(codeCell('x </code> `y` | z')).toBe('<code>x &lt;/code&gt; &#96;y&#96; &#124; z</code>');
  });

  it('leaves no mark with a meaning in plain words', () => {
    expect(escapeMarkdown('[a](b) *c* <d> #e')).toBe('\\[a\\](b) \\*c\\* &lt;d&gt; \\#e');
  });

  it.each([
    ['plain', '```text\nplain\n```'],
    ['\na\n\nb\n\n', '```text\n\na\n\nb\n```'],
    ['```\nout\n```', '````text\n```\nout\n```\n````'],
    ['a `````` b', '```````text\na `````` b\n```````'],
  ])('fences %j with more backticks than it holds', (text, block) => {
    expect(codeBlock(text)).toBe(block);
  });
});

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

it.each([
  [['Full Rebuild please'], true],
  [['a', 'b\n\nFULL REBUILD'], true],
  [['full  rebuild', 'rebuild full'], false],
  [[], false],
])('%j asks for it: %s', (messages, expected) => {
  expect(hasPhrase(messages, 'full rebuild')).toBe(expected);
});
