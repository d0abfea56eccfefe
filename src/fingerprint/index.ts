/**
 * What an image is made of, as two hashes, and the proof that it was tested.
 * Enters: the checked Stack, what Dockerfiles take from their contexts, digests of external bases.
 * Leaves: fingerprint and content of each image, the hash of its tests, whether it is still what was planned.
 * Not here: reading files (adapters/build-context/), deciding what to build (plan/).
 */
import {createHash} from 'node:crypto';
import type {BuildContext, ContextUses} from '../adapters/build-context/index.ts';
import type {Registry} from '../adapters/registry/index.ts';
import {ok, type Result} from '../failure.ts';
import {SpecError, type Stack} from '../stack/index.ts';
import type {ImageSpec} from '../stack/spec/index.ts';
import {inTurn} from '../util/in-turn.ts';
import {checkInputs, hashInputs, ownFilesWarning, wholeContext} from './inputs.ts';
import {checkTests, hashTests, type TestsHash} from './tests.ts';

export type {ImageRecord, Tested, TestedRequest} from './proof.ts';
export {everPassed, readTested, startsWith} from './proof.ts';

export interface HashRequest {
  readonly stack: Stack;
  readonly stackDir: string;
  /** Of this machine, `linux/amd64`: what an image without `platforms` is built for. */
  readonly platform: string;
}

export interface HashPorts {
  readonly contexts: BuildContext;
  readonly registry: Pick<Registry, 'head'>;
  /** Whether git knows a file of the workspace; where nobody can tell, it does. */
  readonly isTracked?: (file: string) => Promise<boolean>;
}

/** Each as `sha256:<64 hex>`. */
export interface ImageHashes extends Fingerprint {
  /** What the image is tested with. */
  readonly tests: string;
}

/** The hashes of every image of the stack, without Docker. */
export interface StackHashes {
  readonly values: ReadonlyMap<string, ImageHashes>;
  /** Digests of external bases, by reference, as far as their registries could be asked. */
  readonly bases: ReadonlyMap<string, string>;
  /** Looks at the files of an image again, just before its build: fails when they are not what was planned. */
  readonly verify: (image: ImageSpec) => Promise<Result<void>>;
  /** The same of its tests, just before they run. */
  readonly verifyTests: (image: ImageSpec) => Promise<Result<void>>;
  /**
   * Base images that count by their reference because their registry cannot be asked, and contexts that send what
   * never counts: one line each.
   */
  readonly warnings: readonly string[];
}

/** @throws {SpecError} naming every file of a context that cannot be read, and every missing path of `tests.paths` */
export async function hashStack(request: HashRequest, ports: HashPorts): Promise<StackHashes> {
  const {stack, platform} = request;
  const images = [...stack.spec.images.values()];
  const usesOf = ({name}: ImageSpec): ContextUses => stack.contextUses.get(name) ?? wholeContext;
  const [contexts, tests, bases] = await Promise.all([
    hashContexts(images, ports.contexts, usesOf),
    hashAllTests(images, request, ports.contexts),
    baseDigests(ports.registry, stack.externalBases),
  ]);
  const mistakes = [...contexts.mistakes, ...tests.mistakes];
  if (mistakes.length > 0) throw new SpecError([...new Set(mistakes)].toSorted());
  const inputs = new Map<string, FingerprintInputs>();
  for (const image of images) {
    inputs.set(image.name, {
      contextDigest: contexts.digests.get(image.name) ?? '',
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
  return {
    values: new Map(
      [...fingerprints].map(([name, own]) => [
        name,
        {...own, tests: tests.found.get(name)?.digest ?? ''},
      ]),
    ),
    bases: bases.digests,
    verify: (image) =>
      checkInputs(ports.contexts, image, usesOf(image), contexts.digests.get(image.name) ?? ''),
    verifyTests: async (image) => {
      const planned = tests.found.get(image.name);
      if (planned === undefined) return ok();
      return checkTests(
        ports.contexts,
        {name: image.name, stackDir: request.stackDir, image},
        planned,
        ports.isTracked,
      );
    },
    warnings: [...bases.warnings, ...contexts.warnings],
  };
}

interface Hashed {
  readonly digests: ReadonlyMap<string, string>;
  readonly mistakes: readonly string[];
  readonly warnings: readonly string[];
}

async function hashContexts(
  images: readonly ImageSpec[],
  contexts: BuildContext,
  usesOf: (image: ImageSpec) => ContextUses,
): Promise<Hashed> {
  const digests = new Map<string, string>();
  const warnings = new Set<string>();
  const mistakes: string[] = [];
  await inTurn(images, async (image) => {
    const result = await hashInputs(contexts, image, usesOf(image));
    if (!result.ok) {
      mistakes.push(result.error.message);
      return;
    }
    digests.set(image.name, result.value.digest);
    const warning = ownFilesWarning(image, result.value);
    if (warning !== undefined) warnings.add(warning);
  });
  return {digests, mistakes, warnings: [...warnings].toSorted()};
}

async function hashAllTests(
  images: readonly ImageSpec[],
  {stack, stackDir}: HashRequest,
  contexts: BuildContext,
): Promise<{
  readonly found: ReadonlyMap<string, TestsHash>;
  readonly mistakes: readonly string[];
}> {
  const found = new Map<string, TestsHash>();
  const mistakes: string[] = [];
  await inTurn(images, async (image) => {
    const {position, key, track} = image;
    const result = await hashTests(contexts, {stackDir, image});
    if (!result.ok) {
      mistakes.push(result.error.message);
      return;
    }
    found.set(image.name, result.value);
    if (track !== undefined) return;
    for (const path of result.value.missing) {
      const place = `${stack.spec.file}:${position.line}:${position.column}`;
      mistakes.push(
        `${place}: tests.paths of image "${key}" lists "${path}", which does not exist. Correct the path, or remove it.`,
      );
    }
  });
  return {found, mistakes};
}

async function baseDigests(
  registry: Pick<Registry, 'head'>,
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
          `The registry gave no digest for ${names} (wrong name, no login, or no connection). Until it does, a new image under ${unanswered.length === 1 ? 'this name' : 'these names'} is not noticed. Check the FROM lines and the login.`,
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
  const inputsOf = (name: string): FingerprintInputs => {
    const image = inputs.get(name);
    if (image === undefined) throw new Error(`Internal error: nothing is known of ${name}`);
    return image;
  };
  const hashFor = (name: string, platforms: readonly string[]): Fingerprint => {
    const id = [name, ...platforms].join(' ');
    const found = known.get(id) ?? hashOne(inputsOf(name), platforms);
    known.set(id, found);
    return found;
  };
  const hashOne = (image: FingerprintInputs, platforms: readonly string[]): Fingerprint => {
    // Of a parent that has more platforms only these count: a runner of one platform knows no others.
    const parents = image.parents.toSorted().map((parent) => {
      const own = inputsOf(parent).platforms.toSorted();
      const isPart = platforms.every((platform) => own.includes(platform));
      return hashFor(parent, isPart ? platforms : own);
    });
    const own = {
      formatVersion,
      context: image.contextDigest,
      buildArgs: [...image.buildArgs].toSorted(([a], [b]) => (a < b ? -1 : 1)),
      target: image.target ?? null,
      platforms,
    };
    const bases = image.externalBases.map(({ref, digest}) => digest ?? ref).toSorted();
    return {
      fingerprint: hash({...own, parents: parents.map(({fingerprint}) => fingerprint), bases}),
      content: hash({...own, parents: parents.map(({content}) => content)}),
    };
  };
  return new Map(order.map((name) => [name, hashFor(name, inputsOf(name).platforms.toSorted())]));
}

function hash(value: object): string {
  return `sha256:${createHash('sha256').update(JSON.stringify(value)).digest('hex')}`;
}
