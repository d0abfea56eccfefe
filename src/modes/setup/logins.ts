import type {Docker} from '../../adapters/docker/index.ts';
import {createLogins, isSameRegistry} from '../../adapters/registry/index.ts';
import {ok, type Result} from '../../failure.ts';
import {parseReference} from '../../image/reference.ts';
import type {Run, RunPolicy} from '../../run/index.ts';
import type {Stack} from '../../stack/index.ts';

export interface LoginRequest {
  readonly run: Run;
  readonly policy: RunPolicy;
  readonly stack: Stack;
}

/**
 * Logs docker in with the inputs, and with the job's token where nothing else is known for ghcr.io. Other logins of the
 * machine are in docker's configuration already.
 */
export async function logIn(
  docker: Docker,
  {run, policy, stack}: LoginRequest,
): Promise<Result<void>> {
  const {inputs, fallback, allowLogins} = policy.logins;
  if (!allowLogins) return ok();
  const known = createLogins({...policy.logins, run: run.program, signal: run.signal});
  const needed = stackHosts(stack);
  const used = await Promise.all(
    fallback.map(async (login) => {
      const {credentials} = await known(login.host);
      const isNeeded = [...needed].some((host) => isSameRegistry(host, login.host));
      return isNeeded && credentials?.password === login.password ? [login] : [];
    }),
  );
  for (const {host: written, username, password} of [...inputs, ...used.flat()]) {
    // For docker REG.example and reg.example are two: it is logged in to what the images name.
    const named = [...needed].filter((host) => isSameRegistry(host, written));
    for (const host of named.length === 0 ? [written] : named) {
      const done = await docker.login(host, username, password, {signal: run.signal});
      if (!done.ok) return done;
    }
  }
  return ok();
}

/** Hosts of the stack's images, and of the images they are built from. */
export function stackHosts({spec, externalBases}: Stack): ReadonlySet<string> {
  const names = [
    ...[...spec.images.values()].map(({repository}) => repository),
    ...[...externalBases.values()].flat(),
  ];
  return new Set(names.flatMap((name) => parseReference(name)?.registry ?? []));
}
