import {createHash} from 'node:crypto';
import {gzipSync} from 'node:zlib';

/** An image made by another tool than docker: written to a registry with plain HTTP. */
export interface MadeImage {
  readonly digest: string;
  readonly diffIds: readonly string[];
  readonly descriptor: {readonly mediaType: string; readonly digest: string; readonly size: number};
}

export interface ImageRecipe {
  /** `127.0.0.1:5000` */
  readonly host: string;
  readonly repository: string;
  readonly tag: string;
  /** Content of each layer, oldest first; any bytes will do, nobody runs it. */
  readonly layers: readonly Uint8Array[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const indexType = 'application/vnd.oci.image.index.v1+json';

function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

async function send(
  url: string,
  method: string,
  body: Uint8Array,
  type: string,
): Promise<Response> {
  const answer = await fetch(url, {
    method,
    body: Buffer.from(body),
    headers: {'content-type': type},
  });
  if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${await answer.text()}`);
  return answer;
}

async function pushBlob({host, repository}: ImageRecipe, bytes: Uint8Array): Promise<string> {
  const digest = sha256(bytes);
  const begun = await send(
    `http://${host}/v2/${repository}/blobs/uploads/`,
    'POST',
    new Uint8Array(),
    'application/octet-stream',
  );
  const place = new URL(begun.headers.get('location') ?? '', `http://${host}`);
  place.searchParams.set('digest', digest);
  await send(place.href, 'PUT', bytes, 'application/octet-stream');
  return digest;
}

async function putManifest(
  recipe: ImageRecipe,
  value: object,
  mediaType: string,
): Promise<MadeImage['descriptor']> {
  const bytes = Buffer.from(JSON.stringify(value));
  await send(
    `http://${recipe.host}/v2/${recipe.repository}/manifests/${recipe.tag}`,
    'PUT',
    bytes,
    mediaType,
  );
  return {mediaType, digest: sha256(bytes), size: bytes.length};
}

export async function pushImage(recipe: ImageRecipe): Promise<MadeImage> {
  const diffIds = recipe.layers.map(sha256);
  const layers = [];
  for (const layer of recipe.layers.map((bytes) => gzipSync(bytes, {level: 1}))) {
    const digest = await pushBlob(recipe, layer);
    layers.push({
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
      digest,
      size: layer.length,
    });
  }
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: {Labels: recipe.labels ?? {}},
      rootfs: {type: 'layers', diff_ids: diffIds},
    }),
  );
  const descriptor = await putManifest(
    recipe,
    {
      schemaVersion: 2,
      mediaType: manifestType,
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: await pushBlob(recipe, config),
        size: config.length,
      },
      layers,
      ...(recipe.annotations === undefined ? {} : {annotations: recipe.annotations}),
    },
    manifestType,
  );
  return {digest: descriptor.digest, diffIds, descriptor};
}

/** An index of two platforms under the recipe's tag. */
export async function pushIndex(recipe: ImageRecipe): Promise<MadeImage> {
  const amd64 = await pushImage({...recipe, tag: `${recipe.tag}-amd64`});
  const arm64 = await pushImage({
    ...recipe,
    tag: `${recipe.tag}-arm64`,
    annotations: {platform: 'arm64'},
  });
  const manifests = [amd64, arm64].map(({descriptor}, index) => ({
    ...descriptor,
    platform: {os: 'linux', architecture: index === 0 ? 'amd64' : 'arm64'},
  }));
  const descriptor = await putManifest(
    recipe,
    {schemaVersion: 2, mediaType: indexType, manifests},
    indexType,
  );
  return {digest: descriptor.digest, diffIds: amd64.diffIds, descriptor};
}
