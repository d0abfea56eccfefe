import {readdir, readFile} from 'node:fs/promises';
import {homedir} from 'node:os';
import {join} from 'node:path';
import type {Environment} from './proxies.ts';

/** What a host's folder in `certs.d` holds: authorities, and certificates of the client with their keys. */
export interface Certificates {
  readonly ca: readonly string[];
  readonly cert: readonly string[];
  readonly key: readonly string[];
}

/** Docker's own folder, and that of an engine that runs without root. */
export function certificateFolders(env: Environment): readonly string[] {
  const config = env['XDG_CONFIG_HOME'] || join(homedir(), '.config');
  return ['/etc/docker/certs.d', join(config, 'docker', 'certs.d')];
}

/** Undefined when there is no folder for the host. */
export async function certificatesOf(
  host: string,
  folders: readonly string[],
): Promise<Certificates | undefined> {
  for (const folder of folders.map((one) => join(one, host))) {
    const names = await readdir(folder).catch(() => []);
    const read = async (ending: string): Promise<readonly string[]> => {
      const found = names.filter((name) => name.endsWith(ending)).toSorted();
      const texts = found.map((name) => readFile(join(folder, name), 'utf8').catch(() => ''));
      return (await Promise.all(texts)).filter((text) => text !== '');
    };
    const [ca, cert, key] = await Promise.all([read('.crt'), read('.cert'), read('.key')]);
    if (ca.length + cert.length > 0) return {ca, cert, key: cert.length > 0 ? key : []};
  }
  return undefined;
}
