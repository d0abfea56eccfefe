import {dirname} from 'node:path/posix';
import type {Reference} from '../image/reference.ts';
import type {Candidate, Origin} from './types.ts';

export interface Similar {
  /** Images of which the reference may be a name; none where nothing is alike. */
  find(reference: Reference): readonly Candidate[];
}

/**
 * What images may be called: by the key, or by the end of the path: `python/3.11` is `python-3.11` and
 * `python:3.11`. A word that several names have in front of or behind a key (`dev-core`, `dev-tools`), or that is
 * the name of the repository or of its owner, says nothing.
 */
export function similarNames(
  images: readonly Candidate[],
  references: readonly Reference[],
  origin: Origin,
): Similar {
  const byName = namesOf(images);
  const direct = (reference: Reference): readonly Candidate[] => {
    const path = pathOf(reference);
    const last = path.at(-1) ?? '';
    const {tag} = reference;
    const tagged =
      tag === undefined || tag === 'latest' ? [] : [`${last}-${tag}`, `${tag}-${last}`];
    const ends = path.map((_, index) => path.slice(index).join('-'));
    const name = [...tagged, ...ends].find((one) => byName.has(plainName(one)));
    return byName.get(plainName(name ?? '')) ?? [];
  };
  const affixes = commonAffixes(
    byName,
    references.filter((one) => direct(one).length === 0),
    origin,
  );
  return {
    find: (reference) => {
      const found = direct(reference);
      const split = found.length > 0 ? undefined : splitName(byName, lastOf(reference), affixes);
      return split === undefined ? found : (byName.get(split.key) ?? []);
    },
  };
}

function namesOf(images: readonly Candidate[]): ReadonlyMap<string, readonly Candidate[]> {
  const byName = new Map<string, Candidate[]>();
  const sameFile = Map.groupBy(images, ({dockerfile}) => dockerfile);
  for (const image of images) {
    const parts = dirname(image.dockerfile)
      .split('/')
      .filter((part) => part !== '.');
    const ends = parts.map((_, index) => parts.slice(index).join('-'));
    // With a file name of its own the folder is that of others too.
    const isOwnFolder = /\/(?:Dockerfile|Containerfile)$/i.test(`/${image.dockerfile}`);
    const isOnly = sameFile.get(image.dockerfile)?.length === 1;
    for (const name of new Set([image.key, ...(isOwnFolder && isOnly ? ends : [])].map(plainName)))
      byName.set(name, [...(byName.get(name) ?? []), image]);
  }
  return byName;
}

interface Split {
  readonly key: string;
  /** `dev-…` or `…-image` */
  readonly affix: string;
}

/** The longest key that the name begins or ends with, and what is left. */
function splitName(
  names: ReadonlyMap<string, unknown>,
  name: string,
  allowed: ReadonlySet<string> | undefined,
): Split | undefined {
  const words = plainName(name).split('-');
  for (let length = words.length - 1; length > 0; length -= 1) {
    const end = {
      key: words.slice(-length).join('-'),
      affix: `${words.slice(0, -length).join('-')}-…`,
    };
    const begin = {
      key: words.slice(0, length).join('-'),
      affix: `…-${words.slice(length).join('-')}`,
    };
    for (const split of [end, begin])
      if (names.has(split.key) && (allowed?.has(split.affix) ?? true)) return split;
  }
  return undefined;
}

function commonAffixes(
  names: ReadonlyMap<string, unknown>,
  unmatched: readonly Reference[],
  {owner, repo}: Origin,
): ReadonlySet<string> {
  const seen = new Map<string, Set<string>>();
  for (const reference of unmatched) {
    // A name of Docker Hub's own is nobody's with a word more.
    if (namespaceOf(reference) === '') continue;
    const split = splitName(names, lastOf(reference), undefined);
    if (split === undefined) continue;
    const id = `${namespaceOf(reference)} ${split.affix}`;
    seen.set(id, (seen.get(id) ?? new Set()).add(split.key));
  }
  const often = [...seen].filter(([, keys]) => keys.size > 1).map(([id]) => id.split(' ')[1] ?? '');
  const own = [owner, repo].filter((word) => word !== '').map((word) => `${plainName(word)}-…`);
  return new Set([...often, ...own]);
}

/** Host and path without the last part; Docker Hub's own names have none. */
export function namespaceOf(reference: Reference): string {
  return repositoryOf(reference).replace(/\/?[^/]*$/, '');
}

/** As people write it: without `docker.io/` and `library/`. */
export function repositoryOf({registry, repository}: Reference): string {
  const path = repository.replace(/^library\//, '');
  return registry === 'docker.io' ? path : `${registry}/${path}`;
}

/** Case, `_` and `.` make no other name. */
export function plainName(name: string): string {
  return name.toLowerCase().replace(/[_.]/g, '-');
}

function pathOf(reference: Reference): readonly string[] {
  return reference.repository.replace(/^library\//, '').split('/');
}

function lastOf(reference: Reference): string {
  return pathOf(reference).at(-1) ?? '';
}
