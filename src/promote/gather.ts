import type {Published} from '../adapters/registry/index.ts';
import type {Failure, Result} from '../failure.ts';
import {type ImageRecord, readTested, type TestedRequest} from '../fingerprint/index.ts';
import {extraTag, labels} from '../image/tags.ts';
import {checkKeys, InputError, type Run} from '../run/index.ts';
import {loadStack, type Stack} from '../stack/index.ts';
import type {ImageSpec} from '../stack/spec/index.ts';
import {byNearness} from '../util/nearest.ts';
import {type TagNames, tagNames} from './names.ts';
import {readTag} from './presence.ts';
import type {FactPorts, TagFacts} from './types.ts';

/** What is to be promoted, from which tag to which. */
export interface TagRequest {
  readonly stack: Stack;
  readonly names: TagNames;
  /** Parents first. */
  readonly images: readonly ImageSpec[];
  /** Further tags that each image gets with the promotion; checked like the others. `revision` is the commit it was built from. */
  readonly extraTags: (image: ImageSpec, revision: string | undefined) => readonly string[];
}

/** What is checked out, by image, where the source is the tag of this very branch. */
export type CheckedOut = ReadonlyMap<string, {readonly content: string; readonly tests: string}>;

/** The stack as a promotion reads it: which tag the parents have does not matter, only that it is the same for all. */
export function loadPromotedStack({
  inputs,
  workspace,
}: Pick<Run, 'inputs' | 'workspace'>): Promise<Stack> {
  return loadStack(workspace, {
    stackDir: inputs.stackDir,
    tagPrefix: inputs.tagPrefix,
    tagOf: () => 'promoted',
  });
}

/**
 * Reads the spec and the wish. An older prefix than the spec's promotes the images of the main track.
 * @throws {SpecError | InputError} for mistakes of the user
 */
export async function readTagRequest(
  run: Pick<Run, 'inputs' | 'workspace'>,
  extraTagsOf: (stack: Stack) => TagRequest['extraTags'] = () => () => [],
): Promise<TagRequest> {
  const {inputs} = run;
  const stack = await loadPromotedStack(run);
  const all = stack.tree.order.flatMap((name) => stack.spec.images.get(name) ?? []);
  checkKeys(inputs, all);
  const prefixes = [...new Set(all.map((image) => image.tagPrefix))];
  const names = tagNames(inputs.target, inputs.sourceTag ?? '', prefixes);
  if (!names.ok) throw new InputError(names.error);
  const {prefix} = names.value;
  const images = all.filter(
    (image) =>
      image.publish &&
      (inputs.images.length === 0 ||
        [image.key, image.name].some((one) => inputs.images.includes(one))) &&
      (prefixes.includes(prefix) ? image.tagPrefix === prefix : image.track === undefined),
  );
  return {stack, names: names.value, images, extraTags: extraTagsOf(stack)};
}

/** Asks the registry about every image at once; nothing is changed. */
export async function readTagFacts(
  ports: FactPorts,
  request: TagRequest,
  checkedOut: CheckedOut = new Map(),
): Promise<{readonly facts: readonly TagFacts[]; readonly warnings: readonly string[]}> {
  const warnings: string[] = [];
  const facts = await Promise.all(
    request.images.map((image) =>
      readFacts(ports, request, {image, warnings, checkout: checkedOut.get(image.name)}),
    ),
  );
  return {facts, warnings};
}

async function readFacts(
  ports: FactPorts,
  {stack, names, extraTags}: TagRequest,
  {
    image,
    warnings,
    checkout,
  }: {
    readonly image: ImageSpec;
    readonly warnings: string[];
    readonly checkout: TestedRequest['checkout'];
  },
): Promise<TagFacts> {
  const {registry} = ports;
  const {name, repository} = image;
  const tag = extraTag(names.source, image);
  const source = `${repository}:${tag}`;
  const target = extraTag(names.target, image);
  const readTarget = async (one: string): Promise<TagFacts['targets'][number]> => {
    const ref = `${repository}:${one}`;
    return {ref, isExtra: one !== target, current: await readTag(registry, ref)};
  };
  const [lookup, main, denied] = await Promise.all([
    registry.inspect(source),
    readTarget(target),
    deniedBy(ports, repository),
  ]);
  const revision = lookup.state === 'present' ? lookup.labels.get(labels.revision) : undefined;
  const extra = new Set(extraTags(image, revision).filter((one) => one !== target));
  const targets = [main, ...(await Promise.all(Array.from(extra, readTarget)))];
  const record =
    lookup.state === 'present' ? await readRecord(ports, repository, lookup) : undefined;
  if (record?.ok === false)
    warnings.push(`The record of ${source} could not be read: ${record.error.message}`);
  const bases = publishedBases(stack, name);
  return {
    name,
    source,
    lookup,
    targets,
    tested:
      lookup.state === 'present'
        ? await readTested(registry, {repository, tag, image: lookup, record, checkout})
        : undefined,
    bases,
    copies: [...(stack.references.get(name)?.keys() ?? [])].filter(
      (parent) => !bases.includes(parent),
    ),
    record: record?.ok === true ? record.value : undefined,
    similar: lookup.state === 'absent' ? await similarTags(ports, repository, names) : undefined,
    denied,
  };
}

/** What the layers of an image begin with: where that is not published, what that begins with. */
function publishedBases(stack: Stack, name: string): readonly string[] {
  return (stack.bases.get(name) ?? []).flatMap((base) =>
    stack.spec.images.get(base)?.publish === false ? publishedBases(stack, base) : base,
  );
}

/** Images without our labels were made by other tools: they have no record, and none is asked for. */
async function readRecord(
  {readRecord: read}: FactPorts,
  repository: string,
  {digest, labels}: Published,
): Promise<Result<ImageRecord | undefined, Failure> | undefined> {
  const isOurs = [...labels.keys()].some((label) => label.startsWith('edu.ucsd.ets.stack.'));
  return isOurs ? read?.({repository, digest}) : undefined;
}

async function deniedBy({mayPush}: FactPorts, repository: string): Promise<string | undefined> {
  const answer = await mayPush?.(repository);
  return answer?.ok === false
    ? [answer.error.message, answer.error.hint].filter(Boolean).join(' ')
    : undefined;
}

/** The registry's own memory (`fp-`, `rec-`) is of no use to a reader. */
const internalTag = /^(?:fp|rec)-[0-9a-f]{16}(?:-|$)/;

async function similarTags(
  {tags}: FactPorts,
  repository: string,
  names: TagNames,
): Promise<readonly string[] | undefined> {
  const listed = await tags?.(repository);
  if (listed?.ok !== true) return undefined;
  return byNearness(
    names.source,
    listed.value.filter((tag) => !internalTag.test(tag) && tag !== names.source),
  );
}
