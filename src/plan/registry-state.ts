import type {Lookup, Registry} from '../adapters/registry/index.ts';
import {type Fingerprint, inspectProof, passedTests} from '../fingerprint/index.ts';
import {fingerprintTag, labels} from '../image/tags.ts';
import type {Spec} from '../stack/spec/index.ts';

/** What the registry says of a stack: the memory of earlier runs (DESIGN.md section 4). */
export interface RegistryState {
  /** What stands at each published image's tag of this run. */
  readonly atTag: ReadonlyMap<string, Lookup>;
  /** What stands at the `fp-` tag of each image's fingerprint. */
  readonly twins: ReadonlyMap<string, Lookup>;
  /** Images at their tag that carry a fingerprint, but never passed their tests. */
  readonly untested: ReadonlySet<string>;
  /** References that the registry could not answer for, with the reason. */
  readonly unknown: readonly string[];
  readonly warnings: readonly string[];
}

type Hashes = ReadonlyMap<string, Fingerprint>;

/** Asks everything at once; the registry adapter keeps its connections alive and bounds their number. */
export async function readRegistryState(
  registry: Registry,
  spec: Spec,
  refs: ReadonlyMap<string, string>,
  hashes: Hashes,
): Promise<RegistryState> {
  const published = [...spec.images.values()].filter((image) => image.publish);
  const answers = published.map(async ({name, repository}) => {
    const {fingerprint} = hashes.get(name) ?? {fingerprint: ''};
    const asked = registry.inspect(refs.get(name) ?? '');
    const proof = `${repository}:${fingerprintTag(fingerprint)}`;
    const [image, twin] = await Promise.all([asked, inspectProof(registry, proof, asked)]);
    return {name, image, twin};
  });
  const all = await Promise.all(answers);
  const atTag = new Map(all.map(({name, image}) => [name, image]));
  const twins = new Map(all.map(({name, twin}) => [name, twin]));
  return {
    atTag,
    twins,
    untested: await findUntested(registry, spec, atTag, {twins, hashes}),
    unknown: [...atTag].flatMap(([name, lookup]) =>
      lookup.state === 'unknown' ? [`${refs.get(name)}: ${lookup.because}`] : [],
    ),
    warnings: overwritten(twins, hashes),
  };
}

async function findUntested(
  registry: Registry,
  spec: Spec,
  atTag: ReadonlyMap<string, Lookup>,
  {twins, hashes}: {readonly twins: ReadonlyMap<string, Lookup>; readonly hashes: Hashes},
): Promise<ReadonlySet<string>> {
  const untested = new Set<string>();
  const check = async ([name, lookup]: readonly [string, Lookup]): Promise<void> => {
    const label = lookup.state === 'present' ? lookup.labels.get(labels.fingerprint) : undefined;
    if (lookup.state !== 'present' || label === undefined) return;
    const isSame = hashes.get(name)?.fingerprint === label;
    const ref = `${spec.images.get(name)?.repository}:${fingerprintTag(label)}`;
    const twin = isSame ? twins.get(name) : await inspectProof(registry, ref, lookup);
    if (!passedTests(lookup, twin)) {
      untested.add(name);
    }
  };
  await Promise.all([...atTag].map(check));
  return untested;
}

/** A tag that promises one fingerprint and shows an image with another: somebody overwrote it. */
function overwritten(twins: ReadonlyMap<string, Lookup>, hashes: Hashes): readonly string[] {
  return [...twins].flatMap(([name, twin]) => {
    if (twin.state !== 'present') return [];
    const label = twin.labels.get(labels.fingerprint);
    const wanted = hashes.get(name)?.fingerprint;
    if (wanted === undefined || label === wanted) return [];
    const tag = fingerprintTag(wanted);
    return [
      `${name}: the tag ${tag} shows an image with ${label ?? 'no fingerprint'}, so it is not trusted`,
    ];
  });
}
