import {type Failure, fail, failure, ok, type Result} from '../../failure.ts';
import {repositoryOf} from '../../image/reference.ts';
import {proofTag} from '../../image/tags.ts';
import {isPushed} from '../../schedule/index.ts';
import {attemptOften, attempts} from './attempts.ts';
import {buildRequest, factsFor} from './build.ts';
import {
  byDigest,
  dockerOptions,
  type ImageState,
  type Step,
  type StepEnd,
  type Work,
  withLog,
} from './context.ts';
import {bringParents} from './parents.ts';
import {rememberVerdict, settleRecord} from './record.ts';

/** Pushes what this run built, and believes the registry only. */
export const pushStep: Step = async (work) => {
  const {context, image, state} = work;
  const {spec} = image;
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
    return spec.integrationTests ? {notes} : {notes, ...(await conclude(work, 'passed'))};
  });
};

async function pushOnce(
  work: Work,
  log: Parameters<typeof dockerOptions>[1],
): Promise<Result<string>> {
  const {context, image, state} = work;
  const {docker} = context;
  if (image.spec.platforms.length > 1 && log !== undefined) {
    const facts = await factsFor(work);
    if (!facts.ok) return facts;
    const parents = await bringParents(work, facts.value, log);
    if (!parents.ok) return parents;
    // It is built once more here, for all platforms, after tests ran that may have written into its files.
    const same = await context.verifyInputs(image);
    if (!same.ok) return same;
    const request = buildRequest(work, facts.value, parents.value);
    const pushed = await docker.buildAndPush(request, dockerOptions(work, log));
    const still = await context.verifyInputs(image);
    return still.ok ? pushed : still;
  }
  // Another run on this engine may have moved the local tag since.
  if (state.id !== undefined) {
    const tagged = await docker.tag(state.id, image.ref);
    if (!tagged.ok) return tagged;
  }
  return docker.push(image.ref, dockerOptions(work, log));
}

/**
 * The tag must show the pushed digest, and that must be what this run built. Both are asked at
 * once; a registry that lags is asked again for the second.
 */
async function verify(
  {context, image, state}: Work,
  digest: string,
): Promise<Result<ImageState['manifest']>> {
  const inspect = () => context.registry.inspect(byDigest(image.ref, digest));
  const isCertain =
    image.spec.platforms.length > 1 || state.id === undefined || state.id === digest;
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
  const cause = {
    kind: 'http',
    request: `GET ${byDigest(ref, digest)}`,
    status: undefined,
  } as const;
  if (found.state === 'present') {
    return failure(
      'tag-conflict',
      `${ref} was pushed, but ${digest} is not the image that this run built.`,
      {
        cause,
        hint: 'Another run on this machine builds the same tag at the same time. Re-run the job.',
      },
    );
  }
  return failure(
    'registry-inconsistent',
    `${ref} was pushed, but the registry does not return ${digest}: ${found.because ?? 'it is absent'}.`,
    {cause},
  );
}

/** Points the image's reference at an image that passed these tests: one request, no layer. */
export const reuseStep: Step = async (work) => {
  const {context, image, state} = work;
  if (image.source === undefined) throw new Error(`${image.name} has nothing to be reused`);
  const {digest, manifest} = image.source;
  const writes = isPushed(image, context);
  if (writes) {
    const put = await context.registry.put(image.ref, manifest);
    if (!put.ok) return {failure: put.error};
    const shown = await context.registry.waitForDigest(image.ref, digest);
    if (!shown.ok) return {failure: shown.error};
  }
  state.digest = digest;
  state.manifest = manifest;
  state.pushed.resolve(digest);
  const extra = writes ? await putExtraTags(work, digest) : {};
  return {
    ...extra,
    notes: [writes ? `tagged from ${image.source.ref}` : 'this run does not push'],
  };
};

/**
 * Called once all tests of an image ran: records the verdict, and when it is good puts the proof tag on this very
 * digest. The record comes first: a proof without one is a proof all the same, a record of a failure must not be missed.
 */
export async function conclude(work: Work, verdict: 'passed' | 'failed'): Promise<StepEnd> {
  const {context, image, state} = work;
  state.verdict = verdict;
  if (image.memory !== undefined && context.push) return rememberVerdict(work, image.memory);
  if (!isPushed(image, context) || state.digest === undefined) return settleRecord(work);
  if (verdict === 'failed') return settleRecord(work);
  // A retest proves the image by its own fingerprint: an external base may have moved since it was built.
  const fingerprint = image.source?.fingerprint ?? image.fingerprint;
  const proof = `${repositoryOf(image.ref)}:${proofTag(fingerprint, image.tests)}`;
  const put = await copyTag(work, state.digest, proof);
  if (!put.ok) return {failure: put.error};
  const settled = await settleRecord(work);
  return settled.failure === undefined ? putExtraTags(work, state.digest) : settled;
}

/** `tag.extra` of a default-branch build. */
async function putExtraTags(work: Work, digest: string): Promise<StepEnd> {
  const {context, image} = work;
  const repository = repositoryOf(image.ref);
  for (const tag of context.extraTags(image)) {
    const put = await copyTag(work, digest, `${repository}:${tag}`);
    if (!put.ok) return {failure: put.error};
  }
  return {};
}

async function copyTag(
  {context, image, state}: Work,
  digest: string,
  to: string,
): Promise<Result<void>> {
  const known = [state.manifest, image.source?.manifest].find((one) => one?.digest === digest);
  if (known !== undefined) return context.registry.put(to, known);
  const from = byDigest(image.ref, digest);
  const found = await context.registry.manifest(from);
  if (found.state === 'present') return context.registry.put(to, found);
  if (found.state === 'unknown') return fail(found.failure);
  return fail(
    failure('not-found', `${from} is no longer in the registry.`, {
      cause: {kind: 'http', request: `GET ${from}`, status: 404},
      hint: 'Re-run the job; the image will be built.',
    }),
  );
}
