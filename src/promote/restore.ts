import type {RawManifest} from '../adapters/registry/index.ts';
import {sentenceOf} from '../failure.ts';
import {everPassed} from '../fingerprint/index.ts';
import {parseReference, repositoryOf, tagPattern} from '../image/reference.ts';
import {extraTag, globalStableTag, labels, stableTag} from '../image/tags.ts';
import type {ImageSpec} from '../stack/spec/index.ts';
import {linesByCause} from '../util/same-cause.ts';
import type {PromotedTag, PromotionFile} from './file.ts';
import {readTag} from './presence.ts';
import type {FactPorts, TagMove, TagPlan} from './types.ts';

export interface RestoreRequest {
  readonly promotion: PromotionFile;
  /** As the user wrote it, for the words. */
  readonly path: string;
  /** `owner/name` of this checkout; undefined outside GitHub. */
  readonly repository: string | undefined;
  /** The images of the stack. */
  readonly images: readonly PromotedImage[];
  /** `tag.extra.stable` of spec.yml. */
  readonly extra: readonly string[];
}

type PromotedImage = Pick<ImageSpec, 'repository' | 'tagPrefix' | 'variant' | 'track'>;

/** What a run may have moved: only these get their old digest back. */
const mayHaveMoved: readonly PromotedTag['outcome'][] = [
  'begun',
  'moved',
  'deleted',
  'standing',
  'unknown',
];

/** What does not fit this checkout, in one sentence each; nothing is asked then. */
export function checkRestore(request: RestoreRequest): readonly string[] {
  const {promotion, path, repository, images} = request;
  if (promotion.dryRun) return [`${path} is of a dry run, which moved nothing.`];
  if (repository !== undefined && promotion.repository.toLowerCase() !== repository.toLowerCase()) {
    return [
      `${path} is of the repository ${JSON.stringify(promotion.repository)}, but this run is of ${repository}.`,
    ];
  }
  return promotion.images.flatMap(({ref, isExtra}) => {
    const own = images.filter(({repository: name}) => nameOf(name) === nameOf(ref));
    if (own.length === 0)
      return [`${path} names ${ref}, which is not in a repository of an image of this stack.`];
    const tag = parseReference(ref)?.tag ?? '';
    const isTarget = own.some((image) =>
      isExtra ? isExtraTag(tag, image, request.extra) : isStableTag(tag, image),
    );
    return isTarget
      ? []
      : [
          `${path} names ${ref}, which no promotion of this stack moves. Check tag.extra.stable of spec.yml.`,
        ];
  });
}

/** A prefix that spec.yml had earlier: it ends at the first `-`, as in a promotion. */
const olderPrefix = '[A-Za-z0-9_][A-Za-z0-9_.]*';

function isStableTag(tag: string, image: PromotedImage): boolean {
  if (tag === stableTag(image) || tag === globalStableTag(image)) return true;
  return new RegExp(`^${extraTag(olderPrefix, image)}-stable$`).test(tag);
}

/** Any day, any commit, and any prefix. */
function isExtraTag(tag: string, image: PromotedImage, extra: readonly string[]): boolean {
  return extra.some((one) => {
    const [prefix, plain] = [image.tagPrefix, extraTag(one, image)].map((text) =>
      text.replaceAll('.', '\\.'),
    );
    const pattern = plain
      ?.replaceAll('{prefix}', `(?:${prefix}|${olderPrefix})`)
      .replaceAll('{date}', '\\d{4}-\\d\\d-\\d\\d')
      .replaceAll('{sha}', '[0-9a-f]{1,7}');
    return new RegExp(`^${pattern}$`).test(tag);
  });
}

/** The same for every spelling of a repository. */
function nameOf(ref: string): string {
  const parsed = parseReference(repositoryOf(ref));
  return parsed === undefined ? '' : `${parsed.registry}/${parsed.repository}`;
}

/**
 * Plans to give each tag the digest that it had before that promotion; a tag that did not exist then is to be deleted.
 * A tag that points to anything but what the promotion set it to has moved since: then nothing is touched.
 */
export async function planRestore(
  ports: Pick<FactPorts, 'registry' | 'mayPush' | 'readRecord'>,
  {promotion, path}: RestoreRequest,
): Promise<TagPlan> {
  const tags = promotion.images.filter(({outcome}) => mayHaveMoved.includes(outcome));
  const planned = await Promise.all(tags.map((tag) => planTag(ports, tag)));
  const none = tags.length === 0 ? [`${path} names no tag that its run moved.`] : [];
  return {
    moves: planned.flatMap(({move}) => move ?? []),
    refusals: [
      ...linesByCause(planned.flatMap(({unknown}) => unknown ?? [])).map(
        (line) => `The registry could not be queried: ${line}`,
      ),
      ...linesByCause(planned.flatMap(({denied}) => denied ?? [])).map(
        (line) => `This run may not push: ${line}`,
      ),
      ...planned.flatMap(({refusal}) => refusal ?? []),
    ],
    warnings: [...none, ...planned.flatMap(({warning}) => warning ?? [])],
  };
}

function builtAs(repository: string, tag: string | undefined): string | undefined {
  return tag !== undefined && tagPattern.test(tag) ? `${repository}:${tag}` : undefined;
}

interface PlannedTag {
  readonly move?: TagMove;
  readonly refusal?: string;
  /** What the registry gave no answer about, or would not let this run do: mostly one cause for every tag. */
  readonly unknown?: Unanswered;
  readonly denied?: Unanswered;
  readonly warning?: string;
}

interface Unanswered {
  readonly ref: string;
  readonly because: string;
}

async function planTag(
  {registry, mayPush, readRecord}: Pick<FactPorts, 'registry' | 'mayPush' | 'readRecord'>,
  tag: PromotedTag,
): Promise<PlannedTag> {
  const {ref, before, after} = tag;
  const repository = repositoryOf(ref);
  const [current, old, allowed] = await Promise.all([
    readTag(registry, ref),
    before === undefined ? undefined : registry.inspect(`${repository}@${before}`),
    mayPush?.(repository),
  ]);
  if (current.state === 'unknown') return {unknown: {ref, because: current.because}};
  if (allowed?.ok === false) return {denied: {ref: repository, because: sentenceOf(allowed.error)}};
  const now = current.manifest?.digest;
  if (now !== after && now !== before) {
    return {
      refusal: `Conflict: ${ref} was set to ${after ?? 'nothing'} by that promotion, but has since been ${now === undefined ? 'deleted' : `moved to ${now}`}. Restore it by hand, or undo the later promotion first.`,
    };
  }
  if (old?.state === 'unknown')
    return {unknown: {ref: `${repository}@${before}`, because: old.because}};
  if (old?.state === 'absent') {
    return {
      refusal: `${ref} cannot get ${before} back: the registry does not have that image any more.`,
    };
  }
  // Whoever wrote the file, an image that never passed becomes no stable one.
  const record =
    old === undefined ? undefined : await readRecord?.({repository, digest: old.digest});
  const tested =
    old === undefined ? 'passed' : await everPassed(registry, {repository, image: old, record});
  if (tested === 'failed')
    return {refusal: `${ref} does not get ${before} back: that image never passed its tests.`};
  const target: RawManifest | undefined =
    old === undefined
      ? undefined
      : {digest: old.digest, bytes: old.bytes, mediaType: old.mediaType};
  const warning = `Nothing proves that ${repository}@${before} passed its tests; it was at ${ref} before, says the file.`;
  return {
    ...(tested === 'unknown' ? {warning} : {}),
    move: {
      name: tag.image,
      source: before === undefined ? ref : `${repository}@${before}`,
      target: ref,
      before: current.manifest,
      after: target,
      revision: old?.labels.get(labels.revision),
      isExtra: tag.isExtra,
      builtAs: builtAs(repository, old?.labels.get(labels.version)),
    },
  };
}
