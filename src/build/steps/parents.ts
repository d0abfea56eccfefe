import type {DockerFacts} from '../../adapters/docker/index.ts';
import type {LogFile} from '../../adapters/files/index.ts';
import {type Failure, fail, failure, ok, type Result} from '../../failure.ts';
import type {PlannedImage} from '../../plan/index.ts';
import {attemptOften, attempts} from './attempts.ts';
import {byDigest, dockerOptions, type StepEnd, type Work} from './context.ts';

/**
 * Brings an image that was not built in this run into the engine's store, by digest, under its own reference: FROM
 * and the tests then mean exactly what the registry has. Done once in a run.
 */
export async function bringHere(work: Work, image: PlannedImage, log: LogFile): Promise<StepEnd> {
  const state = work.stateOf(image.name);
  state.brought ??= pullExactly(work, image, log);
  const brought = await state.brought;
  // Somebody else may have been stopped while pulling; that says nothing of the image.
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
  const tagged = await docker.tag(exact, image.ref);
  if (!tagged.ok) return {failure: tagged.error};
  const found = await docker.ids([exact]);
  if (!found.ok) return {failure: found.error};
  state.id = found.value.get(exact);
  state.digest = digest;
  return {};
}

/** Where an image is built, and how its parents are seen there. */
export interface Parents {
  /** `--build-context`: what a FROM means to a builder elsewhere. */
  readonly contexts: ReadonlyMap<string, string>;
  /** The builder that was chosen sees only the registry, and a parent is not there: the engine builds itself. */
  readonly inEngine: boolean;
}

/**
 * Makes the parents available to the builder: in the engine's store under the name that FROM says, or for a builder
 * elsewhere by the digest that the registry has.
 */
export async function bringParents(
  work: Work,
  facts: DockerFacts,
  log: LogFile,
): Promise<Result<Parents>> {
  const {image, context} = work;
  const parents = context.plan.images.filter(({name}) => image.parents.includes(name));
  const isElsewhere = facts.driver !== 'docker';
  if (isElsewhere && parents.every((parent) => isReachable(work, parent))) {
    const contexts = new Map<string, string>();
    for (const parent of parents) {
      const digest = await digestOf(work, parent);
      if (digest === undefined) return fail(notPushed(image, parent));
      contexts.set(parent.ref, `docker-image://${byDigest(parent.ref, digest)}`);
    }
    return ok({contexts, inEngine: false});
  }
  for (const parent of parents) {
    const end = await bringParent(work, parent, log);
    if (end.failure !== undefined) return fail(end.failure);
  }
  return ok({contexts: new Map(), inEngine: isElsewhere});
}

/** Whether a parent is in the registry, or will be in this run. */
function isReachable({context}: Work, parent: PlannedImage): boolean {
  if (parent.action !== 'build') return true;
  return context.push && context.images.get(parent.name)?.publish === true;
}

async function bringParent(work: Work, parent: PlannedImage, log: LogFile): Promise<StepEnd> {
  if (parent.action !== 'build') return bringHere(work, parent, log);
  const state = work.stateOf(parent.name);
  if (state.id === undefined) return {};
  // Another run on this engine may build the same tag and have moved it since. Children that start together share
  // the call.
  state.tagging ??= work.context.docker.tag(state.id, parent.ref).finally(() => {
    state.tagging = undefined;
  });
  const tagged = await state.tagging;
  return tagged.ok ? {} : {failure: tagged.error};
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
    `${image.ref} cannot be built: its parent ${parent.ref} did not get into the registry.`,
  );
}
