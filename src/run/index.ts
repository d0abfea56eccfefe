import type {Workspace} from '../adapters/files/index.ts';
import type {Git} from '../adapters/git/index.ts';
import type {GitHubApi} from '../adapters/github/api.ts';
import type {Event} from '../adapters/github/event.ts';
import type {JobLog} from '../adapters/github/log.ts';
import {parseReference} from '../image/reference.ts';
import {branchTag} from '../image/tags.ts';
import type {ImageSpec, Spec} from '../stack/spec/index.ts';
import {InputError, type Inputs} from './inputs.ts';

export type {InputSource, Inputs} from './inputs.ts';
export {InputError, readInputs} from './inputs.ts';

/** What every mode works with: the wishes, the event, and the outside. */
export interface Run {
  readonly inputs: Inputs;
  readonly event: Event;
  readonly workspace: Workspace;
  readonly log: JobLog;
  readonly changes: ChangeSources;
  /** Every form of every secret; none of them may reach a file. */
  readonly secrets: readonly string[];
  readonly signal: AbortSignal;
}

/** Whether this run may change anything in the registry, and why not. */
export interface PushDecision {
  readonly push: boolean;
  readonly because: string;
}

/** Pull requests from forks never push, whatever was asked for: they run code of strangers. */
export function decidePush({inputs, event}: Pick<Run, 'inputs' | 'event'>): PushDecision {
  if (isFork(event)) return {push: false, because: 'the pull request comes from a fork'};
  if (inputs.push === 'false') return {push: false, because: 'the input "push" says so'};
  if (inputs.push === 'auto' && inputs.password === '') {
    return {push: false, because: 'there is no password for the registry'};
  }
  return {push: true, because: ''};
}

export function isFork(event: Event): boolean {
  return event.kind === 'pull_request' && event.fromFork;
}

/** What can be asked; without a token there is no API. */
export interface ChangeSources {
  readonly git: Git;
  readonly api: GitHubApi | undefined;
}

/**
 * The tag that each image gets in this run.
 * @throws {InputError} when there is no branch to name it after, or it would be a stable tag
 */
export function tagsOf(inputs: Inputs, event: Event): (image: {tagPrefix: string}) => string {
  const suffix = inputs.tagSuffix === 'sha' ? event.headSha.slice(0, 7) : event.branch;
  if (suffix === '') {
    throw new InputError(
      'The tag cannot be made: GITHUB_REF names no branch, or GITHUB_SHA no commit. Run in a workflow, or set them.',
    );
  }
  return ({tagPrefix}) => {
    const result = branchTag(tagPrefix, suffix);
    if (!result.ok) throw new InputError(result.error);
    return result.value;
  };
}

/** @throws {InputError} for image keys that the spec does not have */
export function checkKeys(inputs: Inputs, images: Iterable<ImageSpec>): void {
  const keys = new Set([...images].flatMap((image) => [image.key, image.name]));
  const unknown = (input: string, names: readonly string[]): string[] =>
    names
      .filter((name) => !keys.has(name))
      .map(
        (name) =>
          `Input "${input}" names "${name}", which is no image of the spec. There are: ${[...keys].join(', ')}.`,
      );
  const mistakes = [
    ...unknown('images', inputs.images),
    ...(typeof inputs.rebuild === 'string' ? [] : unknown('rebuild', inputs.rebuild)),
  ];
  if (mistakes.length > 0) throw new InputError(mistakes.join('\n'));
}

/** The branch whose builds may go to production. */
export function defaultBranchOf(inputs: Inputs, event: Event): string {
  return inputs.defaultBranch ?? event.defaultBranch ?? 'main';
}

/** Where to log in, and as whom. */
export interface Login {
  readonly host: string;
  readonly username: string;
  readonly password: string;
}

/**
 * The login of this run; undefined without a password, and for pull requests from forks, whatever they are given.
 * @throws {InputError} when the images stand on several hosts and nobody says which one the password is for
 */
export function loginOf(
  {inputs, event}: Pick<Run, 'inputs' | 'event'>,
  spec: Spec,
): Login | undefined {
  const {username, password} = inputs;
  if (password === '' || isFork(event)) return undefined;
  const hosts = new Set(
    [...spec.images.values()].map(({repository}) => parseReference(repository)?.registry),
  );
  const [host] = hosts;
  if (inputs.registry !== undefined) return {host: inputs.registry, username, password};
  if (host === undefined || hosts.size > 1) {
    const names = [...hosts].join(', ');
    throw new InputError(
      `The images are on several registries (${names}): set the input "registry" to the one that "password" is for.`,
    );
  }
  return {host, username, password};
}
