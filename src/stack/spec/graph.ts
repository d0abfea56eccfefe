import type {Findings, TextNode} from '../yaml/index.ts';
import type {ImageDraft} from './image.ts';
import type {ImageSpec} from './types.ts';

type Edges = ReadonlyMap<string, readonly string[]>;

interface GraphRequest {
  readonly findings: Findings;
  readonly drafts: ReadonlyMap<string, ImageDraft>;
  /** Names in `images:` that could not be read: their mistake is reported, they are not "unknown". */
  readonly broken: ReadonlySet<string>;
  readonly roots: readonly TextNode[];
}

/** The parents of every image, by key; cycles, unknown names and roots that are none become findings. */
export function checkGraph(request: GraphRequest): Edges {
  const parents = new Map<string, readonly string[]>();
  for (const [key, draft] of request.drafts) parents.set(key, readParents(request, key, draft));
  reportCycles(request, parents);
  checkRoots(request);
  return parents;
}

function readParents(
  {findings, drafts, broken}: GraphRequest,
  key: string,
  draft: ImageDraft,
): readonly string[] {
  const parents = new Set<string>();
  for (const {text, offset} of draft.dependsOn) {
    const says = `depend_on of image "${key}" lists "${text}"`;
    if (text === key) findings.mistake(offset, `${says}, which is the image itself. Remove it.`);
    else if (parents.has(text)) findings.mistake(offset, `${says} twice. Keep one.`);
    else if (drafts.has(text)) parents.add(text);
    else if (!broken.has(text)) {
      const others = [...drafts.keys()].filter((name) => name !== key);
      const hint = findings.suggest(text, others) || ' Add it there, or remove it here.';
      findings.mistake(offset, `${says}, which is not in "images".${hint}`);
    }
  }
  return [...parents];
}

function reportCycles({findings, drafts}: GraphRequest, parents: Edges): void {
  for (const path of findCycles(parents)) {
    const cycle = path.join(' -> ');
    const message = `depend_on forms a cycle: ${cycle}. Remove one of these dependencies.`;
    findings.mistake(drafts.get(path[0] ?? '')?.dependsOn[0]?.offset ?? 0, message);
  }
}

/** Each cycle once, from an image back to itself. What cannot be put in order is in or below a cycle. */
export function findCycles(parents: Edges): readonly (readonly string[])[] {
  const sorted = new Set(sortParentsFirst(parents));
  const cycles: (readonly string[])[] = [];
  const walked = new Set<string>();
  for (const start of parents.keys()) {
    if (sorted.has(start)) continue;
    const path: string[] = [];
    const onPath = new Set<string>();
    let key: string | undefined = start;
    while (key !== undefined && !walked.has(key)) {
      walked.add(key);
      onPath.add(key);
      path.push(key);
      key = parents.get(key)?.find((name) => !sorted.has(name));
    }
    if (key !== undefined && onPath.has(key)) cycles.push([...path.slice(path.indexOf(key)), key]);
  }
  return cycles;
}

/** An image of `root` is in "images" and has no depend_on. Whether all others are below one is known after the Dockerfiles. */
function checkRoots({findings, drafts, broken, roots}: GraphRequest): void {
  for (const {text, offset} of roots) {
    if (broken.has(text)) continue;
    const dependsOn = drafts.get(text)?.dependsOn;
    if (dependsOn === undefined) {
      const hint = findings.suggest(text, drafts.keys());
      findings.mistake(offset, `root lists "${text}", which is not in "images".${hint}`);
    } else if (dependsOn.length > 0) {
      const names = dependsOn.map((node) => node.text).join(', ');
      const message = `root lists "${text}", which depends on ${names}. Remove it from "root", or remove its depend_on.`;
      findings.mistake(offset, message);
    }
  }
}

/** Which image is built on which, by name. */
export interface Tree {
  /** Every image, parents first: breadth-first in the order of the file, track by track. */
  readonly order: readonly string[];
  /** Those that name the image as a parent, in the order of the file; an entry for every image. */
  readonly children: ReadonlyMap<string, readonly string[]>;
  readonly parents: ReadonlyMap<string, readonly string[]>;
  /** 0 for a root, else one more than the deepest parent. */
  readonly level: (name: string) => number;
  /** All below, nearest first; not the image itself. */
  readonly descendants: (name: string) => ReadonlySet<string>;
  /** All above, nearest first; not the image itself. */
  readonly ancestors: (name: string) => ReadonlySet<string>;
}

/**
 * Puts the images of a checked spec in order. Linear: what is below or above an image is walked when asked for.
 * @throws {Error} when a parent is missing or there is a cycle, which parseSpec would have refused
 */
export function buildTree(images: ReadonlyMap<string, ImageSpec>): Tree {
  const parents = new Map([...images].map(([name, image]) => [name, image.parents]));
  const children = childrenOf(parents);
  const tracks = Map.groupBy(images, ([, {track}]) => track);
  const order = [...tracks.values()].flatMap((track) =>
    sortParentsFirst(new Map(track.map(([name, image]) => [name, image.parents]))),
  );
  if (order.length < images.size) throw new Error('Internal error: the images form no tree');
  const levels = new Map<string, number>();
  for (const name of order) {
    let level = 0;
    for (const parent of parents.get(name) ?? []) {
      level = Math.max(level, 1 + (levels.get(parent) ?? 0));
    }
    levels.set(name, level);
  }
  return {
    order,
    children,
    parents,
    level: (name) => levels.get(name) ?? 0,
    descendants: (name) => walk(children, name),
    ancestors: (name) => walk(parents, name),
  };
}

/**
 * Parents before children, breadth-first in the order of the map: the order of the Python scripts. Names in or below
 * a cycle, or below an unknown name, are omitted.
 */
export function sortParentsFirst(parents: Edges): readonly string[] {
  const children = childrenOf(parents);
  const missing = new Map([...parents].map(([name, names]) => [name, names.length]));
  const order = [...parents.keys()].filter((name) => missing.get(name) === 0);
  for (const name of order) {
    for (const child of children.get(name) ?? []) {
      const left = (missing.get(child) ?? 0) - 1;
      missing.set(child, left);
      if (left === 0) order.push(child);
    }
  }
  return order;
}

function childrenOf(parents: Edges): ReadonlyMap<string, readonly string[]> {
  const children = new Map<string, string[]>();
  for (const name of parents.keys()) children.set(name, []);
  for (const [name, names] of parents) {
    for (const parent of names) children.get(parent)?.push(name);
  }
  return children;
}

function walk(edges: Edges, start: string): ReadonlySet<string> {
  const found = new Set<string>([start]);
  // A set grows while it is walked, so it is its own queue: no recursion, however deep the stack is.
  for (const name of found) for (const next of edges.get(name) ?? []) found.add(next);
  found.delete(start);
  return found;
}
