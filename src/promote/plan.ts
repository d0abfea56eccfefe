import {tagPattern} from '../image/reference.ts';
import {stableTag} from '../image/tags.ts';

/** From which tag to which; or why these two do not go together. */
export type TagNames =
  | {readonly ok: true; readonly prefix: string; readonly source: string; readonly target: string}
  | {readonly ok: false; readonly problem: string};

/** The tag that every student gets. */
export const globalStableTag = 'stable';

/**
 * What a promotion goes from and to. A prefix may have any length; where it is none of the spec's (an older one), it
 * ends at the first `-`. `known` are the prefixes of the spec and its tracks.
 */
export function tagNames(
  target: 'stable' | 'global-stable',
  sourceTag: string,
  known: readonly string[],
): TagNames {
  const refuse = (problem: string): TagNames => ({
    ok: false,
    problem: `source-tag "${sourceTag}" ${problem}`,
  });
  if (!tagPattern.test(sourceTag)) return refuse('is no valid tag.');
  if (target === 'stable') {
    const prefix = prefixOf(sourceTag, known);
    if (prefix === undefined)
      return refuse('is not of the form <prefix>-<branch>, for example 2026.3-main.');
    if (sourceTag === stableTag(prefix)) {
      return refuse('is a stable tag already; "target: global-stable" promotes it further.');
    }
    return {ok: true, prefix, source: sourceTag, target: stableTag(prefix)};
  }
  const bare = sourceTag.endsWith('-stable') ? sourceTag.slice(0, -'-stable'.length) : sourceTag;
  const isPrefix =
    known.includes(bare) || (bare !== '' && !bare.includes('-') && bare !== globalStableTag);
  if (!isPrefix) {
    return refuse(
      'cannot become the global stable one: only <prefix>-stable can, for example 2026.3-stable.',
    );
  }
  return {ok: true, prefix: bare, source: stableTag(bare), target: globalStableTag};
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
