import type {Lookup} from '../adapters/registry/index.ts';
import {startsWith} from '../fingerprint/index.ts';
import {repositoryOf, tagPattern} from '../image/reference.ts';
import {labels} from '../image/tags.ts';
import {linesByCause} from '../util/same-cause.ts';
import type {TagFacts, TagMove, TagPlan} from './types.ts';

/** At most so many tags are listed for an image whose source does not exist. */
const mostTags = 10;

/** Decides whether this set may get its tags; all causes against it are named at once. */
export function makeTagPlan(images: readonly TagFacts[]): TagPlan {
  const byName = new Map(images.map((image) => [image.name, image]));
  const refusals =
    images.length === 0
      ? ['There are no images to promote: spec.yml publishes none for this tag.']
      : [
          ...unasked(images),
          ...denied(images),
          ...images.flatMap((image) => [
            ...unread(image),
            ...untested(image),
            ...misplaced(image, byName),
          ]),
        ];
  return {
    moves: images.flatMap(movesOf),
    refusals: [...new Set([...refusals, ...takenTwice(images)])],
    warnings: images.flatMap((image) => [...unproved(image), ...unchecked(image, byName)]),
  };
}

function movesOf({name, source, lookup, targets}: TagFacts): readonly TagMove[] {
  if (lookup.state !== 'present') return [];
  const {digest, bytes, mediaType} = lookup;
  return targets.flatMap(({ref, current, isExtra}) =>
    current.state === 'unknown'
      ? []
      : {
          name,
          source,
          target: ref,
          before: current.manifest,
          after: {digest, bytes, mediaType},
          revision: lookup.labels.get(labels.revision),
          builtAs: undefined,
          isExtra,
        },
  );
}

/** What the registry gave no answer about. */
function unasked(images: readonly TagFacts[]): readonly string[] {
  const asked = images.flatMap(({source, lookup, targets}) => [
    {ref: source, of: lookup},
    ...targets.map(({ref, current}) => ({ref, of: current})),
  ]);
  const unknown = asked.flatMap(({ref, of}) =>
    of.state === 'unknown' ? {ref, because: of.because} : [],
  );
  return linesByCause(unknown).map((line) => `The registry could not be queried: ${line}`);
}

/** Where the registry would not let this run push. */
function denied(images: readonly TagFacts[]): readonly string[] {
  const refused = images.flatMap(({source, denied: because}) =>
    because === undefined ? [] : {ref: repositoryOf(source), because},
  );
  return linesByCause(refused).map((line) => `This run may not push: ${line}`);
}

/** What does not exist, or is not a valid tag. */
function unread({source, lookup, targets, similar}: TagFacts): readonly string[] {
  return [
    ...(lookup.state === 'absent' ? [`${source} is not in the registry.${tagList(similar)}`] : []),
    ...targets.flatMap(({ref}) => [
      ...(tagPattern.test(tagOf(ref)) ? [] : [`${ref} is not a valid tag. Check tag.extra.`]),
    ]),
  ];
}

function tagOf(ref: string): string {
  return ref.slice(ref.lastIndexOf(':') + 1);
}

function tagList(similar: readonly string[] | undefined): string {
  if (similar === undefined) return '';
  if (similar.length === 0)
    return ' Its repository has no tags. Build the images first, or check "image_name" and the login.';
  const more = similar.length > mostTags ? `, and ${similar.length - mostTags} more` : '';
  return ` Its repository has these tags: ${similar.slice(0, mostTags).join(', ')}${more}.`;
}

function untested({source, lookup, tested}: TagFacts): readonly string[] {
  if (lookup.state !== 'present') return [];
  if (tested?.state === 'unknown')
    return [`${source}: could not determine whether its tests passed: ${tested.because}`];
  if (tested?.state !== 'failed') return [];
  return [
    `${source} (${lookup.digest}) did not pass its tests: ${tested.because}. Re-run its build, and promote when that is green.`,
  ];
}

function unproved({source, tested}: TagFacts): readonly string[] {
  if (tested?.state === 'unlabelled') {
    return [
      `${source} has no fingerprint label (it was not built by this action), so nothing proves that its tests passed.`,
    ];
  }
  if (tested?.state !== 'passed' || tested.by !== 'old-proof') return [];
  return [
    `${source} was built by an earlier version of this action. Its proof is about this image, but does not say which tests it passed.`,
  ];
}

type Present = Extract<Lookup, {state: 'present'}>;
type Found = TagFacts & {readonly lookup: Present};

function isFound(image: TagFacts): image is Found {
  return image.lookup.state === 'present';
}

/** Those of these parents that are promoted too. */
function promoted(
  names: readonly string[],
  byName: ReadonlyMap<string, TagFacts>,
): readonly Found[] {
  return names.flatMap((name) => byName.get(name) ?? []).filter(isFound);
}

/** Every child must be built on the very parent that is promoted with it. */
function misplaced(image: TagFacts, byName: ReadonlyMap<string, TagFacts>): readonly string[] {
  if (!isFound(image)) return [];
  const {source, bases, copies} = image;
  const wrongBases = promoted(bases, byName).filter((one) => isBuiltOn(image, one) === false);
  const wrongCopies = promoted(copies, byName).filter((one) => hasUsed(image, one) === false);
  return [
    ...wrongBases.map(
      (parent) =>
        `${source} is not built on ${parent.source}, which would be promoted with it. Rebuild it on that parent.`,
    ),
    ...wrongCopies.map(
      (parent) =>
        `${source} does not copy from ${parent.source}, which would be promoted with it, but from another build of it. Rebuild it.`,
    ),
  ];
}

/**
 * Whether the layers begin with those of this parent. Of images for several platforms one is looked at; where the two have
 * none in common, only the record tells.
 */
function isBuiltOn(image: Found, parent: Found): boolean | undefined {
  return image.lookup.platform === parent.lookup.platform
    ? startsWith(image.lookup.diffIds, parent.lookup.diffIds)
    : hasUsed(image, parent);
}

/** Whether the record says that this build of a parent was used; undefined where it does not tell. */
function hasUsed({record}: TagFacts, {name, lookup}: Found): boolean | undefined {
  const used = record?.parents.filter(({image}) => image === name) ?? [];
  // One runner for each platform uses the image for that, which the index lists.
  const text = Buffer.from(lookup.bytes).toString('utf8');
  const isThis = (digest: string): boolean =>
    digest === lookup.digest || (/"manifests"/.test(text) && text.includes(`"${digest}"`));
  return used.length === 0 ? undefined : used.some(({digest}) => isThis(digest));
}

/** What a `COPY --from` took does not show in the layers. */
function unchecked(image: TagFacts, byName: ReadonlyMap<string, TagFacts>): readonly string[] {
  if (!isFound(image)) return [];
  const {source, bases, copies} = image;
  const copied = promoted(copies, byName).filter((one) => hasUsed(image, one) === undefined);
  const foreign = promoted(bases, byName).filter((one) => isBuiltOn(image, one) === undefined);
  return [
    ...copied.map(
      ({name}) =>
        `${source} depends on ${name} without a FROM, and has no record of the build of ${name} that it used, so this could not be checked.`,
    ),
    ...foreign.map(
      (parent) =>
        `${source} and ${parent.source} are for different platforms, and there is no record of the build of ${parent.name} that was used, so this could not be checked.`,
    ),
  ];
}

/** Two images of one repository would take each other's tag. */
function takenTwice(images: readonly TagFacts[]): readonly string[] {
  const owners = Map.groupBy(
    images.flatMap(({name, targets}) => targets.map(({ref}) => ({name, ref}))),
    ({ref}) => ref,
  );
  return [...owners]
    .filter(([, names]) => names.length > 1)
    .map(
      ([ref, names]) =>
        `${ref} would be the tag of several images: ${names.map(({name}) => name).join(', ')}.`,
    );
}
