import {isLoopback} from '../../image/reference.ts';
import {isPassing} from '../../util/retry.ts';
import type {HttpAnswer, HttpClient} from './http.ts';
import type {Credentials} from './types.ts';

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

/** What a 401 leads to. */
export type WayIn =
  | {readonly kind: 'in'; readonly header: string}
  /** There is none. */
  | {readonly kind: 'refused'}
  /** The token service cannot say now: its answer stands for the registry's. */
  | {readonly kind: 'trouble'; readonly answer: HttpAnswer};

/** What a request carries to be let in, and how to get a fresh one. */
export interface Authorizer {
  /** The header for this scope; undefined when nobody asked for one yet, or when it is used up. */
  headerFor(scope: string): string | undefined;
  /** Answers a 401 to a request that carried `sent`. @throws {Error} when the token service is no token service */
  answer(scope: string, challenge: string | undefined, sent: string | undefined): Promise<WayIn>;
}

interface Token {
  readonly header: string;
  readonly expires: number;
}

const refused: WayIn = {kind: 'refused'};

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
  const keep = (scope: string, header: string, milliseconds: number): WayIn => {
    tokens.set(scope, {header, expires: Date.now() + milliseconds});
    return {kind: 'in', header};
  };
  const fetchToken = async (scope: string, challenge: Challenge): Promise<WayIn> => {
    const url = tokenUrl(challenge, scope);
    if (url === undefined) return refused;
    const isSafe = url.protocol === 'https:' || (isLoopback(url.host) && isLoopback(host));
    const headers = basic !== undefined && isSafe ? {authorization: basic} : {};
    const answer = await http.send({
      method: 'GET',
      url,
      headers: {accept: 'application/json', ...headers},
    });
    const body = Buffer.from(answer.body).toString();
    if (isPassing(answer.status, body)) return {kind: 'trouble', answer};
    if (answer.status === 401 || answer.status === 403) return refused;
    if (answer.status !== 200)
      throw new Error(`the token service of ${host} answers ${answer.status}`);
    const {token, access_token, expires_in} = JSON.parse(body) as Record<string, unknown>;
    const value = typeof token === 'string' && token !== '' ? token : access_token;
    if (typeof value !== 'string') return refused;
    const seconds = typeof expires_in === 'number' ? expires_in : 60;
    // A little early: a token that ends on the way is a 401.
    return keep(scope, `Bearer ${value}`, Math.max(seconds - 10, seconds / 2) * 1000);
  };
  const headerFor: Authorizer['headerFor'] = (scope) => {
    const token = tokens.get(scope);
    return token !== undefined && token.expires > Date.now() ? token.header : undefined;
  };
  const pending = new Map<string, Promise<WayIn>>();
  return {
    headerFor,
    answer: async (scope, text, sent) => {
      const challenge = parseChallenge(text);
      if (challenge === undefined) return refused;
      // Another request was challenged first, and has the answer.
      const current = headerFor(scope);
      if (current !== undefined && current !== sent) return {kind: 'in', header: current};
      if (challenge.scheme === 'basic') {
        return basic === undefined || sent === basic
          ? refused
          : keep(scope, basic, Number.POSITIVE_INFINITY);
      }
      // Many requests meet the same challenge at once; one token serves them all.
      const running =
        pending.get(scope) ?? fetchToken(scope, challenge).finally(() => pending.delete(scope));
      pending.set(scope, running);
      return running;
    },
  };
}

function tokenUrl({parameters}: Challenge, scope: string): URL | undefined {
  const realm = parameters.get('realm');
  if (realm === undefined || !/^https?:/i.test(realm) || !URL.canParse(realm)) return undefined;
  const url = new URL(realm);
  const service = parameters.get('service');
  if (service !== undefined) url.searchParams.set('service', service);
  url.searchParams.set('scope', scope);
  return url;
}
