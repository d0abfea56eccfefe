import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {
  type HomeRow,
  homeRow,
  insertHomeRow,
  type PromotedImage,
  stableTagPage,
} from '../../src/wiki/index-pages.ts';

const place = {serverUrl: 'https://github.com', repository: 'ucsd-ets/stack'};
const head = '| Commit | Image | Manifest |\n|--------|-------|----------|\n';
const sha = '4a5926011223344556677889900aabbccddeeff0';

function promoted(
  names: readonly string[],
  tag: string,
  revision: string | undefined = sha,
): readonly PromotedImage[] {
  return names.map((name) => ({
    source: `ghcr.io/ucsd-ets/${name}:${tag.replace('stable', 'main')}`,
    target: `ghcr.io/ucsd-ets/${name}:${tag}`,
    digest: `sha256:${name}`,
    revision,
  }));
}

function rowOf(names: readonly string[], tag = '2023.2-stable', revision = sha): HomeRow {
  return homeRow(promoted(names, tag, revision), place);
}

/** The row as it stands in a page. */
function written(row: HomeRow): string {
  return insertHomeRow(undefined, row).split('\n')[2] ?? '';
}

const row = rowOf(['a', 'b']);
const text = written(row);

describe('the row of a promotion', () => {
  it('joins commit, images and links to their pages in one order', () => {
    expect(text).toBe(
      `|[\`4a59260\`](https://github.com/ucsd-ets/stack/commit/${sha})` +
        '|`ghcr.io/ucsd-ets/a:2023.2-stable`<br>`ghcr.io/ucsd-ets/b:2023.2-stable`' +
        '|[Link](https://github.com/ucsd-ets/stack/wiki/ghcr-io-ucsd-ets-a-2023.2-stable)' +
        '<br>[Link](https://github.com/ucsd-ets/stack/wiki/ghcr-io-ucsd-ets-b-2023.2-stable)|',
    );
  });

  it('names every commit once when images were built from several', () => {
    const [one, two] = [...promoted(['a'], 't'), ...promoted(['b'], 't', 'f'.repeat(40))];
    if (one === undefined || two === undefined) throw new Error('two images expected');
    expect(homeRow([one, two, one], place).commits).toEqual([
      `[\`4a59260\`](https://github.com/ucsd-ets/stack/commit/${sha})`,
      `[\`fffffff\`](https://github.com/ucsd-ets/stack/commit/${'f'.repeat(40)})`,
    ]);
  });

  it.each([
    ['no label', undefined],
    ['a label that is no commit', 'main | <img src=x>'],
    ['a label that would leave the link', '4a59260)[x](https://evil.example'],
  ])('says unknown for %s', (_, revision) => {
    const [image] = promoted(['a'], 't');
    if (image === undefined) throw new Error('an image expected');
    expect(homeRow([{...image, revision}], place).commits).toEqual(['unknown']);
  });

  it('lets no reference end its cell or its code span', () => {
    const cells = written({commits: ['x'], images: ['a`|<b>\nc'], links: ['y']});
    expect(cells).toBe('|x|`abc`|y|');
  });
});

describe('Home.md', () => {
  it.each([
    ['a page that is missing', undefined, `${head}${text}\n`],
    ['an empty page', '', `${head}${text}\n`],
    ['an empty table', `Hello\n\n${head}`, `Hello\n\n${head}${text}\n`],
    ['rows that stand', `${head}|x|y|z|\nend`, `${head}${text}\n|x|y|z|\nend`],
    ['a table that ends the page without a newline', head.trimEnd(), `${head.trimEnd()}\n${text}`],
    ['a last row without a newline', `${head}|x|y|z|`, `${head}${text}\n|x|y|z|`],
    [
      'Windows line endings',
      `${head}|x|y|z|\n`.replaceAll('\n', '\r\n'),
      `${head}${text}\n|x|y|z|\n`.replaceAll('\n', '\r\n'),
    ],
    [
      'a header with other spacing',
      '|Commit|   Image|Manifest   |\n|:--|---|--:|\n',
      `|Commit|   Image|Manifest   |\n|:--|---|--:|\n${text}\n`,
    ],
    [
      'a header without outer pipes',
      'Commit | Image | Manifest\n--- | --- | ---\n',
      `Commit | Image | Manifest\n--- | --- | ---\n${text}\n`,
    ],
    ['a byte order mark', `\ufeff${head}`, `\ufeff${head}${text}\n`],
    [
      'other tables around it',
      `| A | B |\n|---|---|\n| 1 | 2 |\n\ntext\n\n${head}\n| A | B |\n|---|---|\n`,
      `| A | B |\n|---|---|\n| 1 | 2 |\n\ntext\n\n${head}${text}\n\n| A | B |\n|---|---|\n`,
    ],
    ['two such tables: the first', `${head}\n${head}`, `${head}${text}\n\n${head}`],
    [
      'the table in a code fence, then the real one',
      `\`\`\`md\n${head}\`\`\`\n\n${head}`,
      `\`\`\`md\n${head}\`\`\`\n\n${head}${text}\n`,
    ],
    [
      'a fence inside a longer fence',
      `~~~~\n~~~\n${head}~~~~\n`,
      `~~~~\n~~~\n${head}~~~~\n\n${head}${text}\n`,
    ],
    ['the table in a comment', `<!--\n${head}-->\n`, `<!--\n${head}-->\n\n${head}${text}\n`],
    [
      'the table as indented code',
      head.replace(/^(?=.)/gm, '    '),
      `${head.replace(/^(?=.)/gm, '    ')}\n${head}${text}\n`,
    ],
    ['a page without a table', 'Hello', `Hello\n\n${head}${text}\n`],
    ['a page that ends in a blank line', 'Hello\n\n', `Hello\n\n${head}${text}\n`],
    [
      'a header that lacks its delimiter',
      '| Commit | Image | Manifest |\n',
      `| Commit | Image | Manifest |\n\n${head}${text}\n`,
    ],
    [
      'the table in a quote and in a list, then the real one',
      `> | Commit | Image | Manifest |\n> |---|---|---|\n\n- | Commit | Image | Manifest |\n  |---|---|---|\n\n${head}`,
      `> | Commit | Image | Manifest |\n> |---|---|---|\n\n- | Commit | Image | Manifest |\n  |---|---|---|\n\n${head}${text}\n`,
    ],
    ['a comment that nobody closed', '<!-- note\n', `${head}${text}\n\n<!-- note\n`],
    ['a fence that nobody closed', '```\ncode\n', `${head}${text}\n\n\`\`\`\ncode\n`],
  ])('takes the row into %s', (_, before, after) => {
    expect(insertHomeRow(before, row)).toBe(after);
  });

  it('replaces the row of the same stable tag and puts the new one on top', () => {
    const newer = rowOf(['a', 'b'], '2023.2-stable', 'b'.repeat(40));
    const page = `${head}|x|y|z|\n${text}`;
    expect(insertHomeRow(page, newer)).toBe(`${head}${written(newer)}\n|x|y|z|`);
  });

  it('replaces a row that somebody aligned with spaces, and its twins', () => {
    const aligned = text.replaceAll('|', ' | ').trim();
    const newer = rowOf(['a', 'b'], '2023.2-stable', 'b'.repeat(40));
    expect(insertHomeRow(`${head}${aligned}\n|x|y|z|\n${text}\n`, newer)).toBe(
      `${head}${written(newer)}\n|x|y|z|\n`,
    );
  });

  it.each([
    ['another prefix', rowOf(['a', 'b'], '2023.20-stable')],
    ['the branch tag', rowOf(['a', 'b'], '2023.2-main')],
    ['another owner', {...row, images: row.images.map((ref) => ref.replace('ucsd-ets', 'other'))}],
  ])('keeps the row of %s', (_, other) => {
    expect(insertHomeRow(insertHomeRow(undefined, other), row)).toBe(
      `${head}${text}\n${written(other)}\n`,
    );
  });

  it('does not change when the same promotion runs again, wherever its row stands', () => {
    const once = insertHomeRow(insertHomeRow('Hello', row), rowOf(['a', 'b'], '2023.3-stable'));
    expect(insertHomeRow(once, row)).toBe(once);
  });

  it('keeps images of the same stable tag that a partial promotion did not name', () => {
    const newer = rowOf(['b', 'c'], '2023.2-stable', 'b'.repeat(40));
    const page = insertHomeRow(insertHomeRow(undefined, row), newer);
    const merged = {
      commits: [...newer.commits, ...row.commits],
      images: [...newer.images, ...row.images.slice(0, 1)],
      links: [...newer.links, ...row.links.slice(0, 1)],
    };
    expect(page).toBe(`${head}${written(merged)}\n`);
    expect(insertHomeRow(page, newer)).toBe(page);
  });

  it('leaves every other byte of any page as it was, and is done after one time', () => {
    const line = fc.oneof(
      fc.string({unit: 'grapheme', maxLength: 12}).map((word) => word.replace(/[\r\n]/g, '')),
      fc.constantFrom('```', '~~~', '<!--', '-->', '', '|a|b|c|', '| A | B |', '|---|---|'),
      fc.constantFrom(...head.trimEnd().split('\n'), '# title', '    code', '<pre>', '</pre>'),
    );
    const pages = fc
      .tuple(fc.array(fc.tuple(line, fc.constantFrom('\n', '\r\n'))), line)
      .map(([lines, last]) => lines.map(([words, end]) => words + end).join('') + last);
    fc.assert(
      fc.property(pages, (page) => {
        const after = insertHomeRow(page, row);
        // Either the page stands there whole, before or behind a new table, or one line is there more.
        const cuts = ['\n', '\r\n'].flatMap((end) => [`${text}${end}`, `${end}${text}`]);
        const untouched =
          after.startsWith(page) ||
          after.endsWith(page) ||
          cuts.some((cut) => after.replace(cut, '') === page);
        expect(after).toContain(text);
        expect(untouched).toBe(true);
        expect(insertHomeRow(after, row)).toBe(after);
      }),
      {numRuns: 2000},
    );
  });
});

describe('the row of a promotion that was undone', () => {
  const restored = homeRow(promoted(['a', 'b'], '2023.2-stable', 'b'.repeat(40)), place, {
    isRestored: true,
  });
  const page = `${head}|x|y|z|\n${text}\nend`;

  it('says that its images were restored', () => {
    const after = insertHomeRow(page, restored);
    expect(after).toBe(`${head}${written(restored)}\n|x|y|z|\nend`);
    expect(after).toContain(
      `|[\`bbbbbbb\`](https://github.com/ucsd-ets/stack/commit/${'b'.repeat(40)}) (restored)|`,
    );
    expect(insertHomeRow(after, restored)).toBe(after);
  });

  it('loses the images whose tag is gone, and keeps the others', () => {
    const only = homeRow(promoted(['a'], '2023.2-stable'), place, {isRestored: true});
    const after = insertHomeRow(page, only, ['ghcr.io/ucsd-ets/b:2023.2-stable']);
    expect(after).toBe(`${head}${written(only)}\n|x|y|z|\nend`);
  });

  it('leaves the page when all its tags are gone; nothing else changes', () => {
    const none = homeRow([], place);
    const gone = row.images;
    expect(insertHomeRow(page, none, gone)).toBe(`${head}|x|y|z|\nend`);
    expect(insertHomeRow(`${head}${text}`, none, gone)).toBe(head.trimEnd());
    expect(insertHomeRow('Hello', none, gone)).toBe('Hello');
    expect(insertHomeRow(undefined, none, gone)).toBe('');
  });

  it('keeps an image that the promotion did not name', () => {
    const after = insertHomeRow(page, homeRow([], place), row.images.slice(0, 1));
    expect(after).not.toContain('/a:2023.2-stable');
    expect(after).not.toContain('ets-a-2023.2-stable');
    expect(after).toContain('/b:2023.2-stable');
    expect(after).toContain('ets-b-2023.2-stable');
  });
});

describe('Stable_Tag.md', () => {
  it('is one table with one row, whose links name the pages of the stable images', () => {
    const images = ['a', 'b'].map((name) => ({
      source: `ghcr.io/ucsd-ets/${name}:2023.2-stable`,
      target: `ghcr.io/ucsd-ets/${name}:stable`,
      digest: `sha256:${name}`,
      revision: undefined,
    }));
    expect(stableTagPage(images, place)).toBe(
      '| Global-Stable Image | Based On | Manifest |\n| :- | :- | :- |\n' +
        '|`ghcr.io/ucsd-ets/a:stable`<br>`ghcr.io/ucsd-ets/b:stable`' +
        '|`ghcr.io/ucsd-ets/a:2023.2-stable`<br>`ghcr.io/ucsd-ets/b:2023.2-stable`' +
        '|[Link](https://github.com/ucsd-ets/stack/wiki/ghcr-io-ucsd-ets-a-stable)' +
        '<br>[Link](https://github.com/ucsd-ets/stack/wiki/ghcr-io-ucsd-ets-b-stable)|\n',
    );
  });
});
