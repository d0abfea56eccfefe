import type {ChangeRules, ImageSpec} from '../stack/spec/index.ts';
import {compileWatches, foldersOf, normalPath} from '../util/globs.ts';

/** What of an image decides whether a file is one of its own. */
export interface ChangeScope
  extends Pick<ImageSpec, 'key' | 'folder' | 'context' | 'dockerfile' | 'watch'> {
  /** Other places where files of the image are: tests elsewhere, and what links lead to. */
  readonly places?: readonly string[];
}

/**
 * Finds whose files these are (rule 3.1): those of the image's folder, its build context, its Dockerfile and its
 * `watch` globs. Directly below stack-dir a name in `BuildAll` changes every image, a name in `ignore` none; in
 * both lists it changes every image, because doubt builds more. The work grows with files plus images, not their
 * product. A changed folder is a submodule: it counts for every image below it. Places that a link of `BuildAll`
 * leads to change every image too.
 * @param files relative to the workspace, `/` separated
 */
export function selectChanges(
  files: readonly string[],
  rules: ChangeRules,
  stackDir: string,
  images: Iterable<ChangeScope>,
): ChangeSet {
  const buildAll = new Set(rules.buildAll.map(normalPath));
  const ignore = new Set(rules.ignore.map(normalPath));
  const common = new Set((rules.places ?? []).map(normalPath));
  const aboveCommon = new Set([...common].flatMap(foldersOf).filter((outer) => outer !== '.'));
  const {owners, above, declared, watchersOf} = indexImages(images, stackDir);
  const forAll = new Set<string>();
  const undeclared = new Set<string>();
  const changed = new Map<string, Set<string>>();
  for (const file of files) {
    const below = pathBelow(stackDir, file);
    const name = below?.split('/', 1)[0];
    const around = [file, ...foldersOf(file)];
    const isLinked = aboveCommon.has(file) || around.some((place) => common.has(place));
    if (isLinked || (name !== undefined && buildAll.has(name))) {
      forAll.add(file);
      continue;
    }
    if (name !== undefined && ignore.has(name)) continue;
    const keys = new Set([...watchersOf(file), ...(above.get(file) ?? [])]);
    for (const place of around) {
      for (const key of owners.get(place) ?? []) keys.add(key);
    }
    for (const key of keys) entry(changed, key).add(file);
    if (keys.size === 0 && name !== undefined && name !== below && !declared.has(name)) {
      undeclared.add(name);
    }
  }
  if (forAll.size > 0) return {kind: 'all', because: {kind: 'build-all', files: sorted(forAll)}};
  return {
    kind: 'some',
    files: new Map(sorted(changed.keys()).map((key) => [key, sorted(changed.get(key) ?? [])])),
    undeclared: sorted(undeclared),
  };
}

interface ImageIndex {
  /** Image keys by a folder or file that is theirs. */
  readonly owners: ReadonlyMap<string, ReadonlySet<string>>;
  /** Image keys by a folder that holds something of theirs. */
  readonly above: ReadonlyMap<string, ReadonlySet<string>>;
  /** Names directly below stack-dir under which an image lives. */
  readonly declared: ReadonlySet<string>;
  readonly watchersOf: (file: string) => Iterable<string>;
}

function indexImages(images: Iterable<ChangeScope>, stackDir: string): ImageIndex {
  const owners = new Map<string, Set<string>>();
  const above = new Map<string, Set<string>>();
  const declared = new Set<string>();
  const watches: {pattern: string; key: string}[] = [];
  for (const {key, folder, context, dockerfile, watch, places = []} of images) {
    for (const place of [folder, context, dockerfile, ...places]) {
      const path = normalPath(place);
      entry(owners, path).add(key);
      for (const outer of foldersOf(path)) if (outer !== '.') entry(above, outer).add(key);
    }
    const name = pathBelow(stackDir, normalPath(folder))?.split('/', 1)[0];
    if (name !== undefined) declared.add(name);
    for (const pattern of watch) watches.push({pattern, key});
  }
  return {owners, above, declared, watchersOf: compileWatches(watches)};
}

function pathBelow(folder: string, file: string): string | undefined {
  const top = normalPath(folder);
  if (top === '.') return file;
  return file.startsWith(`${top}/`) ? file.slice(top.length + 1) : undefined;
}

function entry(map: Map<string, Set<string>>, key: string): Set<string> {
  const found = map.get(key) ?? new Set();
  map.set(key, found);
  return found;
}

/** By code unit, so that every machine prints the same. */
function sorted(values: Iterable<string>): readonly string[] {
  return [...new Set(values)].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** What was changed according to git or GitHub's API; `unknown` builds everything. */
export type ChangedFiles =
  | {
      readonly kind: 'files';
      readonly files: readonly string[];
      /** Worth a line: the answer is the second best. */
      readonly note?: string;
    }
  | {readonly kind: 'unknown'; readonly because: string}
  /** The event has no range at all (schedule, dispatch): everything is built. */
  | {readonly kind: 'no-range'; readonly event: string};

/** The images that count as changed (rule 3.1). Keys, not names of tracks. */
export type ChangeSet =
  | {
      readonly kind: 'all';
      readonly because: {readonly kind: 'build-all'; readonly files: readonly string[]};
    }
  | {
      readonly kind: 'some';
      readonly files: ReadonlyMap<string, readonly string[]>;
      /** Folders below stack-dir that changed and that no image declares. */
      readonly undeclared: readonly string[];
    };
