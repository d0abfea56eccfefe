import {afterAll, beforeAll, beforeEach, expect, test} from 'vitest';
import {openGit} from '../../src/adapters/git/index.ts';
import {openGitHubApi} from '../../src/adapters/github/api.ts';
import {parseEvent} from '../../src/adapters/github/event.ts';
import {findMessages, wantsFullRebuild} from '../../src/changes/index.ts';
import type {ChangeSources} from '../../src/run/index.ts';
import {environmentOf, pullRequestEvent, readPayload} from '../support/builders/events.ts';
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
  server.world.messages = {};
});

function sources(repository: GitRepository, token = ''): ChangeSources {
  const options = {token, apiUrl: server.url, repository: {owner: 'o', repo: 'r'}, retryMs: 1};
  return {git: openGit(repository.path), api: openGitHubApi(options)};
}

function push(payload: object) {
  return parseEvent({...readPayload('push-update'), ...payload}, environmentOf('push'));
}

test.each([
  ['any', ['one', 'Full Rebuild', 'three'], true],
  ['none', ['one', 'two'], false],
])('%s commit of a push can ask for a full rebuild', async (_, messages, expected) => {
  using repository = makeRepository();
  const commits = messages.map((message) => ({message}));
  const event = push({commits, head_commit: {message: messages.at(-1)}});
  expect(await findMessages(event, sources(repository))).toEqual({ok: true, value: messages});
  expect(await wantsFullRebuild(event, sources(repository))).toEqual({ok: true, value: expected});
});

test('of a pull request only the newest commit counts, not the merge commit', async () => {
  using repository = makeRepository();
  const base = repository.commit('one', {});
  repository.commit('full rebuild', {});
  const head = repository.commit('newest', {});
  const merge = repository.commit('Merge: full rebuild', {});
  const event = pullRequestEvent({base, head, merge});
  expect(await wantsFullRebuild(event, sources(repository))).toEqual({ok: true, value: false});
  const asking = pullRequestEvent({base, head: merge, merge: head});
  expect(await wantsFullRebuild(asking, sources(repository))).toEqual({ok: true, value: true});
});

test('a commit that is not there is fetched, else asked for', async () => {
  using origin = makeRepository();
  const base = origin.commit('Full rebuild', {});
  const merge = origin.commit('two', {});
  using clone = origin.clone('--depth=1');
  const event = pullRequestEvent({base, head: base, merge});
  expect(await wantsFullRebuild(event, sources(clone))).toEqual({ok: true, value: true});
  const head = 'f'.repeat(40);
  server.world.messages = {[head]: 'only the API knows'};
  expect(
    await findMessages(pullRequestEvent({base, head, merge}), sources(clone, 'token')),
  ).toEqual({ok: true, value: ['only the API knows']});
});

test('a message that nobody can read may ask for everything, on a schedule it may not', async () => {
  using repository = makeRepository();
  const base = repository.commit('one', {});
  const event = pullRequestEvent({base, head: 'f'.repeat(40), merge: base});
  expect(await findMessages(event, sources(repository, 'token'))).toEqual({
    ok: false,
    error: expect.stringMatching(/fffffff is not in the clone.*HTTP 404/),
  });
  expect(await wantsFullRebuild(event, sources(repository))).toMatchObject({ok: false});
  const schedule = parseEvent({}, environmentOf('schedule'));
  expect(await wantsFullRebuild(schedule, sources(repository))).toEqual({ok: true, value: false});
});

test('a push of more commits than the payload holds is read from the history', async () => {
  using origin = makeRepository();
  const before = origin.commit('full rebuild, before this push', {});
  origin.commit('FULL REBUILD of old', {});
  const after = origin.commit('newest', {});
  const commits = Array.from({length: 2048}, () => ({message: 'x'}));
  const event = push({before, after, commits, head_commit: {message: 'newest'}});
  expect(await findMessages(event, sources(origin))).toEqual({
    ok: true,
    value: ['FULL REBUILD of old\n', 'newest\n'],
  });
  using clone = origin.clone('--depth=1');
  expect(await findMessages(event, sources(clone))).toMatchObject({ok: false});
});
