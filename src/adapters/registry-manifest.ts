import {createHash} from 'node:crypto';
import type {Presence} from '../core/lookups.ts';
import type {Failure} from '../core/outcomes.ts';
import {parseReference} from '../core/references.ts';
import type {ManifestLookup} from '../ports.ts';
import type {SendToRegistry} from './registry-request.ts';

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

/** Asks without the body; a registry that answers without a digest is asked again with it. */
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
  if (!sent.ok) return {state: 'unknown', because: sent.failure.message};
  if (sent.answer.status === 404) return {state: 'absent'};
  const digest = sent.answer.headers['docker-content-digest'];
  if (digest !== undefined) return {state: 'present', digest};
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
  if (!sent.ok) return {state: 'unknown', because: sent.failure.message, failure: sent.failure};
  const {status, headers, body} = sent.answer;
  if (status === 404) return absent(ref, headers['content-type']);
  const digest = `sha256:${createHash('sha256').update(body).digest('hex')}`;
  const promised = parseReference(ref)?.digest ?? headers['docker-content-digest'] ?? digest;
  if (promised === digest)
    return {state: 'present', bytes: body, mediaType: headers['content-type'] ?? '', digest};
  const {failure} = inconsistent('GET', ref, `bytes of ${digest} where it promised ${promised}`);
  return {state: 'unknown', because: failure.message, failure};
}

/** The registry shows something that it must not. */
export function inconsistent(
  method: string,
  ref: string,
  what: string,
): {ok: false; failure: Failure} {
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

/** A page in the way of the registry says 404 too: only the registry's own word counts. */
function absent(ref: string, type: string | undefined): ManifestLookup {
  if (!type?.includes('html')) return {state: 'absent'};
  const {failure} = inconsistent('GET', ref, 'a web page where a registry should answer');
  return {state: 'unknown', because: failure.message, failure};
}
