import {isLoopback} from '../../image/reference.ts';
import {isPassing} from '../../util/retry.ts';
import {type HttpAnswer, type HttpClient, sendFollowing, type Trust} from '../http/index.ts';
import {numberIn, parseJson, textIn} from './json.ts';
import {hostOf} from './network.ts';
import type {Credentials} from './types.ts';

/** One way in that a registry offers; the parameters' names are lower case. */
export interface Challenge {
  readonly scheme: 'basic' | 'bearer';
  readonly parameters: ReadonlyMap<string, string>;
}

/** How a registry is reached, found once a host. */
export interface Endpoint {
  /** `https://ghcr.io` */
  readonly origin: string;
  readonly trust: Trust;
  /** What `/v2/` offers to a caller without a login. */
  readonly challenges: readonly Challenge[];
}

/** A word, with its value where one follows: `Bearer`, `realm="…"`. */
const part = /[\s,]*([^\s,="]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?/gy;

/**
 * Reads `WWW-Authenticate`, where several challenges may stand in one header or in several. Schemes that are not known
 * here, such as Negotiate, are passed over.
 */
export function parseChallenges(header: string | undefined): readonly Challenge[] {
  const found: {scheme: string; parameters: Map<string, string>}[] = [];
  for (const [, word = '', quoted, plain] of (header ?? '').matchAll(part)) {
    const value = quoted?.replace(/\\(.)/g, '$1') ?? plain;
    if (value === undefined) found.push({scheme: word.toLowerCase(), parameters: new Map()});
    else found.at(-1)?.parameters.set(word.toLowerCase(), value);
  }
  return found.flatMap(({scheme, parameters}) =>
    scheme === 'basic' || scheme === 'bearer' ? [{scheme, parameters}] : [],
  );
}

/** What a request is to carry. */
export type Way =
  | {readonly kind: 'send'; readonly header: string | undefined}
  /** Nothing is left to try: the registry's own answer counts. */
  | {readonly kind: 'refused'}
  /** The answer of the token service counts, for good or for now. */
  | {
      readonly kind: 'token-service';
      readonly host: string;
      readonly answer: HttpAnswer;
      readonly words?: string;
    };

/** Authorizes one request: what to send first, and what to send after each 401. */
export interface Authorization {
  first(): Promise<Way>;
  next(refusal: HttpAnswer): Promise<Way>;
}

/** Keeps the tokens of one registry host, by scope, and the way that let a request in. */
export interface Authorizer {
  authorize(scope: string): Authorization;
  readonly isLoggedIn: boolean;
}

interface Token {
  readonly header: string;
  readonly expires: number;
}

/** Headers and scopes that one request tries. */
const mostTries = 8;

interface AuthorizerOptions {
  readonly host: string;
  readonly endpoint: Endpoint;
  readonly credentials: Credentials | undefined;
  readonly http: HttpClient;
}

/**
 * Credentials go to the registry itself, and to the token service that it names over https, or without where the
 * registry is that same host, or both are on this machine. They are sent with the first request: a registry may hide what
 * exists behind a 404.
 */
export function createAuthorizer({
  host,
  endpoint,
  credentials,
  http,
}: AuthorizerOptions): Authorizer {
  const tokens = new Map<string, Token>();
  const pending = new Map<string, Promise<Way>>();
  let identityToken = credentials?.identityToken;
  const hasPassword = credentials !== undefined && credentials.password !== '';
  const basic = hasPassword ? basicOf(credentials) : undefined;

  const askForToken = (url: URL, scope: string): Promise<HttpAnswer> => {
    const {trust} = endpoint;
    const mayKnow = isSafe(url, host, endpoint);
    const accept = {accept: 'application/json'};
    if (identityToken === undefined || !mayKnow) {
      for (const one of scope.split(' ')) url.searchParams.append('scope', one);
      const login = basic === undefined || !mayKnow ? {} : {authorization: basic};
      return sendFollowing(http, {method: 'GET', url, headers: {...accept, ...login}, trust});
    }
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: identityToken,
      service: url.searchParams.get('service') ?? '',
      scope,
      client_id: 'stack-action',
    });
    return sendFollowing(http, {
      method: 'POST',
      url,
      headers: {...accept, 'content-type': 'application/x-www-form-urlencoded'},
      body: Buffer.from(form.toString()),
      trust,
    });
  };

  const fetchToken = async (challenge: Challenge, scope: string): Promise<Way> => {
    const url = tokenUrl(challenge);
    if (url === undefined) return {kind: 'refused'};
    const answer = await askForToken(url, scope);
    const body = Buffer.from(answer.body).toString();
    const json = parseJson(body);
    const value = textIn(json, 'token') ?? textIn(json, 'access_token');
    if (answer.status !== 200 || value === undefined || !/^[!-~]+$/.test(value)) {
      // What is no token and no refusal is no token service's.
      const found = {kind: 'token-service', host: url.host} as const;
      if (answer.status >= 400) return {...found, answer};
      const words = `${answer.status} without a token`;
      return {...found, words, answer: {...answer, status: 502}};
    }
    if (identityToken !== undefined) identityToken = textIn(json, 'refresh_token') ?? identityToken;
    const seconds = numberIn(json, 'expires_in') ?? 60;
    const header = `Bearer ${value}`;
    // A little early: a token that ends on the way is a 401.
    const expires = Date.now() + Math.max(seconds - 10, seconds / 2) * 1000;
    tokens.set(scope, {header, expires});
    return {kind: 'send', header};
  };
  /** Many requests meet the same challenge at once; one token serves them all. */
  const shareToken = (challenge: Challenge, scope: string): Promise<Way> => {
    const running =
      pending.get(scope) ?? fetchToken(challenge, scope).finally(() => pending.delete(scope));
    pending.set(scope, running);
    return running;
  };
  const cached = (scope: string): string | undefined => {
    const token = tokens.get(scope);
    return token !== undefined && token.expires > Date.now() ? token.header : undefined;
  };

  const authorize = (scope: string): Authorization => {
    const tried = new Set<string>();
    let sent: string | undefined;
    const send = (header: string | undefined): Way => {
      sent = header;
      tried.add(header ?? '');
      return {kind: 'send', header};
    };
    /** Every scheme that is offered, in its order, until one has something that was not sent yet. */
    const choose = async (offered: readonly Challenge[]): Promise<Way> => {
      let verdict: Way = {kind: 'refused'};
      // Others may renew a token as fast as this request is refused.
      if (tried.size > mostTries) return verdict;
      for (const challenge of offered) {
        if (challenge.scheme === 'basic') {
          if (basic !== undefined && !tried.has(basic)) return send(basic);
          continue;
        }
        const wanted = challenge.parameters.get('scope') || scope;
        const current = cached(wanted);
        if (current !== undefined && !tried.has(current)) return send(current);
        if (tried.has(wanted)) continue;
        tried.add(wanted);
        const way = await shareToken(challenge, wanted);
        if (way.kind === 'send') return send(way.header);
        // A limit is waited for; after a refusal another scheme may do.
        if (way.kind === 'token-service') verdict = way;
        if (way.kind === 'token-service' && isPassing(way.answer.status, textOf(way.answer))) break;
      }
      return verdict;
    };
    return {
      first: async () => {
        if (credentials?.registryToken !== undefined)
          return send(`Bearer ${credentials.registryToken}`);
        const current = cached(scope);
        if (current !== undefined) return send(current);
        const ownScope = endpoint.challenges.map(({scheme, parameters}) => ({
          scheme,
          parameters: new Map([...parameters, ['scope', '']]),
        }));
        const way = await choose(ownScope);
        if (way.kind !== 'refused') return way;
        return send(endpoint.challenges.length === 0 ? basic : undefined);
      },
      next: (refusal) => {
        for (const [name, token] of tokens) if (token.header === sent) tokens.delete(name);
        const offered = parseChallenges(refusal.headers['www-authenticate']);
        return choose(offered.length > 0 ? offered : endpoint.challenges);
      },
    };
  };
  return {authorize, isLoggedIn: credentials !== undefined};
}

function basicOf({username, password}: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function textOf({body}: HttpAnswer): string {
  return Buffer.from(body).toString();
}

function isSafe(url: URL, host: string, {origin}: Endpoint): boolean {
  if (url.protocol === 'https:' || (isLoopback(url.host) && isLoopback(host))) return true;
  return origin.startsWith('http:') && hostOf(url.host) === hostOf(host);
}

function tokenUrl({parameters}: Challenge): URL | undefined {
  const realm = parameters.get('realm');
  if (realm === undefined || !/^https?:/i.test(realm) || !URL.canParse(realm)) return undefined;
  const url = new URL(realm);
  const service = parameters.get('service');
  if (service !== undefined) url.searchParams.set('service', service);
  return url;
}
