import {createHash} from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {dirname, join} from 'node:path';
import {normalize} from 'node:path/posix';
import type {ContextSource} from '../../../src/adapters/build-context/index.ts';
import type {Chance} from './chance.ts';

/** A Dockerfile, and by hand what it takes from its context. */
export interface RandomBuild {
  readonly dockerfile: string;
  readonly sources: readonly ContextSource[];
}

/** Names that the paths, links and patterns of a random context are put together from: they meet often. */
const files = [
  'a.txt',
  'b.md',
  'd/a.txt',
  'd/b.md',
  'd/e/a.txt',
  'd/e/c.py',
  'f/a.txt',
  'f/d/c.py',
];
const links = ['l', 'm', 'd/l', 'f/l', 'f/d/m'];
const targets = [
  'a.txt',
  'd',
  'd/a.txt',
  '../d',
  'e',
  '/f',
  '/d/e',
  '../../f',
  'l',
  'nothing',
  '../b.md',
];
const ignored = [
  '*.md',
  'd/e',
  '**/c.py',
  'f',
  '!f/d',
  'l',
  '*',
  '!d',
  '!*.txt',
  'd/*',
  '!**/a.txt',
];

const literals = [
  'a.txt',
  'b.md',
  'd',
  'd/',
  'd/e',
  './d/a.txt',
  'f',
  'l',
  'm',
  'd/l',
  'l/a.txt',
  'm/e',
  'm/a.txt',
  'd/l',
  'l',
  'm',
  '.',
];
const wildcards = [
  '*.txt',
  'd*',
  '*/a.txt',
  'd/*',
  '*/*.md',
  '?',
  '[a-d]*',
  'l*',
  '*/l',
  '*/d/*.py',
  'd[^q]a.txt',
];
const excludes = ['*.md', '**/a.txt', 'e', 'e/*', '!e/c.py', '**/*.py', 'd'];

export function randomBuild(chance: Chance, base: string): RandomBuild {
  const sources: ContextSource[] = [];
  const lines: string[] = [];
  const add = (written: string, kind: ContextSource['kind'], outs: readonly string[]): void => {
    const cleaned = normalize(`/${written}`).replace(/\/$/, '').slice(1);
    const hasWildcards = kind !== 'mount' && /[*?[]/.test(cleaned);
    const line = lines.length + 2;
    sources.push({path: cleaned, hasWildcards, excludes: outs, line, kind, parents: false});
  };
  for (let count = 1 + chance.upTo(2); count > 0; count--) {
    const kind = chance.pick(['COPY', 'COPY', 'COPY', 'ADD'] as const);
    const outs = chance.upTo(3) === 0 ? [chance.pick(excludes), chance.pick(excludes)] : [];
    const written = Array.from({length: 1 + chance.upTo(2)}, () =>
      chance.pick(chance.upTo(2) === 0 ? literals : wildcards),
    );
    for (const path of written) add(path, kind === 'ADD' ? 'add' : 'copy', outs);
    const options = outs.map((out) => `--exclude=${out} `).join('');
    lines.push(`${kind} ${options}${written.join(' ')} /o${lines.length}/`);
  }
  if (chance.upTo(4) > 0) return {dockerfile: ['FROM scratch', ...lines, ''].join('\n'), sources};
  const source = chance.pick(['d', 'f/d', 'a.txt', 'l', '', 'd/e/']);
  add(source, 'mount', []);
  const run = `RUN --mount=type=bind,source=${source},target=/m mkdir /o && cp -a /m /o/m`;
  const copies = lines.map((line) => line.replace(' /o', ' /o/o'));
  return {
    dockerfile: `FROM ${base} AS run\n${run}\n${copies.join('\n')}\nFROM scratch\nCOPY --from=run /o /\n`,
    sources,
  };
}

/** Changes one file, link or folder of a context, or makes it. */
export function changeOne(chance: Chance, root: string): void {
  const at = (name: string): string => join(root, name);
  const make = (name: string): string => {
    // What is in the way gives way.
    for (let folder = dirname(name); folder !== '.'; folder = dirname(folder)) {
      const stat = lstatSync(at(folder), {throwIfNoEntry: false});
      if (stat !== undefined && !stat.isDirectory()) rmSync(at(folder));
    }
    mkdirSync(dirname(at(name)), {recursive: true});
    rmSync(at(name), {recursive: true, force: true});
    return at(name);
  };
  const kind = chance.upTo(20);
  const name = chance.pick(files);
  if (kind < 9) writeFileSync(make(name), `text ${chance.upTo(1_000_000)}`);
  else if (kind < 11) rmSync(at(chance.pick([...files, ...links])), {recursive: true, force: true});
  else if (kind < 13) {
    const stat = lstatSync(at(name), {throwIfNoEntry: false});
    if (stat?.isFile()) chmodSync(at(name), stat.mode ^ 0o111);
  } else if (kind < 17) symlinkSync(chance.pick(targets), make(chance.pick(links)));
  else if (kind < 18) mkdirSync(make(chance.pick(['empty', 'd/empty', 'd/e/g'])));
  else {
    const rules = Array.from({length: chance.upTo(3)}, () => chance.pick(ignored));
    writeFileSync(make('.dockerignore'), rules.join('\n'));
  }
}

export function fillContext(chance: Chance, root: string): void {
  mkdirSync(root, {recursive: true});
  for (const name of files) {
    mkdirSync(dirname(join(root, name)), {recursive: true});
    writeFileSync(join(root, name), name);
  }
  symlinkSync(chance.pick(['a.txt', 'd', 'd/a.txt', '/f', 'd/e']), join(root, 'l'));
  symlinkSync(chance.pick(['f', 'd', '../d/e', 'l']), join(root, 'm'));
  symlinkSync(chance.pick(['a.txt', '../f/a.txt', 'e', '/b.md', '../m']), join(root, 'd/l'));
  for (let count = 0; count < 3; count++) changeOne(chance, root);
}

/** What is in a folder: names, kinds, executable bits, contents, targets; no times and no owners. */
export function describeFolder(root: string): string {
  if (!existsSync(root)) return '';
  return readdirSync(root, {recursive: true, encoding: 'utf8'})
    .toSorted()
    .map((name) => {
      const path = join(root, name);
      const stat = lstatSync(path);
      if (stat.isSymbolicLink()) return `${name} -> ${readlinkSync(path)}`;
      if (stat.isDirectory()) return `${name}/`;
      const hash = createHash('sha256').update(readFileSync(path)).digest('hex');
      return `${name} ${(stat.mode & 0o111) !== 0} ${hash}`;
    })
    .join('\n');
}
