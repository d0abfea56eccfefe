/**
 * What an image is made of, as hashes, and the proof that it was tested.
 * Enters: the checked Stack, what Dockerfiles take from their contexts, digests of external bases.
 * Leaves: fingerprint, content and tests hash of each image, and whether its files are still those that were planned.
 * Not here: reading files (adapters/build-context/), deciding what to build (plan/).
 */
import {createHash} from 'node:crypto';
import type {BuildContext} from '../adapters/build-context/index.ts';
import type {Registry} from '../adapters/registry/index.ts';
import {SpecError, type Stack} from '../stack/index.ts';
import type {ImageSpec} from '../stack/spec/index.ts';
import {hashInputs, ownFilesWarning, wholeContext} from './inputs.ts';
import {hashTests} from './tests.ts';

export {checkInputs, hashInputs, wholeContext} from './inputs.ts';
export {inspectProof, passedTests, startsWith} from './proof.ts';
export type {TestsHash, TestsRequest} from './tests.ts';
export {hashTests} from './tests.ts';

export interface HashRequest {
  readonly stack: Stack;
  readonly stackDir: string;
  /** The runner's own, `linux/amd64`: what an image without `platforms` is built for. */
  readonly platform: string;
}

export interface HashPorts {
  readonly contexts: BuildContext;
  readonly registry: Registry;
}

/** All as `sha256:<64 hex>`. */
export interface ImageHashes extends Fingerprint {
  readonly tests: string;
}

/** The fingerprints of every image of the stack, without Docker. */
export interface StackHashes {
  readonly values: ReadonlyMap<string, ImageHashes>;
  /** The files of each image, which {@link checkInputs} compares just before its build. */
  readonly inputs: ReadonlyMap<string, string>;
  /**
   * Base images that count by their reference because their registry cannot be asked, and contexts that send what
   * never counts: one line each.
   */
  readonly warnings: readonly string[];
}

/** @throws {SpecError} naming every file that cannot be read, and every one of `tests.paths` that does not exist */
export async function hashStack(
  {stack, stackDir, platform}: HashRequest,
  {contexts, registry}: HashPorts,
): Promise<StackHashes> {
  const images = [...stack.spec.images.values()];
  const [files, bases] = await Promise.all([
    hashFiles(contexts, stack, stackDir),
    baseDigests(registry, stack.externalBases),
  ]);
  const inputs = new Map<string, FingerprintInputs>();
  for (const image of images) {
    inputs.set(image.name, {
      contextDigest: files.inputs.get(image.name) ?? '',
      buildArgs: image.buildArgs,
      target: image.target,
      platforms: image.platforms.length > 0 ? image.platforms : [platform],
      parents: image.parents,
      externalBases: (stack.externalBases.get(image.name) ?? []).map((ref) => ({
        ref,
        digest: bases.digests.get(ref),
      })),
    });
  }
  const fingerprints = fingerprintsOf(stack.tree.order, inputs);
  const values = new Map<string, ImageHashes>();
  for (const [name, own] of fingerprints)
    values.set(name, {...own, tests: files.tests.get(name) ?? ''});
  return {values, inputs: files.inputs, warnings: [...bases.warnings, ...files.warnings]};
}

interface FileHashes {
  readonly inputs: ReadonlyMap<string, string>;
  readonly tests: ReadonlyMap<string, string>;
  readonly warnings: readonly string[];
}

async function hashFiles(
  contexts: BuildContext,
  stack: Stack,
  stackDir: string,
): Promise<FileHashes> {
  const inputs = new Map<string, string>();
  const tests = new Map<string, string>();
  const warnings = new Set<string>();
  const mistakes = new Set<string>();
  const hashImage = async (image: ImageSpec): Promise<void> => {
    const uses = stack.contextUses.get(image.name) ?? wholeContext;
    const [files, tested] = await Promise.all([
      hashInputs(contexts, image, uses),
      hashTests(contexts, {stackDir, image, paths: image.tests.paths}),
    ]);
    for (const result of [files, tested]) if (!result.ok) mistakes.add(result.error.message);
    if (!files.ok || !tested.ok) return;
    inputs.set(image.name, files.value.digest);
    tests.set(image.name, tested.value.digest);
    const warning = ownFilesWarning(image, files.value);
    if (warning !== undefined) warnings.add(warning);
    const {line, column} = image.position;
    for (const path of tested.value.missing)
      mistakes.add(
        `${stack.spec.file}:${line}:${column}: tests.paths of image "${image.key}" lists ${path}, which does not exist.`,
      );
  };
  await Promise.all([...stack.spec.images.values()].map(hashImage));
  if (mistakes.size > 0) throw new SpecError([...mistakes].toSorted());
  return {inputs, tests, warnings: [...warnings].toSorted()};
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
