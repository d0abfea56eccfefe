import {type Failure, type FailureClass, fail, ok, type Result} from '../../failure.ts';
import {parseReference} from '../../image/reference.ts';
import {inconsistent} from './failure.ts';
import {
  fetchBlob,
  fetchManifest,
  fetchTags,
  headManifest,
  imageType,
  inspectImage,
  manifestPath,
  type Reader,
  repositoryKey,
} from './manifests.ts';
import {createSender, type RegistryOptions, type SendToRegistry} from './request.ts';
import type {Presence, RawManifest, Registry} from './types.ts';
import {mayPush, putSmallImage} from './uploads.ts';

export type {LoginSources} from './credentials.ts';
export {
  createLogins,
  entriesFor,
  helperFor,
  machineConfig,
  machineFolder,
  readJson,
} from './credentials.ts';
export type {Json} from './json.ts';
export {isJson, parseJson} from './json.ts';
export {configKeyOf, hostOf, insecureHosts, isSameRegistry} from './network.ts';
export type {RegistryOptions} from './request.ts';
export type {
  Credentials,
  KnownLogin,
  Logins,
  Lookup,
  Presence,
  Published,
  RawManifest,
  Registry,
  SmallImage,
} from './types.ts';

/** Seconds; GHCR may show a tag some time after it was put. */
const longestLag = 60;

/**
 * Registries over HTTP, reached as docker on this machine reaches them.
 * Enters: image references; the logins of the run, as functions; docker's configuration of this machine.
 * Leaves: three answers (present, absent, unknown) with digests, labels and manifests; moved tags; small images.
 * Not here: layers of built images (docker moves them), what an answer means for the plan (plan/), docker's own login (docker/).
 */
export function createRegistry(options: RegistryOptions): Registry {
  const {send, wait, close} = createSender(options);
  const reader: Reader = {send, memory: {withoutHead: new Set(), pushable: new Set()}};
  const {memory} = reader;
  const head: Registry['head'] = (ref, {once = false} = {}) => headManifest(reader, ref, once);
  const put = async (ref: string, manifest: RawManifest): Promise<Result<void>> => {
    const done = await putManifest(send, ref, manifest);
    // The tag is there now, so HEAD may say so.
    memory.withoutHead.delete(ref);
    return done.ok ? done : await alreadyThere(head, ref, manifest.digest, done.error);
  };
  return {
    head,
    manifest: (ref) => fetchManifest(reader, ref),
    inspect: (ref) => inspectImage(reader, ref),
    put,
    putImage: async (ref, image) => {
      const made = await putSmallImage(send, ref, image);
      if (!made.ok) return made;
      const done = await put(ref, {...made.value, mediaType: imageType});
      return done.ok ? ok(made.value.digest) : done;
    },
    deleteTag: (ref) => deleteTag(send, ref),
    tags: (repository) => fetchTags(send, repository),
    blob: (repository, digest, {limit} = {}) => fetchBlob(send, repository, digest, limit),
    mayPush: async (repository) => {
      const asked = await mayPush(send, repository);
      if (asked.ok) memory.pushable.add(repositoryKey(repository));
      return asked;
    },
    waitForDigest: (ref, digest, lag) => waitForDigest({head, wait}, {ref, digest, lag}),
    close: async () => close(),
  };
}

async function putManifest(
  send: SendToRegistry,
  ref: string,
  {bytes, mediaType, digest}: RawManifest,
): Promise<Result<void>> {
  const sent = await send({
    method: 'PUT',
    ref,
    path: manifestPath(ref),
    access: 'pull,push',
    headers: {'content-type': mediaType},
    body: bytes,
  });
  if (!sent.ok) return fail(sent.error);
  const shown = sent.answer.headers['docker-content-digest'];
  if (sent.answer.status < 300 && (shown === undefined || shown === digest)) return ok();
  return inconsistent('PUT', ref, `${sent.answer.status} ${shown ?? ''} instead of ${digest}`);
}

async function deleteTag(send: SendToRegistry, ref: string): Promise<Result<boolean>> {
  const tag = parseReference(ref)?.tag;
  if (tag === undefined) throw new Error(`Internal error: ${ref} names no tag to delete`);
  const path = `manifests/${tag}`;
  const sent = await send({method: 'DELETE', ref, path, access: 'pull,push'});
  if (sent.ok) return ok(sent.answer.status < 300);
  const cannot = sent.status === 400 || sent.status === 405 || sent.status === 501;
  return cannot || / UNSUPPORTED\b/.test(sent.error.message) ? ok(false) : fail(sent.error);
}

/** An immutable tag refuses the PUT of what it already has: then nothing is wrong. */
async function alreadyThere(
  head: Registry['head'],
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
