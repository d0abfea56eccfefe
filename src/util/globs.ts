import picomatch from 'picomatch';
/** The folders a file lies in, `/` separated: `a/b/c` -> `a/b`, `a`, `.` */
export function foldersOf(file: string): readonly string[] {
  const folders: string[] = [];
  for (let end = file.lastIndexOf('/'); end > 0; end = file.lastIndexOf('/', end - 1)) {
    folders.push(file.slice(0, end));
  }
  return [...folders, '.'];
}

/** Without `./` before and `/` after; `.` for the workspace itself. */
export function normalPath(path: string): string {
  return path.replace(/^(?:\.\/+)+/, '').replace(/\/+$/, '') || '.';
}

interface Matcher {
  readonly keys: Set<string>;
  readonly matches: (file: string) => boolean;
}

/**
 * Compiles the `watch` globs of all images into one question: whose globs match this file? A glob is looked at only
 * for files below its fixed first folders, and equal globs of many images are one. A pattern without wildcards
 * names a file, or a folder with all that is in it; a leading dot of a name is matched like any character.
 */
export function compileWatches(
  watches: Iterable<{readonly pattern: string; readonly key: string}>,
): (file: string) => ReadonlySet<string> {
  const byBase = new Map<string, Map<string, Matcher>>();
  for (const {pattern, key} of watches) {
    const glob = normalPath(pattern);
    const {base, isGlob} = picomatch.scan(glob, {nonegate: true});
    const place = normalPath(base.replace(/\\(.)/g, '$1'));
    const matchers = byBase.get(place) ?? new Map<string, Matcher>();
    byBase.set(place, matchers);
    const matcher = matchers.get(glob) ?? {
      keys: new Set(),
      matches: isGlob ? picomatch(glob, {dot: true, nonegate: true}) : () => true,
    };
    matchers.set(glob, matcher);
    matcher.keys.add(key);
  }
  return (file) => {
    const keys = new Set<string>();
    if (byBase.size === 0) return keys;
    for (const place of [file, ...foldersOf(file)]) {
      for (const {keys: watchers, matches} of byBase.get(place)?.values() ?? []) {
        if (matches(file)) for (const key of watchers) keys.add(key);
      }
    }
    return keys;
  };
}
