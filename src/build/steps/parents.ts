import type {DockerFacts} from '../../adapters/docker/index.ts';
import type {LogFile} from '../../adapters/files/index.ts';
import {type Failure, fail, failure, ok, type Result} from '../../failure.ts';
import type {PlannedImage} from '../../plan/index.ts';
import {isPushed} from '../../schedule/index.ts';
import {attemptOften, attempts} from './attempts.ts';
import {byDigest, dockerOptions, type StepEnd, type Work} from './context.ts';

/**
 * Brings an image that was not built in this run into the engine's store, by digest, under its own reference: the tests
 * then mean exactly what the registry has. Done once in a run.
 */
export async function bringHere(work: Work, image: PlannedImage, log: LogFile): Promise<StepEnd> {
  const state = work.stateOf(image.name);
  state.brought ??= pullExactly(work, image, log);
  const brought = await state.brought;
  // Another image may have been stopped while pulling this one; that proves nothing about it.
  if (brought.failure !== undefined) state.brought = undefined;
  return brought;
}

async function pullExactly(work: Work, image: PlannedImage, log: LogFile): Promise<StepEnd> {
  const {docker} = work.context;
  const state = work.stateOf(image.name);
  if (image.source === undefined) throw new Error(`${image.name} has no image in the registry`);
  const {digest} = image.source;
  const exact = byDigest(image.ref, digest);
  const {result} = await attemptOften(work, {what: 'pull', times: attempts.pull}, () =>
    docker.pull(exact, dockerOptions(work, log)),
  );
  if (!result.ok) return {failure: await docker.diagnose(result.error)};
  const [tagged, found] = await Promise.all([docker.tag(exact, image.ref), docker.ids([exact])]);
  if (!tagged.ok) return {failure: tagged.error};
  if (!found.ok) return {failure: found.error};
  state.id = found.value.get(exact);
  state.digest = digest;
  return {};
}

/** Where an image is built, and what the references of its Dockerfile mean there. */
export interface Parents {
  /** `--build-context`: a reference as the Dockerfile writes it, and the image that it stands for in this run. */
  readonly contexts: ReadonlyMap<string, string>;
  /** The builder that was chosen sees only the registry, and a parent is not there: the engine builds itself. */
  readonly inEngine: boolean;
}

/**
 * Hands the parents to the builder: by the digest that the registry has, or by a tag in the engine's store that is
 * private to this run. So no other run can put its own parent there, and no Dockerfile needs the tag of the branch.
 * External images are handed over by the digest that the fingerprint tells.
 */
export async function bringParents(
  work: Work,
  facts: DockerFacts,
  log: LogFile,
): Promise<Result<Parents>> {
  const {image, context} = work;
  const parents = context.plan.images.filter(({name}) => image.parents.includes(name));
  const isElsewhere = facts.driver !== 'docker';
  const isFarAway = isElsewhere && parents.every((parent) => isReachable(work, parent));
  const contexts = new Map<string, string>();
  for (const [reference, exact] of context.pinsOf(image)) {
    if (facts.hasBuildx) contexts.set(reference, `docker-image://${exact}`);
    else {
      const pinned = await pullAs(work, {exact, reference}, log);
      if (!pinned.ok) return pinned;
    }
  }
  for (const parent of parents) {
    const references = context.references.get(image.name)?.get(parent.name) ?? [];
    const there = isFarAway ? await inRegistry(work, parent) : await inEngine(work, parent, log);
    if (!there.ok) return there;
    if (facts.hasBuildx) {
      for (const reference of references) contexts.set(reference, `docker-image://${there.value}`);
      continue;
    }
    // Plain `docker build` has no named contexts: FROM finds its parent under the very reference.
    for (const reference of references) {
      const tagged = await context.docker.tag(there.value, reference);
      if (!tagged.ok) return tagged;
    }
  }
  return ok({contexts, inEngine: isElsewhere && !isFarAway});
}

/** Plain `docker build` takes what the engine has under the reference. */
async function pullAs(
  work: Work,
  {exact, reference}: {readonly exact: string; readonly reference: string},
  log: LogFile,
): Promise<Result<void>> {
  const {docker} = work.context;
  const {result} = await attemptOften(work, {what: 'pull', times: attempts.pull}, () =>
    docker.pull(exact, dockerOptions(work, log)),
  );
  return result.ok ? docker.tag(exact, reference) : fail(await docker.diagnose(result.error));
}

/** Whether a parent is in the registry, or will be in this run. */
function isReachable({context}: Work, parent: PlannedImage): boolean {
  return parent.action !== 'build' || isPushed(parent, context);
}

async function inRegistry(work: Work, parent: PlannedImage): Promise<Result<string>> {
  const digest = await digestOf(work, parent);
  return digest === undefined
    ? fail(notPushed(work.image, parent))
    : ok(byDigest(parent.ref, digest));
}

async function inEngine(work: Work, parent: PlannedImage, log: LogFile): Promise<Result<string>> {
  if (parent.action !== 'build') {
    const brought = await bringHere(work, parent, log);
    if (brought.failure !== undefined) return fail(brought.failure);
  }
  const {id} = work.stateOf(parent.name);
  if (id === undefined) throw new Error(`${parent.name} is not in the engine's store`);
  return work.context.docker.tagPrivately(id, parent.name);
}

/** Waits for a parent's push; undefined when it failed. */
async function digestOf(
  {stateOf, signal}: Work,
  parent: PlannedImage,
): Promise<string | undefined> {
  if (parent.action !== 'build') return parent.source?.digest;
  const {promise: aborted, reject} = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort);
  try {
    return await Promise.race([stateOf(parent.name).pushed.promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function notPushed(image: PlannedImage, parent: PlannedImage): Failure {
  return failure(
    'blocked-by-parent',
    `${image.ref} cannot be built: its parent ${parent.ref} was never pushed.`,
  );
}
