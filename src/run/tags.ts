import type {Event} from '../adapters/github/event.ts';
import {fail, ok, type Result} from '../failure.ts';
import {repositoryKey} from '../image/reference.ts';
import {
  branchSuffix,
  extraTag,
  gitTagSuffix,
  globalStableTag,
  isInternalTag,
  roomAfter,
  stableTag,
  type TagOwner,
  tagEnd,
  tagStart,
} from '../image/tags.ts';

import type {ImageSpec} from '../stack/spec/index.ts';
import {InputError, type Inputs} from './inputs.ts';

/** The tag that each image gets in this run. */
export type TagOf = (image: TagOwner) => string;

/**
 * Pull requests use their head branch, and a name of their own where that is the default branch: what they build must
 * never stand at a tag that somebody promotes.
 * @throws {InputError} when there is nothing to name the tag after
 */
export function tagsOf(inputs: Inputs, event: Event): TagOf {
  const suffixOf = suffixFor(inputs, event);
  return (image) => `${tagStart(image)}-${suffixOf(roomAfter(image))}${tagEnd(image)}`;
}

function suffixFor(inputs: Inputs, event: Event): (room: number) => string {
  const {branch, headSha, isTag} = event;
  const named = inputs.tagSuffix === 'sha' ? headSha.slice(0, 7) : branch;
  if (named === '') {
    throw new InputError(
      'Cannot determine the tag: GITHUB_REF has no branch, or GITHUB_SHA is not set. Run this in a workflow, or set them.',
    );
  }
  // Its head commit is one of the default branch, so that `tag-suffix: sha` would name it alike.
  if (event.kind === 'pull_request' && branch === defaultBranchOf(inputs, event)) {
    return () => `pr-${event.number ?? headSha.slice(0, 7)}`;
  }
  if (inputs.tagSuffix === 'sha') return () => named;
  if (isTag) return (room) => gitTagSuffix(branch, room);
  return (room) => branchSuffix(branch, room);
}

/** The branch whose builds may go to production. */
export function defaultBranchOf(inputs: Inputs, event: Event): string {
  return inputs.defaultBranch ?? event.defaultBranch ?? 'main';
}

type Tagged = Pick<
  ImageSpec,
  'name' | 'repository' | 'tagPrefix' | 'variant' | 'platform' | 'platforms'
>;

/**
 * Lays out the tags of the whole stack, and refuses a run that would take one that is not its own: a stable tag, one of
 * `tag.extra`, one of another track or variant in the same repository, or one that two images of this run share.
 * @param extra further tags of the spec that promotions and default-branch builds move
 */
export function checkTags(
  images: Iterable<Tagged>,
  tagOf: TagOf,
  extra: readonly string[],
): Result<void, string> {
  const byRepository = Map.groupBy(
    images,
    ({repository}) => repositoryKey(repository) ?? repository,
  );
  const problems: string[] = [];
  for (const group of byRepository.values()) {
    const taken = new Map<string, string>();
    const starts = new Set(group.map(tagStart));
    const reserved = new Map(
      group.flatMap((image) => [
        [stableTag(image), `the stable tag of ${image.name}`] as const,
        [globalStableTag(image), `the global stable tag of ${image.name}`] as const,
      ]),
    );
    const extras = group.flatMap((image) => extra.map((tag) => patternOf(tag, image)));
    for (const image of group) {
      const tag = tagOf(image);
      const own = tagStart(image);
      // `2026.3-gpu-x` belongs to the prefix `2026.3-gpu`, whatever branch of `2026.3` is called `gpu-x`.
      const other = [...starts].find(
        (start) => start.length > own.length && tag.startsWith(`${start}-`),
      );
      const owner =
        reserved.get(tag) ??
        (other === undefined ? undefined : `a tag of the prefix "${other}"`) ??
        (extras.some((one) => one.test(tag)) ? 'a tag of "tag.extra"' : undefined) ??
        (isInternalTag(tag) ? 'a tag that the action keeps for itself' : undefined) ??
        taken.get(tag);
      if (owner !== undefined)
        problems.push(`${image.name}: ${image.repository}:${tag} is ${owner}`);
      taken.set(tag, `the tag of ${image.name} too`);
    }
  }
  if (problems.length === 0) return ok();
  const list = problems.map((problem) => `- ${problem}`).join('\n');
  return fail(
    `This run would overwrite tags that are not its own:\n${list}\nRename the branch, or choose another tag prefix.`,
  );
}

/** What a tag of `tag.extra` can become: any day, any commit, and the prefix of this image. */
function patternOf(tag: string, image: Tagged): RegExp {
  const filled = extraTag(tag.replaceAll('{prefix}', image.tagPrefix), image)
    .replaceAll('.', '\\.')
    .replaceAll('{date}', '\\d{4}-\\d\\d-\\d\\d')
    .replaceAll('{sha}', '[0-9a-f]{7}');
  return new RegExp(`^${filled}$`);
}
