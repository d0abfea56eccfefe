import {createHash} from 'node:crypto';
import {relative} from 'node:path/posix';
import {hashContext} from '../adapters/build-context/index.ts';
import type {Workspace} from '../adapters/files/index.ts';
import type {Registry} from '../adapters/registry/index.ts';
import {type Stack, testFolders} from '../stack/index.ts';
import type {ImageSpec} from '../stack/spec/index.ts';
import {SpecError} from '../stack/yaml/index.ts';

export type {ImageRecord, Tested} from './proof.ts';
export {inspectProof, passedTests, readTested, startsWith} from './proof.ts';

/** The fingerprints of every image of the stack, without Docker. */
export interface StackHashes {
  readonly values: ReadonlyMap<string, Fingerprint>;
  /** Base images that count by their reference because their registry cannot be asked: one line for all. */
  readonly warnings: readonly string[];
}

/** @throws {SpecError} naming every file of a context that cannot be read */
export async function hashStack(
  stack: Stack,
  {workspace, registry}: {readonly workspace: Workspace; readonly registry: Registry},
): Promise<StackHashes> {
  const images = [...stack.spec.images.values()];
  const [contexts, bases] = await Promise.all([
    hashContexts(workspace, images),
    baseDigests(registry, stack.externalBases),
  ]);
  const inputs = new Map<string, FingerprintInputs>();
  for (const image of images) {
    inputs.set(image.name, {
      contextDigest: contexts.get(image.name) ?? '',
      buildArgs: image.buildArgs,
      target: image.target,
      platforms: image.platforms,
      parents: image.parents,
      externalBases: (stack.externalBases.get(image.name) ?? []).map((ref) => ({
        ref,
        digest: bases.digests.get(ref),
      })),
    });
  }
  return {values: fingerprintsOf(stack.tree.order, inputs), warnings: bases.warnings};
}

async function hashContexts(
  workspace: Workspace,
  images: readonly ImageSpec[],
): Promise<ReadonlyMap<string, string>> {
  const digests = new Map<string, string>();
  const mistakes: string[] = [];
  await Promise.all(
    images.map(async (image) => {
      const result = await hashContext(workspace.root, {
        context: image.context,
        dockerfile: image.dockerfile,
        skip: testFolders.map((folder) => relative(image.context, `${image.folder}/${folder}`)),
        watch: image.watch,
      });
      if (result.ok) digests.set(image.name, result.value.digest);
      else mistakes.push(result.error.message);
    }),
  );
  if (mistakes.length > 0) throw new SpecError(mistakes.toSorted());
  return digests;
}

async function baseDigests(
  registry: Registry,
  externalBases: Stack['externalBases'],
): Promise<{digests: ReadonlyMap<string, string>; warnings: readonly string[]}> {
  const digests = new Map<string, string>();
  const unanswered: string[] = [];
  const refs = new Set([...externalBases.values()].flat());
  await Promise.all(
    [...refs].map(async (ref) => {
      const presence = await registry.head(ref, {once: true});
      if (presence.state === 'present') digests.set(ref, presence.digest);
      else unanswered.push(ref);
    }),
  );
  const names = unanswered.toSorted().join(', ');
  const warnings =
    unanswered.length === 0
      ? []
      : [
          `The registry gives no digest for ${names}: in fingerprints they count by their reference.`,
        ];
  return {digests, warnings};
}

/** Both as `sha256:<64 hex>`. */
export interface Fingerprint {
  /** Everything the image is made from, external base digests included. */
  readonly fingerprint: string;
  /** The same without the external base digests. */
  readonly content: string;
}

/** What one image is made from; parents by name. */
export interface FingerprintInputs {
  /** Dockerfile, build context and watched files. */
  readonly contextDigest: string;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly target: string | undefined;
  readonly platforms: readonly string[];
  readonly parents: readonly string[];
  readonly externalBases: readonly {readonly ref: string; readonly digest: string | undefined}[];
}

/** Changes whenever the same files would be hashed otherwise: then nothing old is reused. */
const formatVersion = 1;

/**
 * The fingerprints of a stack (DESIGN.md section 4). Registry, owner, tag, time and commit are in none of them.
 * @param order names, parents first
 */
export function fingerprintsOf(
  order: readonly string[],
  inputs: ReadonlyMap<string, FingerprintInputs>,
): ReadonlyMap<string, Fingerprint> {
  const known = new Map<string, Fingerprint>();
  for (const name of order) {
    const image = inputs.get(name);
    if (image === undefined) throw new Error(`Internal error: nothing is known of ${name}`);
    const parents = image.parents.toSorted().map((parent) => known.get(parent));
    const own = {
      formatVersion,
      context: image.contextDigest,
      buildArgs: [...image.buildArgs].toSorted(([a], [b]) => (a < b ? -1 : 1)),
      target: image.target ?? null,
      platforms: image.platforms.toSorted(),
    };
    const bases = image.externalBases.map(({ref, digest}) => digest ?? ref).toSorted();
    known.set(name, {
      fingerprint: hash({...own, parents: parents.map((parent) => parent?.fingerprint), bases}),
      content: hash({...own, parents: parents.map((parent) => parent?.content)}),
    });
  }
  return known;
}

function hash(value: object): string {
  return `sha256:${createHash('sha256').update(JSON.stringify(value)).digest('hex')}`;
}
