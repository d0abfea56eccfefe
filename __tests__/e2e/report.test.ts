import {existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {type Browser, type BrowserContextOptions, chromium, type Page} from 'playwright-core';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {reportFile} from '../../src/report/file.ts';
import {htmlPage} from '../../src/report/html/index.ts';
import {summaryPage} from '../../src/report/summary.ts';
import type {RunFacts} from '../../src/report/types.ts';
import {manyImages, reported, sevenImages} from '../support/builders/reports.ts';
import {diagramsOf, rendered} from '../support/rig/markdown.ts';

/** The pages in a real browser: Debian's chromium, which scripts/install-tools installs, or Chrome. */
const executablePath =
  process.env['CHROMIUM'] ??
  ['/usr/bin/chromium', '/usr/bin/google-chrome', '/usr/bin/chromium-browser'].find(existsSync) ??
  '';
const folder = mkdtempSync(join(tmpdir(), 'stack-report-'));
/** Where the screenshots go, to be looked at. */
const shots = process.env['STACK_SCREENSHOTS'] ?? join(folder, 'shots');
const require = createRequire(import.meta.url);
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
/** GitHub's rules for a table of a step summary, as far as they decide about its width. */
const githubStyle = `
  body{margin:0;width:949px;font:16px/1.5 -apple-system,"Segoe UI","Noto Sans",Helvetica,Arial,sans-serif;overflow-wrap:break-word}
  table{display:block;width:max-content;max-width:100%;overflow:auto;border-spacing:0;border-collapse:collapse}
  th,td{padding:6px 13px;border:1px solid #d1d9e0} th{font-weight:600}
  code{padding:.2em .4em;font:85% ui-monospace,SFMono-Regular,Menlo,monospace;white-space:break-spaces}`;

/** scripts/test says it where a system has no package of a browser, and says at its end that nothing ran in one. */
const withoutBrowser = process.env['STACK_WITHOUT_BROWSER'] !== undefined;
let browser: Browser;
beforeAll(async () => {
  if (withoutBrowser) return;
  mkdirSync(shots, {recursive: true});
  // Root has no sandbox in a container, and small ones have little /dev/shm.
  browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
});
afterAll(async () => browser?.close());

interface Opened {
  readonly page: Page;
  /** Console messages, exceptions, and requests other than for the file itself. */
  readonly complaints: readonly string[];
}

async function open(
  facts: RunFacts,
  options: BrowserContextOptions = {},
  hash = '',
): Promise<Opened> {
  const file = join(folder, `report-${Math.random().toString(36).slice(2)}.html`);
  writeFileSync(file, htmlPage(reportFile(facts)));
  const context = await browser.newContext({viewport: {width: 1200, height: 900}, ...options});
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    const address = request.url();
    if (!address.startsWith(`file://${file}`)) complaints.push(address);
  });
  await page.goto(`file://${file}${hash}`);
  return {page, complaints};
}

async function axeFinds(page: Page): Promise<readonly string[]> {
  // Not a script element, which the page's policy would refuse.
  const found = await page.evaluate(
    `(() => { const module = undefined, define = undefined; ${axe}; return axe.run(document).then((r) => r.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.target.join(' ')).slice(0, 3).join(', '))); })()`,
  );
  return Array.isArray(found) ? found.map(String) : ['axe said nothing'];
}

describe.skipIf(withoutBrowser)('report.html in a browser', () => {
  it.each([
    ['light', {}],
    ['dark', {colorScheme: 'dark'}],
    ['narrow', {viewport: {width: 360, height: 740}}],
  ] as const)(
    'has no error, no request, nothing that axe finds, and fits: %s',
    async (name, options) => {
      const {page, complaints} = await open(sevenImages(), options, '#image-2');
      await page.locator('#image-1 summary').click();
      expect(await axeFinds(page)).toEqual([]);
      expect(
        await page.evaluate('document.documentElement.scrollWidth - innerWidth'),
      ).toBeLessThanOrEqual(0);
      await page.screenshot({path: join(shots, `${name}.png`), fullPage: true});
      expect(complaints).toEqual([]);
    },
  );

  it('finds an image by a package that it holds, and a word in a log', async () => {
    const {page} = await open(sevenImages(), {}, '#image-2');
    await page.getByLabel('Find an image').fill('numpy');
    expect(await page.locator('#images tbody tr:visible').count()).toBe(1);
    await page.getByLabel('Find an image').fill('no such thing');
    expect(await page.locator('#images tbody tr:visible').count()).toBe(0);
    const details = page.locator('#image-2');
    await details.getByLabel('Search').fill('libfoo');
    expect(await details.locator('mark').count()).toBeGreaterThan(3);
    expect(await details.locator('output').last().textContent()).toMatch(/^1 of \d+$/);
    await details.getByLabel('Search').press('Enter');
    expect(await details.locator('output').last().textContent()).toMatch(/^2 of /);
    await details.getByRole('button', {name: 'Jump to the failing line'}).click();
    expect(await details.locator('.log .bad').textContent()).toContain(
      'E: Unable to locate package',
    );
  });

  it('is reached everywhere by the keyboard, with a focus that is seen', async () => {
    const {page} = await open(sevenImages(), {}, '');
    const wanted = await page.evaluate(
      `document.querySelectorAll('a[href], button, input, summary, [tabindex="0"]').length`,
    );
    const reached = new Set<string>();
    for (let press = 0; press < Number(wanted) + 5; press++) {
      await page.keyboard.press('Tab');
      const at = await page.evaluate(
        `(() => { const e = document.activeElement; const s = getComputedStyle(e); const r = e.querySelector && e.querySelector('rect');
          if (e !== document.body && s.outlineStyle === 'none' && !(r && getComputedStyle(r).strokeWidth === '4px')) return 'unseen ' + e.outerHTML.slice(0, 80);
          return e === document.body ? '' : String([...document.querySelectorAll('*')].indexOf(e)); })()`,
      );
      expect(at).not.toMatch(/^unseen/);
      if (at !== '') reached.add(String(at));
    }
    expect(reached.size).toBe(Number(wanted));
    await page.locator('.skip').focus();
    await page.locator('#graph a.node').nth(1).focus();
    await page.keyboard.press('Enter');
    expect(await page.locator('#image-2').getAttribute('open')).not.toBeNull();
  });

  it('zooms the timeline by buttons and keys', async () => {
    const {page} = await open(sevenImages());
    const width = async (): Promise<number> =>
      Number(await page.locator('#timeline svg').getAttribute('width'));
    const whole = await width();
    await page.getByRole('button', {name: 'Zoom in'}).click();
    expect(await width()).toBeGreaterThan(whole * 1.5);
    await page.getByRole('region', {name: 'Timeline'}).press('0');
    expect(await width()).toBe(whole);
  });

  it('shows hostile text as text', async () => {
    const bait = '</script><img src=x onerror="document.title=1"><b>x</b>';
    const facts = sevenImages();
    const images = facts.report.images.map((image) => ({...image, ref: bait}));
    const {page, complaints} = await open(
      {
        ...facts,
        report: {...facts.report, images: [...images, reported(bait, {outcome: 'failed'})]},
        notes: [bait],
        run: {event: bait, runUrl: 'javascript:alert(1)', commit: {sha: bait, subject: bait}},
      },
      {},
      '#image-8',
    );
    expect(await page.locator('img, b, main script').count()).toBe(0);
    expect(await page.locator('a[href^="javascript"]').count()).toBe(0);
    expect(await page.title()).toBe('Failed: 2026.3-main');
    expect(await page.locator('#notes').textContent()).toContain(bait);
    expect(complaints).toEqual([]);
  });

  it.each([0, 1, 1000])('draws %i images', async (count) => {
    const {page, complaints} = await open(manyImages(count));
    expect(await page.locator('#images tbody tr').count()).toBe(count);
    expect(complaints).toEqual([]);
  });

  it('prints what is folded', async () => {
    const {page} = await open(sevenImages());
    await page.emulateMedia({media: 'print'});
    await page.evaluate('dispatchEvent(new Event("beforeprint"))');
    expect(await page.locator('details.image[open]').count()).toBe(7);
    await page.screenshot({path: join(shots, 'print.png'), fullPage: true});
  });
});

describe.skipIf(withoutBrowser)('the step summary in a browser', () => {
  const long = 'a-very-long-name-of-an-image-'.repeat(4);
  const wide = sevenImages();
  const images = wide.report.images.map((image) => ({
    ...image,
    image: `${long}${image.image}`,
    ref: `${long}/${image.ref}`,
  }));
  it.each([
    ['seven images', sevenImages()],
    ['a hundred', manyImages(100)],
    ['long names', {...wide, report: {...wide.report, images}}],
  ])('has tables that are no wider than the page: %s', async (_, facts) => {
    const page = await browser.newPage();
    const html = rendered(summaryPage(facts)).replaceAll('<details>', '<details open>');
    await page.setContent(`<!doctype html><style>${githubStyle}</style><body>${html}`);
    const widths = await page.evaluate(
      '[...document.querySelectorAll("table")].map((t) => t.scrollWidth)',
    );
    expect(Math.max(...(widths as number[]))).toBeLessThanOrEqual(949);
    await page.screenshot({
      path: join(shots, `summary-${_.replace(' ', '-')}.png`),
      fullPage: true,
    });
    await page.close();
  });

  it('has diagrams that mermaid draws', async () => {
    const page = await browser.newPage();
    await page.setContent('<!doctype html><body>');
    await page.addScriptTag({path: require.resolve('mermaid/dist/mermaid.min.js')});
    const diagrams = diagramsOf(summaryPage(sevenImages()));
    expect(diagrams).toHaveLength(2);
    for (const [index, text] of diagrams.entries()) {
      const drawn = await page.evaluate(
        `mermaid.render('d${index}', ${JSON.stringify(text)}).then(({svg}) => { document.body.insertAdjacentHTML('beforeend', svg); return svg; })`,
      );
      expect(String(drawn)).toContain('scipy-ml-notebook');
    }
    await page.screenshot({path: join(shots, 'diagrams.png'), fullPage: true});
    await page.close();
  });
});
