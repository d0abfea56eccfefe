import {createHash} from 'node:crypto';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {reportFile} from '../../src/report/file.ts';
import {htmlPage} from '../../src/report/html/index.ts';
import {manyImages, sevenImages} from '../support/builders/reports.ts';

const page = htmlPage(reportFile(sevenImages()));
const inside = (html: string, name: string): readonly string[] =>
  [...html.matchAll(new RegExp(`<${name}[^>]*>([\\s\\S]*?)</${name}>`, 'g'))].map(
    ([, text = '']) => text,
  );

describe('report.html', () => {
  it.each([1, 7, 100, 1000])('is what it was for %i images, beside its data', async (count) => {
    const text = reportFile(count === 7 ? sevenImages() : manyImages(count));
    const html = htmlPage(text);
    const [data = ''] = inside(html, 'script');
    expect(JSON.parse(data)).toEqual(JSON.parse(text));
    await expect(html.replace(data, '')).toMatchFileSnapshot('../fixtures/report/report.html');
  });

  it('shows what it was for seven images with every outcome', async () => {
    await expect(reportFile(sevenImages())).toMatchFileSnapshot('../fixtures/report/report-7.json');
  });

  it('holds the whole report.json, and nothing of it as markup', () => {
    const [data = ''] = inside(page, 'script');
    expect(JSON.parse(data)).toEqual(JSON.parse(reportFile(sevenImages())));
    expect(page.replace(data, '')).not.toContain('scipy-ml-notebook');
  });

  it('allows its own script and style by their hashes, and no address at all', () => {
    const policy = /Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1] ?? '';
    const hash = (text: string): string =>
      `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
    const [, script = ''] = inside(page, 'script');
    const [style = ''] = inside(page, 'style');
    expect(policy).toBe(
      `default-src 'none'; script-src ${hash(script)}; style-src ${hash(style)}; base-uri 'none'; form-action 'none'`,
    );
    expect(page.replace(/<script type="application\/json"[\s\S]*?<\/script>/, '')).not.toMatch(
      /(?:src|href)="(?!#)|url\(|@import|innerHTML|insertAdjacentHTML|document\.write|\beval\b/,
    );
  });

  it('cannot be left by any text of the report', () => {
    const bait = fc.constantFrom('</script>', '<!--', '<script>', ']]>', '\u2028', '"', '\\', '&');
    fc.assert(
      fc.property(fc.array(fc.oneof(bait, fc.string())), (parts) => {
        const text = JSON.stringify({schema: 1, tag: parts.join('')});
        const html = htmlPage(text);
        const [data = '', ...rest] = inside(html, 'script');
        expect(rest).toHaveLength(1);
        expect(data).not.toContain('<');
        expect(JSON.parse(data)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('is below 1 MB for 100 images without logs', () => {
    const facts = manyImages(100);
    const layers = Array.from({length: 30}, (_, index) => ({
      command: `RUN apt-get install -y package-${index} && rm -rf /var/lib/apt/lists`,
      size: 1_000_000,
    }));
    const packages = Array.from({length: 60}, (_, index) => ({
      manager: 'pip',
      name: `package-${index}`,
      version: '1.2.3',
    }));
    const details = new Map(facts.plan.images.map(({name}) => [name, {layers, packages}]));
    expect(Buffer.byteLength(htmlPage(reportFile({...facts, details})))).toBeLessThan(1_000_000);
  });
});
