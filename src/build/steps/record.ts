import {join} from 'node:path/posix';
import {outputFolders} from '../../image/files.ts';
import {parseReference, repositoryOf} from '../../image/reference.ts';
import {fileNameOf, stableTag} from '../../image/tags.ts';
import {manifestPage, recordedInfo} from '../../page/index.ts';
import type {Memory} from '../../plan/index.ts';
import {
  type Difference,
  differenceOf,
  type FactsSource,
  type ImageFacts,
  type ImageRecord,
  imageFacts,
  imageRecord,
  type RecordedTests,
  recordText,
  withoutInherited,
  withVerdict,
} from '../../record/index.ts';
import {isPushed} from '../../schedule/index.ts';
import {byDigest, type StepEnd, type Work} from './context.ts';

/**
 * Writes what is known of an image: its page, and in the registry its record. Called by the step that ends its tests and
 * by the one that makes its page, whichever comes last; a failed verdict is recorded at once, so that a red image stays
 * red whatever is pushed next.
 */
export async function settleRecord(work: Work): Promise<StepEnd> {
  const {context, image, state} = work;
  const isFinal = state.verdict === 'failed' || state.inventory !== undefined;
  // A reused image is not tested in this run: nothing more comes, and its page is made all the same.
  const awaitsTests = image.action !== 'reuse' && isPushed(image, context);
  if (!isFinal || (state.verdict === undefined && awaitsTests)) return {};
  const facts = factsOf(work, await diffIdsOf(work));
  if (state.inventory !== undefined) await writePage(work, facts);
  return recordIt(work, facts);
}

/** What changed since the stable image of the same name, else since what was at the tag before; from records alone. */
async function changesSince(work: Work, facts: ImageFacts): Promise<Difference | undefined> {
  const {context, image, stateOf} = work;
  if (facts.digest === undefined) return undefined;
  const repository = repositoryOf(image.ref);
  const stable = `${repository}:${stableTag(image.spec)}`;
  const standing = await context.registry.head(stable, {once: true});
  const earlier = [
    {reference: stable, digest: standing.state === 'present' ? standing.digest : undefined},
    {reference: image.ref, digest: image.before},
  ];
  for (const {reference, digest} of earlier) {
    if (digest === undefined || digest === facts.digest) continue;
    const record = await context.records.read({repository, digest});
    if (record === undefined) continue;
    // What it was built as is not where it was found.
    const whole = differenceOf({...record, reference}, {...facts, reference: image.ref});
    stateOf(image.name).difference = whole;
    const inherited = image.parents.flatMap((parent) => stateOf(parent).difference ?? []);
    return withoutInherited(whole, inherited);
  }
  return undefined;
}

/** The layers of what is in the registry; the check after the push has looked at them already. */
async function diffIdsOf({context, image, state}: Work): Promise<readonly string[]> {
  const {digest, manifest} = state;
  if (digest === undefined) return [];
  if (manifest?.digest === digest && manifest.diffIds !== undefined) return manifest.diffIds;
  const found = await context.registry.inspect(byDigest(image.ref, digest));
  return found.state === 'present' ? found.diffIds : [];
}

function factsOf(work: Work, diffIds: readonly string[]): ImageFacts {
  const {context, image, state} = work;
  const {plan, revision} = context;
  const parents = plan.images.filter(({name}) => image.parents.includes(name));
  const tests = testsOf(work);
  const source: FactsSource = {
    image: image.name,
    repository: repositoryOf(image.ref),
    reference: image.ref,
    ...(state.digest === undefined ? {} : {digest: state.digest}),
    platforms: image.spec.platforms.length > 0 ? image.spec.platforms : [context.platform],
    fingerprint: image.source?.fingerprint ?? image.fingerprint,
    content: image.source?.content ?? image.content,
    ...(tests === undefined ? {} : {tests}),
    ...(revision === '' ? {} : {commit: revision}),
    ...(context.subject === undefined ? {} : {subject: context.subject}),
    ...(context.sourceUrl === undefined ? {} : {source: context.sourceUrl}),
    run: context.runOf(),
    created: context.now().toISOString(),
    diffIds,
    layers: (state.inventory?.layers ?? []).map(({createdBy, size}) => ({createdBy, size})),
    parents: parents.flatMap((parent) => {
      const digest = work.stateOf(parent.name).digest ?? parent.source?.digest;
      return digest === undefined ? [] : [{image: parent.name, reference: parent.ref, digest}];
    }),
    seconds: secondsOf(state.seconds),
    info: (state.inventory?.info ?? []).map(recordedInfo),
    ...context.baseOf(image),
  };
  return imageFacts(source, context.mask);
}

function testsOf({context, image, state}: Work): RecordedTests | undefined {
  if (state.verdict === undefined) return undefined;
  return {
    hash: image.tests,
    verdict: state.verdict,
    ...(state.isTested ? {} : {none: true}),
    ...(state.counts === undefined ? {} : {counts: state.counts}),
    run: context.runOf(),
    at: context.now().toISOString(),
  };
}

function secondsOf(seconds: ReadonlyMap<string, number>): FactsSource['seconds'] {
  const [build, test, push] = [seconds.get('build'), seconds.get('test'), seconds.get('push')];
  return {
    ...(build === undefined ? {} : {build}),
    ...(test === undefined ? {} : {test}),
    ...(push === undefined ? {} : {push}),
  };
}

async function writePage(work: Work, facts: ImageFacts): Promise<void> {
  const {context, image, state} = work;
  state.size = facts.size;
  const difference = await changesSince(work, facts);
  const changes = difference === undefined ? {} : {difference};
  state.details = {facts, ...changes};
  // What failed has a record, and no page.
  if (state.verdict === 'failed') return;
  const name = join(outputFolders.manifests, fileNameOf(image.ref));
  await context.workspace.write(
    `${name}.md`,
    manifestPage(facts, {reference: image.ref, home: 'Home', builds: 'Builds', ...changes}),
  );
  await context.workspace.write(`${name}.json`, `${recordText(facts)}\n`);
}

/** What the tests of an image that is not published said, where the next run looks for it. */
export async function rememberVerdict(work: Work, {repository, digest}: Memory): Promise<StepEnd> {
  const {context, image} = work;
  const tests = testsOf(work);
  if (tests === undefined) return {};
  const {fingerprint, content} = image;
  const created = context.now().toISOString();
  const facts = {...factsOf(work, []), repository};
  const before = await context.records.read({repository, digest});
  const record = before ?? imageRecord(facts, {digest, fingerprint, content, tests, created});
  return writeRecord(work, withVerdict(record, tests, tagOf(image)));
}

/** A registry that refuses records costs one warning in a run: pages are then made by pulling, as before. */
async function recordIt(work: Work, facts: ImageFacts): Promise<StepEnd> {
  const {context, image, state} = work;
  const {digest} = state;
  const tests = testsOf(work);
  if (digest === undefined || tests === undefined || !isPushed(image, context)) return {};
  const {fingerprint, content, created} = facts;
  if (fingerprint === undefined || content === undefined || created === undefined) return {};
  const before =
    image.action === 'test'
      ? await context.records.read({repository: repositoryOf(image.ref), digest})
      : undefined;
  const record =
    before === undefined
      ? imageRecord(facts, {digest, fingerprint, content, tests, created})
      : withVerdict(before, tests, tagOf(image));
  return writeRecord(work, record);
}

async function writeRecord({context}: Work, record: ImageRecord): Promise<StepEnd> {
  const written = await context.records.write(record);
  if (!written.ok) context.recordRefused(written.error.message);
  return {};
}

function tagOf({ref}: Work['image']): string {
  return parseReference(ref)?.tag ?? '';
}

/** The page of an image that is reused: its record has everything, and nothing is pulled. */
export async function writePageFromRecord(work: Work, record: ImageRecord): Promise<void> {
  await writePage(work, record);
}
