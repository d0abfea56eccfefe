import {readFileSync} from 'node:fs';
import {type Event, type EventEnvironment, parseEvent} from '../../../src/adapters/github/event.ts';

/** A payload of __tests__/fixtures/events: GitHub's published examples, without their links. */
export function readPayload(name: string): Readonly<Record<string, unknown>> {
  const url = new URL(`../../fixtures/events/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8'));
}

/** The runner's variables; `sha` is the commit that GitHub checks out. */
export function environmentOf(
  name: string,
  overrides: Partial<EventEnvironment> = {},
): EventEnvironment {
  return {
    name,
    ref: 'refs/heads/main',
    sha: 'c'.repeat(40),
    headRef: undefined,
    baseRef: undefined,
    repository: 'Codertocat/Hello-World',
    runId: '77',
    runAttempt: '1',
    serverUrl: 'https://github.com',
    apiUrl: 'https://api.github.com',
    ...overrides,
  };
}

/** A push of `main` between two commits, with the payload GitHub sends. */
export function pushEvent(range: {
  readonly before: string;
  readonly after: string;
  readonly ref?: string;
}): Event {
  const payload = {...readPayload('push-update'), ref: 'refs/heads/main', ...range};
  return parseEvent(payload, environmentOf('push', {sha: range.after}));
}

/** A pull request whose merge commit is checked out. */
export function pullRequestEvent(commits: {
  readonly base: string;
  readonly head: string;
  readonly merge: string;
}): Event {
  const payload = readPayload('pull-request');
  const pull = payload['pull_request'];
  if (typeof pull !== 'object') throw new Error('the fixture is no pull request');
  const side = {repo: {full_name: 'Codertocat/Hello-World'}};
  const sides = {
    head: {...side, ref: 'feature', sha: commits.head},
    base: {...side, ref: 'main', sha: commits.base},
  };
  return parseEvent(
    {...payload, number: 5, pull_request: {...pull, number: 5, ...sides}},
    environmentOf('pull_request', {sha: commits.merge, ref: 'refs/pull/5/merge'}),
  );
}

/** A group of the merge queue. */
export function mergeGroupEvent(commits: {readonly base: string; readonly head: string}): Event {
  const group = {
    head_sha: commits.head,
    base_sha: commits.base,
    head_ref: 'refs/heads/gh-readonly-queue/main/pr-5-abc',
    base_ref: 'refs/heads/main',
  };
  return parseEvent(
    {...readPayload('merge-group'), merge_group: group},
    environmentOf('merge_group', {sha: commits.head}),
  );
}
