import type {Lookup, Published, Registry} from '../adapters/registry/index.ts';
import {fail, ok, type Result} from '../failure.ts';
import type {ImageHashes} from '../fingerprint/index.ts';
import {labels, proofTag} from '../image/tags.ts';
import type {ImageSpec, Spec} from '../stack/spec/index.ts';
import {inTurn} from '../util/in-turn.ts';
import {linesByCause} from '../util/same-cause.ts';
import {type Evidence, isUnlabelled} from './facts.ts';
import {memoryOf} from './memory.ts';

/** What the registry remembers of a stack. */
export interface RegistryState {
  /** What is at each published image's tag of this run. */
  readonly atTag: ReadonlyMap<string, Lookup>;
  /** What is proved of it. */
  readonly evidence: ReadonlyMap<string, Evidence>;
  /** What is at the proof tag of each image's fingerprint and tests. */
  readonly proofs: ReadonlyMap<string, Lookup>;
  /** References that the registry could not answer for, with the reason. */
  readonly unknown: readonly string[];
  readonly warnings: readonly string[];
}

interface RecordedVerdict {
  readonly hash: string;
  readonly verdict: 'passed' | 'failed';
}

/** What a plan takes from the record of a digest. */
export interface RecordFacts {
  readonly fingerprint: string;
  readonly content: string;
  readonly tests: RecordedVerdict;
  /** The last verdict under each tag, the newest last. */
  readonly verdicts?: readonly RecordedVerdict[];
}

export interface RegistryPorts {
  readonly registry: Registry;
  /** This run may write to the registry. */
  readonly mayPush: boolean;
  /** Undefined where there is no record, or none that can be trusted. */
  readonly readRecord: (image: {
    readonly repository: string;
    readonly digest: string;
  }) => Promise<RecordFacts | undefined>;
}

export interface StateRequest {
  readonly spec: Spec;
  readonly refs: ReadonlyMap<string, string>;
  readonly hashes: ReadonlyMap<string, ImageHashes>;
}

/** So many images are asked about at once: far more than there are connections, so that none of them waits. */
const mostAtOnce = 256;

/** The registry adapter keeps its connections alive and bounds their number. */
export async function readRegistryState(
  ports: RegistryPorts,
  {spec, refs, hashes}: StateRequest,
): Promise<RegistryState> {
  const published = [...spec.images.values()].filter((image) => image.publish);
  const readOne = async (image: ImageSpec) => {
    const own = hashes.get(image.name);
    if (own === undefined) throw new Error(`Internal error: no hashes of ${image.name}`);
    return {image, ...(await readImage(ports, image, {ref: refs.get(image.name) ?? '', own}))};
  };
  const all = await inTurn(published, readOne, mostAtOnce);
  const readHidden = async (image: ImageSpec) => ({
    image,
    evidence: await evidenceOfHidden(ports, image, {spec, hashes}),
  });
  const hidden = await inTurn(
    [...spec.images.values()].filter((image) => !image.publish),
    readHidden,
    mostAtOnce,
  );
  const evidence = [...all, ...hidden].flatMap(({image, evidence: found}) =>
    found === undefined ? [] : [[image.name, found] as const],
  );
  const proofs = all.map(
    ({image, proof}) => [image.name, proof.ok ? proof.value : absent] as const,
  );
  return {
    atTag: new Map(all.map(({image, standing}) => [image.name, standing])),
    evidence: new Map(evidence),
    proofs: new Map(proofs),
    unknown: linesByCause(
      all.flatMap(({image, standing}) =>
        standing.state === 'unknown'
          ? {ref: refs.get(image.name) ?? '', because: standing.because}
          : [],
      ),
    ),
    warnings: all.flatMap(({image, proof}) => (proof.ok ? [] : [`${image.name}: ${proof.error}`])),
  };
}

const absent: Lookup = {state: 'absent'};

interface ImageState {
  readonly standing: Lookup;
  readonly proof: Result<Lookup, string>;
  readonly evidence: Evidence | undefined;
}

async function readImage(
  ports: RegistryPorts,
  image: ImageSpec,
  {ref, own}: {readonly ref: string; readonly own: ImageHashes},
): Promise<ImageState> {
  const {registry} = ports;
  const proofRef = `${image.repository}:${proofTag(own.fingerprint, own.tests)}`;
  const [standing, shown] = await Promise.all([ask(ports, image, ref), registry.head(proofRef)]);
  if (shown.state !== 'present') {
    return {standing, proof: ok(shown), evidence: await evidenceOf(ports, {image, own}, standing)};
  }
  // Mostly the proof is of the image at the tag: then nothing more is asked.
  const isStanding = standing.state === 'present' && standing.digest === shown.digest;
  const found = isStanding ? standing : await registry.inspect(proofRef);
  const proof = checkProof(found, own, proofRef);
  return {
    standing,
    proof,
    evidence:
      isStanding && proof.ok
        ? {fingerprint: own.fingerprint, content: own.content, passed: own.tests}
        : await evidenceOf(ports, {image, own}, standing),
  };
}

/**
 * A registry may deny all knowledge of a repository that does not exist yet. Where this run may push, it is asked for
 * that permission, and then once more.
 */
async function ask(
  {registry, mayPush}: RegistryPorts,
  {repository}: ImageSpec,
  ref: string,
): Promise<Lookup> {
  const lookup = await registry.inspect(ref);
  if (lookup.state !== 'unknown' || lookup.isDenied !== true || !mayPush) return lookup;
  const granted = await registry.mayPush(repository);
  return granted.ok ? registry.inspect(ref) : lookup;
}

/** A tag that promises one fingerprint and shows an image with another: it was overwritten. */
function checkProof(found: Lookup, own: ImageHashes, ref: string): Result<Lookup, string> {
  if (found.state !== 'present') return ok(found);
  const label = found.labels.get(labels.fingerprint);
  if (label === own.fingerprint) return ok(found);
  return fail(
    `${ref} points to an image with ${label === undefined ? 'no fingerprint' : `the fingerprint ${label}`}, so it is not trusted`,
  );
}

/**
 * What is known of the image at the tag, when the checkout's own proof tag does not show it. Its labels may be those of
 * its base, or of a Dockerfile: they only say which proof to look for.
 */
async function evidenceOf(
  {registry, readRecord}: RegistryPorts,
  {image: {repository}, own}: {readonly image: ImageSpec; readonly own: ImageHashes},
  standing: Lookup,
): Promise<Evidence | undefined> {
  if (standing.state !== 'present' || isUnlabelled(standing)) return undefined;
  const record = await readRecord({repository, digest: standing.digest});
  if (record !== undefined) return evidenceIn(record, own);
  const labelled = readLabels(standing);
  if (labelled === undefined) return undefined;
  const {fingerprint, content, tests} = labelled;
  const proof = await registry.head(`${repository}:${proofTag(fingerprint, tests)}`);
  return proof.state === 'present' && proof.digest === standing.digest
    ? {fingerprint, content, passed: tests}
    : undefined;
}

function evidenceIn(record: RecordFacts, own: ImageHashes): Evidence {
  const {fingerprint, content, tests, verdicts = []} = record;
  // Another branch may have tested the same image with other tests since.
  const last = [...verdicts, tests].findLast(({hash}) => hash === own.tests) ?? tests;
  return {fingerprint, content, passed: last.verdict === 'passed' ? last.hash : undefined};
}

/** Of an image that is not published there is only a record. */
async function evidenceOfHidden(
  {readRecord}: RegistryPorts,
  image: ImageSpec,
  {spec, hashes}: Pick<StateRequest, 'spec' | 'hashes'>,
): Promise<Evidence | undefined> {
  const own = hashes.get(image.name);
  const memory = own && memoryOf(spec.images, image, own.content);
  const record = memory && (await readRecord(memory));
  return own && record && evidenceIn(record, own);
}

function readLabels({labels: own}: Published): ImageHashes | undefined {
  const [fingerprint, content, tests] = [labels.fingerprint, labels.content, labels.tests].map(
    (label) => own.get(label),
  );
  if (fingerprint === undefined || content === undefined || tests === undefined) return undefined;
  return {fingerprint, content, tests};
}

/** Each question is a git process that reads the history. */
const mostHistories = 8;

export interface OutdatedRequest {
  readonly images: Iterable<ImageSpec>;
  readonly stackDir: string;
  readonly atTag: ReadonlyMap<string, Lookup>;
  readonly lastChange: (paths: readonly string[]) => Promise<Result<number, string>>;
}

/**
 * Images that the Python scripts made before their files changed: nothing in them says what they were built from, and a
 * run that was to build them anew may have failed. Where git or the image tells no time, the changed files alone count.
 */
export async function findOutdated({
  images,
  stackDir,
  atTag,
  lastChange,
}: OutdatedRequest): Promise<ReadonlySet<string>> {
  const old = [...images].flatMap((image) => {
    const standing = atTag.get(image.name);
    if (standing?.state !== 'present' || !isUnlabelled(standing)) return [];
    return standing.created === undefined ? [] : [{image, created: standing.created}];
  });
  const findOne = async ({image, created}: (typeof old)[number]): Promise<readonly string[]> => {
    const {folder, context, dockerfile, tests} = image;
    const paths = [folder, context, dockerfile, `${stackDir}/tests_common`, ...tests.paths];
    const changed = await lastChange([...new Set(paths)]);
    return changed.ok && changed.value > created ? [image.name] : [];
  };
  return new Set((await inTurn(old, findOne, mostHistories)).flat());
}
