import {machineLogins} from '../adapters/registry/credentials.ts';
import {createRegistry} from '../adapters/registry/index.ts';
import type {Registry} from '../adapters/registry/types.ts';
import {parseReference} from '../image/reference.ts';
import {isFork, type Run} from '../run/index.ts';
import {InputError} from '../run/inputs.ts';
import type {Spec} from '../stack/spec/types.ts';

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

/** The registry of this run, with its login before those of the machine; the caller closes it. */
export async function openRegistry(
  {event, log, signal}: Run,
  login: Login | undefined,
  options: {readonly grace?: number} = {},
): Promise<Registry> {
  const others = isFork(event) ? [] : await machineLogins();
  return createRegistry({
    ...options,
    credentials: new Map([
      ...others,
      ...(login === undefined ? [] : [[login.host, login] as const]),
    ]),
    onRetry: (note) => log.info(note),
    signal,
  });
}
