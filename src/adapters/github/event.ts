/** What started the run, as every later step needs it: nobody else looks at the payload or the environment. */
export type Event = PushEvent | PullRequestEvent | MergeGroupEvent | OtherEvent;

interface EventBase {
  /** `GITHUB_EVENT_NAME`; empty outside GitHub. */
  readonly name: string;
  /** False when the runner gave no payload, or an empty one: then nothing below is certain. */
  readonly hasPayload: boolean;
  /** Branch or tag without `refs/heads/` or `refs/tags/`; the head branch of a pull request. Empty outside GitHub. */
  readonly branch: string;
  readonly isTag: boolean;
  /** `GITHUB_SHA`: the commit that is built, for a pull request the merge commit. Empty outside GitHub. */
  readonly sha: string;
  /** The commit a person wrote: the head of a pull request or merge group, else {@link sha}. */
  readonly headSha: string;
  readonly defaultBranch: string | undefined;
  /** Commit messages of the payload, oldest first; empty when it has none. */
  readonly messages: readonly string[];
  readonly repository: {readonly owner: string; readonly repo: string};
  readonly runId: string;
  /** 1 for the first attempt. */
  readonly runAttempt: number;
  /** Without a slash at the end: `https://github.com`. */
  readonly serverUrl: string;
  readonly apiUrl: string;
  readonly actor: string;
}

export interface PushEvent extends EventBase {
  readonly kind: 'push';
  /** Undefined when the payload has none, or 40 zeros: the branch or tag is new. */
  readonly before: string | undefined;
  /** Undefined when the payload has none, or 40 zeros: the branch or tag was deleted. */
  readonly after: string | undefined;
  readonly created: boolean;
  /** Nothing is left to build; `GITHUB_SHA` is the default branch's. */
  readonly deleted: boolean;
  readonly forced: boolean;
}

export interface PullRequestEvent extends EventBase {
  readonly kind: 'pull_request';
  readonly number: number | undefined;
  /** Tip of the base branch when the event was made; the merge commit may sit on a newer one. */
  readonly baseSha: string | undefined;
  readonly baseRef: string | undefined;
  /** True also when the payload cannot say: a fork is never trusted with a push. */
  readonly fromFork: boolean;
}

export interface MergeGroupEvent extends EventBase {
  readonly kind: 'merge_group';
  readonly baseSha: string | undefined;
  readonly baseRef: string | undefined;
}

/** Schedule, dispatch, release, …: no range of commits belongs to it. */
export interface OtherEvent extends EventBase {
  readonly kind: 'other';
}

/** Variables of the runner, undefined where not set. */
export interface EventEnvironment {
  readonly name: string | undefined;
  readonly ref: string | undefined;
  readonly sha: string | undefined;
  readonly headRef: string | undefined;
  readonly baseRef: string | undefined;
  readonly repository: string | undefined;
  readonly runId: string | undefined;
  readonly runAttempt: string | undefined;
  readonly serverUrl: string | undefined;
  readonly apiUrl: string | undefined;
  readonly actor: string | undefined;
}

/**
 * Why this event must not be worked on: it runs code of a pull request with the secrets of the base
 * repository. Undefined for every other event.
 */
export function refusalOf(event: Event): string | undefined {
  if (event.name !== 'pull_request_target' && event.name !== 'workflow_run') return undefined;
  return (
    `The event "${event.name}" gives code of a pull request the secrets of this repository, so nothing is ` +
    'built. Use "on: pull_request" to check pull requests and "on: push" to publish.'
  );
}

/** True when any of the messages holds the phrase, in any case. */
export function hasPhrase(messages: readonly string[], phrase: string): boolean {
  return messages.some((message) => message.toLowerCase().includes(phrase.toLowerCase()));
}
