import type {Published, Registry} from '../adapters/registry/index.ts';
import type {Failure, Result} from '../failure.ts';
import {fingerprintTag, labels, proofTag} from '../image/tags.ts';

interface Verdict {
  readonly hash: string;
  readonly verdict: 'passed' | 'failed';
}

/** What the registry remembers of one image, as far as proofs need it. */
export interface ImageRecord {
  /** Of the image that it is about. */
  readonly digest: string;
  readonly tests: Verdict | undefined;
  /** The last verdict under each tag; missing where only one tag was ever tested. */
  readonly verdicts?: readonly (Verdict & {readonly tag: string})[];
  /** The parents that it was built on, or copied from. */
  readonly parents: readonly {readonly image: string; readonly digest: string}[];
}

/** Whether this very digest passed its tests, and how that is known. */
export type Tested =
  | {readonly state: 'passed'; readonly by: 'record' | 'proof' | 'old-proof'}
  /** `because` continues "x did not pass its tests: …". */
  | {readonly state: 'failed'; readonly because: string}
  /** It has no label of ours: nothing is known. */
  | {readonly state: 'unlabelled'}
  | {readonly state: 'unknown'; readonly because: string};

export interface TestedRequest {
  readonly repository: string;
  /** The tag that is asked about: the tests of another branch say nothing about it, where its own did. */
  readonly tag: string;
  readonly image: Published;
  /** The same image and its tests as they are checked out, where the tag is of this branch. */
  readonly checkout?: {readonly content: string; readonly tests: string} | undefined;
  /** The record of this digest; a failure when it could not be read; undefined for none. */
  readonly record: Result<ImageRecord | undefined, Failure> | undefined;
}

/**
 * Whether an image passed its tests: its own digest, never a twin with the same content. The record has the last
 * word, because it also knows of a later test that failed; where there is none, the proof tag must point to this
 * digest. The label names the tests that the tag is about. Images of earlier versions of this action have no such
 * label; their `fp-` tag was put on the digest that passed, too.
 */
export async function readTested(
  registry: Pick<Registry, 'head'>,
  request: TestedRequest,
): Promise<Tested> {
  const tested = await readVerdict(registry, request);
  if (tested.state !== 'passed' || (await isOfCheckout(registry, request))) return tested;
  const because =
    'it has what this checkout says, and passed older tests, but not those of this checkout';
  return {state: 'failed', because};
}

/** False where the image is what is checked out, and is not known to have passed the tests that are checked out with it. */
async function isOfCheckout(
  registry: Pick<Registry, 'head'>,
  {repository, image, checkout, record}: TestedRequest,
): Promise<boolean> {
  if (checkout === undefined || image.labels.get(labels.content) !== checkout.content) return true;
  const own = recordOf(image, record);
  const verdicts = [...(own?.verdicts ?? []), ...(own?.tests === undefined ? [] : [own.tests])];
  const last = verdicts.findLast(({hash}) => hash === checkout.tests);
  if (last !== undefined) return last.verdict === 'passed';
  const fingerprint = image.labels.get(labels.fingerprint) ?? '';
  const shown = await registry.head(`${repository}:${proofTag(fingerprint, checkout.tests)}`);
  return shown.state === 'present' && shown.digest === image.digest;
}

/** A record of another digest proves nothing about this one. */
function recordOf(image: Published, record: TestedRequest['record']): ImageRecord | undefined {
  return record?.ok === true && record.value?.digest === image.digest ? record.value : undefined;
}

async function readVerdict(
  registry: Pick<Registry, 'head'>,
  {repository, tag, image, record}: TestedRequest,
): Promise<Tested> {
  const fingerprint = image.labels.get(labels.fingerprint);
  if (fingerprint === undefined) return {state: 'unlabelled'};
  // A record that is not there, or not one, says nothing; one that cannot be asked for may say "failed".
  if (record?.ok === false && !isNone(record.error))
    return {state: 'unknown', because: `its record could not be read: ${record.error.message}`};
  const own = recordOf(image, record);
  const {verdict} = own?.verdicts?.find((one) => one.tag === tag) ?? own?.tests ?? {};
  if (verdict === 'passed') return {state: 'passed', by: 'record'};
  if (verdict === 'failed')
    return {state: 'failed', because: 'its record in the registry says that they failed'};
  const hash = image.labels.get(labels.tests);
  const proof = hash === undefined ? fingerprintTag(fingerprint) : proofTag(fingerprint, hash);
  const ref = `${repository}:${proof}`;
  const shown = await registry.head(ref);
  if (shown.state === 'unknown') return {state: 'unknown', because: shown.because};
  if (shown.state === 'absent')
    return {state: 'failed', because: `there is no proof of it (the tag ${ref} does not exist)`};
  if (shown.digest !== image.digest) {
    const because = `the proof ${ref} is about another image (${shown.digest}), even if its content is the same`;
    return {state: 'failed', because};
  }
  return {state: 'passed', by: hash === undefined ? 'old-proof' : 'proof'};
}

/** Whether this digest ever passed tests, whatever was said of it since: `failed` where it is known to be red, and nothing else. */
export async function everPassed(
  registry: Pick<Registry, 'head'>,
  {repository, image, record}: Omit<TestedRequest, 'tag' | 'checkout'>,
): Promise<'passed' | 'failed' | 'unknown'> {
  const own = recordOf(image, record);
  const verdicts = [...(own?.verdicts ?? []), ...(own?.tests === undefined ? [] : [own.tests])];
  if (verdicts.some(({verdict}) => verdict === 'passed')) return 'passed';
  const [fingerprint, hash] = [labels.fingerprint, labels.tests].map((one) =>
    image.labels.get(one),
  );
  if (fingerprint !== undefined) {
    const tag = hash === undefined ? fingerprintTag(fingerprint) : proofTag(fingerprint, hash);
    const shown = await registry.head(`${repository}:${tag}`);
    if (shown.state === 'present' && shown.digest === image.digest) return 'passed';
  }
  return verdicts.length > 0 ? 'failed' : 'unknown';
}

function isNone({class: kind}: Failure): boolean {
  return kind === 'registry-inconsistent' || kind === 'not-found';
}

/** Whether an image with these layers is built on one with those. */
export function startsWith(layers: readonly string[], base: readonly string[]): boolean {
  return base.length <= layers.length && base.every((layer, index) => layers[index] === layer);
}
