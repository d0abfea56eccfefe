import {createHash} from 'node:crypto';
import {parseReference} from '../../image/reference.ts';
import {labels} from '../../image/tags.ts';
import {inconsistent} from './failure.ts';
import type {SendToRegistry} from './request.ts';
import type {Lookup, ManifestLookup, Presence, Published, RawManifest} from './types.ts';

interface Descriptor {
  readonly digest: string;
  readonly size?: number;
  readonly platform?: {readonly os?: string; readonly architecture?: string};
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Manifest and config of an image; of an index, those of its first real image. No layer. */
export async function inspectImage(send: SendToRegistry, ref: string): Promise<Lookup> {
  const top = await fetchManifest(send, ref);
  if (top.state !== 'present')
    return top.state === 'absent' ? top : {state: 'unknown', because: top.because};
  const unknown = (because: string): Lookup => ({state: 'unknown', because: `${ref}: ${because}`});
  const one = await firstImage(send, ref, top);
  if (one === undefined) return unknown('its index names no image');
  if (one.state === 'unknown') return {state: 'unknown', because: one.because};
  if (one.state === 'absent') return unknown('its index names an image that is not there');
  const parsed = parseJson<{config?: Descriptor; layers?: readonly Descriptor[]}>(one.bytes);
  const config = parsed?.config;
  if (parsed === undefined || config === undefined) return unknown('its manifest cannot be read');
  const sent = await send({method: 'GET', ref, path: `blobs/${config.digest}`, access: 'pull'});
  if (!sent.ok) return {state: 'unknown', because: sent.error.message};
  if (sent.answer.status !== 200) return unknown('its config is not there');
  if (sha256(sent.answer.body) !== config.digest) return unknown('its config has another digest');
  return {
    state: 'present',
    digest: top.digest,
    mediaType: top.mediaType,
    bytes: top.bytes,
    configDigest: config.digest,
    size: (parsed.layers ?? []).reduce((sum, layer) => sum + (layer.size ?? 0), 0),
    ...readConfig(sent.answer.body),
  };
}

/** The manifest itself, or the first real image of an index, this platform's first. */
async function firstImage(
  send: SendToRegistry,
  ref: string,
  top: RawManifest & {readonly state: 'present'},
): Promise<ManifestLookup | undefined> {
  if (!indexTypes.includes(top.mediaType)) return top;
  const {manifests = []} = parseJson<{manifests?: readonly Descriptor[]}>(top.bytes) ?? {};
  const images = manifests.filter(
    ({annotations}) => annotations?.['vnd.docker.reference.type'] === undefined,
  );
  const native =
    images.find(({platform}) => platform?.os === 'linux' && platform.architecture === 'amd64') ??
    images[0];
  return native && fetchManifest(send, `${ref.split('@')[0]}@${native.digest}`);
}

interface ImageConfig {
  readonly created?: string;
  readonly config?: {readonly Labels?: Readonly<Record<string, string>> | null};
  readonly rootfs?: {readonly diff_ids?: readonly string[]};
}

function readConfig(bytes: Uint8Array): Pick<Published, 'labels' | 'diffIds' | 'buildSeconds'> {
  const config = parseJson<ImageConfig>(bytes);
  const found = new Map(Object.entries(config?.config?.Labels ?? {}));
  const began = Date.parse(found.get(labels.created) ?? '');
  const ended = Date.parse(config?.created ?? '');
  const seconds = (ended - began) / 1000;
  return {
    labels: found,
    diffIds: config?.rootfs?.diff_ids ?? [],
    // A build that came from the cache ended long before it began.
    buildSeconds: seconds > 0 ? seconds : undefined,
  };
}

function parseJson<T>(bytes: Uint8Array): T | undefined {
  try {
    return JSON.parse(Buffer.from(bytes).toString()) as T;
  } catch {
    return undefined;
  }
}

/** Media types that stand for several images. */
export const indexTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];
const manifestTypes = [
  ...indexTypes,
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];
const accept = {accept: manifestTypes.join(', ')};

/** Below the repository: by digest where the reference has one. */
export function manifestPath(ref: string): string {
  const reference = parseReference(ref);
  return `manifests/${reference?.digest ?? reference?.tag ?? 'latest'}`;
}

/** Asks without the body; an answer without a digest, or that may be no registry's, is asked again with it. */
export async function headManifest(
  send: SendToRegistry,
  ref: string,
  once: boolean,
): Promise<Presence> {
  const sent = await send({
    method: 'HEAD',
    ref,
    path: manifestPath(ref),
    access: 'pull',
    headers: accept,
    once,
  });
  if (!sent.ok) return {state: 'unknown', because: sent.error.message};
  const {status, headers} = sent.answer;
  if (status === 404 && !isPage(headers['content-type'])) return {state: 'absent'};
  const digest = headers['docker-content-digest'];
  if (status === 200 && digest !== undefined && digestPattern.test(digest))
    return {state: 'present', digest};
  const found = await fetchManifest(send, ref);
  return found.state === 'present' ? {state: 'present', digest: found.digest} : found;
}

/** The bytes, held against the digest that the registry, or the reference, promises. */
export async function fetchManifest(send: SendToRegistry, ref: string): Promise<ManifestLookup> {
  const sent = await send({
    method: 'GET',
    ref,
    path: manifestPath(ref),
    access: 'pull',
    headers: accept,
  });
  if (!sent.ok) return {state: 'unknown', because: sent.error.message, failure: sent.error};
  const {status, headers, body} = sent.answer;
  if (status === 404 && absence.test(Buffer.from(body).toString())) return {state: 'absent'};
  const mediaType = typeOf(headers['content-type'], body);
  if (status !== 200 || mediaType === undefined)
    return unknown(ref, `${status} ${headers['content-type'] ?? ''} where a manifest should be`);
  const digest = sha256(body);
  const promised = parseReference(ref)?.digest ?? headers['docker-content-digest'] ?? digest;
  if (promised === digest) return {state: 'present', bytes: body, mediaType, digest};
  return unknown(ref, `bytes of ${digest} where it promised ${promised}`);
}

/** As the registry says it, else as the manifest itself does; undefined for what is no manifest. */
function typeOf(header: string | undefined, body: Uint8Array): string | undefined {
  const said = header?.split(';')[0]?.trim().toLowerCase();
  const own = /"mediaType"\s*:\s*"([^"]+)"/g;
  const written = [...Buffer.from(body).toString().matchAll(own)].map((found) => found[1]);
  const isJson = said === undefined || said === 'application/json';
  return manifestTypes.find((type) => type === said || (isJson && written.includes(type)));
}

export function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

const digestPattern = /^sha256:[0-9a-f]{64}$/;

/** What a registry says when it knows nothing of it (RELIABILITY.md 2d.4); `NOT_FOUND` is Harbor's word. */
const absence = /"code"\s*:\s*"(?:MANIFEST_UNKNOWN|NAME_UNKNOWN|TAG_UNKNOWN|NOT_FOUND)"/;

/** A page in the way of the registry says 404 too. */
function isPage(type: string | undefined): boolean {
  return type?.startsWith('text/') === true;
}

function unknown(ref: string, what: string): ManifestLookup {
  const {error: failure} = inconsistent('GET', ref, what);
  return {state: 'unknown', because: failure.message, failure};
}
