import {readFileSync} from 'node:fs';
import {cleanPath, compileRules, PatternError, type Rules, trimSpace} from './patterns.ts';
import type {Tree} from './tree.ts';

/** The ignore file of a build. */
export interface IgnoreFile {
  readonly name: string;
  /** Undefined when docker reads none. */
  readonly text: string | undefined;
}

/**
 * `<Dockerfile>.dockerignore` wins over `.dockerignore`, also when it is empty. Docker follows a link as if the folder
 * were the root of the disk, and takes a folder, a broken link and one that leads to nothing for no file at all.
 * @param folder the folder of the Dockerfile, nothing left out
 * @param context the context, nothing left out
 */
export async function readIgnore(
  folder: Tree,
  dockerfile: string,
  context: Tree,
): Promise<IgnoreFile> {
  const ofDockerfile = await readInside(folder, `${dockerfile}.dockerignore`);
  if (ofDockerfile !== undefined) return {name: `${dockerfile}.dockerignore`, text: ofDockerfile};
  return {name: '.dockerignore', text: await readInside(context, '.dockerignore')};
}

async function readInside(tree: Tree, name: string): Promise<string | undefined> {
  const {node} = await tree.resolve(name);
  return node?.kind === 'file' ? readFileSync(node.absolute, 'utf8') : undefined;
}

/** What Go's scanner takes for one line. */
const longestLine = 64 * 1024;

/**
 * `ReadAll` of github.com/moby/patternmatcher/ignorefile.
 * @throws {PatternError} naming a line that docker does not take either
 */
export function compileIgnore(text: string): Rules {
  const patterns: string[] = [];
  text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .forEach((line, index) => {
      if (line.length >= longestLine) throw new PatternError(`line ${index + 1} is too long`);
      const written = trimSpace(line);
      if (line.startsWith('#') || written === '') return;
      const isException = written.startsWith('!');
      const pattern = isException ? trimSpace(written.slice(1)) : written;
      const cleaned = pattern === '' ? '' : cleanPath(pattern);
      const bare = cleaned.length > 1 && cleaned.startsWith('/') ? cleaned.slice(1) : cleaned;
      patterns.push(isException ? `!${bare}` : bare);
      try {
        compileRules(patterns.slice(-1));
      } catch (error) {
        if (!(error instanceof PatternError)) throw error;
        throw new PatternError(`line ${index + 1}: ${error.message}`);
      }
    });
  return compileRules(patterns);
}
