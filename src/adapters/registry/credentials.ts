import {readFile} from 'node:fs/promises';
import {homedir} from 'node:os';
import {join} from 'node:path';
import type {RunCommand} from '../process/index.ts';
import {isJson, type Json, objectIn, parseJson, textIn} from './json.ts';
import {configKeyOf, hostOf, isSameRegistry} from './network.ts';
import type {Credentials, KnownLogin, Logins} from './types.ts';

export interface LoginSources {
  /** Logins of the inputs; each counts for its host only. */
  readonly inputs?: readonly Login[];
  /** Comes last, for its host only: the token of the job for ghcr.io. */
  readonly fallback?: readonly Login[];
  /** `false` for pull requests from forks: no login at all, not even the machine's. */
  readonly allowLogins?: boolean;
  /** Starts credential helpers. */
  readonly run: RunCommand;
  /** What helpers see; the whole environment of this process by default. */
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Told what must not be shown, before it is used for the first time: a registry may send back what it gets. */
  readonly hide?: (secrets: readonly string[], username: string) => void;
}

interface Login extends Credentials {
  /** As users write it: `ghcr.io`, `https://index.docker.io/v1/`. */
  readonly host: string;
}

const nothing: KnownLogin = {credentials: undefined, from: ''};
const helperSeconds = 30;

/**
 * The logins of a run, by host: the inputs', then the machine's own as docker reads them, then the fallback. Each host
 * is looked up when it is first needed, and once: a helper may take seconds, or ask a cloud.
 */
export function createLogins(sources: LoginSources): Logins {
  const {inputs = [], fallback = [], allowLogins = true} = sources;
  if (!allowLogins) return async () => nothing;
  const inputWords = 'the inputs "username" and "password"';
  const machine = createMachineLogins(sources);
  const known = new Map<string, Promise<KnownLogin>>();
  const find = async (host: string): Promise<KnownLogin> => {
    const given = loginFor(inputs, host);
    if (given !== undefined) return {credentials: given, from: inputWords};
    const own = await machine(host);
    if (own.credentials !== undefined) return own;
    const last = loginFor(fallback, host);
    return last === undefined ? own : {credentials: last, from: 'the input "github-token"'};
  };
  const hidden = (login: KnownLogin): KnownLogin => {
    const {username = '', password = '', identityToken, registryToken} = login.credentials ?? {};
    const secrets = [password, identityToken, registryToken].filter((one) => one !== undefined);
    sources.hide?.(
      secrets.filter((one) => one !== ''),
      username,
    );
    return login;
  };
  return (name) => {
    const host = hostOf(name);
    const found = known.get(host) ?? find(host).then(hidden);
    known.set(host, found);
    return found;
  };
}

function loginFor(logins: readonly Login[], host: string): Credentials | undefined {
  return logins.find((login) => isSameRegistry(login.host, host));
}

/** Where docker keeps the configuration of this machine's user. */
export function machineFolder(): string {
  return process.env['DOCKER_CONFIG'] || join(homedir(), '.docker');
}

/** The machine's configuration, with the logins of `DOCKER_AUTH_CONFIG`, which docker 28.3 and later reads first. */
export async function machineConfig(): Promise<Json> {
  const file = await readJson(join(machineFolder(), 'config.json'));
  const extra = objectIn(parseJson(process.env['DOCKER_AUTH_CONFIG'] ?? ''), 'auths');
  return {...file, auths: {...objectIn(file, 'auths'), ...extra}};
}

function createMachineLogins({run, env, signal}: LoginSources): Logins {
  let config: Promise<Json> | undefined;
  return async (host) => {
    config ??= machineConfig();
    const found = await config;
    const helper = helperFor(found, host);
    const entries = entriesFor(objectIn(found, 'auths'), host);
    if (helper === undefined) {
      const from = join(machineFolder(), 'config.json');
      const written = entries.map(([, entry]) => credentialsIn(entry));
      return {credentials: written.find((one) => one !== undefined), from};
    }
    // Docker asks for its own spelling; a login that another tool stored may have the address instead.
    const spellings = new Set([configKeyOf(host), ...entries.map(([name]) => name)]);
    const from = `docker-credential-${helper}`;
    for (const server of spellings) {
      const answer = await askHelper({run, env, helper, server, signal});
      if (typeof answer === 'string')
        return {credentials: undefined, from, problem: `${from} failed: ${answer}`};
      if (answer !== undefined) return {credentials: answer, from};
    }
    return {credentials: undefined, from};
  };
}

/** A host's own helper, else that for all; an empty name means the file. */
export function helperFor(config: Json, host: string): string | undefined {
  const helpers = entriesFor(objectIn(config, 'credHelpers'), host);
  const [first] = helpers;
  const name = first === undefined ? config['credsStore'] : first[1];
  return typeof name === 'string' && /^[\w.-]+$/.test(name) ? name : undefined;
}

/** Docker's key comes first, then every other spelling of the host. */
export function entriesFor(entries: Json, host: string): readonly (readonly [string, unknown])[] {
  const key = configKeyOf(host);
  const all = Object.entries(entries).filter(([name]) => hostOf(name) === hostOf(host));
  return [...all.filter(([name]) => name === key), ...all.filter(([name]) => name !== key)];
}

/** `auth` is `user:password` in base64; either may be written out instead. */
function credentialsIn(entry: unknown): Credentials | undefined {
  if (!isJson(entry)) return undefined;
  const decoded = Buffer.from(textIn(entry, 'auth') ?? '', 'base64').toString();
  const [, user, secret] = /^([^:]+):(.+)$/s.exec(decoded) ?? [];
  const username = user ?? textIn(entry, 'username') ?? '';
  // Docker writes NUL bytes where there is nothing but an identity token.
  const password = (secret ?? textIn(entry, 'password') ?? '').replace(/^\0+|\0+$/g, '');
  const identityToken = textIn(entry, 'identitytoken');
  const registryToken = textIn(entry, 'registrytoken');
  const isUsable = username !== '' && password !== '';
  if (!isUsable && identityToken === undefined && registryToken === undefined) return undefined;
  return {
    username,
    password,
    ...(identityToken === undefined ? {} : {identityToken}),
    ...(registryToken === undefined ? {} : {registryToken}),
  };
}

interface HelperQuestion {
  readonly run: RunCommand;
  readonly helper: string;
  readonly server: string;
  readonly env: LoginSources['env'];
  readonly signal: AbortSignal | undefined;
}

/** Undefined when the helper has none; a sentence when it could not say. */
async function askHelper(question: HelperQuestion): Promise<Credentials | string | undefined> {
  const {run, env, helper, server, signal} = question;
  const asked = await run({
    file: `docker-credential-${helper}`,
    args: ['get'],
    input: server,
    seconds: helperSeconds,
    ...(env === undefined ? {} : {env}),
    ...(signal === undefined ? {} : {signal}),
  });
  if (!asked.ok) {
    const {message, tail} = asked.error;
    if (/credentials not found/i.test(tail.join('\n'))) return undefined;
    return (tail.at(-1) ?? message).slice(0, 200);
  }
  const {stdout} = asked.value;
  const answer = parseJson(stdout);
  if (stdout.trim() !== '' && Object.keys(answer).length === 0) return 'its answer cannot be read';
  const [username, secret] = [textIn(answer, 'Username') ?? '', textIn(answer, 'Secret')];
  // Some answer with empty texts where they know nothing; docker then has no login either.
  if (secret === undefined || secret === '') return undefined;
  if (username === '<token>') return {username: '', password: '', identityToken: secret};
  return {username, password: secret};
}

/** A file that is missing or broken is an empty one: docker itself warns of it. */
export async function readJson(path: string): Promise<Json> {
  return parseJson(await readFile(path, 'utf8').catch(() => ''));
}
