import {availableParallelism} from 'node:os';
import {getInput as runnerInput} from '@actions/core';

/** Every input of action.yml, read once and checked. Empty text became undefined. */
export interface Inputs {
  readonly mode: (typeof modes)[number];
  readonly stackDir: string;
  /** Image keys; empty means all. */
  readonly images: readonly string[];
  readonly rebuild: 'auto' | 'all' | readonly string[];
  readonly reuse: (typeof reuseValues)[number];
  readonly registry: string | undefined;
  readonly username: string;
  /** Empty means no login. */
  readonly password: string;
  readonly githubToken: string;
  readonly push: Tristate;
  readonly failFast: boolean;
  readonly concurrency: number;
  readonly defaultBranch: string | undefined;
  readonly tagPrefix: string | undefined;
  readonly tagSuffix: (typeof tagSuffixes)[number];
  readonly sourceTag: string | undefined;
  readonly target: (typeof targets)[number];
  /** Path of the promotion.json to undo. */
  readonly restore: string | undefined;
  readonly dryRun: boolean;
  readonly wiki: Tristate;
  readonly builder: string | undefined;
  readonly cache: (typeof caches)[number];
  readonly comment: boolean;
  /** For one step of one image; undefined for the built-in deadlines. */
  readonly timeoutMinutes: number | undefined;
  readonly artifactName: string;
  readonly retentionDays: number | undefined;
  /** At most so many legs in the matrix. */
  readonly maxLegs: number;
  /** Images with several platforms are built for this one only, under a tag of its own. */
  readonly platform: string | undefined;
  readonly parents: (typeof parentValues)[number];
}

export type Tristate = (typeof tristates)[number];

const modes = ['build', 'plan', 'tag', 'report', 'init', 'doctor'] as const;
const reuseValues = ['auto', 'always', 'never'] as const;
const tristates = ['auto', 'true', 'false'] as const;
const tagSuffixes = ['branch', 'sha'] as const;
const targets = ['stable', 'global-stable'] as const;
/** `ready`: earlier legs of this run did all that was to do outside of `images`. */
const parentValues = ['auto', 'ready'] as const;
const caches = ['inline', 'registry', 'gha', 'none'] as const;

/** The user gave an input a value it cannot have; the message names all such inputs and what they allow. */
export class InputError extends Error {
  override readonly name = 'InputError';
}

/** Gives the value of an input as it was written; empty text where there is none. */
export type InputSource = (name: string) => string;

/**
 * Reads the inputs, from the environment unless told otherwise, with the defaults of action.yml for a caller that sets none
 * (the runner always does).
 * @throws {InputError} naming every bad value at once
 */
export function readInputs(getInput: InputSource = runnerInput): Inputs {
  const optional = (name: string): string | undefined => getInput(name) || undefined;
  const mistakes: string[] = [];
  const oneOf = <T extends string>(name: string, allowed: readonly T[], fallback: T): T => {
    const value = getInput(name) || fallback;
    const found = allowed.find((choice) => choice === value.toLowerCase());
    if (found !== undefined) return found;
    mistakes.push(`Input "${name}" is "${value}", but must be one of: ${allowed.join(', ')}.`);
    return fallback;
  };
  const wholeNumber = (name: string, least: number): number | undefined => {
    const value = getInput(name);
    if (value === '') return undefined;
    if (/^\d{1,6}$/.test(value) && Number(value) >= least) return Number(value);
    mistakes.push(`Input "${name}" is "${value}", but must be a whole number, at least ${least}.`);
    return undefined;
  };
  const minutes = wholeNumber('timeout-minutes', 0);
  const mode = oneOf('mode', modes, 'build');
  const inputs: Inputs = {
    mode,
    stackDir: stackDir(getInput('stack-dir'), mistakes),
    images: list(getInput('images')),
    rebuild: rebuild(getInput('rebuild')),
    reuse: oneOf('reuse', reuseValues, 'auto'),
    registry: registryHost(optional('registry'), mistakes),
    username: getInput('username'),
    password: getInput('password'),
    githubToken: getInput('github-token'),
    push: oneOf('push', tristates, 'auto'),
    failFast: oneOf('fail-fast', ['true', 'false'], 'true') === 'true',
    concurrency: wholeNumber('concurrency', 1) ?? availableParallelism(),
    defaultBranch: optional('default-branch'),
    tagPrefix: optional('tag-prefix'),
    tagSuffix: oneOf('tag-suffix', tagSuffixes, 'branch'),
    sourceTag: optional('source-tag'),
    target: oneOf('target', targets, 'stable'),
    restore: optional('restore'),
    dryRun: oneOf('dry-run', ['true', 'false'], 'false') === 'true',
    wiki: oneOf('wiki', tristates, 'auto'),
    builder: optional('builder'),
    cache: oneOf('cache', caches, 'inline'),
    comment: oneOf('comment', ['true', 'false'], 'false') === 'true',
    timeoutMinutes: minutes === 0 ? undefined : minutes,
    artifactName:
      optional('artifact-name') ?? (mode === 'tag' ? 'tag-artifacts' : 'build-artifacts'),
    retentionDays: wholeNumber('retention-days', 1),
    maxLegs: wholeNumber('max-legs', 1) ?? 20,
    platform: platform(optional('platform'), mistakes),
    parents: oneOf('parents', parentValues, 'auto'),
  };
  const {sourceTag, restore} = inputs;
  if (mode === 'tag' && sourceTag === undefined && restore === undefined) {
    mistakes.push(
      'Mode "tag" needs the input "source-tag", for example 2026.3-main (or "restore", to undo a promotion).',
    );
  }
  if (sourceTag !== undefined && restore !== undefined) {
    mistakes.push(
      'Inputs "source-tag" and "restore" cannot be combined: one promotes, the other undoes a promotion.',
    );
  }
  if (mistakes.length > 0) throw new InputError(mistakes.join('\n'));
  return inputs;
}

/** One spelling: lower case, without what says nothing. */
/** As users write it; without a host docker would log in to Docker Hub, with a password for another registry. */
function registryHost(text: string | undefined, mistakes: string[]): string | undefined {
  const host = text
    ?.trim()
    .replace(/^https?:\/\/(?:[^/@]*@)?/i, '')
    .split('/')[0];
  const isHost = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::\d{1,5})?$/i;
  if (host !== undefined && !isHost.test(host)) {
    mistakes.push(
      `Input "registry" is "${text}", but must be a host, such as ghcr.io or registry.example:5000.`,
    );
  }
  return text;
}

function platform(value: string | undefined, mistakes: string[]): string | undefined {
  const text = value?.toLowerCase();
  if (text !== undefined && !/^[a-z0-9]+\/[a-z0-9_]+(?:\/[a-z0-9.]+)?$/.test(text)) {
    mistakes.push(
      `Input "platform" is "${value}", but must be os/architecture, such as linux/arm64.`,
    );
  }
  return text;
}

function list(text: string): readonly string[] {
  return [...new Set(text.split(/[,\n]/).map((item) => item.trim()))].filter((item) => item !== '');
}

function rebuild(text: string): Inputs['rebuild'] {
  const value = text.trim().toLowerCase();
  if (value === '' || value === 'auto') return 'auto';
  return value === 'all' ? 'all' : list(text);
}

/** Always relative to the workspace and inside it; `.` is the workspace itself. */
function stackDir(text: string, mistakes: string[]): string {
  const value = (text || 'images').replace(/\/+$/, '').replace(/^(\.\/)+/, '');
  if (value.startsWith('/') || value.split('/').includes('..')) {
    mistakes.push(`Input "stack-dir" is "${value}", but must be a folder inside the workspace.`);
  }
  return value === '' ? '.' : value;
}
