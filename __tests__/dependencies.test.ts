import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, it} from 'vitest';

const root = join(import.meta.dirname, '..');

it('each package that src imports has its reason in docs/dependencies.md', () => {
  const page = readFileSync(join(root, 'docs/dependencies.md'), 'utf8');
  const files = readdirSync(join(root, 'src'), {recursive: true, encoding: 'utf8'});
  const imported = files
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => [
      ...readFileSync(join(root, 'src', file), 'utf8').matchAll(
        /(?:from |import\()'((?:@[\w-]+\/)?[a-z][\w-]*)[^']*'/g,
      ),
    ])
    .flatMap(([, name]) => (name === undefined || name === 'node' ? [] : [name]));
  const missing = [...new Set(imported)].filter((name) => !page.includes(`\`${name}\``));
  expect(missing).toEqual([]);
  expect(imported.length).toBeGreaterThan(5);
});
