import {execFileSync, spawnSync} from 'node:child_process';
import {rm} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, describe, expect, it} from 'vitest';
import {openLook} from '../../src/adapters/build-context/files.ts';
import {compileIgnore, readIgnore} from '../../src/adapters/build-context/ignore.ts';
import {compileRules, type Rules} from '../../src/adapters/build-context/patterns.ts';
import {type Node, openTree, type Tree} from '../../src/adapters/build-context/tree.ts';
import {createChance} from '../support/builders/chance.ts';
import {makeWorkspace} from '../support/rig/runner.ts';

/** Enough shapes of names for any pattern to be wrong about. */
const names = [
  'a',
  'b.txt',
  'a.b/c',
  'dir/a',
  'dir/b.txt',
  'dir/sub/a',
  'dir/sub/b.txt',
  'dir/sub/deep/a.txt',
  'other/a',
  'other/dir/b',
  '.hidden',
  '.hid/x',
  'dir/.hidden',
  'README.md',
  'readme.md',
  'x y.txt',
  'ünicode',
  'a[1].txt',
  'star*name',
  'back\\slash',
  '#hash',
  '!bang',
  'dir/README.md',
  'foo.bar.txt',
];

const workspaces: string[] = [];

afterAll(() => Promise.all(workspaces.map((root) => rm(root, {recursive: true, force: true}))));

type Files = readonly string[] | 'refused';

/** What docker copies, and what we count, as sorted paths. */
async function both(
  ignore: string,
  more: Record<string, string> = {},
): Promise<{docker: Files; ours: Files}> {
  const files = Object.fromEntries(names.map((name) => [`ctx/${name}`, name]));
  const root = await makeWorkspace({
    ...files,
    'ctx/.dockerignore': ignore,
    Dockerfile: 'FROM scratch\nCOPY . /\n',
    ...more,
  });
  workspaces.push(root);
  const ours = await contextFiles(root).catch(() => 'refused' as const);
  return {docker: dockerFiles(root), ours};
}

/** The files of the context that are left when the ignore file has been applied. */
async function contextFiles(root: string): Promise<readonly string[]> {
  const look = openLook(new Map());
  const open = (folder: string, rules: Rules): Tree =>
    openTree({look, root: folder, rules, own: []});
  const nothing = compileRules([]);
  const context = join(root, 'ctx');
  const {text = ''} = await readIgnore(open(root, nothing), 'Dockerfile', open(context, nothing));
  const tree = open(context, compileIgnore(text));
  const files: string[] = [];
  const walk = async (folder: Node): Promise<void> => {
    for (const node of await tree.children(folder)) {
      if (node.kind === 'folder') await walk(node);
      else files.push(node.path);
    }
  };
  await walk(tree.root);
  return files.toSorted();
}

function dockerFiles(cwd: string): Files {
  const output = ['--output', 'type=tar,dest=-'];
  const {status, stdout, stderr} = spawnSync(
    'docker',
    ['buildx', 'build', '--quiet', '--file', 'Dockerfile', ...output, 'ctx'],
    {cwd, maxBuffer: 1 << 26},
  );
  if (status !== 0) {
    if (/syntax error in pattern|illegal exclusion pattern/.test(String(stderr))) return 'refused';
    throw new Error(String(stderr));
  }
  const listed = execFileSync('tar', ['--list', '--quoting-style=literal', '--file', '-'], {
    input: stdout,
    encoding: 'utf8',
  });
  return listed
    .split('\n')
    .map((line) => line.replace(/^\.?\//, ''))
    .filter((line) => line !== '' && !line.endsWith('/'))
    .toSorted();
}

const table = [
  '',
  '*',
  '**',
  '*\n!a',
  '**\n!dir/sub',
  '*\n!dir',
  'dir',
  'dir/',
  '/dir',
  './dir',
  'dir/*',
  'dir/**',
  '**/a',
  '**/*.txt',
  '*.txt',
  '?',
  'dir\n!dir/a',
  'dir\n!dir/sub/b.txt',
  'dir/sub\n!dir/sub/deep/a.txt',
  '*\n!*.txt',
  '**/sub',
  '**/b.txt\n!dir/b.txt',
  'dir/*\n!dir/sub',
  '# comment\na',
  ' a ',
  'a \t',
  '\ta',
  'a\r\nb.txt\r\n',
  '\uFEFFa',
  '!a',
  'a\n!a\na',
  '.*',
  '**/.*',
  '.hid',
  'README.md',
  '[Rr]eadme.md',
  'a[[]1].txt',
  'star\\*name',
  'x y.txt',
  'ünicode',
  '\\#hash',
  '\\!bang',
  '*.b',
  'a.b/*',
  'foo.*',
  'foo.bar.*',
  '..',
  '../x',
  'dir/../a',
  'dir//sub',
  '.',
  '/',
  '**/**/a',
  'dir/**/a.txt',
  '**/deep/**',
  'd?r',
  '[a-c]*',
  '[^a]*',
  'other/**\n!other/dir/b',
  '.dockerignore',
  '**a',
  '**.txt',
  '**b*',
  'dir**',
  '***',
  '*\n!d*',
  '*\n!**/deep',
  '*\n!dir/sub/*',
  '*\n!dir/*/a',
  'dir\n!d*/a\ndir/sub',
  'a]',
  '[]',
  '[a',
  '[a-',
  'a\\',
  '!',
  '!/',
  '[^d]*/a',
  '[[]*',
  'a.',
  '(a)',
  '\u00a0a',
  '\u0085a',
  'dir\\d',
  'x|a',
  'dir/a{1}*',
  '/!a',
  '[*]*',
  '!',
];

function randomIgnores(count: number): readonly string[] {
  const {pick, upTo} = createChance(42);
  const part = (): string =>
    pick([
      'a',
      'dir',
      'sub',
      'deep',
      '*',
      '**',
      '?',
      '*.txt',
      'b.txt',
      '.*',
      'other',
      'd*',
      '[a-d]*',
    ]);
  const pattern = (): string =>
    `${pick(['', '', '!', '/', '!'])}${Array.from({length: 1 + upTo(3)}, part).join('/')}${pick(['', '', '/', '/**'])}`;
  return Array.from({length: count}, () => Array.from({length: 1 + upTo(4)}, pattern).join('\n'));
}

describe('the files of a build context are those that docker sends', () => {
  it.each(table)('%j', async (ignore) => {
    const {docker, ours} = await both(ignore);
    expect(ours).toEqual(docker);
  });

  it.each(randomIgnores(60))('by any rules: %j', async (ignore) => {
    const {docker, ours} = await both(ignore);
    expect(ours).toEqual(docker);
  });

  it('with an ignore file of the Dockerfile itself', async () => {
    const {docker, ours} = await both('dir', {'Dockerfile.dockerignore': 'other'});
    expect(ours).toEqual(docker);
    expect(ours).toContain('dir/a');
  });
});
