import {execFileSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {pathToFileURL} from 'node:url';

/** A real repository in a temporary folder, which goes away with `using`. */
export interface GitRepository extends Disposable {
  readonly path: string;
  /** Runs git and gives its output without the last newline. */
  git(...args: readonly string[]): string;
  /** Writes these files (undefined deletes one) and commits them; gives the hash. */
  commit(message: string, files: Readonly<Record<string, string | undefined>>): string;
  /** What actions/checkout makes: one branch or commit of this repository in a new folder. */
  clone(...args: readonly string[]): GitRepository;
}

/** A repository with the branch `main` and no commit. */
export function makeRepository(): GitRepository {
  const repository = openRepository(makeFolder());
  repository.git('init', '--quiet', '--initial-branch=main');
  return repository;
}

/** A folder of its own; its path has no symlink in it. */
function makeFolder(): string {
  return mkdtempSync(join(realpathSync(tmpdir()), 'stack-git-'));
}

function openRepository(path: string): GitRepository {
  const git = (...args: readonly string[]): string =>
    execFileSync('git', [...settings, ...args], {
      cwd: path,
      encoding: 'utf8',
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    }).replace(/\n$/, '');
  return {
    path,
    git,
    commit: (message, files) => {
      for (const [name, content] of Object.entries(files)) {
        const file = join(path, name);
        mkdirSync(dirname(file), {recursive: true});
        if (content === undefined) rmSync(file, {recursive: true});
        else writeFileSync(file, content);
      }
      git('add', '--all');
      git('commit', '--quiet', '--allow-empty', '-m', message);
      return git('rev-parse', 'HEAD');
    },
    clone: (...args) => {
      const copy = openRepository(makeFolder());
      // Only over a URL does git honour --depth.
      copy.git('clone', '--quiet', ...args, pathToFileURL(path).href, '.');
      return copy;
    },
    [Symbol.dispose]: () => rmSync(path, {recursive: true, force: true}),
  };
}

/** Nothing of the machine's own configuration; no collection of garbage while a folder is removed. */
const environment = {
  PATH: process.env['PATH'],
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_DATE: '2026-01-01T00:00:00Z',
  GIT_COMMITTER_DATE: '2026-01-01T00:00:00Z',
};
const settings = ['user.name=Test', 'user.email=test@example.org', 'gc.auto=0'].flatMap(
  (setting) => ['-c', setting],
);
