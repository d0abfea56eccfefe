import type {Workspace} from '../adapters/files/index.ts';
import type {Git} from '../adapters/git/index.ts';
import type {GitHubApi} from '../adapters/github/api.ts';
import type {Event} from '../adapters/github/event.ts';
import type {JobLog} from '../adapters/github/log.ts';
import type {RunCommand} from '../adapters/process/index.ts';
import {parseReference} from '../image/reference.ts';
import type {ImageSpec, Spec} from '../stack/spec/index.ts';
import type {Mask} from '../util/masking.ts';
import {InputError, type Inputs} from './inputs.ts';
import {checkTags, defaultBranchOf, type TagOf, tagsOf} from './tags.ts';

export type {InputSource, Inputs} from './inputs.ts';
export {InputError, readInputs} from './inputs.ts';
export type {TagOf} from './tags.ts';
export {tagsOf} from './tags.ts';

/** What every mode works with: the wishes, the event, and the outside. */
export interface Run {
  readonly inputs: Inputs;
  readonly event: Event;
  /** First line of the message of the commit that is built; undefined when not known. */
  readonly subject: string | undefined;
  readonly workspace: Workspace;
  readonly log: JobLog;
  readonly changes: ChangeSources;
  /** Hides the secrets of the run in every text that leaves; takes more of them while the run goes on. */
  readonly mask: Mask;
  /** Runs programs; what a killed run started is found again by its post step. */
  readonly program: RunCommand;
  /** A folder of this run, gone when it is over. */
  readonly tempDir: string;
  readonly signal: AbortSignal;
}

/** What can be asked; without a token there is no API. */
export interface ChangeSources {
  readonly git: Git;
  readonly api: GitHubApi | undefined;
}

/** Where to log in, and as whom. */
export interface Login {
  readonly host: string;
  readonly username: string;
  readonly password: string;
}

/** In this order: the inputs, the logins of the machine, the fallback. */
export interface RunLogins {
  /** Each for its host. */
  readonly inputs: readonly Login[];
  /** The token of the job, for ghcr.io only. */
  readonly fallback: readonly Login[];
  /** False for pull requests from forks: no login at all, not even the machine's. */
  readonly allowLogins: boolean;
}

/** Whether this run writes to the registry. */
export type PushPolicy =
  | {readonly kind: 'never'; readonly because: string}
  /** Where the registry grants it: a pull request may run with a token that only reads. */
  | {readonly kind: 'if-granted'}
  /** A missing permission is an error before the first build. */
  | {readonly kind: 'always'};

/** What this run may do, decided once. */
export interface RunPolicy {
  readonly tagOf: TagOf;
  readonly push: PushPolicy;
  readonly logins: RunLogins;
  /** Whether pages of a green build go to the wiki. */
  readonly publishes: boolean;
  readonly defaultBranch: string;
  /** A push to the default branch: its builds may go to production. */
  readonly isDefaultBranchPush: boolean;
}

export interface PolicyRequest {
  readonly inputs: Inputs;
  readonly event: Event;
  readonly spec: Spec;
  /** Whether the newest commit message says `skip push`. */
  readonly isPushSkipped: boolean;
}

/**
 * What a run was asked and may do.
 * Enters: inputs, event, spec, the wishes in commit messages.
 * Leaves: RunPolicy: tags, push and why, login, pages, default branch. Nothing asks the event again.
 * Not here: finding changed files (changes/), making adapters (modes/).
 * @throws {InputError} for tags that are not this run's, unknown image keys, a login for no registry
 */
export function policyOf({inputs, event, spec, isPushSkipped}: PolicyRequest): RunPolicy {
  checkKeys(inputs, spec.images.values());
  const tagOf = tagsOf(inputs, event);
  const extra = [...spec.extraTags.defaultBranch, ...spec.extraTags.stable];
  // A run that is named after its commit may share the tag of that commit.
  const foreign = extra.filter((tag) => inputs.tagSuffix !== 'sha' || !tag.includes('{sha}'));
  const tags = checkTags(spec.images.values(), tagOf, foreign);
  if (!tags.ok) throw new InputError(tags.error);
  const defaultBranch = defaultBranchOf(inputs, event);
  const isDefault = event.kind !== 'pull_request' && !event.isTag && event.branch === defaultBranch;
  return {
    tagOf,
    push: pushPolicy(inputs, event),
    logins: loginsOf(inputs, event, spec),
    publishes: publishesPages({inputs, event, isPushSkipped}),
    defaultBranch,
    isDefaultBranchPush: event.kind === 'push' && isDefault,
  };
}

/** Pages go to the wiki on the default branch, unless the commit says `skip push`; never from a fork. */
export function publishesPages({
  inputs,
  event,
  isPushSkipped,
}: Omit<PolicyRequest, 'spec'>): boolean {
  const hasWiki = inputs.githubToken !== '' && event.repository.repo !== '';
  if (!hasWiki || isFork(event) || inputs.wiki === 'false' || isPushSkipped) return false;
  const isDefault =
    event.kind !== 'pull_request' &&
    !event.isTag &&
    event.branch === defaultBranchOf(inputs, event);
  return inputs.wiki === 'true' || isDefault;
}

/** Pull requests from forks never push, whatever was asked for: they run code of strangers. */
function pushPolicy(inputs: Inputs, event: Event): PushPolicy {
  if (isFork(event)) {
    return {kind: 'never', because: 'the pull request comes from a fork'};
  }
  if (inputs.push === 'false') return {kind: 'never', because: 'input "push" is false'};
  return inputs.push === 'auto' && event.kind === 'pull_request'
    ? {kind: 'if-granted'}
    : {kind: 'always'};
}

export function isFork(event: Event): boolean {
  return event.kind === 'pull_request' && event.fromFork;
}

/** @throws {InputError} for image keys that the spec does not have */
export function checkKeys(inputs: Inputs, images: Iterable<ImageSpec>): void {
  const keys = new Set([...images].flatMap((image) => [image.key, image.name]));
  const unknown = (input: string, names: readonly string[]): string[] =>
    names
      .filter((name) => !keys.has(name))
      .map(
        (name) =>
          `Input "${input}": unknown image "${name}". Known images: ${[...keys].join(', ')}.`,
      );
  const mistakes = [
    ...unknown('images', inputs.images),
    ...(typeof inputs.rebuild === 'string' ? [] : unknown('rebuild', inputs.rebuild)),
  ];
  if (mistakes.length > 0) throw new InputError(mistakes.join('\n'));
}

const githubRegistry = 'ghcr.io';

/**
 * The logins of this run. The job's token is never sent to another registry, not even where a workflow passes it as
 * `password`.
 * @throws {InputError} when the images are on several registries and nothing says which one the password is for
 */
export function loginsOf(
  inputs: Inputs,
  event: Event,
  spec: Pick<Spec, 'file' | 'images'>,
): RunLogins {
  return isFork(event) ? {inputs: [], fallback: [], allowLogins: false} : loginsFor(inputs, spec);
}

/** The logins of a run that is no fork's. */
export function loginsFor(inputs: Inputs, spec: Pick<Spec, 'file' | 'images'>): RunLogins {
  const {username, password, githubToken} = inputs;
  const user = username || 'x-access-token';
  const fallback =
    githubToken === '' ? [] : [{host: githubRegistry, username: user, password: githubToken}];
  const isOwn = password !== '' && password !== githubToken;
  const given = isOwn ? [{host: hostForPassword(inputs, spec), username, password}] : [];
  return {inputs: given, fallback, allowLogins: true};
}

function hostForPassword({registry}: Inputs, spec: Pick<Spec, 'file' | 'images'>): string {
  if (registry !== undefined) return registry;
  const hosts = Map.groupBy(spec.images.values(), ({repository}) => hostOf(repository));
  const [host = ''] = hosts.keys();
  if (hosts.size < 2) return host;
  const places = [...hosts].map(([name, images]) => {
    const position = images[0]?.position;
    const place = position === undefined ? '' : ` (${spec.file}:${position.line})`;
    return `${images[0]?.name}: ${name}${place}`;
  });
  throw new InputError(
    `The images are on several registries: ${places.join(', ')}. An image name without a host means docker.io. Set the input "registry" to the one that "password" is for.`,
  );
}

function hostOf(repository: string): string {
  return parseReference(repository)?.registry.toLowerCase() ?? '';
}
