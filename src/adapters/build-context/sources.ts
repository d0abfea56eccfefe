import {createHash} from 'node:crypto';
import type {Matcher} from '../../util/automaton.ts';
import {compileGoMatch, hasWildcards} from './go-match.ts';
import {compileRules, type Match, type Rules} from './patterns.ts';
import type {Node, Resolved, Tree} from './tree.ts';

/** What one COPY, ADD or bind mount takes from the context. */
export interface ContextSource {
  /** Cleaned, `/` separated, relative to the context; empty for everything. */
  readonly path: string;
  readonly hasWildcards: boolean;
  readonly excludes: readonly string[];
  readonly line: number;
  readonly kind: 'copy' | 'add' | 'mount';
  /** `COPY --parents`, whose excludes are relative to another folder; undefined when it is not known. */
  readonly parents?: boolean;
}

export interface ContextUses {
  readonly sources: readonly ContextSource[];
  /** Why the whole context counts. */
  readonly unresolved: string | undefined;
}

export interface Hashed {
  readonly lines: readonly string[];
  readonly files: number;
  /** Paths that never count and that docker would take all the same. */
  readonly own: ReadonlySet<string>;
}

interface Digest {
  readonly text: string;
  readonly files: number;
  readonly own: readonly string[];
  readonly isEmpty: boolean;
}

const whole: ContextSource = {
  path: '',
  hasWildcards: false,
  excludes: [],
  line: 0,
  kind: 'copy',
};

/** What is known of a tree, for the other sources and images that share it. */
export interface Known {
  readonly folders: WeakMap<Node, Promise<Digest>>;
  readonly sources: WeakMap<Tree, Map<string, Promise<Hashed>>>;
}

/**
 * What docker takes for these sources, one line each.
 * @throws {Error} of the file system, or for a pattern that docker refuses
 */
export async function hashSources(tree: Tree, uses: ContextUses, known: Known): Promise<Hashed> {
  const ofTree = known.sources.get(tree) ?? new Map<string, Promise<Hashed>>();
  known.sources.set(tree, ofTree);
  const hashed: Hashed[] = [];
  for (const source of uses.unresolved === undefined ? uses.sources : [whole]) {
    const {path, excludes, kind, parents} = source;
    const key = JSON.stringify([path, excludes, kind === 'mount', parents]);
    const found = ofTree.get(key) ?? hashSource(tree, source, known);
    ofTree.set(key, found);
    hashed.push(await found);
  }
  return {
    lines: hashed.flatMap(({lines}) => lines),
    files: hashed.reduce((sum, {files}) => sum + files, 0),
    own: new Set(hashed.flatMap(({own}) => [...own])),
  };
}

/** Many lines are one, so that they are not kept for each source. */
async function hashSource(tree: Tree, source: ContextSource, known: Known): Promise<Hashed> {
  const hash = createHash('sha256');
  const own = new Set<string>();
  let files = 0;
  for (const {path, node, links} of await findNodes(tree, source)) {
    const digest = node && (await digestOf(tree, node, source, known));
    // Only `--parents` copies a link as one; otherwise what it leads to is all that is in the image.
    const shown = source.kind === 'mount' || source.parents === false ? [] : links;
    hash.update(`${[JSON.stringify(path), ...shown, digest?.text ?? 'missing'].join('\n')}\n`);
    files += digest?.files ?? 0;
    for (const one of digest?.own ?? []) own.add(one);
  }
  return {lines: [`${JSON.stringify(source.path)} ${hash.digest('hex')}`], files, own};
}

interface Found extends Resolved {
  readonly path: string;
}

/** What the path of a source leads to, or each that its wildcards find. */
async function findNodes(tree: Tree, source: ContextSource): Promise<readonly Found[]> {
  const {path, kind} = source;
  const resolve = async (one: string): Promise<Found> => ({
    path: one,
    ...(await tree.resolve(one)),
  });
  if (kind === 'mount' || !hasWildcards(path)) return [await resolve(path)];
  const parts = path.split('/');
  const first = parts.findIndex(hasWildcards);
  const base = await resolve(parts.slice(0, first).join('/'));
  const {node} = base;
  if (node === undefined) return [base];
  const matchers = matchersOf(parts.slice(first).join('/'));
  // Docker finds nothing, or refuses it: everything counts.
  if (matchers === undefined) return [await resolve('')];
  const found: Found[] = [];
  const walk = async (folder: Node): Promise<void> => {
    for (const child of await tree.children(folder)) {
      const below = node.path === '' ? child.path : child.path.slice(node.path.length + 1);
      if (matchers.some((matcher) => matcher.matches(below)))
        found.push(
          child.kind === 'link'
            ? await resolve(child.path)
            : {path: child.path, node: child, links: []},
        );
      else if (child.kind === 'folder' && !child.isOwn)
        if (matchers.some((matcher) => matcher.mayBegin(`${below}/`))) await walk(child);
    }
  };
  if (node.kind === 'folder' && !node.isOwn) await walk(node);
  return source.parents === false || base.links.length === 0
    ? found
    : [{...base, node: undefined}, ...found];
}

/** COPY knows no `**`; with `--parents` it does, and which of the two is meant is not always known here. */
function matchersOf(pattern: string): readonly Pick<Matcher, 'matches' | 'mayBegin'>[] | undefined {
  try {
    const plain = compileGoMatch(pattern);
    if (!pattern.includes('**')) return [plain];
    const rules = compileRules([pattern.replace(/^!/, '\\!')]);
    const deep = {
      matches: (path: string) => rules.match(path, undefined).isOut,
      mayBegin: () => true,
    };
    return [plain, deep];
  } catch {
    return undefined;
  }
}

async function digestOf(
  tree: Tree,
  node: Node,
  source: ContextSource,
  known: Known,
): Promise<Digest> {
  // An exception may take back by one way of reading the path what is excluded by another.
  const isDoubtful = source.parents !== false && source.excludes.some((one) => one.startsWith('!'));
  if (source.excludes.length === 0 || isDoubtful) return await wholeDigest(tree, node, known);
  const rules = compileRules(source.excludes);
  const filters = filtersOf(node, rules, source);
  return (await filteredDigest(tree, node, filters)) ?? emptyFolder;
}

const emptyFolder: Digest = {text: 'folder', files: 0, own: [], isEmpty: true};

async function wholeDigest(tree: Tree, node: Node, known: Known): Promise<Digest> {
  const found =
    known.folders.get(node) ?? describeNode(tree, node, (child) => wholeDigest(tree, child, known));
  // A file is kept by the look already.
  if (node.kind === 'folder') known.folders.set(node, found);
  return await found;
}

/** Excludes, and what they found for the folder that is looked at; `from` is the length of the path they leave out. */
interface Filter {
  readonly rules: Rules;
  readonly from: number;
  readonly above: Match | undefined;
}

/**
 * Excludes are relative to the folder that is copied, but with `--parents` to one above it. Where that is not known, a
 * file must be excluded in every one of these ways.
 */
function filtersOf(node: Node, rules: Rules, {parents}: ContextSource): readonly Filter[] {
  const own: Filter = {
    rules,
    from: node.path === '' ? 0 : node.path.length + 1,
    above: undefined,
  };
  if (parents === false || node.path === '') return [own];
  const parts = node.path.split('/');
  return [
    ...parts.map((_, depth): Filter => {
      const base = parts.slice(0, depth).join('/');
      const from = base === '' ? 0 : base.length + 1;
      let above: Match | undefined;
      for (let end = depth + 1; end <= parts.length; end++)
        above = rules.match(parts.slice(depth, end).join('/'), above);
      return {rules, from, above};
    }),
    own,
  ];
}

/** Undefined for a folder that is excluded with all that is in it. */
async function filteredDigest(
  tree: Tree,
  node: Node,
  filters: readonly Filter[],
): Promise<Digest | undefined> {
  return await describeNode(tree, node, async (child) => {
    const below = filters.map((filter) => ({
      ...filter,
      above: filter.rules.match(child.path.slice(filter.from), filter.above),
    }));
    const isOut = below.every(({above}) => above.isOut);
    if (isOut && child.kind !== 'folder') return undefined;
    const digest = await filteredDigest(tree, child, below);
    return isOut && digest?.isEmpty ? undefined : digest;
  });
}

async function describeNode(
  tree: Tree,
  node: Node,
  ofChild: (child: Node) => Promise<Digest | undefined>,
): Promise<Digest> {
  if (node.isOwn) return {text: 'own', files: 0, own: [node.path], isEmpty: false};
  if (node.kind === 'file' || node.kind === 'link')
    return {text: await tree.look.describe(node.absolute), files: 1, own: [], isEmpty: false};
  // Docker makes these in the image, and never reads them.
  if (node.kind !== 'folder') return {text: node.kind, files: 1, own: [], isEmpty: false};
  const hash = createHash('sha256');
  const own: string[] = [];
  let files = 0;
  let isEmpty = true;
  for (const child of await tree.children(node)) {
    const digest = await ofChild(child);
    if (digest === undefined) continue;
    own.push(...digest.own);
    files += digest.files;
    isEmpty = false;
    if (!child.isOwn) hash.update(`${JSON.stringify(child.name)} ${digest.text}\n`);
  }
  return {text: `folder ${hash.digest('hex')}`, files, own, isEmpty};
}
