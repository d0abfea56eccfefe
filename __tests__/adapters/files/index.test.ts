import {execFileSync} from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {
  entriesBelow,
  filesBelow,
  openWorkspace,
  PlaceError,
  type Workspace,
} from '../../../src/adapters/files/index.ts';
import {createMask} from '../../../src/util/masking.ts';

let root: string;
let outside: string;
let workspace: Workspace;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'workspace-'));
  outside = mkdtempSync(join(tmpdir(), 'outside-'));
  writeFileSync(join(outside, 'precious'), 'mine');
  const mask = createMask();
  mask.add(['hunter2']);
  workspace = openWorkspace(root, mask);
});
afterEach(() => {
  for (const folder of [root, outside]) rmSync(folder, {recursive: true});
});

const folders = ['logs', 'artifacts', 'manifests'] as const;

/** What can be in the way, by the word for it. */
const obstacles: readonly (readonly [string, (path: string) => void])[] = [
  ['symbolic link', (path) => symlinkSync(join(outside, 'precious'), path)],
  ['symbolic link', (path) => symlinkSync('/nonexistent', path)],
  ['FIFO', (path) => execFileSync('mkfifo', [path])],
];

describe('a file that is written', () => {
  it('holds no secret, has its folders, and takes the place of an older one', async () => {
    await workspace.write('artifacts/deep/a.json', 'old and longer');
    await workspace.write('artifacts/deep/a.json', 'is hunter2');
    expect(await workspace.read('artifacts/deep/a.json')).toBe('is ***');
    await workspace.write('images/spec.yml', 'is hunter2');
    expect(await workspace.read('images/spec.yml')).toBe('is ***');
  });

  it.each(folders)('is made anew when %s is removed', async (folder) => {
    await workspace.write(`${folder}/a`, '1');
    rmSync(join(root, folder), {recursive: true});
    expect(await workspace.read(`${folder}/a`)).toBeUndefined();
    await workspace.remove(`${folder}/a`);
    await workspace.write(`${folder}/a`, '2');
    expect(await workspace.read(`${folder}/a`)).toBe('2');
  });
});

describe.each(obstacles)('a %s', (kind, make) => {
  it('in the place of a file is an error that names it, for every access', async () => {
    mkdirSync(join(root, 'artifacts'));
    make(join(root, 'artifacts', 'plan.json'));
    const words = `artifacts/plan.json is a ${kind}.`;
    for (const access of [
      workspace.write('artifacts/plan.json', 'x'),
      workspace.read('./artifacts/plan.json'),
      workspace.read(join(root, 'artifacts/plan.json')),
      workspace.remove('images/../artifacts/plan.json'),
    ]) {
      await expect(access).rejects.toThrow(PlaceError);
      await expect(access).rejects.toThrow(words);
    }
    expect(workspace.checkOutputs()).toEqual([expect.stringContaining(words)]);
    expect(readFileSync(join(outside, 'precious'), 'utf8')).toBe('mine');
  });

  it.each(folders)('in the place of %s is an error that names it', async (folder) => {
    make(join(root, folder));
    const words = `${folder} is a ${kind}.`;
    await expect(workspace.write(`${folder}/a`, 'x')).rejects.toThrow(words);
    await expect(workspace.makeFolder(`${folder}/a`)).rejects.toThrow(words);
    expect(workspace.checkOutputs()).toEqual([expect.stringContaining(words)]);
  });
});

describe('the folders of the action', () => {
  it('may be missing, or hold files and folders', async () => {
    expect(workspace.checkOutputs()).toEqual([]);
    await workspace.write('logs/run.log', '');
    await workspace.write('logs/x/dump', '');
    // Tests drop what they like below.
    symlinkSync('/nonexistent', join(root, 'logs', 'x', 'link'));
    expect(workspace.checkOutputs()).toEqual([]);
  });

  it.each(folders)('are not usable with a file in the place of %s', (folder) => {
    writeFileSync(join(root, folder), '');
    expect(workspace.checkOutputs()).toEqual([expect.stringContaining(`${folder} is a file.`)]);
  });

  it('are not usable with a socket in the place of a file', async () => {
    mkdirSync(join(root, 'logs'));
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(root, 'logs', 'run.log'), resolve));
    try {
      expect(workspace.checkOutputs()).toEqual([
        expect.stringContaining('logs/run.log is a socket.'),
      ]);
      await expect(workspace.write('logs/run.log', '')).rejects.toThrow(
        'logs/run.log is a socket.',
      );
    } finally {
      server.close();
    }
  });

  it('are not usable when a link leads to a folder outside', async () => {
    symlinkSync(outside, join(root, 'manifests'));
    await expect(workspace.write('manifests/a.md', 'x')).rejects.toThrow(
      'manifests is a symbolic link.',
    );
    await expect(workspace.read('manifests/precious')).rejects.toThrow(
      'manifests is a symbolic link.',
    );
    await expect(workspace.remove('manifests/precious')).rejects.toThrow();
    expect(existsSync(join(outside, 'precious'))).toBe(true);
    expect(existsSync(join(outside, 'a.md'))).toBe(false);
  });
});

describe('what is below the folders', () => {
  it('is found without following a link, and odd things are told apart', async () => {
    await workspace.write('logs/a/b.log', '');
    await workspace.write('logs/c.log', '');
    symlinkSync(outside, join(root, 'logs', 'link'));
    execFileSync('mkfifo', [join(root, 'logs', 'fifo')]);
    symlinkSync(outside, join(root, 'artifacts'));
    const places = folders.map((folder) => workspace.path(folder));
    expect(await filesBelow(places)).toEqual([
      join(root, 'logs/a/b.log'),
      join(root, 'logs/c.log'),
    ]);
    expect((await entriesBelow(places)).filter(({isFile}) => !isFile)).toEqual(
      ['artifacts', 'logs/fifo', 'logs/link'].map((name) => ({
        path: join(root, name),
        isFile: false,
      })),
    );
  });

  it.skipIf(process.getuid?.() === 0)(
    'has the rest where one folder cannot be listed',
    async () => {
      await workspace.write('logs/a/b.log', '');
      await workspace.write('logs/c.log', '');
      chmodSync(join(root, 'logs/a'), 0o000);
      const entries = await entriesBelow([workspace.path('logs')]);
      chmodSync(join(root, 'logs/a'), 0o755);
      expect(entries).toEqual([
        {path: join(root, 'logs/a'), isFile: false},
        {path: join(root, 'logs/c.log'), isFile: true},
      ]);
    },
  );
});

describe('what tests put in the place of our folders and files during a run', () => {
  const outside = 'outside the workspace';
  const spoil: readonly (readonly [string, (at: (name: string) => string) => void])[] = [
    [
      'a FIFO for the folder',
      (at) => {
        rmSync(at('artifacts'), {recursive: true});
        execFileSync('mkfifo', [at('artifacts')]);
      },
    ],
    [
      'a link for the folder',
      (at) => {
        rmSync(at('artifacts'), {recursive: true});
        symlinkSync(at('elsewhere'), at('artifacts'));
      },
    ],
    [
      'a file for the folder',
      (at) => {
        rmSync(at('artifacts'), {recursive: true});
        writeFileSync(at('artifacts'), 'x');
      },
    ],
    ['a folder for the file', (at) => mkdirSync(at('artifacts/a.txt'))],
    ['a link for the file', (at) => symlinkSync(at('elsewhere/secret'), at('artifacts/a.txt'))],
    ['a FIFO for the file', (at) => execFileSync('mkfifo', [at('artifacts/a.txt')])],
    ['nothing at all', (at) => rmSync(at('artifacts'), {recursive: true})],
  ];
  it.each(spoil)('%s: makes room, and nothing is followed', async (_, work) => {
    const folder = mkdtempSync(join(tmpdir(), 'own-'));
    const at = (name: string): string => join(folder, name);
    mkdirSync(at('artifacts'));
    mkdirSync(at('elsewhere'));
    writeFileSync(at('elsewhere/secret'), outside);
    const workspace = openWorkspace(folder);
    expect(workspace.checkOutputs()).toEqual([]);
    work(at);
    await workspace.write('artifacts/a.txt', 'ours');
    expect(readFileSync(at('artifacts/a.txt'), 'utf8')).toBe('ours');
    expect(readFileSync(at('elsewhere/secret'), 'utf8')).toBe(outside);
    expect(readdirSync(at('elsewhere'))).toEqual(['secret']);
    rmSync(folder, {recursive: true});
  });
  it('is refused before a run: then it is the user’s', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'own-'));
    symlinkSync('/tmp', join(folder, 'artifacts'));
    const workspace = openWorkspace(folder);
    expect(workspace.checkOutputs()).toHaveLength(1);
    await expect(workspace.write('artifacts/a.txt', 'ours')).rejects.toThrow('symbolic link');
    rmSync(folder, {recursive: true});
  });
});
