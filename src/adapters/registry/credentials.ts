import {readFile} from 'node:fs/promises';
import {homedir} from 'node:os';
import {join} from 'node:path';
import type {Credentials} from './types.ts';

export type Json = Readonly<Record<string, unknown>>;

/** Where docker keeps the configuration of this machine's user. */
export function machineFolder(): string {
  return process.env['DOCKER_CONFIG'] || join(homedir(), '.docker');
}

/**
 * The logins that an earlier step made (docker/login-action, `docker login`), by host: docker itself would use them,
 * so requests to the registry do too. Those in a store of the system are docker's alone.
 */
export async function machineLogins(): Promise<ReadonlyMap<string, Credentials>> {
  const {auths} = await readJson(join(machineFolder(), 'config.json'));
  const logins = new Map<string, Credentials>();
  for (const [host, entry] of Object.entries(isJson(auths) ? auths : {})) {
    const written = isJson(entry) && typeof entry['auth'] === 'string' ? entry['auth'] : '';
    const [, username, password] =
      /^([^:]+):(.+)$/s.exec(Buffer.from(written, 'base64').toString()) ?? [];
    if (username !== undefined && password !== undefined) logins.set(host, {username, password});
  }
  return logins;
}

/** A file that is missing or broken is an empty one: docker itself warns of it. */
export async function readJson(path: string): Promise<Json> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    return isJson(value) ? value : {};
  } catch {
    return {};
  }
}

export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
