import {isAbsolute, join, normalize} from 'node:path/posix';
import type {Fields, TextNode} from '../yaml/index.ts';

/** A folder relative to the workspace, without `./` and a slash at the end: `images`. */
export function normalFolder(folder: string): string {
  return normalize(folder).replace(/(?<=.)\/+$/, '') || '.';
}

/**
 * A path of the spec, relative to `base`, as one relative to the workspace. Whether symbolic links point outside the
 * workspace is for those who read files. Undefined after a mistake.
 */
export function resolvePath(
  fields: Fields,
  name: string,
  {node, base}: {readonly node: TextNode; readonly base: string},
): string | undefined {
  const path = normalFolder(join(base, node.text));
  const problem = problemOf(node.text, path);
  if (problem === undefined) return path;
  fields.findings.mistake(
    node.offset,
    `${name} of ${fields.owner} is "${node.text}", ${problem}. Write a path relative to ${base}/.`,
  );
  return undefined;
}

/**
 * A glob of `watch`. From the top of the repository, as `paths:` of a workflow; `../` at its beginning starts from
 * the image's folder, since nothing else could be meant.
 */
export function resolveGlob(fields: Fields, node: TextNode, folder: string): string | undefined {
  const isFromFolder = node.text.startsWith('../');
  const glob = isFromFolder ? join(folder, node.text) : node.text.replace(/^(?:\.\/)+/, '');
  const problem = node.text.startsWith('!')
    ? 'which excludes; watch can only add'
    : problemOf(node.text, normalize(glob));
  if (problem === undefined) return glob;
  fields.findings.mistake(
    node.offset,
    `watch of ${fields.owner} is "${node.text}", ${problem}. Write a glob relative to the repository, such as "shared/**".`,
  );
  return undefined;
}

/** What keeps a path of the repository from being written in a spec. */
export function pathProblem(path: string): string | undefined {
  return problemOf(path, normalize(path));
}

/** What keeps a path from being one inside the repository. */
export function problemOf(text: string, path: string): string | undefined {
  if (isAbsolute(text) || /^[A-Za-z]:[\\/]/.test(text)) return 'which is absolute';
  if (text.startsWith('-')) return 'which docker would take for an option';
  if (path === '..' || path.startsWith('../')) return 'which points outside the repository';
  return undefined;
}
