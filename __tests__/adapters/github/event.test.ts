import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {type Event, parseEvent, refusalOf} from '../../../src/adapters/github/event.ts';
import {environmentOf, readPayload} from '../../support/builders/events.ts';

const someSha = '6113728f27ae82c7b1a177c8d03f9e96e0adf246';

function read(fixture: string, name: string, overrides = {}): Event {
  return parseEvent(readPayload(fixture), environmentOf(name, overrides));
}

describe('a push', () => {
  test('of new commits has its range, branch and messages', () => {
    expect(read('push-update', 'push', {ref: 'refs/heads/master', sha: someSha})).toEqual({
      kind: 'push',
      name: 'push',
      isKnown: true,
      hasPayload: true,
      branch: 'master',
      isTag: false,
      sha: someSha,
      headSha: someSha,
      before: 'ec26c3e57ca3a959ca5aad62de7213c562f8c821',
      after: someSha,
      created: false,
      deleted: false,
      defaultBranch: 'master',
      messages: ['Initial commit'],
      repository: {owner: 'Codertocat', repo: 'Hello-World'},
      runId: '77',
      runAttempt: 1,
      serverUrl: 'https://github.com',
      apiUrl: 'https://api.github.com',
    });
  });

  test.each([
    ['push-created', {created: true, deleted: false, before: undefined, branch: 'master'}],
    ['push-deleted', {created: false, deleted: true, after: undefined, branch: 'simple-tag'}],
    ['push-forced', {created: false, deleted: false, isTag: false}],
    [
      'push-tag',
      {created: true, isTag: true, branch: 'simple-tag', messages: ['Adding a .gitignore file']},
    ],
  ])('%s is read', (fixture, expected) => {
    expect(read(fixture, 'push')).toMatchObject(expected);
  });

  test('that creates or deletes a ref is known by its zeros alone', () => {
    const payload = {...readPayload('push-update'), created: undefined, before: '0'.repeat(40)};
    expect(parseEvent(payload, environmentOf('push'))).toMatchObject({created: true});
    const gone = {...readPayload('push-update'), deleted: undefined, after: '0'.repeat(40)};
    expect(parseEvent(gone, environmentOf('push'))).toMatchObject({deleted: true});
  });

  test('has every message, and the head commit last', () => {
    const payload = {
      commits: [{message: 'one'}, {message: 'two'}, {}, null],
      head_commit: {message: 'two'},
    };
    expect(parseEvent(payload, environmentOf('push')).messages).toEqual(['one', 'two']);
    expect(
      parseEvent({...payload, head_commit: {message: 'three'}}, environmentOf('push')).messages,
    ).toEqual(['one', 'two', 'three']);
  });

  test('keeps slashes of the branch name and only drops the prefix', () => {
    const event = parseEvent({}, environmentOf('push', {ref: 'refs/heads/feature/refs/heads/a'}));
    expect(event.branch).toBe('feature/refs/heads/a');
  });

  test.each(['--upload-pack=evil', 'main', 'ABC', '0'.repeat(40), 7, null])(
    'ignores %j where a hash belongs',
    (hash) => {
      const event = parseEvent({before: hash, after: hash}, environmentOf('push'));
      expect(event).toMatchObject({before: undefined, after: undefined});
    },
  );
});

describe('a pull request', () => {
  test('of the repository itself has both ends and its number', () => {
    expect(read('pull-request', 'pull_request', {ref: 'refs/pull/2/merge'})).toMatchObject({
      kind: 'pull_request',
      number: 2,
      branch: 'changes',
      sha: 'c'.repeat(40),
      headSha: 'ec26c3e57ca3a959ca5aad62de7213c562f8c821',
      baseSha: 'f95f852bd8fca8fcc58a9a2d6c842781e32a215e',
      baseRef: 'master',
      fromFork: false,
      isTag: false,
    });
  });

  test.each([
    ['pull-request', false],
    ['pull-request-fork', true],
    ['pull-request-fork-deleted', true],
  ])('%s comes from a fork: %s', (fixture, fromFork) => {
    expect(read(fixture, 'pull_request')).toMatchObject({fromFork});
  });

  test('without a payload is trusted like a fork and named by the runner', () => {
    const env = environmentOf('pull_request', {
      headRef: 'feature',
      baseRef: 'main',
      ref: 'refs/pull/9/merge',
    });
    expect(parseEvent({}, env)).toMatchObject({
      hasPayload: false,
      fromFork: true,
      branch: 'feature',
      baseRef: 'main',
      number: undefined,
      baseSha: undefined,
    });
  });

  test('that is reviewed is the same pull request', () => {
    expect(read('pull-request', 'pull_request_review')).toMatchObject({
      kind: 'pull_request',
      number: 2,
    });
  });
});

test('a merge group has its own head branch, range and message', () => {
  expect(read('merge-group', 'merge_group')).toMatchObject({
    kind: 'merge_group',
    branch: 'gh-readonly-queue/main/pr-104-929f8209d40f77f4abc622a499c93a83babdbe64',
    baseRef: 'main',
    baseSha: '380387fbc80638b734a49e1be1c4dfec1c01b33c',
    headSha: '2ffea6db159f6b6c47a24e778fb9ef40cf6b1c7d',
    messages: ['Merge pull request #2048 from octo-repo/update-readme\n\nUpdate README.md'],
  });
});

test.each([
  ['schedule', 'schedule', 'refs/heads/main', 'main'],
  ['workflow-dispatch', 'workflow_dispatch', 'refs/tags/v1', 'v1'],
  ['pull-request', 'issue_comment', 'refs/heads/main', 'main'],
])('%s as %s has no range and the branch of the ref', (fixture, name, ref, branch) => {
  expect(read(fixture, name, {ref})).toMatchObject({kind: 'other', name, branch, messages: []});
});

test.each(
  ['push', 'pull_request', 'merge_group', 'schedule', undefined].flatMap((name) =>
    [
      {},
      undefined,
      null,
      'text',
      [],
      {pull_request: null, merge_group: 3, commits: 'x', repository: [], head_commit: null},
    ].map((payload) => [name, payload] as const),
  ),
)('%s with the payload %j is read without a crash', (name, payload) => {
  const nothing = {
    name,
    ref: undefined,
    sha: undefined,
    headRef: undefined,
    baseRef: undefined,
    repository: undefined,
    runId: undefined,
    runAttempt: undefined,
    serverUrl: undefined,
    apiUrl: undefined,
  };
  expect(parseEvent(payload, nothing)).toMatchObject({
    name: name ?? '',
    sha: '',
    branch: '',
    defaultBranch: undefined,
    runAttempt: 1,
    repository: {owner: '', repo: ''},
    serverUrl: 'https://github.com',
    apiUrl: 'https://api.github.com',
  });
});

test('only an empty or missing payload counts as none', () => {
  const hasPayload = (payload: unknown) => parseEvent(payload, environmentOf('push')).hasPayload;
  expect([{}, undefined, [], {ref: 'x'}].map(hasPayload)).toEqual([false, false, false, true]);
});

describe('an event is refused', () => {
  const sha = 'c'.repeat(40);
  const other = 'd'.repeat(40);
  const known = [
    ...['push', 'pull_request', 'merge_group', 'schedule', 'workflow_dispatch'],
    ...['release', 'repository_dispatch', ''],
  ];
  const unknown = [
    ...['pull_request_target', 'workflow_run', 'issue_comment', 'pull_request_review'],
    ...['deployment', 'discussion', 'workflow_call', 'toString', '__proto__', 'PUSH'],
  ];
  const refusal = (name: string, head: string | undefined) =>
    refusalOf(parseEvent({action: 'created'}, environmentOf(name, {sha})), head);

  test.each(known)('never when it is "%s"', (name) => {
    expect([refusal(name, sha), refusal(name, other), refusal(name, undefined)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test.each(unknown)('when it is "%s" and something else is checked out', (name) => {
    expect(refusal(name, sha)).toBeUndefined();
    expect(refusal(name, other)).toContain(`"${name}"`);
    expect(refusal(name, other)).toMatch(/ddddddd is checked out/);
    expect(refusal(name, undefined)).toMatch(/an unknown commit is checked out/);
    expect(refusal(name, '')).toBeDefined();
  });

  test('when files are not of that commit, or nobody can tell', () => {
    const event = parseEvent({}, environmentOf('workflow_run', {sha}));
    expect(refusalOf(event, sha, {ok: true, value: []})).toBeUndefined();
    const many = Array.from({length: 7}, (_, n) => `images/${n}`);
    expect(refusalOf(event, sha, {ok: true, value: many})).toContain('images/4 and 2 more, which');
    expect(refusalOf(event, sha, {ok: false, error: 'no git'})).toContain('is not known (no git)');
    const push = parseEvent({}, environmentOf('push', {sha}));
    expect(refusalOf(push, sha, {ok: true, value: many})).toBeUndefined();
  });

  test('when nobody says what GITHUB_SHA is', () => {
    expect(refusalOf(parseEvent({}, environmentOf('issue_comment', {sha: ''})), '')).toBeDefined();
  });
});

test('no payload breaks the reader, and nothing it gives git is anything but a hash', () => {
  const hostile = fc.oneof(
    fc.anything({withNullPrototype: true, withBigInt: true}),
    fc.constantFrom<unknown>(null, [], '--upload-pack=x', -1, 1e300, {toString: 1}),
  );
  const nested = (depth: number): fc.Arbitrary<unknown> =>
    depth === 0
      ? hostile
      : fc.oneof(
          hostile,
          fc.record(Object.fromEntries(fieldNames.map((name) => [name, nested(depth - 1)])), {
            requiredKeys: [],
          }),
          fc.array(nested(depth - 1), {maxLength: 3}),
        );
  const name = fc.constantFrom('push', 'pull_request', 'merge_group', 'release', 'issue_comment');
  fc.assert(
    fc.property(nested(3), name, (payload, eventName) => {
      const event = parseEvent(payload, environmentOf(eventName));
      expect(typeof event.branch).toBe('string');
      expect(event.messages.every((message) => typeof message === 'string')).toBe(true);
      const hashes = [
        event.headSha,
        ...('before' in event ? [event.before, event.after] : []),
        ...('baseSha' in event ? [event.baseSha] : []),
      ];
      for (const hash of hashes) expect(hash ?? 'c'.repeat(40)).toMatch(/^[0-9a-f]{40,64}$/);
      if (event.kind === 'pull_request') expect(event.number ?? 1).toBeGreaterThan(0);
    }),
    {numRuns: 500},
  );
});

const fieldNames = [
  ...['before', 'after', 'ref', 'created', 'deleted', 'commits', 'head_commit', 'message'],
  ...['pull_request', 'number', 'head', 'base', 'repo', 'full_name', 'sha', 'repository'],
  ...['merge_group', 'head_sha', 'base_sha', 'head_ref', 'base_ref', 'default_branch'],
];
