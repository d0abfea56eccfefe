import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {
  isTracked,
  listFiles,
  listOmitted,
  readOrigin,
  readWorkingTree,
} from '../../../src/adapters/git/index.ts';
import {type GitRepository, makeRepository} from '../../support/rig/git-repository.ts';

let origin: GitRepository;
let work: GitRepository;

beforeEach(() => {
  origin = makeRepository();
  origin.commit('first', {
    'a/x': '1',
    'b/x': '1',
    'c/x': '1',
    'd/x': '1',
    '.gitignore': 'ignored\n',
  });
  work = origin.clone();
});

afterEach(() => {
  work[Symbol.dispose]();
  origin[Symbol.dispose]();
});

async function read(folder = work.path) {
  const tree = await readWorkingTree(folder);
  if (!tree.ok) throw new Error(tree.error);
  return tree.value;
}

async function changed(): Promise<readonly string[] | string> {
  const {changed} = await read();
  return changed.kind === 'files' ? changed.files.toSorted() : changed.because;
}

const write = (file: string, text: string): void => writeFileSync(join(work.path, file), text);

describe('the working tree against its upstream branch', () => {
  it('has no change where there is none', async () => {
    expect(await changed()).toEqual([]);
    expect(await read()).toMatchObject({branch: 'main', defaultBranch: 'main', messages: []});
  });

  it('counts commits, what is staged, what is not, and what is new', async () => {
    work.commit('mine', {'a/x': '2'});
    write('b/x', '2');
    work.git('add', 'b/x');
    write('c/x', '2');
    write('new file\nof two lines', '');
    write('ignored', '');
    rmSync(join(work.path, 'd/x'));
    expect(await changed()).toEqual(['a/x', 'b/x', 'c/x', 'd/x', 'new file\nof two lines']);
    expect((await read()).messages.map((text) => text.trim())).toEqual(['mine']);
  });

  it('counts a rename for both names, and what was changed back for none', async () => {
    work.commit('mine', {'a/x': '2'});
    write('a/x', '1');
    work.git('mv', 'b/x', 'b/y');
    expect(await changed()).toEqual(['b/x', 'b/y']);
  });

  it('does not count what upstream got meanwhile', async () => {
    origin.commit('theirs', {'c/x': '9'});
    work.git('fetch', '--quiet');
    work.commit('mine', {'a/x': '2'});
    expect(await changed()).toEqual(['a/x']);
  });

  it('compares a branch of its own with what origin begins with', async () => {
    work.git('switch', '--quiet', '--create', 'feature/x');
    work.commit('mine', {'a/x': '2'});
    expect(await read()).toMatchObject({branch: 'feature/x', defaultBranch: 'main'});
    expect(await changed()).toEqual(['a/x']);
  });

  it('takes paths from the top, wherever it is asked', async () => {
    write('a/x', '2');
    const {root, changed} = await read(join(work.path, 'a'));
    expect(root).toBe(work.path);
    expect(changed).toMatchObject({files: ['a/x']});
  });

  it('is not changed by what the user configured for git diff, nor by what runs leave', async () => {
    for (const [name, value] of [
      ['diff.external', '/bin/false'],
      ['diff.noprefix', 'true'],
      ['diff.relative', 'true'],
      ['status.showUntrackedFiles', 'no'],
    ] as const)
      work.git('config', name, value);
    mkdirSync(join(work.path, 'logs'));
    write('logs/run.log', '');
    write('a/x', '2');
    expect(await changed()).toEqual(['a/x']);
  });

  it('knows nothing without an upstream, and says how to give it one', async () => {
    expect(await readWorkingTree(origin.path)).toMatchObject({
      ok: true,
      value: {
        changed: {
          kind: 'unknown',
          because: expect.stringContaining('git branch --set-upstream-to'),
        },
      },
    });
  });

  it('needs a branch', async () => {
    work.git('checkout', '--quiet', '--detach');
    expect(await readWorkingTree(work.path)).toEqual({
      ok: false,
      error: expect.stringMatching(/^HEAD is detached.*git switch --create/),
    });
  });

  it('works before the first commit', async () => {
    using empty = makeRepository();
    expect(await read(empty.path)).toMatchObject({
      branch: 'main',
      head: '',
      changed: {kind: 'unknown'},
    });
  });

  it('needs a repository', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'no-git-'));
    expect(await readWorkingTree(folder)).toEqual({
      ok: false,
      error: expect.stringMatching(/is not in a git repository.*git init/),
    });
    expect(await listFiles(folder)).toBeUndefined();
    rmSync(folder, {recursive: true});
  });

  it('stops with the run', async () => {
    const tree = await readWorkingTree(work.path, AbortSignal.abort());
    expect(tree.ok).toBe(false);
  });
});

describe('the origin', () => {
  it.each([
    ['https://github.com/Acme/stack.git', {owner: 'Acme', repo: 'stack'}],
    ['https://token@github.com/acme/stack/', {owner: 'acme', repo: 'stack'}],
    ['git@github.com:acme/my.stack.git', {owner: 'acme', repo: 'my.stack'}],
    ['ssh://git@github.com:22/acme/stack', {owner: 'acme', repo: 'stack'}],
    ['/srv/git/stack', {owner: '', repo: ''}],
    ['file:///srv/git/stack', {owner: '', repo: ''}],
  ])('%s is %j', async (url, owner) => {
    work.git('remote', 'set-url', 'origin', url);
    expect(await readOrigin(work.path)).toEqual(owner);
  });
});

it('lists what is tracked or new, and nothing that is ignored', async () => {
  write('ignored', '');
  write('new', '');
  expect((await listFiles(work.path))?.toSorted()).toEqual([
    '.gitignore',
    'a/x',
    'b/x',
    'c/x',
    'd/x',
    'new',
  ]);
});

it('lists what a sparse checkout omits', async () => {
  expect(await listOmitted(work.path)).toEqual([]);
  work.git('sparse-checkout', 'set', '--no-cone', '/*', '!/b/');
  expect(await listOmitted(work.path)).toEqual(['b/x']);
  expect(await listOmitted(tmpdir())).toEqual([]);
});

it('knows which files git knows, also where one is gone or nobody can tell', async () => {
  write('new', '');
  write('a/[x]', '');
  const at = (file: string) => isTracked(join(work.path, file));
  expect([await at('a/x'), await at('new'), await at('a/[x]')]).toEqual([true, false, false]);
  rmSync(join(work.path, 'a/x'));
  rmSync(join(work.path, 'b'), {recursive: true});
  expect([await at('a/x'), await at('b/x')]).toEqual([true, true]);
  expect(await isTracked(join(tmpdir(), 'x'))).toBe(true);
});
