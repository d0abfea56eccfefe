import {createRegistry} from './adapters/registry.ts';
import {parseReference} from './core/references.ts';
import type {Spec} from './core/types.ts';
import {InputError} from './inputs.ts';
import type {Registry} from './ports.ts';
import {isFork, type Run} from './run.ts';

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

/** The registry of this run; the caller closes it. */
export function openRegistry(
  {log, signal}: Run,
  login: Login | undefined,
  options: {readonly grace?: number} = {},
): Registry {
  return createRegistry({
    ...options,
    credentials: new Map(login === undefined ? [] : [[login.host, login]]),
    onRetry: (note) => log.info(note),
    signal,
  });
}
