import {platformPattern} from '../../image/platforms.ts';
import {repositoryKey, tagPattern} from '../../image/reference.ts';
import {extraTag, globalStableTag, isInternalTag, stableTag, tagStart} from '../../image/tags.ts';
import {type Fields, type Ignored, readEntries, readFields, readTexts} from '../yaml/index.ts';
import {platformMend} from './platforms.ts';

import type {ExtraTags, ImageSpec} from './types.ts';

/** `tag.extra`: further tags for a digest that passed its tests. Names in braces are filled in when the tag is put. */
export function readExtraTags(
  tag: Fields | undefined,
  ignored: Ignored,
  images: Iterable<ImageSpec>,
): ExtraTags {
  const value = tag?.get('extra')?.value;
  if (tag === undefined || value === undefined) return {defaultBranch: [], stable: []};
  const request = {findings: tag.findings, ignored, owner: 'tag.extra'};
  const fields = readFields(request, value, ['default_branch', 'stable']);
  if (fields === undefined) return {defaultBranch: [], stable: []};
  const groups = Map.groupBy(images, ({repository}) => repositoryKey(repository) ?? repository);
  return {
    defaultBranch: readTags(fields, 'default_branch', [...groups.values()]),
    stable: readTags(fields, 'stable', [...groups.values()]),
  };
}

const placeholders = /\{(?:date|sha|prefix)\}/g;

/** @param groups images that share a repository */
function readTags(
  fields: Fields,
  name: string,
  groups: readonly (readonly ImageSpec[])[],
): readonly string[] {
  const tags = readTexts(fields, name).flatMap(({text, offset}) => {
    const problem = problemOf(text, groups);
    if (problem === undefined) return [text];
    fields.findings.mistake(offset, `${name} of ${fields.owner} has "${text}", ${problem}`);
    return [];
  });
  return [...new Set(tags)];
}

/** Why a text can be no extra tag; undefined for a good one. */
function problemOf(text: string, groups: readonly (readonly ImageSpec[])[]): string | undefined {
  // What a placeholder becomes has only characters of a tag; a tag may be 128 long, a filled one no more.
  if (!tagPattern.test(text.replace(placeholders, '2026')))
    return 'which is not a valid tag. Use letters, digits, "_", "." and "-", and {date}, {sha} or {prefix}.';
  if (isInternalTag(text)) return 'which the action keeps for itself. Choose another name.';
  return groups.map((group) => ownedIn(text, group)).find((problem) => problem !== undefined);
}

/**
 * Whose tag an extra one of these images would be, if something else moves that: a build of the default branch would
 * promote without a promotion, or take the tags of another track.
 */
function ownedIn(text: string, group: readonly ImageSpec[]): string | undefined {
  for (const image of group) {
    const [tag] = fillExtraTags([text], image, {now: new Date(0), sha: '0000000'});
    if (tag === undefined) continue;
    if (tag.length > 128)
      return `which is ${tag.length} characters long for image "${image.name}", and a tag has 128. Shorten it.`;
    for (const other of group) {
      if (tag === stableTag(other) || tag === globalStableTag(other))
        return `which would be ${tag}, the stable tag of image "${other.name}": only a promotion moves it. Remove it.`;
      const start = tagStart(other);
      if (start.length > tagStart(image).length && tag.startsWith(`${start}-`))
        return `which would be a tag of image "${other.name}", whose tags begin with "${start}-". Choose another tag.`;
    }
  }
  return undefined;
}

/** The further tags of one image. Those without `{prefix}` belong to the main track: the images of all tracks share repositories. */
export function fillExtraTags(
  tags: readonly string[],
  image: Pick<ImageSpec, 'track' | 'tagPrefix' | 'variant'>,
  words: Omit<TagWords, 'prefix'>,
): readonly string[] {
  return tags
    .filter((tag) => image.track === undefined || tag.includes('{prefix}'))
    .map((tag) => extraTag(fillTag(tag, {...words, prefix: image.tagPrefix}), image));
}

export interface TagWords {
  /** UTC. */
  readonly now: Date;
  readonly sha: string;
  readonly prefix: string;
}

/** An extra tag with its placeholders filled in: `{date}` is the UTC day, `{sha}` 7 characters. */
function fillTag(tag: string, {now, sha, prefix}: TagWords): string {
  return tag
    .replaceAll('{date}', now.toISOString().slice(0, 10))
    .replaceAll('{sha}', sha.slice(0, 7))
    .replaceAll('{prefix}', prefix);
}

/** `runners`: the label of the runner that builds a platform. */
export function readRunners(top: Fields): ReadonlyMap<string, string> {
  const runners = new Map<string, string>();
  for (const [platform, {keyOffset, value}] of readEntries(top, 'runners')) {
    if (!platformPattern.test(platform)) {
      const message = `"${platform}" in runners is not a valid platform. ${platformMend(platform)}`;
      top.findings.mistake(keyOffset, message);
    } else if (value.kind !== 'text' || value.text === '') {
      const message = `the runner of ${platform} must be a label, such as ubuntu-24.04-arm.`;
      top.findings.mistake(value.offset, message);
    } else runners.set(platform, value.text);
  }
  return runners;
}
