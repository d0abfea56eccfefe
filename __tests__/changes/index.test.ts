import {rmSync} from 'node:fs';
import {basename, join} from 'node:path';
import {afterAll, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import {openGit} from '../../src/adapters/git/index.ts';
import {openGitHubApi} from '../../src/adapters/github/api.ts';
import {parseEvent} from '../../src/adapters/github/event.ts';
import {findChangedFiles} from '../../src/changes/index.ts';
import type {ChangeSources} from '../../src/run/index.ts';
import {
  environmentOf,
  mergeGroupEvent,
  pullRequestEvent,
  pushEvent,
  readPayload,
} from '../support/builders/events.ts';
import {type GitRepository, makeRepository} from '../support/rig/git-repository.ts';
import {type GitHubServer, startGitHubServer} from '../support/servers/github-server.ts';

let server: GitHubServer;

beforeAll(async () => {
  server = await startGitHubServer();
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

beforeEach(() => {
  server.requests.length = 0;
  server.world.files = [];
  server.world.comparisons = {};
  server.world.failures = {status: 503, times: 0};
});

/** With `token: ''` there is no API. */
function sources(repository: GitRepository, token = 't'): ChangeSources {
  const options = {token, apiUrl: server.url, repository: {owner: 'o', repo: 'r'}, retryMs: 1};
  return {git: openGit(repository.path), api: openGitHubApi(options)};
}

/** The server still knows a commit that no branch has any more, as GitHub does for a while. */
function forcePush(origin: GitRepository): {before: string; after: string} {
  origin.commit('one', {a: '1'});
  const before = origin.commit('lost', {a: '2', lost: '1'});
  origin.git('reset', '--quiet', '--hard', 'HEAD^');
  return {before, after: origin.commit('new', {a: '2', new: '1'})};
}

/** `main` moved on after `feature` left it, and `feature` took one of those commits in. */
function pullRequest(origin: GitRepository): {base: string; head: string; merge: string} {
  origin.commit('one', {a: '1', shared: '1'});
  origin.git('switch', '--quiet', '-c', 'feature');
  origin.commit('two', {'images/leaf/x': '1'});
  origin.git('switch', '--quiet', 'main');
  const base = origin.commit('three', {'images/base/y': '1'});
  origin.commit('four', {'images/other/z': '1'});
  origin.git('switch', '--quiet', 'feature');
  origin.git('merge', '--quiet', '-m', 'take main in', 'main');
  const head = origin.commit('five', {'images/leaf/x2': '1'});
  origin.git('switch', '--quiet', 'main');
  origin.commit('six', {'images/late/w': '1'});
  origin.git('switch', '--quiet', '--detach', 'main');
  origin.git('merge', '--quiet', '--no-ff', '-m', 'merge', 'feature');
  return {base, head, merge: origin.git('rev-parse', 'HEAD')};
}

describe('a push', () => {
  test('of several commits is their net difference, without asking the API', async () => {
    using repository = makeRepository();
    const before = repository.commit('one', {'images/a/x': '1', 'images/b/y': '1'});
    repository.commit('two', {'images/a/x': '2'});
    repository.commit('three', {'images/b/y': '2'});
    const after = repository.commit('revert of three', {'images/b/y': '1'});
    expect(
      await findChangedFiles(pushEvent({before, after}), sources(repository), repository.path),
    ).toEqual({
      kind: 'files',
      files: ['images/a/x'],
    });
    expect(server.requests).toEqual([]);
  });

  test('that deletes a folder names its files', async () => {
    using repository = makeRepository();
    const before = repository.commit('one', {'images/a/x': '1', keep: '1'});
    const after = repository.commit('two', {'images/a': undefined});
    expect(
      await findChangedFiles(pushEvent({before, after}), sources(repository), repository.path),
    ).toEqual({
      kind: 'files',
      files: ['images/a/x'],
    });
  });

  test('into a shallow clone fetches the commit before', async () => {
    using origin = makeRepository();
    const before = origin.commit('one', {a: '1'});
    origin.commit('two', {b: '1'});
    const after = origin.commit('three', {c: '1'});
    using clone = origin.clone('--depth=1');
    expect(
      await findChangedFiles(pushEvent({before, after}), sources(clone, ''), clone.path),
    ).toEqual({
      kind: 'files',
      files: ['b', 'c'],
    });
  });

  test('by force fetches the commit that no branch has any more', async () => {
    using origin = makeRepository();
    const range = forcePush(origin);
    using clone = origin.clone();
    expect(await findChangedFiles(pushEvent(range), sources(clone, ''), clone.path)).toEqual({
      kind: 'files',
      files: ['lost', 'new'],
    });
  });

  test('by force, whose old commit is gone from the server, asks the API', async () => {
    using origin = makeRepository();
    const {before, after} = forcePush(origin);
    forget(origin);
    using clone = origin.clone();
    server.world.comparisons = {
      [`${before}...${after}`]: {status: 'diverged', files: [{filename: 'new'}]},
      [`${after}...${before}`]: {status: 'diverged', files: [{filename: 'lost'}]},
    };
    expect(await findChangedFiles(pushEvent({before, after}), sources(clone), clone.path)).toEqual({
      kind: 'files',
      files: ['new', 'lost'],
    });
  });

  test.each([
    ['an API that does not know it either', 't', 'HTTP 404'],
    ['no token', '', 'there is no github-token to query the API with'],
  ])('whose old commit is gone is unknown with %s', async (_, token, reason) => {
    using origin = makeRepository();
    const {before, after} = forcePush(origin);
    forget(origin);
    using clone = origin.clone();
    const changed = await findChangedFiles(
      pushEvent({before, after}),
      sources(clone, token),
      clone.path,
    );
    expect(changed).toEqual({kind: 'unknown', because: expect.stringContaining(reason)});
    expect(changed).toMatchObject({
      because: expect.stringContaining(`${before.slice(0, 7)} is not in the clone`),
    });
  });

  test('is unknown where the API lists 300 files or stays in trouble', async () => {
    using origin = makeRepository();
    const {before, after} = forcePush(origin);
    forget(origin);
    using clone = origin.clone();
    const files = Array.from({length: 300}, (_, at) => ({filename: `f${at}`}));
    server.world.comparisons = {[`${before}...${after}`]: {status: 'ahead', files}};
    const event = pushEvent({before, after});
    expect(await findChangedFiles(event, sources(clone), clone.path)).toMatchObject({
      kind: 'unknown',
    });
    server.world.failures = {status: 503, times: 100};
    expect(await findChangedFiles(event, sources(clone), clone.path)).toMatchObject({
      kind: 'unknown',
      because: expect.stringContaining('HTTP 503'),
    });
  });

  test('of a moved tag compares the commits behind annotated tags', async () => {
    using repository = makeRepository();
    repository.commit('one', {a: '1'});
    repository.git('tag', '-a', '-m', 'x', 'old');
    repository.commit('two', {b: '1'});
    repository.git('tag', '-a', '-m', 'x', 'new');
    const [before, after] = ['old', 'new'].map((tag) => repository.git('rev-parse', tag));
    const event = pushEvent({before: `${before}`, after: `${after}`, ref: 'refs/tags/v1'});
    expect(await findChangedFiles(event, sources(repository, ''), repository.path)).toEqual({
      kind: 'files',
      files: ['b'],
    });
  });

  test.each([
    ['push-created', {kind: 'no-range', event: 'first push of master'}],
    ['push-tag', {kind: 'no-range', event: 'first push of simple-tag'}],
    ['push-deleted', {kind: 'files', files: []}],
  ])('%s needs no history', async (fixture, expected) => {
    using repository = makeRepository();
    const event = parseEvent(readPayload(fixture), environmentOf('push'));
    expect(await findChangedFiles(event, sources(repository), repository.path)).toEqual(expected);
  });
});

/** Removes what no branch has, as GitHub does some day. */
function forget(repository: GitRepository): void {
  repository.git('reflog', 'expire', '--expire=now', '--all');
  repository.git('prune', '--expire=now');
}

describe('a pull request', () => {
  test('has its own files only, also when it took the base branch in', async () => {
    using origin = makeRepository();
    const commits = pullRequest(origin);
    expect(await findChangedFiles(pullRequestEvent(commits), sources(origin), origin.path)).toEqual(
      {
        kind: 'files',
        files: ['images/leaf/x', 'images/leaf/x2'],
      },
    );
    expect(server.requests).toEqual([]);
  });

  test('whose head is checked out is compared with the base of the payload', async () => {
    using origin = makeRepository();
    origin.commit('one', {a: '1'});
    origin.git('switch', '--quiet', '-c', 'feature');
    origin.commit('two', {b: '1'});
    const head = origin.commit('three', {b2: '1'});
    origin.git('switch', '--quiet', 'main');
    const base = origin.commit('four', {c: '1'});
    origin.git('switch', '--quiet', 'feature');
    const event = pullRequestEvent({base, head, merge: head});
    expect(await findChangedFiles(event, sources(origin, ''), origin.path)).toEqual({
      kind: 'files',
      files: ['b', 'b2'],
    });
  });

  test('in a shallow clone asks the API', async () => {
    using origin = makeRepository();
    const commits = pullRequest(origin);
    using clone = origin.clone('--depth=2');
    server.world.files = [{filename: 'images/leaf/x'}];
    expect(await findChangedFiles(pullRequestEvent(commits), sources(clone), clone.path)).toEqual({
      kind: 'files',
      files: ['images/leaf/x'],
    });
    expect(server.requests).toHaveLength(1);
  });

  test.each(['--depth=1', '--depth=2'])(
    'in a shallow clone (%s) without API has the files of its merge commit, and a note',
    async (depth) => {
      using origin = makeRepository();
      const commits = pullRequest(origin);
      using clone = origin.clone(depth);
      expect(
        await findChangedFiles(pullRequestEvent(commits), sources(clone, ''), clone.path),
      ).toEqual({
        kind: 'files',
        files: ['images/leaf/x', 'images/leaf/x2'],
        note: expect.stringContaining('may list fewer files than the pull request'),
      });
    },
  );

  test('of 3000 files is unknown: the merge commit is not asked instead', async () => {
    using origin = makeRepository();
    const commits = pullRequest(origin);
    using clone = origin.clone('--depth=2');
    server.world.files = Array.from({length: 3000}, (_, at) => ({filename: `f${at}`}));
    expect(await findChangedFiles(pullRequestEvent(commits), sources(clone), clone.path)).toEqual({
      kind: 'unknown',
      because: expect.stringContaining('the API lists at most 3000 files'),
    });
  });

  test('is unknown where neither merge commit nor API nor history is there', async () => {
    using origin = makeRepository();
    const {base, head} = pullRequest(origin);
    using clone = origin.clone('--depth=1');
    rmSync(origin.path, {recursive: true});
    const event = pullRequestEvent({base, head, merge: head});
    expect(await findChangedFiles(event, sources(clone, ''), clone.path)).toEqual({
      kind: 'unknown',
      because: expect.stringContaining('the clone is shallow'),
    });
  });
});

test('a merge group is compared with its base', async () => {
  using origin = makeRepository();
  const base = origin.commit('one', {a: '1'});
  const head = origin.commit('two', {b: '1'});
  using clone = origin.clone('--depth=1');
  expect(
    await findChangedFiles(mergeGroupEvent({base, head}), sources(clone, ''), clone.path),
  ).toEqual({
    kind: 'files',
    files: ['b'],
  });
});

test.each(['schedule', 'workflow_dispatch', 'repository_dispatch'])(
  '%s has no range',
  async (name) => {
    using repository = makeRepository();
    const event = parseEvent(readPayload('schedule'), environmentOf(name));
    expect(await findChangedFiles(event, sources(repository), repository.path)).toEqual({
      kind: 'no-range',
      event: name,
    });
  },
);

test.each(['push', 'pull_request', 'merge_group'])(
  '%s without payload is unknown',
  async (name) => {
    using repository = makeRepository();
    expect(
      await findChangedFiles(
        parseEvent({}, environmentOf(name)),
        sources(repository),
        repository.path,
      ),
    ).toEqual({kind: 'unknown', because: `the event "${name}" has no payload`});
  },
);

test('a folder that is no repository is unknown', async () => {
  using repository = makeRepository();
  rmSync(`${repository.path}/.git`, {recursive: true});
  const range = {before: 'a'.repeat(40), after: 'b'.repeat(40)};
  expect(
    await findChangedFiles(pushEvent(range), sources(repository, ''), repository.path),
  ).toMatchObject({
    kind: 'unknown',
  });
});

describe('paths are those of the workspace', () => {
  // Where git is missing, actions/checkout downloads the files alone.
  test.each([
    ['at the top', 'images/a/Dockerfile', ['images/a/Dockerfile', 'gone']],
    ['somewhere below', 'src/images/a/Dockerfile', undefined],
  ])('without a repository, when the files are %s', async (_, there, files) => {
    using repository = makeRepository();
    rmSync(`${repository.path}/.git`, {recursive: true});
    const [before, after] = ['a'.repeat(40), 'b'.repeat(40)];
    server.world.comparisons = {
      [`${before}...${after}`]: {
        status: 'ahead',
        files: [{filename: 'images/a/Dockerfile'}, {filename: 'gone'}],
      },
    };
    const changed = await findChangedFiles(
      pushEvent({before, after}),
      sources(repository),
      repository.path,
      async (path) => path === there,
    );
    expect(changed).toEqual(
      files === undefined
        ? {kind: 'unknown', because: expect.stringContaining('there is no git repository')}
        : {kind: 'files', files},
    );
  });

  test('when the repository is checked out below it', async () => {
    using repository = makeRepository();
    const before = repository.commit('one', {'images/a/Dockerfile': '1'});
    const after = repository.commit('two', {'images/a/Dockerfile': '2'});
    const workspace = join(repository.path, '..');
    const changed = await findChangedFiles(
      pushEvent({before, after}),
      sources(repository),
      workspace,
    );
    expect(changed).toEqual({
      kind: 'files',
      files: [`${basename(repository.path)}/images/a/Dockerfile`],
    });
  });

  test('when the stack is a submodule that is bumped', async () => {
    using stack = makeRepository();
    stack.commit('one', {'images/a/Dockerfile': '1'});
    using outer = makeRepository();
    outer.git(
      '-c',
      'protocol.file.allow=always',
      'submodule',
      '--quiet',
      'add',
      stack.path,
      'stack',
    );
    const before = outer.commit('with the stack', {readme: '1'});
    stack.commit('two', {'images/a/Dockerfile': '2'});
    const inside = join(outer.path, 'stack');
    outer.git('-C', inside, '-c', 'protocol.file.allow=always', 'pull', '--quiet');
    outer.git('commit', '--quiet', '-am', 'bump');
    const after = outer.git('rev-parse', 'HEAD');
    const git = openGit(join(inside, 'images'));
    const changed = await findChangedFiles(
      pushEvent({before, after}),
      {git, api: undefined},
      outer.path,
    );
    expect(changed).toEqual({kind: 'files', files: ['stack']});
  });

  test('are not believed when another commit is checked out', async () => {
    using repository = makeRepository();
    const before = repository.commit('one', {a: '1'});
    const after = repository.commit('two', {a: '2'});
    repository.commit('three', {a: '3'});
    const event = pushEvent({before, after});
    expect(await findChangedFiles(event, sources(repository), repository.path)).toEqual({
      kind: 'unknown',
      because: expect.stringContaining(`this run is for commit ${after.slice(0, 7)}`),
    });
  });
});
