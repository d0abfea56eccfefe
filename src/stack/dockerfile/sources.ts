/** A path below the root of the build context, as COPY, ADD and RUN --mount name it. */
export interface SourcePath {
  /** Cleaned, `/` separated, relative to the root of the context; empty for everything. */
  readonly path: string;
  readonly hasWildcards: boolean;
}

export type SourceKind = 'context' | 'git' | 'url' | 'bad-git';

/** Whether a source of ADD is a place in the context, or comes from elsewhere (`dfgitutil/git_ref.go`). */
export function kindOfSource(source: string): SourceKind {
  if (/^\.\.?\//.test(source) || source.startsWith('github.com/')) return 'context';
  const scheme = /^([a-zA-Z0-9]+):\/\//.exec(source)?.[1]?.toLowerCase();
  if (scheme === undefined) {
    const scp = /^[a-zA-Z0-9-_]+@[a-zA-Z0-9-.]+:(.*?)(?:\?(.*?))?(?:#.*)?$/.exec(source);
    return scp === null ? 'context' : checkQuery(scp[2] ?? '');
  }
  if (!['http', 'https', 'ssh', 'git'].includes(scheme)) return 'context';
  const [, path = '', query = ''] = /^[^?#]*?:\/\/[^/?#]*([^?#]*)(?:\?([^#]*))?/.exec(source) ?? [];
  if (scheme.startsWith('http') && !path.endsWith('.git')) {
    return /^https?:\/\//.test(source) ? 'url' : 'context';
  }
  return checkQuery(query);
}

const queryKeys = [
  'ref',
  'tag',
  'branch',
  'subdir',
  'checksum',
  'commit',
  'keep-git-dir',
  'submodules',
];

function checkQuery(query: string): SourceKind {
  const keys = [...new URLSearchParams(query).keys()];
  return keys.every((key) => queryKeys.includes(key)) ? 'git' : 'bad-git';
}

/** A source of COPY or ADD. `..` cannot leave the context: docker stops at its root. */
export function readSource(source: string, keepsParents: boolean): SourcePath {
  if (!keepsParents) {
    const path = cleanPath(source);
    return {path, hasWildcards: hasWildcards(path)};
  }
  const pivot = source.indexOf('/./');
  const parent = pivot < 0 ? '' : cleanPath(source.slice(0, pivot));
  const pattern = cleanPath(pivot < 0 ? source : source.slice(pivot + 3));
  const path = [parent, pattern].filter((part) => part !== '').join('/');
  // "**" and "!" mean more here than in a plain COPY: the folder above them counts as a whole.
  if (!pattern.includes('**') && !pattern.startsWith('!')) {
    return {path, hasWildcards: hasWildcards(path)};
  }
  const parts = path.split('/');
  const wild = parts.findIndex((part) => hasWildcards(part) || part.startsWith('!'));
  return {path: parts.slice(0, wild).join('/'), hasWildcards: false};
}

/** The source of a bind mount: never a pattern. */
export function readMountSource(source: string): SourcePath {
  return {path: cleanPath(source), hasWildcards: false};
}

function hasWildcards(path: string): boolean {
  return /^(?:[^\\*?[]|\\.)*[*?[]/s.test(path);
}

function cleanPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}
