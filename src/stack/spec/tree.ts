import type {ImageSpec} from './types.ts';

/** Who stands on whom, by name. */
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

type Edges = ReadonlyMap<string, readonly string[]>;

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
 * a cycle, or below an unknown name, are left out.
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
