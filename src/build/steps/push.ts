import type {RawManifest} from '../../adapters/registry/index.ts';
import {type Failure, fail, failure, ok, type Result} from '../../failure.ts';
import {repositoryOf} from '../../image/reference.ts';
import {fingerprintTag} from '../../image/tags.ts';
import {attemptOften, attempts} from './attempts.ts';
import {buildRequest, factsFor} from './build.ts';
import {
  byDigest,
  dockerOptions,
  isPushed,
  type Step,
  type StepEnd,
  type Work,
  withLog,
} from './context.ts';
import {bringParents} from './parents.ts';

/** Pushes what this run built, and believes the registry only. */
export const pushStep: Step = async (work) => {
  const {context, image, spec, state} = work;
  if (image.action !== 'build') return {};
  if (!spec.publish) return {notes: ['not published ("publish: false")']};
  if (!context.push) return {notes: ['this run does not push']};
  return withLog(work, 'build', async (log) => {
    let renewals = 0;
    const {result, retries} = await attemptOften(
      work,
      {what: 'push', times: attempts.push},
      async () => {
        const pushed = await pushOnce(work, log);
        if (pushed.ok || pushed.error.class !== 'auth' || context.login === undefined)
          return pushed;
        // A token may run out during hours of building; a wrong one fails again.
        renewals++;
        const renewed = renewals === 1 ? await context.login() : pushed;
        return renewed.ok ? pushOnce(work, log) : pushed;
      },
    );
    if (!result.ok) return {failure: await context.docker.diagnose(result.error)};
    const verified = await verify(work, result.value);
    if (!verified.ok) return {failure: verified.error};
    state.digest = result.value;
    state.manifest = verified.value;
    state.pushed.resolve(result.value);
    const notes =
      retries > 0 ? [`pushed after ${retries} ${retries === 1 ? 'retry' : 'retries'}`] : [];
    return spec.integrationTests ? {notes} : {notes, ...(await markTested(work))};
  });
};

async function pushOnce(
  work: Work,
  log: Parameters<typeof dockerOptions>[1],
): Promise<Result<string>> {
  const {context, image, spec, state} = work;
  const {docker} = context;
  if (spec.platforms.length > 1 && log !== undefined) {
    const facts = await factsFor(work);
    if (!facts.ok) return facts;
    const parents = await bringParents(work, facts.value, log);
    if (!parents.ok) return parents;
    const request = buildRequest(work, facts.value, parents.value);
    return docker.buildAndPush(request, dockerOptions(work, log));
  }
  // Another run on this engine may have moved the local tag since.
  if (state.id !== undefined) {
    const tagged = await docker.tag(state.id, image.ref);
    if (!tagged.ok) return tagged;
  }
  return docker.push(image.ref, dockerOptions(work, log));
}

/**
 * The tag must show the pushed digest, and that must be what this run built (RELIABILITY.md 2d.5). Both are asked at
 * once; a registry that lags is asked again for the second.
 */
async function verify(
  {context, image, spec, state}: Work,
  digest: string,
): Promise<Result<RawManifest | undefined>> {
  const inspect = () => context.registry.inspect(byDigest(image.ref, digest));
  const isCertain = spec.platforms.length > 1 || state.id === undefined || state.id === digest;
  const [shown, early] = await Promise.all([
    context.registry.waitForDigest(image.ref, digest),
    isCertain ? undefined : inspect(),
  ]);
  if (!shown.ok) return shown;
  if (early === undefined) return ok();
  const found = early.state === 'present' ? early : await inspect();
  if (found.state === 'present' && found.configDigest === state.id) return ok(found);
  return fail(notOurs(image.ref, digest, found));
}

function notOurs(
  ref: string,
  digest: string,
  found: {readonly state: string; readonly because?: string},
): Failure {
  const base = {
    reason: 'registry',
    request: `GET ${byDigest(ref, digest)}`,
    status: undefined,
    tail: [],
  } as const;
  if (found.state === 'present') {
    return {
      ...base,
      class: 'tag-conflict',
      message: `${ref} was pushed, but ${digest} is not the image that this run built.`,
      hint: 'Another run on this machine builds the same tag at the same time. Run the job again.',
    };
  }
  return {
    ...base,
    class: 'registry-inconsistent',
    message: `${ref} was pushed, but the registry does not show ${digest}: ${found.because ?? 'it is absent'}.`,
  };
}

/** Points the image's reference at a twin that passed its tests: two requests, no layer. */
export const reuseStep: Step = async (work) => {
  const {context, image, state} = work;
  if (image.source === undefined) throw new Error(`${image.name} has nothing to be reused`);
  const {digest} = image.source;
  if (isPushed(work)) {
    const put = await copyTag(work, digest, image.ref);
    if (!put.ok) return {failure: put.error};
    const shown = await context.registry.waitForDigest(image.ref, digest);
    if (!shown.ok) return {failure: shown.error};
  }
  state.digest = digest;
  state.pushed.resolve(digest);
  return {
    notes: [isPushed(work) ? `${image.source.ref} was given the tag` : 'this run does not push'],
  };
};

/**
 * Remembers in the registry that this content passed all its tests. Called after the last of them, and only for an
 * image that is in the registry at its reference.
 */
export async function markTested(work: Work): Promise<StepEnd> {
  const {image, state} = work;
  if (!isPushed(work) || state.digest === undefined) return {};
  const tested = `${repositoryOf(image.ref)}:${fingerprintTag(image.fingerprint)}`;
  const put = await copyTag(work, state.digest, tested);
  return put.ok ? {} : {failure: put.error};
}

async function copyTag(
  {context, image, state}: Work,
  digest: string,
  to: string,
): Promise<Result<void>> {
  if (state.manifest?.digest === digest) return context.registry.put(to, state.manifest);
  const from = byDigest(image.ref, digest);
  const found = await context.registry.manifest(from);
  if (found.state === 'present') return context.registry.put(to, found);
  if (found.state === 'unknown') return fail(found.failure);
  return fail(
    failure('not-found', `${from} is not in the registry any more.`, {
      cause: {kind: 'http', request: `GET ${from}`, status: 404},
      hint: 'Run the job again; it will be built.',
    }),
  );
}
