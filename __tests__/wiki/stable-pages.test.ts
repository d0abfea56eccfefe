import {expect, it} from 'vitest';
import {stablePage} from '../../src/wiki/stable-pages.ts';

const place = {serverUrl: 'https://github.com', repository: 'o/stack'};
const main = 'ghcr.io/o/my_image:1-main';
const stable = 'ghcr.io/o/my_image:1-stable';
const link = (ref: string, page: string): string =>
  `[\`${ref}\`](https://github.com/o/stack/wiki/ghcr-io-o-my_image-${page})`;
const titled = (body: string): string =>
  `# ghcr.io/o/my\\_image:1-stable\n\nPromoted from ${link(main, '1-main')}.\n${body}`;

it.each([
  ['its escaped title', `# ghcr.io/o/my\\_image:1-main\n\ntext\n`, '\ntext\n'],
  ['a title as plain text', `# ${main}\n\ntext\n`, '\ntext\n'],
  ['a title in code, with more words', `# Manifest of \`${main}\` #\ntext`, '\ntext'],
  ['a title behind blank lines and a byte order mark', `\ufeff\n\n# ${main}\n\ntext`, undefined],
  ['another heading, which stays', '# Something\ntext\n', '\n# Something\ntext\n'],
  ['no heading', 'text ghcr.io/o/my_image:1-main', '\ntext ghcr.io/o/my_image:1-main'],
  ['nothing at all', '', ''],
])('gives a page with %s the title and the link of the stable tag', (_, page, body) => {
  const made = stablePage(page, {source: main, target: stable}, {place});
  if (body !== undefined) expect(made).toBe(titled(body));
  expect(made.startsWith(titled(''))).toBe(true);
});

it('names one origin when a stable page is promoted further', () => {
  const once = stablePage(`# ${main}\n\ntext\n`, {source: main, target: stable}, {place});
  const twice = stablePage(once, {source: stable, target: 'ghcr.io/o/my_image:stable'}, {place});
  expect(twice).toBe(
    `# ghcr.io/o/my\\_image:stable\n\nPromoted from ${link(stable, '1-stable')}.\n\ntext\n`,
  );
});
