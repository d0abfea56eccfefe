import type {Result} from '../../failure.ts';

/** Runs git in a folder; the words it prints, or one sentence why not. */
export type AskGit = (
  folder: string,
  ...args: readonly string[]
) => Promise<Result<string, string>>;

/**
 * The repository that an event is about: the outermost one around a folder, links followed. A submodule belongs to the
 * history of the repository that holds it, and only that one has the commits of the event.
 */
export async function findRoot(ask: AskGit, folder: string): Promise<Result<string, string>> {
  const top = await ask(folder, 'rev-parse', '--show-toplevel');
  if (!top.ok) return top;
  let root = top.value.replace(/\n$/, '');
  for (let depth = 0; depth < 8; depth++) {
    const above = await ask(root, 'rev-parse', '--show-superproject-working-tree');
    const path = above.ok ? above.value.replace(/\n$/, '') : '';
    if (path === '') break;
    root = path;
  }
  return {ok: true, value: root};
}
