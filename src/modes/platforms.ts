import {join} from 'node:path';
import type {Registry} from '../adapters/registry/index.ts';
import {indexOf} from '../build/index.ts';
import type {RecordStore} from '../build/steps/index.ts';
import {fail, failure, ok, type Result} from '../failure.ts';
import {readTested} from '../fingerprint/index.ts';
import {outputFolders} from '../image/files.ts';
import {parseReference} from '../image/reference.ts';
import {fileNameOf, labels, proofTag} from '../image/tags.ts';
import {manifestPage} from '../page/index.ts';
import {noRunner, type Plan, type PlannedImage, runnerOf} from '../plan/index.ts';
import {recordAt} from '../record/index.ts';
import type {ImageDetails, parseReport} from '../report/index.ts';
import type {Run, RunPolicy} from '../run/index.ts';
import type {Stack} from '../stack/index.ts';
import {extraTagsOf, machinePlatform} from './setup/adapters.ts';

type RunnerReport = ReturnType<typeof parseReport>;
type ReportedImage = RunnerReport['images'][number];

export interface JoinRequest {
  readonly run: Run;
  readonly stack: Stack;
  readonly policy: RunPolicy;
  readonly plan: Plan;
  readonly registry: Registry;
  readonly records: RecordStore;
}

/**
 * Puts the images together that legs built for one platform each, once all platforms of an image passed their tests:
 * the index gets the tag of the run, a proof and a record of its own. In the reports one result of the whole image
 * takes the place of those of its platforms.
 */
export async function joinPlatforms(
  request: JoinRequest,
  reports: readonly RunnerReport[],
): Promise<readonly RunnerReport[]> {
  const several = request.plan.images.filter(({spec}) => spec.platforms.length > 1);
  const joined: ReportedImage[] = [];
  const replaced = new Set<ReportedImage>();
  const details = new Map<string, ImageDetails>();
  for (const image of several) {
    const refs = platformRefs(request, image);
    const legs = reports
      .filter(({tag}) => tag === request.plan.tag)
      .flatMap(({images, details: known}) => images.map((claim) => ({claim, known})))
      .filter(({claim}) => claim.image === image.name && [...refs.values()].includes(claim.ref));
    const claims = legs.map(({claim}) => claim);
    for (const claim of claims) replaced.add(claim);
    // Layers and packages are those of one platform; logs name theirs.
    const logs = legs.flatMap(({known}) => known.get(image.name)?.logs ?? []);
    if (logs.length > 0) details.set(image.name, {logs});
    const own = await joinOne(request, {image, refs, claims});
    if (own !== undefined) joined.push(own);
  }
  if (joined.length === 0) return reports;
  const {tag} = request.plan;
  const rest = reports.map((report) => ({
    ...report,
    images: report.images.filter((claim) => !replaced.has(claim)),
  }));
  const outcome = joined.some((one) => one.outcome === 'failed') ? 'failed' : 'passed';
  return [...rest, {file: 'platforms', tag, attempt: 1, outcome, images: joined, details}];
}

/** By platform, where its leg pushed. */
function platformRefs({policy}: JoinRequest, {spec}: PlannedImage): ReadonlyMap<string, string> {
  return new Map(
    spec.platforms.map((platform) => [
      platform,
      `${spec.repository}:${policy.tagOf({...spec, platform})}`,
    ]),
  );
}

interface Pieces {
  readonly image: PlannedImage;
  readonly refs: ReadonlyMap<string, string>;
  readonly claims: readonly ReportedImage[];
}

const bad = ['failed', 'cancelled', 'blocked'];

/** Undefined where there was no leg for a platform: one runner built them all, or nothing was to be done. */
async function joinOne(request: JoinRequest, pieces: Pieces): Promise<ReportedImage | undefined> {
  const {image, claims} = pieces;
  const {name, ref, spec} = image;
  const [first] = claims;
  const worst = claims.find(({outcome}) => bad.includes(outcome));
  if (first === undefined) return undefined;
  if (worst !== undefined) return {...worst, ref, digest: undefined};
  const busy = claims.filter(({outcome}) => outcome !== 'skipped');
  if (busy.length === 0 && image.action === 'skip') return {...first, ref};
  const outcome = busy.some((claim) => claim.outcome === 'built') ? 'built' : 'reused';
  const steps = busy.flatMap((claim) => claim.steps);
  const whole = {...first, image: name, ref, outcome, steps} as const;
  // Without a digest nothing was pushed: this run may only build and test.
  const isPushed = request.policy.push.kind !== 'never' && spec.publish;
  if (!isPushed || busy.some(({digest}) => digest === undefined))
    return {...whole, digest: undefined};
  const put = await putIndex(request, pieces);
  if (put.ok) return {...whole, digest: put.value};
  const failed = {step: 'push', durationMs: 0, failure: put.error, notes: []} as const;
  return {...whole, outcome: 'failed', digest: undefined, steps: [...steps, failed]};
}

async function putIndex(request: JoinRequest, pieces: Pieces): Promise<Result<string>> {
  const {image} = pieces;
  const {registry, run, stack, policy} = request;
  const found = [];
  for (const [platform, ref] of pieces.refs) {
    const one = await provedImage(request, pieces, {platform, ref});
    if (!one.ok) return one;
    found.push(one.value);
  }
  const index = indexOf(
    found,
    new Map([
      [labels.fingerprint, image.fingerprint],
      [labels.content, image.content],
      [labels.tests, image.tests],
      [labels.run, run.event.runId],
    ]),
  );
  const {repository} = image.spec;
  const extra = policy.isDefaultBranchPush ? extraTagsOf(stack, image, run.event.headSha) : [];
  const proof = proofTag(image.fingerprint, image.tests);
  const refs = [image.ref, ...[proof, ...extra].map((tag) => `${repository}:${tag}`)];
  for (const ref of refs) {
    const put = await registry.put(ref, index);
    if (!put.ok) return put;
  }
  const shown = await registry.waitForDigest(image.ref, index.digest);
  if (!shown.ok) return shown;
  const [tag = ''] = [...pieces.refs.values()].map((one) => parseReference(one)?.tag);
  const first = {tag, digest: found[0]?.manifest.digest ?? ''};
  await recordIndex(request, image, {digest: index.digest, first});
  return ok(index.digest);
}

/** What stands at the tag of a platform is what its leg pushed, and it passed its tests. */
async function provedImage(
  {registry, records, stack}: JoinRequest,
  {image, claims}: Pieces,
  {platform, ref}: {readonly platform: string; readonly ref: string},
): Promise<Result<Parameters<typeof indexOf>[0][number]>> {
  const {repository} = image.spec;
  const {runners} = stack.spec;
  const hasRunner = runnerOf(platform, {runners, platform: machinePlatform}) !== undefined;
  const hint = hasRunner
    ? `Look at the leg of ${image.name} for ${platform}, and run it again.`
    : noRunner(image.spec.key, platform);
  const refuse = (because: string) =>
    fail(failure('not-found', `${image.ref} was not put together: ${because}.`, {hint}));
  const there = await registry.inspect(ref);
  if (there.state === 'unknown') return refuse(`the registry could not say what ${ref} is`);
  if (there.state === 'absent') return refuse(`the image for ${platform} is missing (${ref})`);
  const claimed = claims.find((claim) => claim.ref === ref)?.digest;
  if (claimed !== undefined && claimed !== there.digest)
    return refuse(`${ref} is ${there.digest}, but its leg pushed ${claimed}`);
  const record = await records.read({repository, digest: there.digest});
  const tested = await readTested(registry, {
    repository,
    tag: parseReference(ref)?.tag ?? '',
    image: there,
    record: ok(record),
  });
  if (tested.state !== 'passed')
    return refuse(`nothing proves that ${ref} passed its tests on ${platform}`);
  const {bytes, mediaType, digest} = there;
  return ok({platform, manifest: {bytes, mediaType, digest}});
}

/** The record of the index is that of its first image, about all of them. */
async function recordIndex(
  {run, records}: JoinRequest,
  {spec, ref, fingerprint, content}: PlannedImage,
  {
    digest,
    first,
  }: {
    readonly digest: string;
    readonly first: {readonly tag: string; readonly digest: string};
  },
): Promise<void> {
  const record = await records.read({repository: spec.repository, digest: first.digest});
  if (record === undefined) return;
  const {platforms} = spec;
  const {verdicts: _, ...tested} = recordAt(record, first.tag);
  const whole = {...tested, digest, reference: ref, platforms, fingerprint, content};
  const written = await records.write(whole);
  if (!written.ok) run.log.warning(`${ref} has no record: ${written.error.message}`);
  const page = join(outputFolders.manifests, `${fileNameOf(ref)}.md`);
  await run.workspace.write(page, manifestPage(whole));
}
