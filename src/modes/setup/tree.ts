import {filesBelow, type Workspace} from '../../adapters/files/index.ts';
import {listFiles} from '../../adapters/git/index.ts';
import {fail, messageOf, ok, type Result} from '../../failure.ts';
import {isWanted, type SourceTree} from '../../infer/index.ts';
import {inTurn} from '../../util/in-turn.ts';

/** Larger ones are no Dockerfiles or workflows that somebody wrote. */
const mostBytes = 1024 * 1024;

/** Every file of the tree with the texts that matter, and those of `more`, as git lists them where there is git: what is ignored is no source. */
export async function readTree(
  workspace: Workspace,
  more: readonly string[] = [],
): Promise<SourceTree> {
  const listed = await listFiles(workspace.root);
  // What is in conflict is listed several times.
  const all = [...new Set(listed ?? (await walk(workspace)))];
  const wanted = all.filter((file) => isWanted(file) || more.includes(file));
  const texts = await inTurn(
    wanted,
    async (file) => [file, await readText(workspace, file)] as const,
  );
  // git lists what was removed and not committed yet.
  const gone = new Set(texts.flatMap(([file, text]) => (text === undefined ? [file] : [])));
  return {
    files: all.filter((file) => !gone.has(file)),
    texts: new Map(texts.flatMap(([file, text]) => (text === undefined ? [] : [[file, text]]))),
  };
}

async function walk(workspace: Workspace): Promise<readonly string[]> {
  const top = `${workspace.root.replace(/\/$/, '')}/`;
  return (await filesBelow([workspace.root])).map((file) => file.slice(top.length));
}

/** Undefined when it is not there; a link to nothing is. */
async function readText(
  workspace: Workspace,
  file: string,
): Promise<Result<string, string> | undefined> {
  try {
    if (!(await workspace.isInside(file))) return fail('it points outside the repository.');
    if (((await workspace.size(file)) ?? 0) > mostBytes) return fail('it is larger than 1 MiB.');
    const text = await workspace.read(file);
    return text === undefined ? undefined : ok(text);
  } catch (error) {
    return fail(`${messageOf(error)}.`);
  }
}
