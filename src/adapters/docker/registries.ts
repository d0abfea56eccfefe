import type {RunCommand} from '../process/index.ts';
import {insecureHosts, parseJson} from '../registry/index.ts';
import {deadlines} from './cli.ts';

/**
 * Which hosts the engine speaks to without TLS or without checking a certificate. Docker is asked when the first host
 * could not be reached otherwise; without an engine there is none.
 */
export function insecureRegistries(
  run: RunCommand,
  signal?: AbortSignal,
): (host: string) => Promise<boolean> {
  let asked: Promise<(host: string) => Promise<boolean>> | undefined;
  const ask = async (): Promise<(host: string) => Promise<boolean>> => {
    const info = await run({
      file: 'docker',
      args: ['info', '--format', '{{json .RegistryConfig}}'],
      seconds: deadlines.login,
      ...(signal === undefined ? {} : {signal}),
    });
    return insecureHosts(info.ok ? parseJson(info.value.stdout) : {});
  };
  return async (host) => {
    asked ??= ask();
    return (await asked)(host);
  };
}
