import {type Failure, fail, failure} from '../../failure.ts';
import {isPassing, isRateLimit} from '../../util/retry.ts';
import {codeOf, isCertificateError} from '../http/index.ts';
import {objectsIn, parseJson, textIn} from './json.ts';
import {hub} from './network.ts';

/** What a request was about, for the words of its failure. */
interface Asked {
  readonly method: string;
  readonly ref: string;
}

/** A request that failed for good; `status` is undefined when there was no answer. */
export interface Trouble {
  readonly status: number | undefined;
  readonly body: string;
  /** As {@link wordsOf} gives it, with why it was given up. */
  readonly what: string;
  readonly host: string;
  /** Where the login that was sent comes from; undefined when none is known. */
  readonly login: string | undefined;
  /** Why there is no login. */
  readonly problem?: string | undefined;
  /** The token service that answered instead of the registry. */
  readonly tokenService: string | undefined;
  /** The password itself was sent, not a token for one repository. */
  readonly isBasic?: boolean;
}

/** Registries that keep a tag as it is say so with 400 (Quay, ECR), 403, 409 or 412. */
const immutable = /TAG_INVALID|immutable|cannot be overwritten|already exists/i;

/** The class of a failed request, and what to do about it. */
export function registryFailure({method, ref}: Asked, trouble: Trouble): Failure {
  const {status, body, what, tokenService, login, isBasic} = trouble;
  const cause = {kind: 'http', request: `${method} ${ref}`, status} as const;
  const speaker = tokenService === undefined ? 'the registry' : `the token service ${tokenService}`;
  const isLogin = login !== undefined && (tokenService !== undefined || isBasic === true);
  // A wrong password is the same for every reference on the host.
  const subject = status === 401 && isLogin ? trouble.host : ref;
  const message = `${subject}: ${speaker} returned ${what}.`;
  if (status === undefined) {
    const unreachable = `${ref}: the registry cannot be reached: ${what}.`;
    return failure('registry-unavailable', unreachable, {cause});
  }
  if (isRateLimit(status, body)) {
    const hint = 'The registry is rate limiting requests. Log in, or re-run the job later.';
    return failure('rate-limit', message, {cause, hint});
  }
  if (isPassing(status, body) || status >= 500)
    return failure('registry-unavailable', message, {cause});
  if (status === 401 || tokenService !== undefined)
    return failure('auth', message, {cause, hint: loginHint(trouble)});
  if (status === 409 || immutable.test(body)) {
    const hint =
      'The registry does not allow this tag to be moved. Use another tag, or allow it in the settings of the repository.';
    return failure('tag-conflict', message, {cause, hint});
  }
  if (status === 403) {
    const wish = method === 'GET' || method === 'HEAD' ? 'read from' : 'push to';
    return failure('permission', message, {cause, hint: permissionHint(trouble, wish)});
  }
  return failure(status === 404 ? 'not-found' : 'registry-inconsistent', message, {cause});
}

/** Whose login was refused; without one, how to give it. */
function loginHint({host, login, problem}: Trouble): string {
  if (problem !== undefined) return `There is no login for ${host}, because ${problem}`;
  if (login === undefined) {
    return `No login for ${host} was found: set the inputs "registry", "username" and "password", or log in before this step (docker/login-action).`;
  }
  if (login.startsWith('the input')) {
    const more =
      host === 'ghcr.io'
        ? 'the job needs "permissions: packages: write", and the package must grant this repository access (package settings, Manage Actions access)'
        : `the token may have expired, or be for another registry than ${host}`;
    return `Check ${login}; ${more}.`;
  }
  return `The login for ${host} comes from ${login}. Log in again, or set the inputs "registry", "username" and "password".`;
}

export function permissionHint(
  {host, login}: Pick<Trouble, 'host' | 'login'>,
  wish: 'read from' | 'push to' = 'push to',
): string {
  if (host === 'ghcr.io') {
    return 'The job needs "permissions: packages: write", and the package must grant this repository access (package settings, Manage Actions access).';
  }
  const name = host === hub ? 'Docker Hub' : host;
  const whose =
    login === undefined ? `No login for ${name} was found.` : `The login comes from ${login}.`;
  return `${whose} The account or token needs permission to ${wish} this repository on ${name} (on a registry of GitHub: "permissions: packages: ${wish === 'push to' ? 'write' : 'read'}", and the package linked to this repository).`;
}

/** The run was cancelled while the registry was asked. */
export function cancelledFailure(subject: string): Failure {
  return failure(
    'cancelled',
    `${subject}: the run was cancelled during a request to the registry.`,
  );
}

/** No way to a host: one sentence for all references on it. */
export function hostFailure(host: string, error: Error, isCancelled: boolean): Failure {
  if (isCancelled) return cancelledFailure(host);
  const cause = {kind: 'http', request: `GET ${host}/v2/`, status: undefined} as const;
  const code = codeOf(error) ?? '';
  const make = (what: string, hint: string): Failure =>
    failure('registry-unavailable', `${host}: ${what}.`, {cause, hint});
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return make(
      `the name of the registry cannot be resolved (${code})`,
      'Check the spelling of the registry in image names, FROM lines and the input "registry"; behind a proxy, set HTTPS_PROXY.',
    );
  }
  if (isCertificateError(error)) {
    const what = error.message.split(';')[0];
    return make(
      `the certificate of the registry is not trusted: ${what} (${code})`,
      `Put the certificate of its authority into /etc/docker/certs.d/${host}/ca.crt, as docker needs it too, or into the system's store.`,
    );
  }
  if (isTlsError(error)) {
    return make(
      `the registry does not speak TLS (${code})`,
      `For a registry with plain HTTP, add "${host}" to "insecure-registries" in /etc/docker/daemon.json.`,
    );
  }
  if (code === 'ERR_PROXY_TUNNEL' || code === refusedByProxy) {
    return make(
      `the proxy refused the connection: ${withoutPassword(error.message)}`,
      'Check HTTPS_PROXY, or add the host to NO_PROXY.',
    );
  }
  if (code === invalidProxy) {
    return make(
      `the proxy cannot be used: ${withoutPassword(error.message)}`,
      'Set HTTPS_PROXY to an address such as http://proxy.example:3128, or add the host to NO_PROXY.',
    );
  }
  return make(
    `the registry cannot be reached: ${withoutPassword(wordsOf(error, ''))}`,
    'Check that it is running and that this machine can connect to it, then re-run the job.',
  );
}

/** Node's code for an address that names no proxy. */
const invalidProxy = 'ERR_PROXY_INVALID_CONFIG';
/** Our own, for a SOCKS proxy that will refuse the next attempt too. */
const refusedByProxy = 'ERR_PROXY_REFUSED';

/** What will be the same a second later: a name that is not there, a certificate, another protocol. */
export function isFinal(error: Error): boolean {
  const isRefused =
    codeOf(error) === 'ERR_PROXY_TUNNEL' && / HTTP\/1\.\d 4\d\d/.test(error.message);
  const isUnnamed = codeOf(error) === 'ENOTFOUND';
  return (
    isUnnamed ||
    isRefused ||
    codeOf(error) === invalidProxy ||
    codeOf(error) === refusedByProxy ||
    isCertificateError(error) ||
    isTlsError(error)
  );
}

function isTlsError(error: Error): boolean {
  const code = codeOf(error) ?? '';
  return (code === 'EPROTO' || code.startsWith('ERR_SSL_')) && !/ECONNRESET/.test(error.message);
}

const unreachableCodes: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

/** Nobody is there to answer. */
export function isUnreachable(error: Error): boolean {
  return unreachableCodes.has(codeOf(error) ?? '');
}

/** The registry shows something that it must not. */
export function inconsistent(
  method: string,
  ref: string,
  what: string,
): {readonly ok: false; readonly error: Failure} {
  return fail(
    failure('registry-inconsistent', `${ref}: the registry returned ${what}.`, {
      cause: {kind: 'http', request: `${method} ${ref}`, status: undefined},
    }),
  );
}

const longestDetail = 300;

/** `403 DENIED: permission_denied`, or why there was no answer. */
export function wordsOf(answer: Error | {readonly status: number}, body: string): string {
  if (answer instanceof Error) return answer.message || codeOf(answer) || 'no answer';
  const [first = {}] = objectsIn(parseJson(body), 'errors');
  const [code, text] = [textIn(first, 'code'), textIn(first, 'message')];
  const detail = [code, text].filter((one) => one !== undefined).join(': ');
  return `${answer.status} ${detail.slice(0, longestDetail)}`.trim();
}

/** Addresses of proxies may hold one. */
function withoutPassword(text: string): string {
  return text.replace(/\/\/[^@/\s]*@/g, '//');
}
