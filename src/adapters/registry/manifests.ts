import {createHash} from 'node:crypto';
import {type Failure, fail, failure, ok, type Result, sentenceOf} from '../../failure.ts';
import {parseReference} from '../../image/reference.ts';
import {labels} from '../../image/tags.ts';
import {inconsistent} from './failure.ts';
import {
  type Json,
  numberIn,
  objectIn,
  objectsIn,
  parseJson,
  textEntries,
  textIn,
  textsIn,
} from './json.ts';
import type {RegistryAnswer, SendToRegistry} from './request.ts';
import type {Lookup, ManifestLookup, Presence, Published, RawManifest, Registry} from './types.ts';

/** What this run learned of a registry's ways. */
export interface Memory {
  /** References whose HEAD did not say that they are there: the next question is a GET at once. */
  readonly withoutHead: Set<string>;
  /** Repositories that a push would be let into. */
  readonly pushable: Set<string>;
}

export interface Reader {
  readonly send: SendToRegistry;
  readonly memory: Memory;
}

/** Manifest and config of an image; of an index, those of its first real image. No layer. */
export async function inspectImage(reader: Reader, ref: string): Promise<Lookup> {
  const top = await fetchManifest(reader, ref);
  if (top.state !== 'present') return withoutFailure(top);
  const unknown = (because: string): Lookup => ({state: 'unknown', because: `${ref}: ${because}`});
  const one = await firstImage(reader, ref, top);
  if (one === undefined) return unknown('its index lists no image');
  if (one.state === 'unknown') return {state: 'unknown', because: one.because};
  if (one.state === 'absent') return unknown('its index lists an image that does not exist');
  const parsed = parseJson(one.bytes);
  const configDigest = textIn(objectIn(parsed, 'config'), 'digest');
  if (configDigest === undefined || !digestPattern.test(configDigest))
    return unknown('its manifest cannot be read');
  const config = await fetchBlob(reader.send, ref, configDigest);
  if (!config.ok) return {state: 'unknown', because: sentenceOf(config.error)};
  const own = readConfig(config.value);
  return {
    ...own,
    state: 'present',
    digest: top.digest,
    mediaType: top.mediaType,
    bytes: top.bytes,
    configDigest,
    size: objectsIn(parsed, 'layers').reduce((sum, one) => sum + (numberIn(one, 'size') ?? 0), 0),
    labels: new Map([...own.labels, ...ownAnnotations(top)]),
  };
}

/** An index that the action put together says of the whole what the labels of its images say of one platform. */
function ownAnnotations({bytes, mediaType}: RawManifest): readonly (readonly [string, string])[] {
  if (!indexTypes.includes(mediaType)) return [];
  const all = textEntries(objectIn(parseJson(bytes), 'annotations'));
  return [...all].filter(([name]) => name.startsWith('edu.ucsd.ets.stack.'));
}

function withoutFailure(
  found: Exclude<ManifestLookup, {state: 'present'}>,
): Exclude<Presence, {state: 'present'}> {
  if (found.state === 'absent') return found;
  const {state, because, isDenied} = found;
  return {state, because, ...(isDenied === undefined ? {} : {isDenied})};
}

/** The manifest itself, or the first real image of an index, this platform's first. */
async function firstImage(
  reader: Reader,
  ref: string,
  top: RawManifest & {readonly state: 'present'},
): Promise<ManifestLookup | undefined> {
  if (!indexTypes.includes(top.mediaType)) return top;
  const images = objectsIn(parseJson(top.bytes), 'manifests').filter(
    (one) => textIn(objectIn(one, 'annotations'), 'vnd.docker.reference.type') === undefined,
  );
  const isNative = (one: Json): boolean => {
    const platform = objectIn(one, 'platform');
    return textIn(platform, 'os') === 'linux' && textIn(platform, 'architecture') === 'amd64';
  };
  const digest = textIn(images.find(isNative) ?? images[0] ?? {}, 'digest');
  if (digest === undefined || !digestPattern.test(digest)) return undefined;
  return await fetchManifest(reader, `${ref.split('@')[0]}@${digest}`);
}

function platformOf(config: Json): string | undefined {
  const parts = ['os', 'architecture', 'variant'].map((key) => textIn(config, key));
  const [os, architecture] = parts;
  return os === undefined || architecture === undefined
    ? undefined
    : parts.filter((part) => part !== undefined).join('/');
}

function readConfig(
  bytes: Uint8Array,
): Pick<Published, 'labels' | 'diffIds' | 'platform' | 'created' | 'buildSeconds'> {
  const config = parseJson(bytes);
  const found = new Map(textEntries(objectIn(objectIn(config, 'config'), 'Labels')));
  const began = Date.parse(found.get(labels.created) ?? '');
  const ended = Date.parse(textIn(config, 'created') ?? '');
  const seconds = (ended - began) / 1000;
  return {
    labels: found,
    ...(Number.isNaN(ended) ? {} : {created: ended}),
    platform: platformOf(config),
    diffIds: textsIn(objectIn(config, 'rootfs'), 'diff_ids'),
    // A build that came from the cache ended long before it began.
    buildSeconds: seconds > 0 ? seconds : undefined,
  };
}

/** Media types that stand for several images. */
export const indexTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];
export const imageType = 'application/vnd.oci.image.manifest.v1+json';
const manifestTypes = [
  ...indexTypes,
  imageType,
  'application/vnd.docker.distribution.manifest.v2+json',
];
const accept = {accept: manifestTypes.join(', ')};

/** Below the repository: by digest where the reference has one. */
export function manifestPath(ref: string): string {
  const reference = parseReference(ref);
  return `manifests/${reference?.digest ?? reference?.tag ?? 'latest'}`;
}

/**
 * Asks without the body. Only "it is there, with this digest" is believed: some registries answer HEAD with 404 or
 * 405 where GET finds the manifest, so everything else is asked again with GET.
 */
export async function headManifest(reader: Reader, ref: string, once: boolean): Promise<Presence> {
  const {send, memory} = reader;
  if (!memory.withoutHead.has(ref)) {
    const path = manifestPath(ref);
    const question = {ref, path, access: 'pull', headers: accept, once} as const;
    const sent = await send({...question, method: 'HEAD', isFastPath: true});
    if (!sent.ok && isNoAnswer(sent))
      return withoutFailure(refusedLookup(sent, memory.pushable.has(repositoryKey(ref))));
    const digest = sent.ok ? sent.answer.headers['docker-content-digest'] : undefined;
    if (sent.ok && sent.answer.status === 200 && digest !== undefined && digestPattern.test(digest))
      return {state: 'present', digest};
    memory.withoutHead.add(ref);
  }
  const found = await fetchManifest(reader, ref, once);
  if (found.state === 'present') return {state: 'present', digest: found.digest};
  return withoutFailure(found);
}

/** Silence and limits were waited for already, and a refused login stays so: a GET would meet the same. */
function isNoAnswer({
  status,
  error,
  isTokenRefused,
}: Extract<RegistryAnswer, {ok: false}>): boolean {
  return status === undefined || status === 503 || error.class === 'rate-limit' || isTokenRefused;
}

/** The bytes, held against the digest that the registry, or the reference, promises. */
export async function fetchManifest(
  {send, memory}: Reader,
  ref: string,
  once = false,
): Promise<ManifestLookup> {
  const path = manifestPath(ref);
  const ask = (access: 'pull' | 'pull,push'): Promise<RegistryAnswer> =>
    send({method: 'GET', ref, path, access, headers: accept, once});
  let sent = await ask('pull');
  // Docker Hub shows a repository that does not exist yet only to a token that may push.
  if (!sent.ok && sent.isDenied && sent.scheme === 'bearer' && !sent.isTokenRefused && !once) {
    const again = await ask('pull,push');
    if (again.ok) sent = again;
  }
  if (!sent.ok) return refusedLookup(sent, memory.pushable.has(repositoryKey(ref)));
  const {status, headers, body} = sent.answer;
  if (status === 404 && isAbsence(sent)) return {state: 'absent'};
  const mediaType = typeOf(headers['content-type'], body);
  if (status !== 200 || mediaType === undefined)
    return unknown(ref, `${status} ${headers['content-type'] ?? ''} instead of a manifest`);
  const digest = sha256(body);
  const promised = parseReference(ref)?.digest ?? headers['docker-content-digest'] ?? digest;
  if (promised === digest) return {state: 'present', bytes: body, mediaType, digest};
  return unknown(ref, `bytes of ${digest} instead of ${promised}`);
}

function refusedLookup(
  {error, isDenied}: Extract<RegistryAnswer, {ok: false}>,
  mayPush: boolean,
): Exclude<ManifestLookup, {state: 'present'}> {
  if (isDenied && mayPush) return {state: 'absent', because: `${error.message} A push is allowed.`};
  const because = sentenceOf(error);
  return {state: 'unknown', because, failure: error, ...(isDenied ? {isDenied} : {})};
}

/** The repository of a reference, however its host is spelled. */
export function repositoryKey(ref: string): string {
  const reference = parseReference(ref);
  return `${reference?.registry}/${reference?.repository}`;
}

/** What registries say when they do not know it; `NOT_FOUND` is Harbor's word, Artifactory has none but the status. */
const absenceCodes: ReadonlySet<unknown> = new Set([
  'MANIFEST_UNKNOWN',
  'NAME_UNKNOWN',
  'TAG_UNKNOWN',
  'REPOSITORY_UNKNOWN',
  'NOT_FOUND',
]);

/** A page in the way of the registry says 404 too, and a registry may say it to a caller that it does not know. */
function isAbsence({answer, isLoggedIn}: Extract<RegistryAnswer, {ok: true}>): boolean {
  const errors = objectsIn(parseJson(answer.body), 'errors');
  if (errors.some((one) => absenceCodes.has(one['code']))) return true;
  if (!isLoggedIn) return false;
  const isEmpty = answer.body.length === 0 && !/^text\//.test(answer.headers['content-type'] ?? '');
  return isEmpty || errors.some((one) => one['status'] === 404);
}

/** As the registry says it, else as the manifest itself does; undefined for what is no manifest. */
function typeOf(header: string | undefined, body: Uint8Array): string | undefined {
  const said = header?.split(';')[0]?.trim().toLowerCase();
  const isUntyped = said === undefined || /^application\/(?:json|octet-stream)$/.test(said);
  const written = isUntyped ? textIn(parseJson(body), 'mediaType') : undefined;
  return manifestTypes.find((type) => type === said || type === written);
}

/** A blob, held against its digest. */
export async function fetchBlob(
  send: SendToRegistry,
  ref: string,
  digest: string,
  limit?: number,
): Promise<Result<Uint8Array>> {
  const path = `blobs/${digest}`;
  const size = limit === undefined ? {} : {limit};
  const sent = await send({method: 'GET', ref, path, access: 'pull', ...size});
  if (!sent.ok) return fail(sent.error);
  const {status, body} = sent.answer;
  const subject = `${ref}: the blob ${digest}`;
  if (status === 404) return fail(blobFailure('not-found', `${subject} does not exist.`));
  if (status !== 200) return inconsistent('GET', ref, `${status} for the blob ${digest}`);
  if (sha256(body) === digest) return ok(body);
  return fail(blobFailure('registry-inconsistent', `${subject} has another digest.`));
}

function blobFailure(kind: 'not-found' | 'registry-inconsistent', message: string): Failure {
  return failure(kind, message);
}

const pageSize = 1000;
/** More than any registry of people holds; a list without an end must not hang a run. */
const mostPages = 200;

/** Page by page, as the header `Link` leads; only its path is believed, for a proxy may not know the outer address. */
export async function fetchTags(
  send: SendToRegistry,
  repository: string,
): ReturnType<Registry['tags']> {
  const tags = new Set<string>();
  let query = `?n=${pageSize}`;
  for (let page = 0; page < mostPages; page++) {
    const path = `tags/list${query}`;
    const sent = await send({method: 'GET', ref: repository, path, access: 'pull'});
    if (!sent.ok) return fail(sent.error);
    if (sent.answer.status === 404 && isAbsence(sent)) return ok([...tags]);
    if (sent.answer.status !== 200)
      return inconsistent('GET', repository, `${sent.answer.status} for its list of tags`);
    for (const tag of textsIn(parseJson(sent.answer.body), 'tags')) tags.add(tag);
    const next = /<([^>]*)>\s*;[^,]*\brel="?next"?/i.exec(sent.answer.headers['link'] ?? '')?.[1];
    const following = next === undefined ? '' : next.slice(next.indexOf('?'));
    if (!following.startsWith('?') || following === query) return ok([...tags]);
    query = following;
  }
  return inconsistent('GET', repository, `a list of tags without an end (${mostPages} pages)`);
}

export function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

const digestPattern = /^sha256:[0-9a-f]{64}$/;

function unknown(ref: string, what: string): ManifestLookup {
  const {error} = inconsistent('GET', ref, what);
  return {state: 'unknown', because: error.message, failure: error};
}
