import {filesBelow, type Workspace} from '../../adapters/files/index.ts';
import {listFiles} from '../../adapters/git/index.ts';
import {fail, messageOf, ok, type Result} from '../../failure.ts';
import {isWanted, type SourceTree} from '../../infer/index.ts';

/** Larger ones are no Dockerfiles or workflows that somebody wrote. */
const mostBytes = 1024 * 1024;

/** Every file of the tree with the texts that matter, and those of `more`, as git lists them where there is git: what is ignored is no source. */
export async function readTree(
  workspace: Workspace,
  more: readonly string[] = [],
): Promise<SourceTree> {
  const listed = await listFiles(workspace.root);
  const files = listed ?? (await walk(workspace));
  const wanted = files.filter((file) => isWanted(file) || more.includes(file));
  const texts = await Promise.all(
    wanted.map(async (file) => [file, await readText(workspace, file)] as const),
  );
  return {files, texts: new Map(texts)};
}

async function walk(workspace: Workspace): Promise<readonly string[]> {
  const top = `${workspace.root.replace(/\/$/, '')}/`;
  return (await filesBelow([workspace.root])).map((file) => file.slice(top.length));
}

async function readText(workspace: Workspace, file: string): Promise<Result<string, string>> {
  try {
    if (!(await workspace.isInside(file))) return fail('it points outside the repository.');
    if (((await workspace.size(file)) ?? 0) > mostBytes) return fail('it is larger than 1 MiB.');
    const text = await workspace.read(file);
    return text === undefined ? fail('it is not there.') : ok(text);
  } catch (error) {
    return fail(`${messageOf(error)}.`);
  }
}
