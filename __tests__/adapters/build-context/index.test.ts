import {execFileSync} from 'node:child_process';
import {
  chmod,
  mkdir,
  open,
  rename,
  rm,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {type ContextUses, openContexts} from '../../../src/adapters/build-context/index.ts';
import {makeWorkspace} from '../../support/rig/runner.ts';

let root: string;

beforeEach(async () => {
  root = await makeWorkspace({
    'images/a/Dockerfile': 'FROM x\n',
    'images/a/file': 'content',
    'images/a/.dockerignore': 'left-out\n',
    'images/a/test/test_a.py': 'pass',
    'shared/lib.sh': 'echo',
  });
});

afterEach(() => rm(root, {recursive: true, force: true}));

const path = (name: string): string => join(root, 'images/a', name);

const everything: ContextUses = {sources: [], unresolved: 'all of it counts'};

async function digest(watch: readonly string[] = [], uses = everything): Promise<string> {
  const result = await openContexts(root, ['logs']).hashContext({
    context: 'images/a',
    dockerfile: 'images/a/Dockerfile',
    uses,
    watch,
  });
  if (!result.ok) throw new Error(result.error.message);
  return result.value.digest;
}

/** Root may read everything. */
async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  const user = process.geteuid?.() ?? 0;
  if (user === 0) process.seteuid?.(65_534);
  try {
    return await work();
  } finally {
    process.seteuid?.(user);
  }
}

describe('hashContext', () => {
  it.each<[string, () => Promise<unknown>]>([
    ['the content of a file', () => writeFile(path('file'), 'other')],
    ['a new file', () => writeFile(path('new'), '')],
    ['the name of a file', () => rename(path('file'), path('renamed'))],
    ['the executable bit', () => chmod(path('file'), 0o755)],
    ['the Dockerfile', () => writeFile(path('Dockerfile'), 'FROM y\n')],
    ['a link', () => symlink('file', path('link'))],
    ['a test that the Dockerfile can reach', () => writeFile(path('test/test_a.py'), 'fail')],
    ['an empty folder, which docker copies', () => mkdir(path('empty'))],
    ['a pipe, which docker copies', async () => execFileSync('mkfifo', [path('pipe')])],
  ])('changes with %s', async (_, change) => {
    const before = await digest();
    await change();
    expect(await digest()).not.toBe(before);
  });

  it.each<[string, () => Promise<unknown>]>([
    ['the time of a file', () => utimes(path('file'), 1, 1)],
    ['a permission that git does not keep', () => chmod(path('file'), 0o600)],
    ['a file that .dockerignore leaves out', () => writeFile(path('left-out'), 'x')],
    ['a file elsewhere', () => writeFile(join(root, 'shared/lib.sh'), 'x')],
    ['what git keeps', () => writeFile(path('.git'), 'gitdir: elsewhere')],
  ])('does not change with %s', async (_, change) => {
    const before = await digest();
    await change();
    expect(await digest()).toBe(before);
  });

  it('counts files that the image watches', async () => {
    const before = await digest(['shared/**']);
    await writeFile(join(root, 'shared/lib.sh'), 'x');
    expect(await digest(['shared/**'])).not.toBe(before);
  });

  it('does not wait for a pipe that an image seems to watch', async () => {
    execFileSync('mkfifo', [join(root, 'shared/pipe')]);
    expect(await digest(['shared/pipe'])).toBe(await digest());
    expect(await digest(['shared/**'])).toMatch(/^sha256:/);
  });

  it('counts every byte of a file that is larger than what is read at once', async () => {
    const bytes = Buffer.alloc(1_000_000);
    await writeFile(path('large'), bytes);
    const before = await digest();
    bytes[999_999] = 1;
    await writeFile(path('large'), bytes);
    expect(await digest()).not.toBe(before);
  });

  it('never opens what .dockerignore leaves out', async () => {
    await mkdir(path('left-out'));
    await open(path('left-out/huge'), 'w').then((file) => file.close());
    await truncate(path('left-out/huge'), 10 * 1024 ** 3);
    await chmod(path('left-out'), 0o000);
    expect(await digest()).toMatch(/^sha256:/);
    await chmod(path('left-out'), 0o755);
  });

  it('ends with links that go round in circles', async () => {
    await symlink('..', path('up'));
    await symlink('self', path('self'));
    expect(await digest()).toMatch(/^sha256:/);
  });

  it('names a file that this user may not read', async () => {
    await chmod(path('file'), 0o000);
    await chmod(root, 0o755);
    await expect(asNobody(() => digest())).rejects.toThrow(
      'images/a: images/a/file cannot be read by this user. Make it readable, or name it in .dockerignore.',
    );
  });

  it('refuses a name that is no UTF-8, as docker does, unless it is left out', async () => {
    const name = Buffer.concat([Buffer.from(`${root}/images/a/odd`), Buffer.from([0xff])]);
    await writeFile(name, '');
    await expect(digest()).rejects.toThrow(
      'images/a: the name of images/a/odd\ufffd is not valid UTF-8, which docker refuses too.',
    );
    await writeFile(path('.dockerignore'), 'odd*\n');
    expect(await digest()).toMatch(/^sha256:/);
  });

  it('names the line of .dockerignore that docker would not take', async () => {
    await writeFile(path('.dockerignore'), 'fine\n[a\n');
    await expect(digest()).rejects.toThrow(
      'images/a/.dockerignore, line 2: "[a" is not a valid pattern',
    );
  });

  it('names a file that is not there any more', async () => {
    await rm(path('Dockerfile'));
    await expect(digest()).rejects.toThrow('images/a/Dockerfile');
  });

  it('tells names apart from contents', async () => {
    await writeFile(path('x'), 'y');
    const one = await digest();
    await rm(path('x'));
    await writeFile(path('y'), 'x');
    expect(await digest()).not.toBe(one);
  });
});
