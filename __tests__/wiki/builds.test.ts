import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {type BuiltRun, buildPages, linkToBuilds} from '../../src/wiki/builds.ts';
import {liveIn, rendered} from '../support/rig/markdown.ts';

const place = {serverUrl: 'https://github.com', repository: 'o/stack'};
const digest = `sha256:${'d'.repeat(64)}`;
const base = {image: 'base', page: 'ghcr-io-o-base-2026.3-main', digest};
const first: BuiltRun = {
  at: '2026-11-25T18:55:02.298Z',
  id: '77',
  attempt: 1,
  commit: 'c0ffee0123456789c0ffee0123456789c0ffee01',
  subject: 'Newer numpy (#12)',
  images: [base],
};

/** A wiki in memory that takes what is written. */
function wiki(files: Record<string, string> = {}) {
  const find = (name: string): string | undefined =>
    Object.keys(files).find((file) => file.toLowerCase() === name.toLowerCase());
  return {
    files,
    find,
    read: async (name: string) =>
      files[name] === undefined ? undefined : Buffer.from(files[name]),
    build: async function (this: {files: Record<string, string>}, run: BuiltRun): Promise<void> {
      const pages = await buildPages(this as never, run, place);
      for (const {name, content} of pages) files[name] = Buffer.from(content).toString();
    },
  };
}

describe('the history of builds', () => {
  it('has a page for each month, the newest run first, and a page of the months', async () => {
    const pages = wiki();
    await pages.build(first);
    await pages.build({...first, id: '78', at: '2026-11-26T01:02:03Z'});
    await pages.build({...first, id: '79', attempt: 2, at: '2026-12-01T00:00:00Z'});
    expect(pages.files['Builds-2026-11.md']).toBe(
      [
        '# Builds of 2026-11',
        '',
        '[All images](Home) · [All months](Builds)',
        '',
        '| Built (UTC) | Commit | Run | Images |',
        '|---|---|---|---|',
        ...['26 01:02 78', '25 18:55 77'].map((row) => {
          const [day, time, run] = row.split(' ');
          return `| 2026-11-${day} ${time} | [\`c0ffee0\`](https://github.com/o/stack/commit/${first.commit}) Newer numpy (\\#12) | [${run}](https://github.com/o/stack/actions/runs/${run}) | [base](ghcr-io-o-base-2026.3-main) \`dddddddddddd\` |`;
        }),
        '',
      ].join('\n'),
    );
    expect(pages.files['Builds.md']).toBe(
      '# Builds\n\n[All images](Home)\n\n| Month | Runs |\n|---|---|\n| [2026-12](Builds-2026-12) | 1 |\n| [2026-11](Builds-2026-11) | 2 |\n',
    );
    expect(pages.files['Builds-2026-12.md']).toContain(
      '[79, attempt 2](https://github.com/o/stack/actions/runs/79/attempts/2)',
    );
  });

  it('has a run once, however often it is published', async () => {
    const pages = wiki();
    await pages.build(first);
    await pages.build({...first, id: '78'});
    const before = {...pages.files};
    await pages.build(first);
    expect(pages.files).toEqual(before);
  });

  it('leaves what people wrote on these pages, and goes on where they took the table away', async () => {
    const pages = wiki({
      'builds-2026-11.md':
        '# Mine\n\n| Built (UTC) | Commit | Run | Images |\n|-|-|-|-|\n| a | b | c | d |\n\nBelow.',
      'Builds.md': 'Words only.',
    });
    await pages.build(first);
    expect(pages.files['builds-2026-11.md']).toMatch(
      /^# Mine\n\n.*\n.*\n\| 2026-11-25.*\n\| a \| b \| c \| d \|\n\nBelow\.\n$/,
    );
    expect(pages.files['Builds.md']).toMatch(
      /^Words only\.\n\n\| Month \| Runs \|\n.*\n.* \| 2 \|\n$/,
    );
  });

  it('folds many images', async () => {
    const pages = wiki();
    await pages.build({...first, images: Array.from({length: 11}, () => base)});
    expect(pages.files['Builds-2026-11.md']).toContain(
      '<details><summary>11 images</summary>[base]',
    );
  });

  it('stays a table whatever a commit is called', async () => {
    const bait = fc.constantFrom('|', '\n', '\r', '`', '<!--', '<b>', '](x)', '@a', '\\', '```');
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(bait, fc.string()), {maxLength: 8}), async (parts) => {
        const pages = wiki();
        await pages.build({...first, subject: parts.join('')});
        await pages.build({...first, id: '78'});
        const text = pages.files['Builds-2026-11.md'] ?? '';
        expect(rendered(text).match(/<tr>/g)).toHaveLength(3);
        expect(liveIn(text).foreign).toEqual([]);
        expect(pages.files['Builds.md']).toContain('| 2 |');
      }),
    );
  });
});

describe('the link of Home to the history', () => {
  const home = 'Welcome!\r\n| Commit | Image | Manifest |\r\n|---|---|---|\r\n|a|b|c|\r\nend';
  const there = {find: () => 'Builds.md'};

  it('is put above the table once, and every other byte stays', () => {
    const linked = linkToBuilds(home, there);
    expect(linked).toBe(
      home.replace('| Commit', '\r\n[All builds, by month](Builds)\r\n\r\n| Commit'),
    );
    expect(linkToBuilds(linked, there)).toBe(linked);
    expect(rendered(linked)).toContain('<table>');
  });

  it.each(['[x](Builds)', '[x](https://github.com/o/r/wiki/Builds)', '[[Builds]]', '[[x|Builds]]'])(
    'is not put where %s is there already',
    (link) => {
      const own = `${link}\n${home}`;
      expect(linkToBuilds(own, there)).toBe(own);
    },
  );

  it('is not put where there is no history', () => {
    expect(linkToBuilds(home, {find: () => undefined})).toBe(home);
  });
});
