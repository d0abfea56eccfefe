import {existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync} from 'node:fs';
import {join} from 'node:path';
import {expect, it} from 'vitest';
import {openWorkspace} from '../../../src/adapters/files/index.ts';
import {init} from '../../../src/modes/local/init.ts';
import {readTree} from '../../../src/modes/setup/tree.ts';
import {readInputs} from '../../../src/run/index.ts';
import {makeRepository} from '../../support/rig/git-repository.ts';
import {makeWorkspace} from '../../support/rig/runner.ts';

const tree = {
  'base/Dockerfile': 'FROM debian:13\n',
  'app/Dockerfile': 'FROM ghcr.io/acme/base\n',
};

async function run(files: Readonly<Record<string, string>>, stackDir = 'images') {
  const root = await makeWorkspace(files);
  const lines: string[] = [];
  const say = (line: string): void => void lines.push(line);
  const log = {info: say, warning: say, error: say, group: say};
  const inputs = readInputs((name) => ({mode: 'init', 'stack-dir': stackDir})[name] ?? '');
  const again = () =>
    init({inputs, workspace: openWorkspace(root), log, origin: {owner: 'acme', repo: 'x'}});
  const path = (file: string): string => join(root, file);
  return {root, lines, again, path, read: (file: string) => readFileSync(path(file), 'utf8')};
}

it('writes a spec and a workflow, and says what it found where', async () => {
  const {again, lines, read} = await run(tree);
  expect(await again()).toEqual({
    ok: true,
    value: {files: ['images/spec.yml', '.github/workflows/stack.yml'], todos: []},
  });
  expect(lines).toContain('  app <- base: FROM in app/Dockerfile:1');
  expect(read('images/spec.yml')).toContain('depend_on: base # FROM in app/Dockerfile:1');
  expect(read('.github/workflows/stack.yml')).toContain('uses: ucsd-ets/stack-action@v1');
});

it('writes below stack-dir, and names it in the workflow', async () => {
  const {again, read} = await run(tree, 'stack');
  expect(await again()).toMatchObject({ok: true});
  expect(read('stack/spec.yml')).toContain('context: ../../app');
  expect(read('.github/workflows/stack.yml')).toContain('stack-dir: "stack"');
});

it('writes over nothing', async () => {
  const {again, read, path} = await run({...tree, 'images/spec.yml': 'mine'});
  expect(await again()).toEqual({
    ok: false,
    error: expect.stringMatching(/^images\/spec\.yml exists/),
  });
  expect(read('images/spec.yml')).toBe('mine');
  expect(existsSync(path('.github'))).toBe(false);
});

it('keeps a workflow that is there', async () => {
  const {again, read, lines} = await run({...tree, '.github/workflows/stack.yml': 'mine'});
  expect(await again()).toMatchObject({ok: true, value: {files: ['images/spec.yml']}});
  expect(read('.github/workflows/stack.yml')).toBe('mine');
  expect(lines).toContain('.github/workflows/stack.yml exists and stays as it is.');
});

it('writes nothing where nothing can be read', async () => {
  const {again, path} = await run({'README.md': ''});
  expect(await again()).toEqual({
    ok: false,
    error: expect.stringMatching(/^No Dockerfile was found/),
  });
  expect(existsSync(path('images'))).toBe(false);
});

it('follows no link out of the repository', async () => {
  const outside = await makeWorkspace({Dockerfile: 'FROM debian:13\n'});
  const {again, path} = await run(tree);
  symlinkSync(outside, path('images'));
  expect(await again()).toEqual({
    ok: false,
    error: expect.stringContaining('points outside the workspace'),
  });
  expect(existsSync(join(outside, 'spec.yml'))).toBe(false);
});

it('writes over nothing that appears while it reads, and not through a link to nothing', async () => {
  const {again, path} = await run(tree);
  mkdirSync(path('images'));
  const outside = join(await makeWorkspace({}), 'spec.yml');
  symlinkSync(outside, path('images/spec.yml'));
  expect(await again()).toEqual({ok: false, error: expect.stringContaining('exists')});
  expect(existsSync(outside)).toBe(false);
  expect(readdirSync(path('images'))).toEqual(['spec.yml']);
});

it('leaves the spec whole or not at all when it is killed', async () => {
  const workspace = openWorkspace(await makeWorkspace({}));
  const text = 'x'.repeat(1024 * 1024);
  const size = async () => (await workspace.size('images/spec.yml')) ?? text.length;
  const written = workspace.create('images/spec.yml', text);
  for (
    const done = written.then(() => true);
    !(await Promise.race([done, size().then(() => false)]));
  )
    expect(await size()).toBe(text.length);
  expect(await workspace.create('images/spec.yml', 'other')).toBe(false);
  expect(await workspace.read('images/spec.yml')).toBe(text);
});

it('does not see what was removed and is not committed yet', async () => {
  using repository = makeRepository();
  repository.commit('x', {...tree, 'gone.Dockerfile': 'FROM debian:13\n'});
  rmSync(join(repository.path, 'gone.Dockerfile'));
  const {files, texts} = await readTree(openWorkspace(repository.path));
  expect(files.toSorted()).toEqual(['app/Dockerfile', 'base/Dockerfile']);
  expect([...texts.keys()].toSorted()).toEqual(['app/Dockerfile', 'base/Dockerfile']);
});

it('says in a sentence why it cannot write', async () => {
  const {again} = await run({...tree, images: 'a file'});
  expect(await again()).toEqual({
    ok: false,
    error: expect.stringMatching(/^images\/spec\.yml cannot be written: .*must be a folder/),
  });
});
