import {platformPattern} from '../../image/platforms.ts';
import {type Fields, type Ignored, readEntries, readFields, readTexts} from '../yaml/index.ts';
import {platformMend} from './platforms.ts';
import type {ExtraTags} from './types.ts';

/** `tag.extra`: further tags for a digest that passed its tests. Names in braces are filled in when the tag is put. */
export function readExtraTags(tag: Fields | undefined, ignored: Ignored): ExtraTags {
  const value = tag?.get('extra')?.value;
  if (tag === undefined || value === undefined) return {defaultBranch: [], stable: []};
  const request = {findings: tag.findings, ignored, owner: 'tag.extra'};
  const fields = readFields(request, value, ['default_branch', 'stable']);
  if (fields === undefined) return {defaultBranch: [], stable: []};
  return {
    defaultBranch: readTags(fields, 'default_branch'),
    stable: readTags(fields, 'stable'),
  };
}

const placeholders = /\{(?:date|sha|prefix)\}/g;

function readTags(fields: Fields, name: string): readonly string[] {
  const tags = readTexts(fields, name).flatMap(({text, offset}) => {
    // What a placeholder becomes has only characters of a tag; a tag may be 128 long, a filled one no more.
    if (/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(text.replace(placeholders, '2026'))) {
      return [text];
    }
    const message = `${name} of ${fields.owner} has "${text}", which is not a valid tag. Use letters, digits, "_", "." and "-", and {date}, {sha} or {prefix}.`;
    fields.findings.mistake(offset, message);
    return [];
  });
  return [...new Set(tags)];
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
