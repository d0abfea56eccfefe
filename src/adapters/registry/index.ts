import {type Failure, type FailureClass, fail, ok, type Result} from '../../failure.ts';
import {parseReference} from '../../image/reference.ts';
import {inconsistent} from './failure.ts';
import {createHttpClient} from './http.ts';
import {fetchManifest, headManifest, inspectImage, manifestPath} from './manifests.ts';
import {createSender, type RegistryOptions, waitOf} from './request.ts';
import type {Presence, Registry} from './types.ts';

export type {Json} from './credentials.ts';
export {isJson, machineFolder, machineLogins, readJson} from './credentials.ts';
export type {Lookup, Presence, Published, RawManifest, Registry} from './types.ts';

/** Seconds; GHCR may show a tag some time after it was put. */
const longestLag = 60;

/** The registry over HTTP: manifests and configs, never a layer. */
export function createRegistry(options: RegistryOptions): Registry {
  const http = createHttpClient(options.signal, options.grace ?? 0);
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
      if (!sent.ok) return await alreadyThere(head, ref, digest, sent.error);
      const shown = sent.answer.headers['docker-content-digest'];
      if (sent.answer.status < 300 && (shown === undefined || shown === digest)) return ok();
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
      if (sent.ok) return ok(sent.answer.status < 300);
      const {cause} = sent.error;
      const cannot = cause?.kind === 'http' && (cause.status === 400 || cause.status === 405);
      return cannot ? ok(false) : sent;
    },
    waitForDigest: (ref, digest, lag) =>
      waitForDigest({head, wait: waitOf(options)}, {ref, digest, lag}),
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
  const {cause} = failure;
  if (cause?.kind !== 'http' || cause.status === undefined || cause.status >= 500)
    return fail(failure);
  const now = await head(ref);
  return now.state === 'present' && now.digest === digest ? ok() : fail(failure);
}

interface Expectation {
  readonly ref: string;
  readonly digest: string;
  readonly lag: {readonly before: string | undefined} | undefined;
}

async function waitForDigest(
  {head, wait}: {head: Registry['head']; wait: (seconds: number) => Promise<void>},
  {ref, digest, lag}: Expectation,
): Promise<Result<void>> {
  let waited = 0;
  for (let pause = 0.2; ; pause = Math.min(pause * 2, 5)) {
    const now = await head(ref);
    const shown = now.state === 'present' ? now.digest : undefined;
    if (shown === digest) return ok();
    // A registry that cannot say was asked several times already.
    const isLag =
      now.state === 'absent' ||
      (shown !== undefined && (lag === undefined || shown === lag.before));
    waited += pause;
    if (!isLag || waited > longestLag || (await isEnded(wait(pause)))) {
      const words = now.state === 'unknown' ? `nothing (${now.because})` : (shown ?? now.state);
      const {error: failure} = inconsistent('HEAD', ref, `${words} where ${digest} was put`);
      return fail({...failure, class: classes[now.state]});
    }
  }
}

const classes: Record<Presence['state'], FailureClass> = {
  present: 'tag-conflict',
  absent: 'registry-inconsistent',
  unknown: 'registry-unavailable',
};

/** A wait is ended by the signal of the run. */
function isEnded(wait: Promise<void>): Promise<boolean> {
  return wait.then(
    () => false,
    () => true,
  );
}
