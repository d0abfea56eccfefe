import {join} from 'node:path';
import type {Workspace} from '../../adapters/files/index.ts';
import type {Git} from '../../adapters/git/index.ts';
import {ok, type Result} from '../../failure.ts';
import {outputFolders} from '../../image/files.ts';

/** Files of the checkout that are not as its commit has them; the action's own folders are none. */
export async function uncommittedFiles(
  workspace: Workspace,
  git: Git,
  stackDir: string,
): Promise<Result<readonly string[], string>> {
  const [root, files] = [await git.root(), await git.uncommitted(workspace.path(stackDir))];
  if (!root.ok) return root;
  if (!files.ok) return files;
  const own = Object.values(outputFolders).map((folder) => `${workspace.path(folder)}/`);
  const isOwn = (file: string) => own.some((folder) => join(root.value, file).startsWith(folder));
  return ok(files.value.filter((file) => !isOwn(file)));
}
