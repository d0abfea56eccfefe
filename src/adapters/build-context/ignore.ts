import {readFile} from 'node:fs/promises';
import {join, relative} from 'node:path';
import {compileIgnore, type IsIgnored} from './ignore-patterns.ts';

/**
 * The ignore file of a build: `<Dockerfile>.dockerignore` wins over `.dockerignore`.
 * @throws {Error} naming the file and the line that docker does not take either
 */
export async function readIgnore(
  workspace: string,
  {context, dockerfile}: {readonly context: string; readonly dockerfile: string},
): Promise<IsIgnored> {
  for (const name of [`${dockerfile}.dockerignore`, join(context, '.dockerignore')]) {
    const file = join(workspace, name);
    const text = await readFile(file, 'utf8').catch(undefinedWhenMissing);
    if (text === undefined) continue;
    try {
      return compileIgnore(text);
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      throw new Error(`${relative(workspace, file)}, ${cause}`);
    }
  }
  return () => false;
}

function undefinedWhenMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
