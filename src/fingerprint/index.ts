/**
 * What an image is made of, as two hashes, and the proof that it was tested.
 * Enters: the checked Stack, what Dockerfiles take from their contexts, digests of external bases.
 * Leaves: fingerprint and content of each image, the hash of its tests, whether it is still what was planned.
 * Not here: reading files (adapters/build-context/), deciding what to build (plan/).
 */
import {createHash} from 'node:crypto';
import type {BuildContexts, ContextUses} from '../adapters/build-context/index.ts';
import type {Registry} from '../adapters/registry/index.ts';
import {SpecError, type Stack} from '../stack/index.ts';
import type {ImageSpec} from '../stack/spec/index.ts';
import {hashInputs, ownFilesWarning, wholeContext} from './inputs.ts';

export {checkInputs, hashInputs, wholeContext} from './inputs.ts';
export {inspectProof, passedTests, startsWith} from './proof.ts';
export type {TestsHash, TestsRequest} from './tests.ts';
export {hashTests} from './tests.ts';

/** What fingerprints are made from, besides the stack. */
export interface HashPorts {
  readonly contexts: BuildContexts;
  readonly registry: Registry;
  /** The runner's own, `linux/amd64`: what an image without `platforms` is built for. */
  readonly platform: string;
  /** What an image's Dockerfile takes from its context; the whole of it where this is not given. */
  readonly usesOf?: (image: ImageSpec) => ContextUses;
}

/** The fingerprints of every image of the stack, without Docker. */
export interface StackHashes {
  readonly values: ReadonlyMap<string, Fingerprint>;
  /** The files of each image, which {@link checkInputs} compares just before its build. */
  readonly contexts: ReadonlyMap<string, string>;
  /**
   * Base images that count by their reference because their registry cannot be asked, and contexts that send what
   * never counts: one line each.
   */
  readonly warnings: readonly string[];
}

/** @throws {SpecError} naming every file of a context that cannot be read */
export async function hashStack(stack: Stack, ports: HashPorts): Promise<StackHashes> {
  const images = [...stack.spec.images.values()];
  const [contexts, bases] = await Promise.all([
    hashContexts(images, ports),
    baseDigests(ports.registry, stack.externalBases),
  ]);
  const inputs = new Map<string, FingerprintInputs>();
  for (const image of images) {
    inputs.set(image.name, {
      contextDigest: contexts.digests.get(image.name) ?? '',
      buildArgs: image.buildArgs,
      target: image.target,
      platforms: image.platforms.length > 0 ? image.platforms : [ports.platform],
      parents: image.parents,
      externalBases: (stack.externalBases.get(image.name) ?? []).map((ref) => ({
        ref,
        digest: bases.digests.get(ref),
      })),
    });
  }
  return {
    values: fingerprintsOf(stack.tree.order, inputs),
    contexts: contexts.digests,
    warnings: [...bases.warnings, ...contexts.warnings],
  };
}

async function hashContexts(
  images: readonly ImageSpec[],
  {contexts, usesOf = () => wholeContext}: HashPorts,
): Promise<{digests: ReadonlyMap<string, string>; warnings: readonly string[]}> {
  const digests = new Map<string, string>();
  const warnings = new Set<string>();
  const mistakes: string[] = [];
  await Promise.all(
    images.map(async (image) => {
      const result = await hashInputs(contexts, image, usesOf(image));
      if (!result.ok) {
        mistakes.push(result.failure.message);
        return;
      }
      digests.set(image.name, result.value.digest);
      const warning = ownFilesWarning(image, result.value);
      if (warning !== undefined) warnings.add(warning);
    }),
  );
  if (mistakes.length > 0) throw new SpecError([...new Set(mistakes)].toSorted());
  return {digests, warnings: [...warnings].toSorted()};
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
const formatVersion = 2;

/**
 * The fingerprints of a stack. Registry, owner, tag, time and commit are in none of them.
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
