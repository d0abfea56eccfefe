import {labels} from '../../image/tags.ts';
import type {ManifestLookup, RawManifest} from '../docker/ports.ts';
import {fetchManifest, indexTypes, sha256} from './registry-manifest.ts';
import type {SendToRegistry} from './request.ts';
import type {Lookup, Published} from './types.ts';

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
  if (!sent.ok) return {state: 'unknown', because: sent.failure.message};
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
