import {readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import type {AddressInfo} from 'node:net';
import {createServer} from 'node:net';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {openGit} from '../../../src/adapters/git/index.ts';
import {type RunCommand, runCommand} from '../../../src/adapters/process/index.ts';
import {makeRepository} from '../../support/rig/git-repository.ts';

const nowhere = 'd'.repeat(40);

test('what is not as the commit has it: changed, staged, new, gone, and below a folder ignored too', async () => {
  using repository = makeRepository();
  repository.commit('one', {a: '1', 'b/x y': '1', 'c/é': '1', '.gitignore': 'ignored\n'});
  const git = openGit(repository.path);
  const below = join(repository.path, 'b');
  expect(await git.uncommitted(below)).toEqual({ok: true, value: []});
  for (const file of ['a', 'b/x y', 'd', 'ignored', 'b/ignored'])
    writeFileSync(join(repository.path, file), '2');
  repository.git('add', 'b/x y');
  rmSync(join(repository.path, 'c/é'));
  const found = await git.uncommitted(below);
  expect(found.ok && found.value.toSorted()).toEqual(['a', 'b/ignored', 'b/x y', 'c/é', 'd']);
  rmSync(join(repository.path, '.git'), {recursive: true});
  expect((await openGit(repository.path).uncommitted(below)).ok).toBe(false);
});

test('when a commit touched some paths last', async () => {
  using repository = makeRepository();
  repository.commit('one', {'a/x': '1', 'b/x': '1'});
  repository.commit('two', {'a/x': '2'});
  const git = openGit(repository.path);
  const at = (name: string) => git.lastChange([join(repository.path, name)]);
  expect(await at('a')).toEqual({ok: true, value: Date.parse('2026-01-01T00:00:00Z')});
  // What the first commit wrote is no change.
  for (const name of ['b', 'c']) expect(await at(name)).toEqual({ok: true, value: 0});
  expect((await openGit('/nonexistent').lastChange(['a'])).ok).toBe(false);
});

describe('the difference of two commits', () => {
  test('is net: a change and its revert are none, a rename counts for both names', async () => {
    using repository = makeRepository();
    const first = repository.commit('one', {'a/x': 'same text\n', keep: '1', gone: '1'});
    repository.commit('two', {keep: '2', 'b/new': '1'});
    const last = repository.commit('three', {
      keep: '1',
      'a/x': undefined,
      'b/x': 'same text\n',
      gone: undefined,
    });
    expect(await openGit(repository.path).changedFiles(first, last)).toEqual({
      ok: true,
      value: ['a/x', 'b/new', 'b/x', 'gone'],
    });
  });

  test('keeps every character of a name', async () => {
    using repository = makeRepository();
    const names = ['a b/c', 'quo"te\'s', 'new\nline', 'ü/データ', 'tab\t', '-dash', '*'];
    const first = repository.commit('one', {});
    const last = repository.commit('two', Object.fromEntries(names.map((name) => [name, '1'])));
    const answer = await openGit(repository.path).changedFiles(first, last);
    expect(answer.ok && [...answer.value].sort()).toEqual([...names].sort());
  });

  test('does not depend on the configuration of the user', async () => {
    using repository = makeRepository();
    const first = repository.commit('one', {'a/x': 'same text\n', 'b/y': '1'});
    const last = repository.commit('two', {'a/x': undefined, 'b/x': 'same text\n'});
    for (const setting of ['diff.renames', 'diff.relative', 'diff.noprefix', 'core.quotePath']) {
      repository.git('config', setting, 'true');
    }
    expect(await openGit(join(repository.path, 'b')).changedFiles(first, last)).toEqual({
      ok: true,
      value: ['a/x', 'b/x'],
    });
  });

  test('sees a file that became executable and a submodule that moved', async () => {
    using repository = makeRepository();
    const link = (commit: string) =>
      repository.git('update-index', '--add', '--cacheinfo', `160000,${commit},module`);
    const save = (message: string) => {
      repository.git('commit', '--quiet', '-m', message);
      return repository.git('rev-parse', 'HEAD');
    };
    repository.commit('one', {'.gitmodules': submodule, run: '1'});
    link('a'.repeat(40));
    const first = save('two');
    link('b'.repeat(40));
    repository.git('update-index', '--chmod=+x', 'run');
    expect(await openGit(repository.path).changedFiles(first, save('three'))).toEqual({
      ok: true,
      value: ['module', 'run'],
    });
  });
});

const submodule = '[submodule "module"]\npath = module\nurl = ./module\nignore = all\n';

describe('a missing commit', () => {
  test('is fetched alone into a shallow clone', async () => {
    using origin = makeRepository();
    const first = origin.commit('one', {a: '1'});
    const second = origin.commit('two', {a: '2'});
    const last = origin.commit('three', {b: '1'});
    using clone = origin.clone('--depth=1');
    const git = openGit(clone.path);
    expect(await git.isShallow()).toBe(true);
    expect(await git.ensureCommits([second, last])).toEqual({ok: true, value: undefined});
    expect(await git.changedFiles(second, last)).toEqual({ok: true, value: ['b']});
    expect((await git.messageOf(first)).ok).toBe(false);
  });

  test('can be asked for together with others', async () => {
    using origin = makeRepository();
    const commits = Array.from({length: 8}, (_, at) => origin.commit(`${at}`, {a: `${at}`}));
    using clone = origin.clone('--depth=1');
    const git = openGit(clone.path);
    const answers = await Promise.all(commits.map((commit) => git.ensureCommits([commit])));
    expect(answers.filter((answer) => !answer.ok)).toEqual([]);
  });

  test('leaves a whole clone whole', async () => {
    using origin = makeRepository();
    origin.commit('one', {a: '1'});
    const hidden = origin.commit('two', {a: '2'});
    origin.git('update-ref', 'refs/hidden/x', hidden);
    origin.git('reset', '--quiet', '--hard', 'HEAD^');
    using clone = origin.clone();
    const git = openGit(clone.path);
    expect((await git.messageOf(hidden)).ok).toBe(false);
    expect((await git.ensureCommits([hidden])).ok).toBe(true);
    expect(await git.isShallow()).toBe(false);
    expect(clone.git('rev-list', '--count', hidden)).toBe('2');
  });

  test('that the server does not have is named', async () => {
    using origin = makeRepository();
    const first = origin.commit('one', {a: '1'});
    using clone = origin.clone();
    expect(await openGit(clone.path).ensureCommits([first, nowhere])).toEqual({
      ok: false,
      error: 'ddddddd is not in the clone and could not be fetched',
    });
  });

  test('of a server that is gone is named', async () => {
    using origin = makeRepository();
    const first = origin.commit('one', {a: '1'});
    origin.commit('two', {a: '2'});
    using clone = origin.clone('--depth=1');
    rmSync(origin.path, {recursive: true});
    expect(await openGit(clone.path).ensureCommits([first])).toMatchObject({ok: false});
  });
});

test('parents are known even where a shallow clone ends, and a message cannot fake one', async () => {
  using origin = makeRepository();
  origin.commit('one', {a: '1'});
  const base = origin.commit('two', {a: '2'});
  origin.git('switch', '--quiet', '-c', 'feature', 'HEAD^');
  const head = origin.commit(`three\n\nparent ${nowhere}`, {b: '1'});
  origin.git('switch', '--quiet', 'main');
  origin.git('merge', '--quiet', '--no-ff', '-m', `merge\n\nparent ${nowhere}`, 'feature');
  using clone = origin.clone('--depth=1');
  const git = openGit(clone.path);
  const merge = origin.git('rev-parse', 'HEAD');
  expect(await git.parentsOf(merge)).toEqual({ok: true, value: [base, head]});
});

test('the merge base is where two branches parted', async () => {
  using repository = makeRepository();
  const fork = repository.commit('one', {a: '1'});
  repository.git('branch', 'feature');
  const base = repository.commit('two', {a: '2'});
  repository.git('switch', '--quiet', 'feature');
  const head = repository.commit('three', {b: '1'});
  repository.git('switch', '--quiet', '--orphan', 'other');
  const stranger = repository.commit('four', {c: '1'});
  const git = openGit(repository.path);
  expect(await git.mergeBase(base, head)).toEqual({ok: true, value: fork});
  expect(await git.mergeBase(base, stranger)).toMatchObject({ok: false});
});

test('messages come whole, the oldest first', async () => {
  using repository = makeRepository();
  const first = repository.commit('one', {});
  repository.commit('two\n\nwith a body', {});
  const last = repository.commit('three', {});
  const git = openGit(repository.path);
  expect(await git.messagesBetween(first, last)).toEqual({
    ok: true,
    value: ['two\n\nwith a body\n', 'three\n'],
  });
  expect(await git.messageOf(last)).toMatchObject({value: expect.stringContaining('three')});
});

test('a checkout of another user is read all the same', async () => {
  using repository = makeRepository();
  const first = repository.commit('one', {a: '1'});
  const run: RunCommand = (request) =>
    runCommand({...request, env: {...request.env, GIT_TEST_ASSUME_DIFFERENT_OWNER: '1'}});
  const git = openGit(repository.path, {run});
  expect(await git.messageOf(first)).toMatchObject({ok: true});
  expect(await git.commitOf('HEAD')).toEqual({ok: true, value: first});
});

test('a folder without repository, a missing folder and a missing git are answers', async () => {
  using repository = makeRepository();
  const commit = repository.commit('one', {});
  rmSync(join(repository.path, '.git'), {recursive: true});
  expect(await openGit(repository.path).messageOf(commit)).toEqual({
    ok: false,
    error: expect.stringContaining('not a git repository'),
  });
  expect(await openGit('/nonexistent').messageOf(commit)).toMatchObject({ok: false});
  const {PATH} = process.env;
  try {
    process.env['PATH'] = '/nonexistent';
    const git = openGit(repository.path);
    expect(await git.messageOf(commit)).toMatchObject({ok: false});
    expect(await git.ensureCommits([commit])).toMatchObject({ok: false});
    expect(await git.isShallow()).toBe(false);
  } finally {
    process.env['PATH'] = PATH;
  }
});

/** Whether a process of this group has not ended; one that only waits to be collected has. */
function isGroupAlive(group: number): boolean {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .some((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8').replace(/^.*\) /s, '');
        const [state, , processGroup] = stat.split(' ');
        return state !== 'Z' && Number(processGroup) === group;
      } catch {
        return false;
      }
    });
}

/** A server that takes the connection and never says a word, as a firewall that drops packets does. */
async function startSilentServer() {
  const server = createServer();
  const asked = Promise.withResolvers<void>();
  server.on('connection', () => asked.resolve());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const {port} = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/o/r.git`,
    asked: asked.promise,
    [Symbol.dispose]: () => server.close(),
  };
}

test('a fetch that hangs is stopped by the signal of the run, and leaves no process', async () => {
  using server = await startSilentServer();
  using repository = makeRepository();
  repository.commit('one', {});
  repository.git('remote', 'add', 'origin', server.url);
  const controller = new AbortController();
  const pids: number[] = [];
  const run: RunCommand = (request) =>
    runCommand({...request, onStart: (pid) => void pids.push(pid)});
  const git = openGit(repository.path, {run, signal: controller.signal});
  const fetched = git.ensureCommits([nowhere]);
  await server.asked;
  controller.abort();
  expect(await fetched).toEqual({ok: false, error: expect.stringContaining('ddddddd')});
  expect(pids.length).toBeGreaterThan(0);
  while (pids.some(isGroupAlive)) await new Promise((resolve) => setTimeout(resolve, 20));
});

test('git gets no credential of the job', async () => {
  using repository = makeRepository();
  const seen: string[] = [];
  const run: RunCommand = (request) => {
    seen.push(...Object.keys(request.env ?? {}));
    return runCommand(request);
  };
  process.env['INPUT_PASSWORD'] = 'hunter2';
  try {
    await openGit(repository.path, {run}).isShallow();
  } finally {
    delete process.env['INPUT_PASSWORD'];
  }
  expect(seen).toContain('PATH');
  expect(seen).not.toContain('INPUT_PASSWORD');
});
