import {setTimeout as sleep} from 'node:timers/promises';
import type {Presence} from '../core/lookups.ts';
import type {Failure, Result} from '../core/outcomes.ts';
import {parseReference} from '../core/references.ts';
import type {Registry} from '../ports.ts';
import {createHttpClient} from './registry-http.ts';
import {inspectImage} from './registry-inspect.ts';
import {fetchManifest, headManifest, inconsistent, manifestPath} from './registry-manifest.ts';
import {createSender, type RegistryOptions} from './registry-request.ts';

/** GHCR may show a tag some time after it was put. */
const longestLag = 60_000;

/** The registry over HTTP: manifests and configs, never a layer. */
export function createRegistry(options: RegistryOptions): Registry {
  const http = createHttpClient(options.signal);
  const send = createSender(http, options);
  const manifest = (ref: string) => fetchManifest(send, ref);
  const head: Registry['head'] = (ref, {once = false} = {}) => headManifest(send, ref, once);
  return {
    head,
    manifest,
    inspect: (ref) => inspectImage(send, ref),
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
      return inconsistent('PUT', ref, `${sent.answer.status}, and not ${digest}`);
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
      const failure = inconsistent('HEAD', ref, `${shown} where ${digest} was put`).failure;
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
