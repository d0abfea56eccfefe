import {platformPattern} from '../../image/platforms.ts';
import {repositoryKey} from '../../image/reference.ts';
import {extraTag, globalStableTag, isInternalTag, stableTag} from '../../image/tags.ts';
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
  const taken = takenTags(images);
  return {
    defaultBranch: readTags(fields, 'default_branch', taken),
    stable: readTags(fields, 'stable', taken),
  };
}

const placeholders = /\{(?:date|sha|prefix)\}/g;

function readTags(fields: Fields, name: string, taken: TakenTags): readonly string[] {
  const tags = readTexts(fields, name).flatMap(({text, offset}) => {
    const problem = problemOf(text, taken);
    if (problem === undefined) return [text];
    fields.findings.mistake(offset, `${name} of ${fields.owner} has "${text}", ${problem}`);
    return [];
  });
  return [...new Set(tags)];
}

/** Why a text can be no extra tag; undefined for a good one. */
function problemOf(text: string, taken: TakenTags): string | undefined {
  // What a placeholder becomes has only characters of a tag; a tag may be 128 long, a filled one no more.
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(text.replace(placeholders, '2026')))
    return 'which is not a valid tag. Use letters, digits, "_", "." and "-", and {date}, {sha} or {prefix}.';
  if (isInternalTag(text)) return 'which the action keeps for itself. Choose another name.';
  for (const image of taken.images) {
    const tag = extraTag(text.replaceAll('{prefix}', image.tagPrefix), image);
    if (tag.length > 128)
      return `which is ${tag.length} characters long for image "${image.name}", and a tag has 128. Shorten it.`;
    const owner = taken.stable.get(`${repositoryKey(image.repository)}:${tag}`);
    if (owner !== undefined)
      return `which would be ${tag}, the stable tag of image "${owner}": only a promotion moves it. Remove it.`;
  }
  return undefined;
}

interface TakenTags {
  readonly images: readonly ImageSpec[];
  /** By reference, the image whose promotion moves it. */
  readonly stable: ReadonlyMap<string, string>;
}

function takenTags(images: Iterable<ImageSpec>): TakenTags {
  const all = [...images];
  const stable = all.flatMap((image) =>
    [stableTag(image), globalStableTag(image)].map(
      (tag) => [`${repositoryKey(image.repository)}:${tag}`, image.name] as const,
    ),
  );
  return {images: all, stable: new Map(stable)};
}

export interface TagWords {
  /** UTC. */
  readonly now: Date;
  readonly sha: string;
  readonly prefix: string;
}

/** An extra tag with its placeholders filled in: `{date}` is the UTC day, `{sha}` 7 characters. */
export function fillTag(tag: string, {now, sha, prefix}: TagWords): string {
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
