import {type Failure, fail, failure, ok, type Result} from '../../failure.ts';
import {parseReference, repositoryOf} from '../../image/reference.ts';
import {inconsistent, permissionHint} from './failure.ts';
import {imageType, sha256} from './manifests.ts';
import {hostOf} from './network.ts';
import type {RegistryAnswer, SendToRegistry} from './request.ts';
import type {SmallImage} from './types.ts';

const configType = 'application/vnd.oci.image.config.v1+json';
const noBytes = new Uint8Array();

/** Opens an upload and cancels it: the only question about pushing that every registry answers. */
export async function mayPush(send: SendToRegistry, repository: string): Promise<Result<void>> {
  const begun = await beginUpload(send, repository);
  if (!begun.ok) return begun;
  // Some registries cannot cancel; they forget an upload that nothing comes for.
  const path = begun.value;
  if (path !== undefined)
    await send({method: 'DELETE', ref: repository, path, access: 'pull,push', once: true});
  return ok();
}

/** Leaves where the bytes go; undefined when the registry gives no address. */
async function beginUpload(
  send: SendToRegistry,
  repository: string,
): Promise<Result<URL | undefined>> {
  const path = 'blobs/uploads/';
  const question = {ref: repository, path, access: 'pull,push', body: noBytes} as const;
  const sent = await send({...question, method: 'POST'});
  if (!sent.ok) return fail(pushFailure(repository, sent));
  const {status, headers} = sent.answer;
  if (status !== 202 && status !== 201)
    return inconsistent('POST', repository, `${status} instead of opening an upload`);
  return ok(uploadUrl(repository, headers['location'], sent.origin));
}

/** Relative or absolute; behind a proxy that ends TLS some registries write `http:` for themselves. */
function uploadUrl(
  repository: string,
  location: string | undefined,
  origin: string,
): URL | undefined {
  const base = `${origin}/v2/${parseReference(repository)?.repository}/blobs/uploads/`;
  if (location === undefined || !URL.canParse(location, base)) return undefined;
  const url = new URL(location, base);
  const own = new URL(base);
  if (url.hostname === own.hostname && url.protocol === 'http:' && own.protocol === 'https:')
    url.protocol = 'https:';
  return url;
}

/** A token that was granted and may not push is a matter of permission, whatever the status. */
function pushFailure(repository: string, sent: Extract<RegistryAnswer, {ok: false}>): Failure {
  const {error, status, isDenied, scheme, login} = sent;
  if (status === 404) {
    const {cause} = error;
    const message = error.message.replace(/\.$/, '');
    return failure('not-found', `${message}; a push does not create this repository.`, {
      ...(cause === undefined ? {} : {cause}),
      hint: 'Create it first: the repository on ECR, the project on Harbor, GitLab and Quay, the registry on Artifactory and Nexus.',
    });
  }
  if (status === 405) {
    const hint =
      'This registry, or this address of it, takes no pushes: a mirror, a proxy of another registry, or read-only mode.';
    return {...error, class: 'permission', hint};
  }
  const isTokenGood = error.cause?.kind === 'http' && scheme === 'bearer' && !sent.isTokenRefused;
  if (status !== 401 || !isDenied || !isTokenGood) return error;
  const host = hostOf(parseReference(repository)?.registry ?? '');
  return {...error, class: 'permission', hint: permissionHint({host, login})};
}

/** Uploads what is missing, then puts the manifest of an ordinary OCI image, which every registry takes. */
export async function putSmallImage(
  send: SendToRegistry,
  ref: string,
  {config, layers}: SmallImage,
): Promise<Result<{readonly bytes: Uint8Array; readonly digest: string}>> {
  const repository = repositoryOf(ref);
  const blobs = [config, ...layers.map((layer) => layer.bytes)];
  const put = await Promise.all(blobs.map((bytes) => putBlob(send, repository, bytes)));
  for (const done of put) if (!done.ok) return done;
  const descriptor = (mediaType: string, bytes: Uint8Array): object => ({
    mediaType,
    digest: sha256(bytes),
    size: bytes.length,
  });
  const manifest = {
    schemaVersion: 2,
    mediaType: imageType,
    config: descriptor(configType, config),
    layers: layers.map(({mediaType, bytes}) => descriptor(mediaType, bytes)),
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  return ok({bytes, digest: sha256(bytes)});
}

/** An upload that a registry lost half-way is begun again, once. */
async function putBlob(
  send: SendToRegistry,
  repository: string,
  bytes: Uint8Array,
): Promise<Result<void>> {
  const digest = sha256(bytes);
  const path = `blobs/${digest}`;
  const ref = repository;
  const there = await send({method: 'HEAD', ref, path, access: 'pull,push', isFastPath: true});
  if (there.ok && there.answer.status === 200) return ok();
  for (let number = 1; ; number++) {
    const begun = await beginUpload(send, repository);
    if (!begun.ok) return begun;
    if (begun.value === undefined)
      return inconsistent('POST', repository, 'no address for an upload');
    const url = begun.value;
    url.searchParams.set('digest', digest);
    const sent = await send({
      method: 'PUT',
      ref,
      path: url,
      access: 'pull,push',
      headers: {'content-type': 'application/octet-stream'},
      body: bytes,
    });
    if (sent.ok && sent.answer.status < 300) return ok();
    if (sent.ok) return inconsistent('PUT', repository, `${sent.answer.status} for an upload`);
    if (sent.status !== 404 || number > 1) return fail(pushFailure(repository, sent));
  }
}
