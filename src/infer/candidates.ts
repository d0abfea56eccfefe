import {dirname, join, normalize} from 'node:path/posix';
import {platformPattern} from '../image/platforms.ts';
import {parseReference} from '../image/reference.ts';
import {isSamePlatform} from '../stack/spec/index.ts';
import {keysOf, keyText, shortKey} from './names.ts';
import type {Candidate, Declaration} from './types.ts';

export interface CandidateRequest {
  /** Those that can be read, in the order of their paths. */
  readonly dockerfiles: ReadonlyMap<string, string>;
  readonly declarations: readonly Declaration[];
  readonly files: readonly string[];
  /** Key of a Dockerfile at the top: the name of the repository. */
  readonly top: string;
}

export interface Candidates {
  readonly images: readonly Candidate[];
  /** Names that several folders have. */
  readonly shared: readonly string[];
}

/** What is declared first is believed: a compose file is mostly for one machine. */
const sources = ['bake', 'workflow', 'command', 'compose'] as const;

/** The images of the tree: one for each Dockerfile, or as many as something in the repository makes of it. */
export function findCandidates({
  dockerfiles,
  declarations,
  files,
  top,
}: CandidateRequest): Candidates {
  const {keys, shared} = keysOf([...dockerfiles.keys()], top);
  const byFile = Map.groupBy(declarations, ({dockerfile}) => dockerfile);
  const used = new Set(keys.values());
  const contextOf = contextFinder(files);
  const images = [...dockerfiles].flatMap(([path, text]) => {
    const key = keys.get(path) ?? keyText(path);
    const found = chosen(byFile.get(path) ?? [], declarations);
    const context = contextOf(path, text);
    const [first, ...others] = found;
    if (first === undefined) return [plain(key, path, context)];
    if (others.length === 0) return [declared(key, first, context)];
    used.delete(key);
    return found.map((one) => declared(ownKey(one, key, used), one, context));
  });
  return {images, shared};
}

/** The declarations of the best source, those that build the same thing counted once. */
function chosen(
  all: readonly Declaration[],
  everything: readonly Declaration[],
): readonly Declaration[] {
  const source = sources.find((one) => all.some((declaration) => declaration.source === one));
  const mine = all.filter((declaration) => declaration.source === source);
  const asked = new Set(everything.flatMap(({contexts}) => [...contexts.values()]));
  const published = mine.filter(
    ({tags, name}) => tags.length > 0 || (name !== undefined && asked.has(name)),
  );
  const same = new Map<string, Declaration>();
  for (const one of published.length > 0 ? published : mine) {
    const args = [...one.args].toSorted(([a], [b]) => (a < b ? -1 : 1));
    const what = JSON.stringify([one.context, one.target, args]);
    const before = same.get(what);
    same.set(what, before === undefined ? one : merged(before, one));
  }
  const distinct = [...same.values()];
  // Several commands that name nothing are ways to build one image: a lint, a test, a release.
  const isNamed = distinct.every(({name, tags}) => name !== undefined || tags.length > 0);
  const names = new Set(distinct.map(nameOf));
  if (distinct.length < 2 || (isNamed && names.size === distinct.length)) return distinct;
  if (!isNamed) return [unspecific(distinct)];
  return [...Map.groupBy(distinct, nameOf).values()].flatMap((group) => group.slice(0, 1));
}

function merged(one: Declaration, other: Declaration): Declaration {
  return {
    ...one,
    tags: [...new Set([...one.tags, ...other.tags])],
    platforms: one.platforms.length > 0 ? one.platforms : other.platforms,
    contexts: new Map([...other.contexts, ...one.contexts]),
  };
}

/** What all of them agree on. */
function unspecific(all: readonly Declaration[]): Declaration {
  const [first] = all;
  if (first === undefined) throw new Error('Internal error: no declaration');
  const agree = <T>(get: (one: Declaration) => T): boolean =>
    all.every((one) => JSON.stringify(get(one)) === JSON.stringify(get(first)));
  return {
    ...first,
    context: agree(({context}) => context) ? first.context : undefined,
    target: agree(({target}) => target) ? first.target : undefined,
    args: agree(({args}) => [...args]) ? first.args : new Map(),
    tags: all.flatMap(({tags}) => tags),
  };
}

/** What tells one of several images apart: its target, else the last part of its reference. */
function nameOf({name, tags, target}: Declaration): string {
  if (name !== undefined) return keyText(name);
  const reference = parseReference(tags[0] ?? '');
  const last = reference?.repository.split('/').at(-1);
  if (last === undefined) return target ?? '';
  const tag = reference?.tag;
  return keyText(tag === undefined || tag === 'latest' ? last : `${last}-${tag}`);
}

function ownKey(one: Declaration, fallback: string, used: Set<string>): string {
  const name = shortKey(nameOf(one)) || fallback;
  const choices = [name, `${fallback}-${name}`];
  let key = choices.find((choice) => !used.has(choice));
  for (let count = 2; key === undefined; count += 1) {
    const numbered = `${fallback}-${name}-${count}`;
    if (!used.has(numbered)) key = numbered;
  }
  used.add(key);
  return key;
}

function plain(key: string, dockerfile: string, context: string): Candidate {
  const nothing = {target: undefined, args: new Map(), platforms: [], tags: []};
  return {key, dockerfile, context, ...nothing, declaration: undefined};
}

function declared(key: string, declaration: Declaration, context: string): Candidate {
  const {dockerfile, target, args, platforms, tags} = declaration;
  const known = platforms.filter((platform) => platformPattern.test(platform));
  return {
    key,
    dockerfile,
    // What cannot be the name of a stage is a variable that nobody could read.
    target: isStageName(target) ? target : undefined,
    args,
    platforms: known.filter(
      (one, index) => known.findIndex((other) => isSamePlatform(one, other)) === index,
    ),
    tags,
    declaration,
    context: declaration.context ?? context,
  };
}

function isStageName(target: string | undefined): boolean {
  return target !== undefined && /^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(target);
}

/**
 * The folder of the Dockerfile, except where what it copies is only there from the top of the repository: where
 * nobody says what the context is, the files do.
 */
function contextFinder(files: readonly string[]): (path: string, text: string) => string {
  const known = new Set(files);
  for (const file of files) {
    for (let folder = dirname(file); folder !== '.' && !known.has(folder); folder = dirname(folder))
      known.add(folder);
  }
  return (path, text) => {
    const folder = dirname(path);
    const sources = copiedFrom(text);
    const areAll = (base: string): boolean =>
      sources.every((source) => known.has(normalize(join(base, source)).replace(/\/$/, '')));
    if (folder === '.' || sources.length === 0 || areAll(folder)) return folder;
    return areAll('.') ? '.' : folder;
  };
}

/** Sources of COPY and ADD that are plain paths of the context. */
function copiedFrom(text: string): readonly string[] {
  const joined = text.replace(/\\\r?\n/g, ' ');
  return [...joined.matchAll(/^[ \t]*(?:COPY|ADD)[ \t]+(.+)$/gim)].flatMap(([, rest = '']) => {
    if (/--from=|<<|\[/.test(rest)) return [];
    const words = rest.split(/\s+/).filter((word) => word !== '' && !word.startsWith('--'));
    return words
      .slice(0, -1)
      .filter((word) => !/[$*?"']|^(?:https?|git@|git):/.test(word))
      .map((word) => normalize(word).replace(/^\/+/, ''))
      .filter((word) => word !== '.' && word !== './' && word !== '' && !word.startsWith('..'));
  });
}
