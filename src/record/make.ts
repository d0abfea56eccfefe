import {parseReference} from '../image/reference.ts';
import {packagesOf} from './packages/index.ts';
import type {
  ImageFacts,
  ImageRecord,
  RecordedInfo,
  RecordedLayer,
  RecordedTests,
  TagTests,
} from './schema.ts';

/** What a run knows of an image; the rest of its facts follows from that. */
export type FactsSource = Omit<ImageFacts, 'packages' | 'size'>;

/** The facts of an image. `mask` replaces secrets: records and pages are public where the image is. */
export function imageFacts(source: FactsSource, mask: (text: string) => string): ImageFacts {
  const info = source.info.map((one) => maskedInfo(one, mask));
  const layers = source.layers.map((layer) => ({...layer, createdBy: mask(layer.createdBy)}));
  return {
    ...source,
    ...(source.subject === undefined ? {} : {subject: mask(source.subject)}),
    info,
    layers: withDiffIds(layers, source.diffIds),
    size: layers.reduce((sum, {size}) => sum + size, 0),
    packages: packagesOf(info),
  };
}

function maskedInfo(info: RecordedInfo, mask: (text: string) => string): RecordedInfo {
  return {
    ...info,
    command: mask(info.command),
    output: mask(info.output),
    ...(info.errors === undefined ? {} : {errors: mask(info.errors)}),
  };
}

/** Instructions that make a layer, even an empty one; the rest (`ENV`, `CMD`, …) only change the config. */
const makesLayer = /^(?:RUN|COPY|ADD|WORKDIR)\s|^\/bin\/sh -c (?!#\(nop\))/;

/**
 * Some lines of the history have no layer, and it does not mark them. Each line gets the identity of its layer where
 * the counts leave no doubt; otherwise none does.
 */
function withDiffIds(
  layers: readonly RecordedLayer[],
  diffIds: readonly string[],
): readonly RecordedLayer[] {
  const rules: readonly ((layer: RecordedLayer) => boolean)[] = [
    ({size}) => size > 0,
    ({size, createdBy}) => size > 0 || makesLayer.test(createdBy),
    () => true,
  ];
  const isReal = rules.find((rule) => layers.filter(rule).length === diffIds.length);
  if (isReal === undefined) return layers;
  const rest = diffIds.values();
  return layers.map((layer) => {
    const diffId = isReal(layer) ? rest.next().value : undefined;
    return diffId === undefined ? layer : {...layer, diffId};
  });
}

/** The record of a pushed image: its facts, and what proves them. */
export function imageRecord(
  facts: ImageFacts,
  proved: Pick<ImageRecord, 'digest' | 'fingerprint' | 'content' | 'tests' | 'created'>,
): ImageRecord {
  return {...facts, ...proved, schema: 1};
}

/** More branches than this hardly have one image; the oldest words are forgotten. */
const mostVerdicts = 100;

/**
 * The same image after other tests of it: a red retest stays red, whatever the record said before. What the tests of
 * other tags said stays too: neither does their green make this one green, nor this red theirs red.
 */
export function withVerdict(record: ImageRecord, tests: RecordedTests, tag: string): ImageRecord {
  const others = verdictsOf(record).filter((one) => one.tag !== tag);
  return {...record, tests, verdicts: [...others, {...tests, tag}].slice(-mostVerdicts)};
}

function verdictsOf({reference, tests, verdicts}: ImageRecord): readonly TagTests[] {
  return verdicts ?? [{...tests, tag: parseReference(reference)?.tag ?? ''}];
}

/** The record as it is true for a tag: with what its own tests said, where they said something. */
export function recordAt(record: ImageRecord, tag: string): ImageRecord {
  const own = verdictsOf(record).find((one) => one.tag === tag);
  if (own === undefined) return record;
  const {tag: _, ...tests} = own;
  return {...record, tests};
}

/** The one JSON text of a record: equal records give equal text, in whatever order they were put together. */
export function recordText(facts: ImageFacts): string {
  return JSON.stringify(facts, (_, value: unknown) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    const sorted = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(sorted);
  });
}
