import type {Event, EventEnvironment} from './event.ts';

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
    actor: env.actor ?? '',
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
    forced: field(payload, 'forced') === true,
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
    number: typeof number === 'number' && Number.isSafeInteger(number) ? number : undefined,
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
