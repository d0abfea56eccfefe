import {createHash} from 'node:crypto';
import {setTimeout as sleep} from 'node:timers/promises';
import {labels} from '../core/names.ts';
import {parseReference} from '../core/references.ts';
import type {Failure, Lookup, Presence, Published, Result} from '../core/types.ts';
import type {ManifestLookup, RawManifest, Registry} from '../ports.ts';
import {createHttpClient} from './registry-http.ts';
import {createSender, type RegistryOptions, type SendToRegistry} from './registry-request.ts';

const indexTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];
const manifestTypes = [
  ...indexTypes,
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];
const accept = {accept: manifestTypes.join(', ')};

/** GHCR may show a tag some time after it was put. */
const longestLag = 60_000;

/** The registry over HTTP: manifests and configs, never a layer. */
export function createRegistry(options: RegistryOptions): Registry {
  const http = createHttpClient(options.signal);
  const send = createSender(http, options);
  const manifest = (ref: string) => fetchManifest(send, ref);
  const head: Registry['head'] = (ref, {once = false} = {}) => headTag(send, ref, once);
  return {
    head,
    manifest,
    inspect: (ref) => inspect(send, ref),
    put: async (ref, {bytes, mediaType, digest}) => {
      const sent = await send({
        method: 'PUT',
        ref,
        path: manifestPath(ref),
        access: 'pull,push',
        headers: {'content-type': mediaType},
        body: bytes,
      });
      if (!sent.ok) return await alreadyThere(head, ref, digest, sent.failure);
      const shown = sent.answer.headers['docker-content-digest'];
      if (sent.answer.status < 300 && (shown === undefined || shown === digest))
        return {ok: true, value: undefined};
      return refused('PUT', ref, `${sent.answer.status}, and not ${digest}`);
    },
    deleteTag: async (ref) => {
      const tag = parseReference(ref)?.tag;
      if (tag === undefined) throw new Error(`Internal error: ${ref} names no tag to delete`);
      const sent = await send({
        method: 'DELETE',
        ref,
        path: `manifests/${tag}`,
        access: 'pull,push',
      });
      if (sent.ok) return {ok: true, value: sent.answer.status === 202};
      const {failure} = sent;
      const cannot =
        failure.reason === 'registry' && (failure.status === 400 || failure.status === 405);
      return cannot ? {ok: true, value: false} : sent;
    },
    waitForDigest: (ref, digest) => waitForDigest(head, ref, digest),
    close: async () => http.close(),
  };
}

function manifestPath(ref: string): string {
  const reference = parseReference(ref);
  return `manifests/${reference?.digest ?? reference?.tag ?? 'latest'}`;
}

async function headTag(send: SendToRegistry, ref: string, once: boolean): Promise<Presence> {
  const sent = await send({
    method: 'HEAD',
    ref,
    path: manifestPath(ref),
    access: 'pull',
    headers: accept,
    once,
  });
  if (!sent.ok) return {state: 'unknown', because: sent.failure.message};
  if (sent.answer.status === 404) return {state: 'absent'};
  const digest = sent.answer.headers['docker-content-digest'];
  if (digest !== undefined) return {state: 'present', digest};
  const found = await fetchManifest(send, ref);
  return found.state === 'present' ? {state: 'present', digest: found.digest} : found;
}

async function fetchManifest(send: SendToRegistry, ref: string): Promise<ManifestLookup> {
  const sent = await send({
    method: 'GET',
    ref,
    path: manifestPath(ref),
    access: 'pull',
    headers: accept,
  });
  if (!sent.ok) return {state: 'unknown', because: sent.failure.message, failure: sent.failure};
  const {status, headers, body} = sent.answer;
  if (status === 404) return {state: 'absent'};
  const digest = `sha256:${createHash('sha256').update(body).digest('hex')}`;
  const promised = parseReference(ref)?.digest ?? headers['docker-content-digest'] ?? digest;
  if (promised === digest)
    return {state: 'present', bytes: body, mediaType: headers['content-type'] ?? '', digest};
  const {failure} = refused('GET', ref, `bytes of ${digest} where it promised ${promised}`);
  return {state: 'unknown', because: failure.message, failure};
}

interface Descriptor {
  readonly digest: string;
  readonly size?: number;
  readonly platform?: {readonly os?: string; readonly architecture?: string};
  readonly annotations?: Readonly<Record<string, string>>;
}

async function inspect(send: SendToRegistry, ref: string): Promise<Lookup> {
  const top = await fetchManifest(send, ref);
  if (top.state !== 'present')
    return top.state === 'absent' ? top : {state: 'unknown', because: top.because};
  const unknown = (because: string): Lookup => ({state: 'unknown', because: `${ref}: ${because}`});
  const one = await firstImage(send, ref, top);
  if (one?.state !== 'present') return unknown('its index names an image that is not there');
  const parsed = parseJson<{config?: Descriptor; layers?: readonly Descriptor[]}>(one.bytes);
  const config = parsed?.config;
  if (parsed === undefined || config === undefined) return unknown('its manifest cannot be read');
  const sent = await send({method: 'GET', ref, path: `blobs/${config.digest}`, access: 'pull'});
  if (!sent.ok) return {state: 'unknown', because: sent.failure.message};
  if (sent.answer.status !== 200) return unknown('its config is not there');
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

/** An immutable tag refuses the PUT of what it already has: then nothing is wrong. */
async function alreadyThere(
  head: (ref: string) => Promise<Presence>,
  ref: string,
  digest: string,
  failure: Failure,
): Promise<Result<void>> {
  if (failure.reason !== 'registry' || failure.status === undefined || failure.status >= 500)
    return {ok: false, failure};
  const now = await head(ref);
  return now.state === 'present' && now.digest === digest
    ? {ok: true, value: undefined}
    : {ok: false, failure};
}

async function waitForDigest(
  head: (ref: string) => Promise<Presence>,
  ref: string,
  digest: string,
): Promise<Result<void>> {
  const end = Date.now() + longestLag;
  for (let pause = 200; ; pause = Math.min(pause * 2, 5000)) {
    const now = await head(ref);
    if (now.state === 'present' && now.digest === digest) return {ok: true, value: undefined};
    if (Date.now() + pause > end) {
      const shown = now.state === 'present' ? now.digest : now.state;
      const failure = refused('HEAD', ref, `${shown} where ${digest} was put`).failure;
      return {
        ok: false,
        failure: {
          ...failure,
          class: now.state === 'present' ? 'tag-conflict' : 'registry-inconsistent',
        },
      };
    }
    await sleep(pause);
  }
}

function refused(method: string, ref: string, what: string): {ok: false; failure: Failure} {
  return {
    ok: false,
    failure: {
      reason: 'registry',
      class: 'registry-inconsistent',
      request: `${method} ${ref}`,
      status: undefined,
      message: `${ref}: the registry shows ${what}.`,
      tail: [],
    },
  };
}
