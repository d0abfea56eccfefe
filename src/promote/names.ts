import {fail, ok, type Result} from '../failure.ts';
import {platformEnd} from '../image/platforms.ts';
import {tagPattern} from '../image/reference.ts';
import {isInternalTag, stableTag} from '../image/tags.ts';

/** From which tag to which. */
export interface TagNames {
  readonly prefix: string;
  readonly source: string;
  readonly target: string;
}

/** The tag that every student gets. */
export const globalStableTag = 'stable';

/**
 * What a promotion goes from and to; or why these two do not go together. A prefix may have any length; where it is
 * none of the spec's (an older one), it ends at the first `-`. `known` are the prefixes of the spec and its tracks.
 */
export function tagNames(
  target: 'stable' | 'global-stable',
  sourceTag: string,
  known: readonly string[],
): Result<TagNames, string> {
  const refuse = (problem: string) => fail(`Input "source-tag": "${sourceTag}" ${problem}`);
  if (!tagPattern.test(sourceTag)) return refuse('is not a valid tag.');
  if (isInternalTag(sourceTag)) return refuse('is a tag that the action keeps for itself.');
  if (target === 'stable') {
    const prefix = prefixOf(sourceTag, known);
    if (prefix === undefined)
      return refuse('is not of the form <prefix>-<branch>, for example 2026.3-main.');
    if (sourceTag === stableTag({tagPrefix: prefix})) {
      return refuse('is already a stable tag. Use "target: global-stable" to promote it further.');
    }
    const branch = sourceTag.slice(prefix.length + 1);
    const whole = branch.replace(platformEnd, '');
    if (whole !== branch)
      return refuse(`is the tag of one platform. Use "${prefix}-${whole}", which has all of them.`);
    return ok({prefix, source: sourceTag, target: stableTag({tagPrefix: prefix})});
  }
  const bare = sourceTag.endsWith('-stable') ? sourceTag.slice(0, -'-stable'.length) : sourceTag;
  const isPrefix =
    known.includes(bare) || (bare !== '' && !bare.includes('-') && bare !== globalStableTag);
  if (!isPrefix) {
    return refuse(
      'cannot become the global stable tag: only <prefix>-stable can, for example 2026.3-stable.',
    );
  }
  return ok({prefix: bare, source: stableTag({tagPrefix: bare}), target: globalStableTag});
}

function prefixOf(tag: string, known: readonly string[]): string | undefined {
  const fitting = known.filter(
    (prefix) => tag.startsWith(`${prefix}-`) && tag.length > prefix.length + 1,
  );
  const longest = fitting.toSorted((a, b) => b.length - a.length)[0];
  if (longest !== undefined) return longest;
  const dash = tag.indexOf('-');
  return dash > 0 && dash < tag.length - 1 ? tag.slice(0, dash) : undefined;
}
