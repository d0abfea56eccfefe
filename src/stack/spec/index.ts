import {
  type Fields,
  type Findings,
  type Ignored,
  readEntries,
  readFields,
  readText,
  readTexts,
  readYaml,
  SpecError,
} from '../yaml/index.ts';
import {readCommands} from './commands.ts';
import {readExtraTags, readRunners} from './extras.ts';
import {checkGraph, sortParentsFirst} from './graph.ts';
import {type ImageDraft, readImage} from './image.ts';
import {normalFolder} from './paths.ts';
import {checkReferences, readRegistry} from './repository.ts';
import {checkPrefix, imagesOfTrack, prefixProblem, readTracks, type Track} from './tracks.ts';
import type {ImageSpec, Spec} from './types.ts';

export {parseChangeRules} from './change-rules.ts';
export {fillExtraTags} from './extras.ts';
export type {Tree} from './graph.ts';
export {buildTree, findCycles} from './graph.ts';
export {looksSecret, refusedNames, secretSource} from './image.ts';
export {pathProblem} from './paths.ts';
export {isSamePlatform, onePlatform, withOnePlatform} from './platforms.ts';
export {nameInTrack} from './tracks.ts';
export type {ChangeRules, ExtraTags, ImageSpec, InfoCommand, Spec, TestSpec} from './types.ts';

export interface SpecSource {
  /** As messages show it: `images/spec.yml`. */
  readonly file: string;
  readonly text: string;
  /** Relative to the workspace. */
  readonly stackDir: string;
  /** The input `tag-prefix`, which wins over `tag.prefix`. */
  readonly tagPrefix: string | undefined;
}

/** 10 000 images with every usual key are 2 MiB; a few MiB of garbage cost seconds. */
const maxBytes = 4 * 1024 * 1024;

/** @throws {SpecError} when the file is too large to be a spec; asked before it is read */
export function refuseLargeSpec(file: string, bytes: number): void {
  if (bytes <= maxBytes) return;
  const size = (bytes / 1024 / 1024).toFixed(1);
  throw new SpecError([`${file}:1:1: ${size} MiB is too large for a spec; the limit is 4 MiB.`]);
}

/**
 * spec.yml and change_ignore.json, checked on their own.
 * Enters: the text of the file, its path for messages, the input "tag-prefix".
 * Leaves: Spec (images, tracks, prefix, runners, extra tags), ChangeRules, and the tree of a checked spec.
 * Not here: reading files, Dockerfiles and the parents that they add (stack/), what a tag is for (run/).
 * @throws {SpecError} with all mistakes at once, each `file:line:column: message`
 */
export function parseSpec(source: SpecSource): Spec {
  refuseLargeSpec(source.file, source.text.length);
  const {root, findings} = readYaml(source.file, source.text);
  const ignored: Ignored = [];
  const top = root && readFields({findings, ignored, owner: 'the spec'}, root, topKeys);
  if (root === undefined) {
    const message = 'the file is empty. Write "images:" with an image, and "tag: {prefix: …}".';
    findings.mistake(0, message);
  }
  const spec = top && readSpec(source, top, ignored);
  findings.throwMistakes();
  if (spec === undefined) throw new Error('Internal error: a spec without mistakes and content');
  warnIgnored(findings, ignored);
  return {...spec, file: source.file, warnings: findings.warnings()};
}

const topKeys = ['root', 'images', 'tag', 'plans', 'all_info_cmds', 'registry', 'runners'] as const;

function readSpec(
  source: SpecSource,
  top: Fields,
  ignored: Ignored,
): Omit<Spec, 'file' | 'warnings'> {
  const {findings} = top;
  const tag = readTag(top, ignored);
  const tagPrefix = readPrefix(source, top, tag);
  const {drafts, broken} = readImages(source, top, ignored, tagPrefix);
  const roots = readTexts(top, 'root');
  const parents = checkGraph({findings, drafts, broken, roots});
  const main = new Map<string, ImageSpec>();
  for (const [key, {image}] of drafts) main.set(key, {...image, parents: parents.get(key) ?? []});
  const keys = new Set([...drafts.keys(), ...broken]);
  const tracks = readTracks(top, ignored, {prefix: tagPrefix, keys});
  const images = withTracks(main, tracks);
  checkReferences(findings, images.values(), (key) => drafts.get(key)?.offset ?? 0);
  return {
    images,
    tagPrefix,
    roots: roots.map(({text}) => text),
    extraTags: readExtraTags(tag, ignored, images.values()),
    runners: readRunners(top),
  };
}

function readTag(top: Fields, ignored: Ignored): Fields | undefined {
  const entry = top.get('tag');
  const request = {findings: top.findings, ignored, owner: 'tag'};
  return entry && readFields(request, entry.value, ['prefix', 'extra']);
}

function readPrefix(source: SpecSource, top: Fields, fields: Fields | undefined): string {
  const {findings} = top;
  const entry = top.get('tag');
  const node = fields && readText(fields, 'prefix');
  const declared = fields && node && checkPrefix(fields, node);
  const problem = source.tagPrefix === undefined ? undefined : prefixProblem(source.tagPrefix);
  if (problem !== undefined) {
    findings.mistake(0, `the input "tag-prefix" is "${source.tagPrefix}", ${problem}`);
  }
  if (source.tagPrefix === undefined && (entry === undefined || fields !== undefined) && !node) {
    const message =
      'the tag prefix is missing. Add "tag: {prefix: …}", or set the input "tag-prefix".';
    if (fields?.get('prefix') === undefined)
      findings.mistake(entry?.keyOffset ?? top.offset, message);
  }
  return source.tagPrefix ?? declared ?? '';
}

function readImages(
  source: SpecSource,
  top: Fields,
  ignored: Ignored,
  tagPrefix: string,
): {readonly drafts: ReadonlyMap<string, ImageDraft>; readonly broken: ReadonlySet<string>} {
  const around = {
    findings: top.findings,
    ignored,
    stackDir: normalFolder(source.stackDir),
    tagPrefix,
    registry: readRegistry(top),
    commands: readCommands(top, ignored),
  };
  const drafts = new Map<string, ImageDraft>();
  const broken = new Set<string>();
  for (const [key, entry] of readEntries(top, 'images')) {
    const draft = readImage(around, key, entry);
    if (draft === undefined) broken.add(key);
    else drafts.set(key, draft);
  }
  const value = top.get('images')?.value;
  if (value === undefined || (value.kind === 'map' && drafts.size + broken.size === 0)) {
    const message =
      '"images" has no image. Add one: "images: {my-image: {image_name: ghcr.io/owner/my-image}}".';
    top.findings.mistake(value?.offset ?? top.offset, message);
  }
  return {drafts, broken};
}

function withTracks(
  main: ReadonlyMap<string, ImageSpec>,
  tracks: readonly Track[],
): ReadonlyMap<string, ImageSpec> {
  if (tracks.length === 0) return main;
  const order = sortParentsFirst(new Map([...main].map(([key, {parents}]) => [key, parents])));
  const images = new Map(main);
  for (const track of tracks) {
    for (const image of imagesOfTrack(track, main, order)) images.set(image.name, image);
  }
  return images;
}

/** One warning for all: with anchors in `x-…` keys there may be many. */
function warnIgnored(findings: Findings, ignored: Ignored): void {
  const [first, ...others] = ignored;
  if (first === undefined) return;
  const places = others.map(({name, offset}) => {
    const {line} = findings.positionOf(offset);
    return `, "${name}" (line ${line})`;
  });
  findings.warning(
    first.offset,
    `ignored keys (they have no effect): "${first.name}"${places.join('')}.`,
  );
}
