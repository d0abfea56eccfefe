import {setTimeout as sleep} from 'node:timers/promises';
import type {Failure} from '../../failure.ts';
import {decideRetry} from '../../util/retry.ts';
import {hostOf} from '../registry/index.ts';
import {type CallDocker, deadlines, withoutValue} from './cli.ts';
import type {DockerConfig} from './config.ts';
import type {Docker} from './types.ts';

/**
 * `docker login` into the run's own folder, tried again as a push is: a registry that is slow once must not end a run.
 * A refused password is said at once.
 */
export function createLogin(
  call: CallDocker,
  config: DockerConfig,
  wait?: (seconds: number) => Promise<unknown>,
): Docker['login'] {
  return async (name, username, password, options = {}) => {
    const {signal} = options;
    const pause =
      wait ?? ((seconds: number) => sleep(seconds * 1000, undefined, signal && {signal}));
    // Docker would log in to `index.docker.io` as to any other host, and push without that login.
    const host = hostOf(name);
    await config.releaseHost(host);
    const args = ['login', '--username', username, '--password-stdin', host];
    const seconds = deadlines.login;
    let [waited, total] = [0, 0];
    for (let number = 1; ; number++) {
      const question = {args, operation: 'login', subject: host, seconds, input: password} as const;
      const done = await call({...question, options});
      if (done.ok || !mayPass(done.error)) return withoutValue(done);
      const attempt = {status: undefined, body: '', retryAfter: undefined, number, waited, total};
      const decision = decideRetry(attempt, Date.now(), Math.random());
      if (!decision.retry || number >= mostAttempts || signal?.aborted) return withoutValue(done);
      waited = decision.seconds;
      total += decision.seconds;
      // Ended by the signal, the next attempt says that the run was cancelled.
      await pause(decision.seconds).catch(() => undefined);
    }
  };
}

/** A hanging registry costs a deadline each time. */
const mostAttempts = 4;

function mayPass(failure: Failure): boolean {
  if (/no such host|x509|HTTP response to HTTPS/i.test(failure.tail.join('\n'))) return false;
  return ['registry-unavailable', 'rate-limit', 'timeout'].includes(failure.class);
}
