import type {RawManifest} from '../adapters/registry/index.ts';
import {sentenceOf} from '../failure.ts';
import {parseReference, repositoryOf, tagPattern} from '../image/reference.ts';
import {labels} from '../image/tags.ts';
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
  /** Repositories of the images of the stack, as spec.yml writes them. */
  readonly repositories: readonly string[];
}

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
  const {promotion, path, repository, repositories} = request;
  if (promotion.dryRun) return [`${path} is of a dry run, which moved nothing.`];
  if (repository !== undefined && promotion.repository.toLowerCase() !== repository.toLowerCase()) {
    return [
      `${path} is of the repository ${JSON.stringify(promotion.repository)}, but this run is of ${repository}.`,
    ];
  }
  const known = new Set(repositories.map(nameOf));
  return promotion.images.flatMap(({ref}) => {
    if (!known.has(nameOf(ref)))
      return [`${path} names ${ref}, which is not in a repository of an image of this stack.`];
    const tag = parseReference(ref)?.tag ?? '';
    return internalTag.test(tag) ? [`${path} names ${ref}, which no promotion moves.`] : [];
  });
}

/** Proofs and records are no promotion's business. */
const internalTag = /^(?:fp|rec)-[0-9a-f]{16}(?:-|$)/;

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
  ports: Pick<FactPorts, 'registry' | 'mayPush'>,
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
    warnings: none,
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
}

interface Unanswered {
  readonly ref: string;
  readonly because: string;
}

async function planTag(
  {registry, mayPush}: Pick<FactPorts, 'registry' | 'mayPush'>,
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
  const target: RawManifest | undefined =
    old === undefined
      ? undefined
      : {digest: old.digest, bytes: old.bytes, mediaType: old.mediaType};
  return {
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
