import {basename, dirname} from 'node:path/posix';
import type {Declaration, Origin, SourceTree} from '../types.ts';
import {readBake} from './bake.ts';
import {readCommands, readVariables} from './commands.ts';
import {readCompose} from './compose.ts';
import {readWorkflow} from './workflows.ts';

/**
 * What the files around the Dockerfiles say about them.
 * Enters: bake files, workflows, Makefiles, shell scripts and compose files.
 * Leaves: each build that one of them describes, as far as it can be read without running anything.
 * Not here: which of several descriptions counts, and what an image is called (candidates.ts).
 */
export function readDeclarations(
  {files, texts}: SourceTree,
  origin: Origin,
): readonly Declaration[] {
  const known = new Set(files);
  const exists = (path: string): boolean => known.has(path);
  const readers: Readonly<Record<Kind, (path: string, text: string) => readonly Declaration[]>> = {
    bake: (path, text) => readBake(path, text, exists),
    compose: readCompose,
    workflow: (path, text) => readWorkflow(path, text, origin),
    script: readScript,
  };
  const all = [...texts.keys()].toSorted().flatMap((path) => {
    const read = texts.get(path);
    const kind = kindOf(path);
    return read?.ok === true && kind !== undefined ? readers[kind](path, read.value) : [];
  });
  return all.filter(({dockerfile}) => exists(dockerfile));
}

type Kind = 'bake' | 'compose' | 'workflow' | 'script';

/** Whether a file of this name may say how an image is built. */
export function isDeclaring(path: string): boolean {
  return kindOf(path) !== undefined;
}

function kindOf(path: string): Kind | undefined {
  const name = basename(path).toLowerCase();
  if (/^\.github\/workflows\/[^/]+\.ya?ml$/.test(path)) return 'workflow';
  if (/(?:^|\/)(?:\.[^/]+|node_modules|vendor|testdata|fixtures)\//.test(path)) return undefined;
  if (/bake.*\.(?:hcl|json)$|^docker-.*\.hcl$/.test(name)) return 'bake';
  if (/^(?:docker-)?compose.*\.ya?ml$/.test(name)) return 'compose';
  return /^(?:gnu)?makefile$|\.(?:mk|sh|bash)$/.test(name) ? 'script' : undefined;
}

/** Scripts are called from anywhere: from the top mostly, else from their own folder. */
function readScript(path: string, text: string): readonly Declaration[] {
  const lookUp = readVariables(text);
  return [...new Set(['.', dirname(path)])].flatMap((folder) =>
    readCommands(text, {path, source: 'command', folder, lookUp}),
  );
}
