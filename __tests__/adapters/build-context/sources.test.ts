import {chmod, mkdir, rename, rm, symlink, unlink, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {type ContextSource, openContexts} from '../../../src/adapters/build-context/index.ts';
import {makeWorkspace} from '../../support/rig/runner.ts';

let root: string;

beforeEach(async () => {
  root = await makeWorkspace({
    'ctx/a.txt': 'a',
    'ctx/b.md': 'b',
    'ctx/src/one.py': '1',
    'ctx/src/deep/two.py': '2',
    'ctx/other/three.py': '3',
    Dockerfile: 'FROM x\n',
  });
  await symlink('src', join(root, 'ctx/linked'));
  await symlink('a.txt', join(root, 'ctx/alias'));
});

afterEach(() => rm(root, {recursive: true, force: true}));

type Source = Partial<ContextSource> & {readonly path: string};

function sourcesOf(sources: readonly Source[]): readonly ContextSource[] {
  return sources.map((source) => ({
    hasWildcards: /[*?[]/.test(source.path),
    excludes: [],
    line: 1,
    kind: 'copy',
    ...source,
  }));
}

async function look(sources: readonly Source[], context = 'ctx') {
  const result = await openContexts(root, ['logs', 'artifacts']).hashContext({
    context,
    dockerfile: 'Dockerfile',
    uses: {sources: sourcesOf(sources), unresolved: undefined},
    watch: [],
  });
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

const file = (name: string): string => join(root, 'ctx', name);
const write = (name: string) => (): Promise<void> => writeFile(file(name), 'other');

describe('what docker takes for a source', () => {
  it.each<[string, Source, () => Promise<unknown>]>([
    ['a file', {path: 'a.txt'}, write('a.txt')],
    ['a folder', {path: 'src'}, write('src/deep/two.py')],
    ['a new file of a folder', {path: 'src'}, write('src/deep/new')],
    ['what a wildcard finds', {path: '*.md'}, write('b.md')],
    ['a new file for a wildcard', {path: '*.md'}, write('c.md')],
    ['a folder that a wildcard finds', {path: 's*'}, write('src/one.py')],
    ['a wildcard over folders', {path: '*/*.py'}, write('other/three.py')],
    ['a class, which may be a slash', {path: 'src[^x]one.py'}, write('src/one.py')],
    ['everything', {path: ''}, write('other/three.py')],
    ['a mount', {path: 'src', kind: 'mount'}, write('src/one.py')],
    ['what a link leads to', {path: 'alias'}, write('a.txt')],
    ['a folder that a link leads to', {path: 'linked'}, write('src/deep/two.py')],
    ['a file below a linked folder', {path: 'linked/one.py'}, write('src/one.py')],
    ['a link that a wildcard finds', {path: 'ali*'}, write('a.txt')],
    ['what is not excluded', {path: 'src', excludes: ['**/two.py']}, write('src/one.py')],
    ['a file that was missing', {path: 'none'}, write('none')],
    ['the kind', {path: 'a.txt'}, () => chmod(file('a.txt'), 0o755)],
    ['**, which --parents knows', {path: '**/two.py'}, write('src/deep/two.py')],
    ['a link in a folder', {path: 'src'}, () => symlink('one.py', file('src/l'))],
  ])('counts %s', async (_, source, change) => {
    const before = (await look([source])).digest;
    await change();
    expect((await look([source])).digest).not.toBe(before);
  });

  it.each<[string, Source, () => Promise<unknown>]>([
    ['a file beside it', {path: 'a.txt'}, write('b.md')],
    ['a file that only begins alike', {path: 'src'}, write('src2')],
    ['a file deeper than a wildcard', {path: '*/*.py'}, write('src/deep/two.py')],
    ['a link beside it', {path: 'src'}, () => unlink(file('alias'))],
    [
      'an excluded file',
      {path: 'src', excludes: ['**/two.py'], parents: false},
      write('src/deep/two.py'),
    ],
    ['a wildcard of a mount, which is a name', {path: '*.md', kind: 'mount'}, write('b.md')],
    [
      'a target that a link out of the context seems to have',
      {path: 'src'},
      async () => {
        await writeFile(join(root, 'outside'), 'x');
      },
    ],
  ])('does not count %s', async (_, source, change) => {
    const before = (await look([source])).digest;
    await change();
    expect((await look([source])).digest).toBe(before);
  });

  it('counts a link that leads elsewhere, though both files were copied already', async () => {
    const sources = [{path: 'a.txt'}, {path: 'b.md'}, {path: 'alias'}];
    const before = (await look(sources)).digest;
    await unlink(file('alias'));
    await symlink('b.md', file('alias'));
    expect((await look(sources)).digest).not.toBe(before);
  });

  it('takes the context for the root of every link, as docker does', async () => {
    await symlink('/src', file('absolute'));
    await symlink('../../../src', file('upward'));
    for (const path of ['absolute/one.py', 'upward/one.py']) {
      await writeFile(file('src/one.py'), '1');
      const before = (await look([{path}])).digest;
      await writeFile(file('src/one.py'), 'other');
      expect((await look([{path}])).digest).not.toBe(before);
    }
  });

  it('ends with a link to itself', async () => {
    await symlink('self', file('self'));
    expect((await look([{path: 'self/x'}])).digest).toMatch(/^sha256:/);
  });

  it('does not find what .dockerignore leaves out, be it a link or its target', async () => {
    await writeFile(file('.dockerignore'), 'src\n');
    const before = (await look([{path: 'linked'}, {path: 'src/one.py'}])).digest;
    await writeFile(file('src/one.py'), 'other');
    expect((await look([{path: 'linked'}, {path: 'src/one.py'}])).digest).toBe(before);
  });

  it('follows a context that is a link', async () => {
    await symlink('ctx', join(root, 'way'));
    const before = (await look([{path: 'a.txt'}], 'way')).digest;
    await writeFile(file('a.txt'), 'other');
    expect((await look([{path: 'a.txt'}], 'way')).digest).not.toBe(before);
  });
});

describe('an ignore file', () => {
  /** What `.dockerignore` is, and whether docker applies the rule in it: each was tried. */
  it.each<[string, () => Promise<unknown>, boolean]>([
    ['a file', () => writeFile(file('.dockerignore'), 'a.txt'), true],
    ['a link in the context', () => ignoreLink('rules'), true],
    ['a link as if the context were the root', () => ignoreLink('/rules'), true],
    [
      'a link that leads out, and finds the name in the context',
      () => ignoreLink('../rules'),
      true,
    ],
    ['a link that leads out', () => ignoreLink('../outside'), false],
    ['a broken link', () => ignoreLink('nothing'), false],
    ['a link to itself', () => ignoreLink('.dockerignore'), false],
    ['a folder', () => mkdir(file('.dockerignore')), false],
  ])('that is %s', async (_, make, applies) => {
    await writeFile(file('rules'), 'a.txt');
    await writeFile(join(root, 'outside'), 'a.txt');
    await make();
    const before = (await look([{path: ''}])).digest;
    await writeFile(file('a.txt'), 'other');
    expect((await look([{path: ''}])).digest === before).toBe(applies);
  });

  it.each<[string, () => Promise<unknown>, boolean]>([
    ['is empty', () => writeFile(join(root, 'Dockerfile.dockerignore'), ''), false],
    ['is a folder', () => mkdir(join(root, 'Dockerfile.dockerignore')), true],
    ['is a broken link', () => symlink('nothing', join(root, 'Dockerfile.dockerignore')), true],
  ])('of the Dockerfile that %s', async (_, make, applies) => {
    await writeFile(file('.dockerignore'), 'a.txt');
    await make();
    const before = (await look([{path: ''}])).digest;
    await writeFile(file('a.txt'), 'other');
    expect((await look([{path: ''}])).digest === before).toBe(applies);
  });
});

describe("the action's own files", () => {
  it('never count, and are named with the ignore file that could leave them out', async () => {
    await mkdir(join(root, '.git'));
    const before = await look([{path: ''}], '.');
    await mkdir(join(root, 'logs'));
    await writeFile(join(root, 'logs/run.log'), 'text');
    await writeFile(join(root, '.git/HEAD'), 'ref');
    const after = await look([{path: ''}], '.');
    expect(after.digest).toBe(before.digest);
    // The folders are named before they exist: by the time of the build they do.
    expect(before.own).toEqual(['.git', 'artifacts', 'logs']);
    expect(after.ignoreFile).toBe('.dockerignore');
    await writeFile(join(root, '.dockerignore'), '.git\nlogs\nartifacts\n');
    expect((await look([{path: ''}], '.')).own).toEqual([]);
  });

  it('are no others of the same name, and are not asked for where docker does not send them', async () => {
    await mkdir(file('logs'));
    const before = await look([{path: ''}]);
    await rename(file('b.md'), file('logs/b.md'));
    expect((await look([{path: ''}])).digest).not.toBe(before.digest);
    expect(before.own).toEqual([]);
    expect((await look([{path: 'ctx'}], '.')).own).toEqual([]);
  });
});

function ignoreLink(target: string): Promise<void> {
  return symlink(target, file('.dockerignore'));
}
