import {isLoopback} from '../core/references.ts';
import type {HttpClient} from './registry-http.ts';

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** `WWW-Authenticate` taken apart; the parameters' names are lower case. */
export interface Challenge {
  readonly scheme: 'basic' | 'bearer';
  readonly parameters: ReadonlyMap<string, string>;
}

/** Reads the challenge of a 401; undefined when it is of no kind that is known. Quoted values may hold commas. */
export function parseChallenge(header: string | undefined): Challenge | undefined {
  const scheme = /^\s*(basic|bearer)\b/i.exec(header ?? '')?.[1]?.toLowerCase();
  if (header === undefined || (scheme !== 'basic' && scheme !== 'bearer')) return undefined;
  const found = header.matchAll(/([a-z_]+)=(?:"([^"]*)"|([^\s,]+))/gi);
  const parameters = new Map(
    [...found].map((part) => [(part[1] ?? '').toLowerCase(), part[2] ?? part[3] ?? '']),
  );
  return {scheme, parameters};
}

/** What a request carries to be let in, and how to get a fresh one. */
export interface Authorizer {
  /** The header for this scope; undefined when nobody asked for one yet. */
  headerFor(scope: string): string | undefined;
  /** Answers a 401 to a request that carried `sent`. False: there is no way in. @throws {Error} when the token service fails */
  answer(scope: string, challenge: string | undefined, sent: string | undefined): Promise<boolean>;
}

interface Token {
  readonly header: string;
  readonly expires: number;
}

/**
 * Keeps the tokens of one registry host, by scope. Credentials go to the registry itself, and to the token service
 * that it names only over https, or where both are on this machine.
 */
export function createAuthorizer(
  host: string,
  credentials: Credentials | undefined,
  http: HttpClient,
): Authorizer {
  const tokens = new Map<string, Token>();
  const basic =
    credentials &&
    `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
  const fetchToken = async (scope: string, challenge: Challenge): Promise<boolean> => {
    const realm = challenge.parameters.get('realm');
    if (realm === undefined || !URL.canParse(realm)) return false;
    const url = new URL(realm);
    const service = challenge.parameters.get('service');
    if (service !== undefined) url.searchParams.set('service', service);
    url.searchParams.set('scope', scope);
    const isSafe = url.protocol === 'https:' || (isLoopback(url.hostname) && isLoopback(host));
    const headers = basic !== undefined && isSafe ? {authorization: basic} : {};
    const answer = await http.send({
      method: 'GET',
      url,
      headers: {accept: 'application/json', ...headers},
    });
    if (answer.status === 401 || answer.status === 403) return false;
    if (answer.status !== 200)
      throw new Error(`the token service of ${host} answers ${answer.status}`);
    const {token, access_token, expires_in} = JSON.parse(
      Buffer.from(answer.body).toString(),
    ) as Record<string, unknown>;
    const value = typeof token === 'string' && token !== '' ? token : access_token;
    if (typeof value !== 'string') return false;
    const seconds = typeof expires_in === 'number' ? expires_in : 60;
    // A little early: a token that ends on the way is a 401.
    tokens.set(scope, {header: `Bearer ${value}`, expires: Date.now() + (seconds - 10) * 1000});
    return true;
  };
  const pending = new Map<string, Promise<boolean>>();
  return {
    headerFor: (scope) => {
      const token = tokens.get(scope);
      return token !== undefined && token.expires > Date.now() ? token.header : undefined;
    },
    answer: async (scope, header, sent) => {
      const challenge = parseChallenge(header);
      if (challenge === undefined) return false;
      // Another request was challenged first, and has the answer.
      const current = tokens.get(scope)?.header;
      if (current !== undefined && current !== sent) return true;
      if (challenge.scheme === 'basic') {
        if (basic === undefined || sent === basic) return false;
        tokens.set(scope, {header: basic, expires: Number.POSITIVE_INFINITY});
        return true;
      }
      // Many requests meet the same challenge at once; one token serves them all.
      const running =
        pending.get(scope) ?? fetchToken(scope, challenge).finally(() => pending.delete(scope));
      pending.set(scope, running);
      return running;
    },
  };
}
