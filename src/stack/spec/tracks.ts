import {tagPattern} from '../../image/reference.ts';
import {
  type Fields,
  type Ignored,
  readEntries,
  readFields,
  readText,
  readTexts,
  type TextNode,
} from '../yaml/index.ts';
import {checkName, readBuildArgs} from './image.ts';
import type {ImageSpec} from './types.ts';

/** One entry of `plans:`: the same images again, under their own prefix. */
export interface Track {
  readonly name: string;
  readonly prefix: string;
  readonly buildArgs: ReadonlyMap<string, string>;
  /** Keys of images that the track skips, with everything built on them. */
  readonly skip: ReadonlySet<string>;
}

/** Leaves room for the branch in the 128 characters of a tag. */
const maxPrefix = 64;

/** A text that can begin a tag; a mistake when it cannot. */
export function checkPrefix(fields: Fields, node: TextNode): string | undefined {
  const problem = prefixProblem(node.text);
  if (problem === undefined) return node.text;
  fields.findings.mistake(node.offset, `prefix of ${fields.owner} is "${node.text}", ${problem}`);
  return undefined;
}

export function prefixProblem(prefix: string): string | undefined {
  if (prefix.length > maxPrefix) return `which is longer than ${maxPrefix} characters.`;
  if (tagPattern.test(prefix)) return undefined;
  return 'which cannot begin a tag. Use letters, digits, "_", "." and "-"; the first is a letter, a digit or "_".';
}

export function readTracks(
  top: Fields,
  ignored: Ignored,
  stack: {readonly prefix: string; readonly keys: ReadonlySet<string>},
): readonly Track[] {
  const {findings} = top;
  const owners = new Map([[stack.prefix, 'the stack']]);
  const tracks: Track[] = [];
  for (const [name, {keyOffset, value}] of readEntries(top, 'plans')) {
    checkName(findings, 'track', name, keyOffset);
    const owner = `track "${name}"`;
    const fields = readFields({findings, ignored, owner}, value, ['prefix', 'build_args', 'skip']);
    if (fields === undefined) continue;
    if (fields.get('prefix') === undefined) {
      findings.mistake(keyOffset, `${owner} has no prefix. Add one, such as prefix: "2023.2".`);
    }
    const node = readText(fields, 'prefix');
    const prefix = node && checkPrefix(fields, node);
    const taken = prefix === undefined ? undefined : owners.get(prefix);
    if (node !== undefined && taken !== undefined) {
      const message = `${owner} uses the prefix "${node.text}", which ${taken} already uses. Prefixes must be unique, or the two would overwrite each other's images.`;
      findings.mistake(node.offset, message);
    }
    const buildArgs = readBuildArgs(fields);
    const skip = readSkip(fields, stack.keys);
    // Without a prefix of its own the track would add a mistake for every image.
    if (prefix === undefined || taken !== undefined) continue;
    owners.set(prefix, owner);
    tracks.push({name, prefix, buildArgs, skip});
  }
  return tracks;
}

function readSkip(fields: Fields, keys: ReadonlySet<string>): ReadonlySet<string> {
  const skip = new Set<string>();
  for (const {text, offset} of readTexts(fields, 'skip')) {
    skip.add(text);
    if (keys.has(text)) continue;
    const hint = fields.findings.suggest(text, keys);
    fields.findings.mistake(
      offset,
      `skip of ${fields.owner} lists "${text}", which is not in "images".${hint}`,
    );
  }
  return skip;
}

/** The images of a track, in the order of `main`; `order` has the keys of `main`, parents first. */
export function imagesOfTrack(
  track: Track,
  main: ReadonlyMap<string, ImageSpec>,
  order: readonly string[],
): readonly ImageSpec[] {
  const kept = new Set<string>();
  for (const key of order) {
    const isBelowSkipped = main.get(key)?.parents.some((parent) => !kept.has(parent)) ?? false;
    if (!track.skip.has(key) && !isBelowSkipped) kept.add(key);
  }
  const images = [...main.values()].filter(({key}) => kept.has(key));
  return images.map((image) => ({
    ...image,
    name: nameInTrack(image.key, track.name),
    track: track.name,
    tagPrefix: track.prefix,
    parents: image.parents.map((parent) => nameInTrack(parent, track.name)),
    buildArgs: new Map([...image.buildArgs, ...track.buildArgs]),
  }));
}

export function nameInTrack(key: string, track: string): string {
  return `${key}@${track}`;
}
