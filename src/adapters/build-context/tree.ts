import {readlinkSync} from 'node:fs';
import {join} from 'node:path';
import {normalize} from 'node:path/posix';
import type {Kind, Look} from './files.ts';
import type {Match, Rules} from './patterns.ts';

/** A file or folder of a context that docker would see. */
export interface Node {
  readonly name: string;
  /** Relative to the context, `/` separated; empty for the context itself. */
  readonly path: string;
  readonly absolute: string;
  readonly kind: Kind;
  /** What the action writes, and `.git`: never part of a fingerprint. */
  readonly isOwn: boolean;
  readonly match: Match | undefined;
}

/** A context as docker sees it: without what `.dockerignore` leaves out, and with itself as the root of all links. */
export interface Tree {
  readonly look: Look;
  readonly root: Node;
  /** Sorted by name. @throws {Error} of the file system */
  children(folder: Node): Promise<readonly Node[]>;
  /** Follows every link on the way, the last one too. @throws {Error} of the file system */
  resolve(path: string): Promise<Resolved>;
}

export interface Resolved {
  /** Undefined when docker would not find it. */
  readonly node: Node | undefined;
  /** Every link that was followed, with its target. */
  readonly links: readonly string[];
}

export interface TreeRequest {
  readonly look: Look;
  /** Absolute, without links. */
  readonly root: string;
  readonly rules: Rules;
  /** Absolute paths; they count as there, because they will be once the action has begun. */
  readonly own: readonly string[];
}

export function openTree({look, root, rules, own}: TreeRequest): Tree {
  const top: Node = {
    name: '',
    path: '',
    absolute: root,
    kind: 'folder',
    isOwn: false,
    match: undefined,
  };
  const known = new Map<string, Promise<readonly Node[]>>();

  const nodeOf = (folder: Node, name: string, kind: Kind): Node => {
    const path = folder.path === '' ? name : `${folder.path}/${name}`;
    const absolute = join(folder.absolute, name);
    const match = rules.isEmpty ? undefined : rules.match(path, folder.match);
    return {name, path, absolute, kind, isOwn: name === '.git' || own.includes(absolute), match};
  };

  const read = async (folder: Node): Promise<readonly Node[]> => {
    const entries = await look.list(folder.absolute);
    const nodes = entries.map(({name, kind}) => nodeOf(folder, name, kind));
    for (const absolute of own) {
      const name = nameIn(folder.absolute, absolute);
      if (name !== undefined && !nodes.some((node) => node.name === name))
        nodes.push(nodeOf(folder, name, 'folder'));
    }
    const visible: Node[] = [];
    for (const node of nodes) if (await isVisible(node)) visible.push(node);
    return visible.sort((a, b) => (a.name < b.name ? -1 : 1));
  };

  /** A folder that is left out is there all the same when something in it is taken back. */
  const isVisible = async (node: Node): Promise<boolean> => {
    if (!node.match?.isOut) return true;
    if (node.kind !== 'folder' || node.isOwn || !rules.mayTakeBack(node.path)) return false;
    return (await children(node)).length > 0;
  };

  const children = (folder: Node): Promise<readonly Node[]> => {
    const found = known.get(folder.path) ?? read(folder);
    known.set(folder.path, found);
    return found;
  };

  return {
    look,
    root: top,
    children,
    resolve: (path) => resolvePath(top, children, path),
  };
}

function nameIn(folder: string, path: string): string | undefined {
  if (!path.startsWith(`${folder}/`)) return undefined;
  const name = path.slice(folder.length + 1);
  return name.includes('/') ? undefined : name;
}

const mostLinks = 255;

/** `RootPath` of github.com/containerd/continuity: `..` of a target is taken away before links in it are followed. */
async function resolvePath(
  root: Node,
  children: Tree['children'],
  path: string,
): Promise<Resolved> {
  const links: string[] = [];
  let names = namesOf(path);
  let node = root;
  for (let at = 0; at < names.length; at++) {
    const name = names[at];
    const inside: readonly Node[] = node.kind === 'folder' ? await children(node) : [];
    const next = inside.find((child) => child.name === name);
    if (next === undefined) return {node: undefined, links};
    // What is in it is not looked at.
    if (next.isOwn) return {node: next, links};
    if (next.kind !== 'link') {
      node = next;
      continue;
    }
    const target = readlinkSync(next.absolute);
    links.push(`${JSON.stringify(next.path)} -> ${JSON.stringify(target)}`);
    if (links.length > mostLinks) return {node: undefined, links};
    const place = target.startsWith('/') ? target : `${node.path}/${target}`;
    names = [...namesOf(place), ...names.slice(at + 1)];
    node = root;
    at = -1;
  }
  return {node, links};
}

function namesOf(path: string): readonly string[] {
  return normalize(`/${path}`)
    .split('/')
    .filter((name) => name !== '');
}
