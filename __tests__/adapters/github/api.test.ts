import {afterAll, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import {type GitHubApi, openGitHubApi} from '../../../src/adapters/github/api.ts';
import {createMask} from '../../../src/util/masking.ts';
import {type GitHubServer, startGitHubServer} from '../../support/servers/github-server.ts';
import {type Prism, startPrism} from '../../support/servers/prism.ts';

const from = 'a'.repeat(40);
const to = 'b'.repeat(40);

let server: GitHubServer;
let prism: Prism;
let api: GitHubApi;

beforeAll(async () => {
  server = await startGitHubServer();
  prism = await startPrism(server.url);
  server.world.publicUrl = prism.url;
  api = open(prism.url);
});

afterAll(async () => {
  await prism[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

beforeEach(() => {
  server.requests.length = 0;
  server.world.files = [];
  server.world.comments.clear();
  server.world.authors.clear();
  server.world.viewer = undefined;
  server.world.failureMessage = 'Sorry';
  server.world.failures = {status: 503, times: 0};
});

function open(apiUrl: string): GitHubApi {
  const repository = {owner: 'o', repo: 'r'};
  const opened = openGitHubApi({token: 'secret-token', apiUrl, repository, retryMs: 1});
  if (opened === undefined) throw new Error('a token opens the API');
  return opened;
}

function names(count: number): readonly string[] {
  return Array.from({length: count}, (_, at) => `images/i${at}/Dockerfile`);
}

test('without a token there is no API', () => {
  const repository = {owner: 'o', repo: 'r'};
  expect(openGitHubApi({token: '', apiUrl: prism.url, repository})).toBeUndefined();
});

describe('the files of a pull request', () => {
  test('are read over all pages', async () => {
    server.world.files = names(130).map((filename) => ({filename}));
    expect(await api.pullRequestFiles(5)).toEqual({
      ok: true,
      value: {files: names(130), isWhole: true},
    });
    expect(server.requests).toEqual([
      'GET /repos/o/r/pulls/5/files?per_page=100',
      'GET /repos/o/r/pulls/5/files?per_page=100&page=2',
    ]);
  });

  test('count with every status, a rename for both names, a copy for the new one', async () => {
    server.world.files = [
      ...['added', 'removed', 'modified', 'changed', 'unchanged'].map((status) => ({
        filename: status,
        status,
      })),
      {filename: 'new ü "name"', status: 'renamed', previous_filename: 'old'},
      {filename: 'copy', status: 'copied', previous_filename: 'template'},
    ];
    expect(await api.pullRequestFiles(5)).toMatchObject({
      value: {
        files: [
          'added',
          'removed',
          'modified',
          'changed',
          'unchanged',
          'new ü "name"',
          'old',
          'copy',
        ],
      },
    });
  });

  test('are not whole at the cap', async () => {
    server.world.files = names(3000).map((filename) => ({filename}));
    expect(await api.pullRequestFiles(5)).toMatchObject({ok: true, value: {isWhole: false}});
    server.world.files = names(2999).map((filename) => ({filename}));
    expect(await api.pullRequestFiles(5)).toMatchObject({ok: true, value: {isWhole: true}});
  });

  test('of an unknown pull request are no answer', async () => {
    expect(await api.pullRequestFiles(6)).toEqual({
      ok: false,
      error: 'Could not read the files of the pull request: GitHub returned HTTP 404',
    });
  });

  test('are asked for again while the server is in trouble', async () => {
    server.world.files = [{filename: 'a'}];
    server.world.failures = {status: 503, times: 2};
    expect(await api.pullRequestFiles(5)).toMatchObject({ok: true, value: {files: ['a']}});
  });

  test.each([502, 503])('are no answer when the server keeps saying %i', async (status) => {
    server.world.failures = {status, times: 100};
    const answer = await open(server.url).pullRequestFiles(5);
    expect(answer).toEqual({
      ok: false,
      error: `Could not read the files of the pull request: GitHub returned HTTP ${status}`,
    });
    expect(server.requests).toHaveLength(4);
  });

  test('are no answer when nobody listens, and the token is not in the reason', async () => {
    const answer = await open('http://127.0.0.1:1').pullRequestFiles(5);
    expect(answer).toEqual({
      ok: false,
      error: expect.stringMatching(/^Could not read the files of the pull request: .+/),
    });
    expect(JSON.stringify(answer)).not.toContain('secret-token');
  });
});

describe('a comparison', () => {
  test('of commits in one line is one request', async () => {
    server.world.comparisons = {
      [`${from}...${to}`]: {status: 'ahead', files: [{filename: 'a'}]},
    };
    expect(await api.compare(from, to)).toEqual({ok: true, value: ['a']});
    expect(server.requests).toEqual([`GET /repos/o/r/compare/${from}...${to}`]);
  });

  test.each(['diverged', 'behind'])('after a forced push (%s) has both sides', async (status) => {
    server.world.comparisons = {
      [`${from}...${to}`]: {status, files: [{filename: 'both'}, {filename: 'new'}]},
      [`${to}...${from}`]: {status: 'ahead', files: [{filename: 'both'}, {filename: 'lost'}]},
    };
    expect(await api.compare(from, to)).toEqual({ok: true, value: ['both', 'new', 'lost']});
  });

  test('of 300 files is no answer', async () => {
    const files = names(300).map((filename) => ({filename}));
    server.world.comparisons = {[`${from}...${to}`]: {status: 'ahead', files}};
    expect(await api.compare(from, to)).toEqual({
      ok: false,
      error: 'the API compares at most 300 files',
    });
  });

  test('with a commit that is gone is no answer', async () => {
    expect(await api.compare('c'.repeat(40), to)).toEqual({
      ok: false,
      error: 'Could not compare the commits: GitHub returned HTTP 404',
    });
  });
});

test('the message of a commit is read', async () => {
  server.world.messages = {[to]: 'full rebuild'};
  expect(await api.commitMessage(to)).toEqual({ok: true, value: 'full rebuild'});
  expect(await api.commitMessage(from)).toMatchObject({ok: false});
});

describe('the comment', () => {
  const marker = '<!-- stack-action -->';

  test('is created once, then updated, then left alone', async () => {
    server.world.comments.set(1, 'somebody else').set(2, `> ${marker} quoted`);
    const texts: string[] = [];
    for (const body of ['first', 'second', 'second']) {
      expect(await api.upsertComment(5, marker, body)).toEqual({ok: true, value: undefined});
      texts.push(server.world.comments.get(3) ?? '');
    }
    expect(texts).toEqual([`${marker}\nfirst`, `${marker}\nsecond`, `${marker}\nsecond`]);
    expect(server.world.comments.size).toBe(3);
    const writes = server.requests.filter((request) => /^(POST|PATCH) \/repos/.test(request));
    expect(writes).toEqual([
      'POST /repos/o/r/issues/5/comments',
      'PATCH /repos/o/r/issues/comments/3',
    ]);
  });

  test('is found on the second page', async () => {
    for (let id = 1; id <= 100; id++) server.world.comments.set(id, 'talk');
    server.world.comments.set(101, `${marker}\nold`);
    await api.upsertComment(5, marker, 'new');
    expect(server.world.comments.get(101)).toBe(`${marker}\nnew`);
    expect(server.world.comments.size).toBe(101);
  });

  test('is cut at what GitHub takes', async () => {
    await api.upsertComment(5, marker, 'x'.repeat(70_000));
    const comment = server.world.comments.get(1) ?? '';
    expect(comment).toHaveLength(65_536);
    expect(comment).toMatch(/whole report is in the artifact\.$/);
  });

  test.each([
    ['somebody else', 'mallory'],
    ['another app', 'other-app[bot]'],
    ['a user who is gone', undefined],
    ['a user with the name of ours', 'github-actions'],
  ])('of %s is left alone, whatever it begins with', async (_, author) => {
    server.world.comments.set(1, `${marker}\nnot ours`);
    server.world.authors.set(1, author);
    await api.upsertComment(5, marker, 'ours');
    await api.upsertComment(5, marker, 'ours, again');
    expect([...server.world.comments]).toEqual([
      [1, `${marker}\nnot ours`],
      [2, `${marker}\nours, again`],
    ]);
  });

  test.each([
    ['a person', 'octocat', 'octocat'],
    ['an app', 'my-app', 'my-app[bot]'],
    ['an app by its whole name', 'my-app[bot]', 'my-app[bot]'],
  ])('is found again when the token is that of %s', async (_, viewer, author) => {
    server.world.viewer = viewer;
    server.world.comments.set(1, `${marker}\nof the job's token`).set(2, `${marker}\nold`);
    server.world.authors.set(2, author);
    await open(server.url).upsertComment(5, marker, 'new');
    expect(server.world.comments.get(1)).toBe(`${marker}\nof the job's token`);
    expect(server.world.comments.get(2)).toBe(`${marker}\nnew`);
  });

  test('holds no secret', async () => {
    const mask = createMask();
    mask.add(['hunter2']);
    const masked = openGitHubApi({
      token: 'secret-token',
      apiUrl: prism.url,
      repository: {owner: 'o', repo: 'r'},
      mask,
    });
    await masked?.upsertComment(5, marker, 'the word is hunter2');
    expect(server.world.comments.get(1)).toBe(`${marker}\nthe word is ***`);
  });

  test('of an unknown pull request is no answer', async () => {
    expect(await api.upsertComment(6, marker, 'x')).toMatchObject({ok: false});
  });
});

describe('a refused request', () => {
  test.each([
    ['pullRequestFiles', () => api.pullRequestFiles(5), 'pull-requests: read'],
    ['compare', () => api.compare(from, to), 'contents: read'],
    ['commitMessage', () => api.commitMessage(to), 'contents: read'],
    ['upsertComment', () => api.upsertComment(5, '<!-- m -->', 'x'), 'pull-requests: write'],
  ] as const)('of %s says which permission is missing', async (_, ask, permission) => {
    server.world.failures = {status: 403, times: 100};
    server.world.failureMessage = 'Resource not accessible by integration';
    const answer = await ask();
    expect(answer.ok ? '' : answer.error).toMatch(
      new RegExp(`GitHub returned HTTP 403\\. The job needs \`permissions: ${permission}\`\\.$`),
    );
  });

  test.each([
    'API rate limit exceeded for installation ID 1.',
    'You have exceeded a secondary rate limit.',
  ])('that asked too often speaks of no permission: %s', async (message) => {
    server.world.failures = {status: 403, times: 100};
    server.world.failureMessage = message;
    const answer = await api.commitMessage(to);
    expect(answer.ok ? '' : answer.error).toMatch(/HTTP 403 \(too many requests\)$/);
  });

  test('is stopped by the signal of the run', async () => {
    const controller = new AbortController();
    const stopped = openGitHubApi({
      token: 'secret-token',
      apiUrl: server.url,
      repository: {owner: 'o', repo: 'r'},
      signal: controller.signal,
    });
    controller.abort(new Error('cancelled'));
    expect(await stopped?.commitMessage(to)).toMatchObject({ok: false});
    expect(server.requests).toEqual([]);
  });
});

test('the fixtures are held to the description of GitHub', async () => {
  // A status that GitHub does not have: Prism must refuse what our server says.
  server.world.files = [{filename: 'a', status: 'invented'}];
  const response = await fetch(`${prism.url}/repos/o/r/pulls/5/files`, {
    headers: {accept: 'application/json'},
  });
  expect(response.status).toBe(500);
  const badRequest = await fetch(`${prism.url}/repos/o/r/issues/5/comments`, {
    method: 'POST',
    headers: {'content-type': 'application/json'},
    body: '{}',
  });
  expect(badRequest.status).toBe(422);
});
