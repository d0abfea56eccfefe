import {readFileSync} from 'node:fs';
import {ok, type Result} from '../../failure.ts';

/** What started the run: the only place that looks at the payload and the runner's variables of the event. */
export type Event = PushEvent | PullRequestEvent | MergeGroupEvent | OtherEvent | LocalEvent;

interface EventBase {
  /** `GITHUB_EVENT_NAME`; empty outside GitHub. */
  readonly name: string;
  /** One of the events that are built as they are; also where there is no event, outside GitHub. */
  readonly isKnown: boolean;
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

/** A person's own machine: nothing happened on GitHub, and the working tree itself says what changed. */
export interface LocalEvent extends EventBase {
  readonly kind: 'local';
  readonly changed:
    | {readonly kind: 'files'; readonly files: readonly string[]; readonly note?: string}
    | {readonly kind: 'unknown'; readonly because: string};
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
}

/** Events whose checkout is the code that GITHUB_SHA names, unless the workflow says otherwise. */
const knownEvents: ReadonlySet<string> = new Set([
  ...['push', 'pull_request', 'merge_group', 'schedule', 'workflow_dispatch'],
  ...['release', 'repository_dispatch'],
]);

/**
 * Why this event must not be worked on; undefined when it may. Events such as `pull_request_target` and
 * `issue_comment` have the secrets of the repository and its default branch as GITHUB_SHA: when something else is
 * checked out, it is the code of somebody's pull request. `head` is the commit that is checked out, undefined when
 * that cannot be determined; `foreign` are files that are not as that commit has them, a sentence where nobody can tell.
 */
export function refusalOf(
  event: Pick<Event, 'name' | 'isKnown' | 'sha'>,
  head: string | undefined,
  foreign: Result<readonly string[], string> = ok([]),
): string | undefined {
  if (event.isKnown) return undefined;
  const isRight = head !== undefined && head !== '' && head === event.sha;
  const checkedOut = head === undefined || head === '' ? 'an unknown commit' : head.slice(0, 7);
  const problem = isRight ? describeForeign(foreign) : `${checkedOut} is checked out`;
  if (problem === undefined) return undefined;
  return (
    `The event "${event.name}" runs with the secrets of this repository for ${event.sha.slice(0, 7) || 'no commit'} ` +
    `(GITHUB_SHA), but ${problem}, which may be code of a pull request. So nothing is done. Use ` +
    '"on: pull_request" to check pull requests and "on: push" to publish, or check out GITHUB_SHA and nothing else.'
  );
}

const mostForeign = 5;

function describeForeign(foreign: Result<readonly string[], string>): string | undefined {
  if (!foreign.ok) return `whether its files are checked out is not known (${foreign.error})`;
  const {length} = foreign.value;
  if (length === 0) return undefined;
  const names = foreign.value.slice(0, mostForeign).join(', ');
  const more = length > mostForeign ? ` and ${length - mostForeign} more` : '';
  return `these files are not as that commit has them: ${names}${more}`;
}

/** Events whose ref is the merge commit of a pull request, without the secrets of the base for a fork. */
const pullRequestEvents = ['pull_request', 'pull_request_review', 'pull_request_review_comment'];

/**
 * Reads what the runner knows. Every field of the payload may be missing, and the payload itself:
 * act gives `{}`, and GitHub's documentation warns of empty ones.
 */
export function parseEvent(payload: unknown, env: EventEnvironment): Event {
  const name = env.name ?? '';
  const common = readCommon(payload, env);
  if (name === 'push') return readPush(payload, env, common);
  if (name === 'merge_group') {
    const group = field(payload, 'merge_group');
    return {
      ...common,
      kind: 'merge_group',
      branch: shortRef(text(group, 'head_ref') ?? env.ref),
      headSha: sha(group, 'head_sha') ?? common.sha,
      baseSha: sha(group, 'base_sha'),
      baseRef: optionalRef(text(group, 'base_ref')),
      messages: textsOf([group], 'head_commit', 'message'),
    };
  }
  if (pullRequestEvents.includes(name)) return readPullRequest(payload, env, common);
  return {...common, kind: 'other'};
}

type Common = Omit<Extract<Event, {kind: 'other'}>, 'kind'>;

function readCommon(payload: unknown, env: EventEnvironment): Common {
  const [owner = '', repo = ''] = repositoryName(payload, env).split('/');
  const attempt = Number.parseInt(env.runAttempt ?? '', 10);
  return {
    name: env.name ?? '',
    isKnown: (env.name ?? '') === '' || knownEvents.has(env.name ?? ''),
    hasPayload: isRecord(payload) && Object.keys(payload).length > 0,
    branch: shortRef(env.ref),
    isTag: env.ref?.startsWith('refs/tags/') ?? false,
    sha: env.sha ?? '',
    headSha: env.sha ?? '',
    defaultBranch: text(payload, 'repository', 'default_branch'),
    messages: [],
    repository: {owner, repo},
    runId: env.runId ?? '',
    runAttempt: Number.isNaN(attempt) ? 1 : attempt,
    serverUrl: (env.serverUrl || 'https://github.com').replace(/\/+$/, ''),
    apiUrl: (env.apiUrl || 'https://api.github.com').replace(/\/+$/, ''),
  };
}

function readPush(payload: unknown, env: EventEnvironment, common: Common): Event {
  // When a branch is deleted GITHUB_REF is the default branch; only the payload names the right one.
  const ref = text(payload, 'ref') ?? env.ref;
  const before = text(payload, 'before');
  const commits = field(payload, 'commits');
  const messages = textsOf(Array.isArray(commits) ? commits : [], 'message');
  const newest = text(payload, 'head_commit', 'message');
  return {
    ...common,
    kind: 'push',
    branch: shortRef(ref),
    isTag: ref?.startsWith('refs/tags/') ?? false,
    before: sha(payload, 'before'),
    after: sha(payload, 'after'),
    created: field(payload, 'created') === true || (before !== undefined && isZero(before)),
    deleted: field(payload, 'deleted') === true || isZero(text(payload, 'after') ?? ''),
    // The push of a tag has no commits, but a head commit.
    messages: newest === undefined || newest === messages.at(-1) ? messages : [...messages, newest],
  };
}

function readPullRequest(payload: unknown, env: EventEnvironment, common: Common): Event {
  const pull = field(payload, 'pull_request');
  const number = field(pull, 'number') ?? field(payload, 'number');
  const source = text(pull, 'head', 'repo', 'full_name');
  const target = repositoryName(payload, env);
  return {
    ...common,
    kind: 'pull_request',
    branch: text(pull, 'head', 'ref') ?? (env.headRef || common.branch),
    isTag: false,
    number:
      typeof number === 'number' && Number.isSafeInteger(number) && number > 0 ? number : undefined,
    headSha: sha(pull, 'head', 'sha') ?? common.sha,
    baseSha: sha(pull, 'base', 'sha'),
    baseRef: text(pull, 'base', 'ref') ?? (env.baseRef || undefined),
    // The repository of a fork that was deleted is null.
    fromFork: source?.toLowerCase() !== target.toLowerCase(),
  };
}

function repositoryName(payload: unknown, env: EventEnvironment): string {
  return env.repository || (text(payload, 'repository', 'full_name') ?? '');
}

function shortRef(ref: string | undefined): string {
  return (ref ?? '').replace(/^refs\/(?:heads|tags)\//, '').replace(/^refs\//, '');
}

function optionalRef(ref: string | undefined): string | undefined {
  return ref === undefined ? undefined : shortRef(ref);
}

function isZero(hash: string): boolean {
  return /^0{40,64}$/.test(hash);
}

/** Anything but a whole hash is no use to git, and could be read as an option. */
function sha(value: unknown, ...path: readonly string[]): string | undefined {
  const hash = text(value, ...path);
  return hash !== undefined && /^[0-9a-f]{40,64}$/.test(hash) && !isZero(hash) ? hash : undefined;
}

function textsOf(values: readonly unknown[], ...path: readonly string[]): readonly string[] {
  return values.map((value) => text(value, ...path)).filter((message) => message !== undefined);
}

function text(value: unknown, ...path: readonly string[]): string | undefined {
  const found = path.reduce(field, value);
  return typeof found === 'string' && found !== '' ? found : undefined;
}

function field(value: unknown, key: string): unknown {
  return isRecord(value) ? value[key] : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What started this run, from the runner's variables and the payload file that they name. */
export function readEvent(): Event {
  const {env} = process;
  return parseEvent(readPayload(env['GITHUB_EVENT_PATH']), {
    name: env['GITHUB_EVENT_NAME'],
    ref: env['GITHUB_REF'],
    sha: env['GITHUB_SHA'],
    headRef: env['GITHUB_HEAD_REF'],
    baseRef: env['GITHUB_BASE_REF'],
    repository: env['GITHUB_REPOSITORY'],
    runId: env['GITHUB_RUN_ID'],
    runAttempt: env['GITHUB_RUN_ATTEMPT'],
    serverUrl: env['GITHUB_SERVER_URL'],
    apiUrl: env['GITHUB_API_URL'],
  });
}

/** What cannot be read counts as an event without a payload, which is never trusted. */
function readPayload(path: string | undefined): unknown {
  if (!path) return {};
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return {};
  }
}
