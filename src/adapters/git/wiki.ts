import {mkdtemp, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {setTimeout as wait} from 'node:timers/promises';
import {type Failure, fail, ok, type Result} from '../../failure.ts';
import type {Mask} from '../../util/masking.ts';
import type {RunCommand} from '../process/index.ts';
import {
  checkOut,
  commitFiles,
  makeRepository,
  snapshotOf,
  type WikiFile,
  type WikiGit,
  type WikiSnapshot,
} from './clone.ts';
import {type WikiRemote, wikiEnvironment, wikiPageUrl, wikiUrl} from './environment.ts';
import {explainWikiFailure, wikiFaultOf} from './failure.ts';

/** `published`: a commit of ours has the pages; `unchanged`: they stood there already. */
export interface WikiPublished {
  readonly state: 'published' | 'unchanged';
  readonly files: readonly WikiFile[];
  /** How often a push of someone else came first. */
  readonly rejections: number;
}

/** Decides from what is there now; called again on top of every push of someone else. */
export type MakePages = (snapshot: WikiSnapshot) => Promise<Result<readonly WikiFile[]>>;

/** The wiki of a repository, which is a git repository beside it. */
export interface Wiki {
  /** Lends what stands there now; it is gone when `look` is done. */
  read<T>(look: (snapshot: WikiSnapshot) => Promise<T>): Promise<Result<T>>;
  /** Writes these pages in one commit. Never forces, never touches another page. */
  publish(message: string, makePages: MakePages): Promise<Result<WikiPublished>>;
}

export interface WikiPorts {
  readonly run: RunCommand;
  /** Where the clone may stand for a while. */
  readonly tempDir: string;
  readonly signal?: AbortSignal;
  /** Takes secrets out of the pages. */
  readonly mask?: Mask;
  /** Waits before a further try, counted from 1; by default some seconds at random. */
  readonly pause?: (attempt: number) => Promise<void>;
}

const tries = 5;
const deadlines = {network: 180, local: 60} as const;

/** Opens the wiki of a repository; nothing is asked before it is used. */
export function openWiki(remote: WikiRemote, ports: WikiPorts): Wiki {
  const url = wikiUrl(remote);
  const pause = ports.pause ?? ((attempt) => wait((1 + Math.random()) * attempt * 500));

  /** One clone with up to five tries in it; the folder is gone afterwards. */
  const inClone = async <T>(
    doing: string,
    attempt: (git: WikiGit, folder: string) => Promise<Result<T>>,
  ): Promise<Result<T>> => {
    const names = {doing, place: remote.repository, url: wikiPageUrl(remote)};
    const folder = await mkdtemp(join(ports.tempDir, 'stack-wiki-'));
    try {
      const git = gitIn(folder, remote, ports);
      const made = await makeRepository(git, folder);
      if (!made.ok) return fail(explainWikiFailure(made.error, names));
      for (let round = 1; ; round++) {
        const result = await attempt(git, folder);
        if (result.ok) return result;
        const again = round < tries && ports.signal?.aborted !== true && mayRetry(result.error);
        if (!again) return fail(explainWikiFailure(result.error, names));
        await pause(round);
      }
    } finally {
      await rm(folder, {recursive: true, force: true, maxRetries: 3});
    }
  };

  return {
    read: (look) =>
      inClone('read', async (git, folder) => {
        const tip = await checkOut(git, url);
        if (!tip.ok) return tip;
        return ok(await look(snapshotOf(folder, tip.value.names)));
      }),

    publish: (message, makePages) => {
      let sent: string | undefined;
      let rejections = 0;
      return inClone('updated', async (git, folder): Promise<Result<WikiPublished>> => {
        const tip = await checkOut(git, url);
        if (!tip.ok) return tip;
        const pages = await makePages(snapshotOf(folder, tip.value.names));
        if (!pages.ok) return pages;
        const files = pages.value.map((file) => maskedFile(file, ports.mask));
        const commit = await commitFiles(git, {folder, files, message});
        if (!commit.ok) return commit;
        if (commit.value === undefined) {
          // A push whose answer got lost may have arrived all the same.
          const arrived = sent !== undefined && sent === tip.value.commit;
          return ok({state: arrived ? 'published' : 'unchanged', files, rejections});
        }
        sent = commit.value;
        const pushed = await git.remote('push', '--porcelain', url, tip.value.refspec);
        if (pushed.ok) return ok({state: 'published', files, rejections});
        if (wikiFaultOf(pushed.error.tail) === 'rejected') rejections++;
        return pushed;
      });
    },
  };
}

/** Pages are text; bytes that are not stay as they are. */
function maskedFile(file: WikiFile, mask: Mask | undefined): WikiFile {
  if (mask === undefined) return file;
  const stream = mask.stream();
  return {...file, content: Buffer.concat([stream.push(file.content), stream.flush()])};
}

function gitIn(folder: string, remote: WikiRemote, {run, signal}: WikiPorts): WikiGit {
  const git =
    (seconds: number, env: Readonly<Record<string, string>>): WikiGit['local'] =>
    async (...args) => {
      const abort = signal === undefined ? {} : {signal};
      const done = await run({file: 'git', args, cwd: folder, env, seconds, ...abort});
      return done.ok ? ok(done.value.stdout) : done;
    };
  return {
    local: git(deadlines.local, wikiEnvironment({...remote, token: ''})),
    remote: git(deadlines.network, wikiEnvironment(remote)),
  };
}

function mayRetry(failure: Failure): boolean {
  if (failure.cause?.kind !== 'exit') return false;
  const fault = wikiFaultOf(failure.tail);
  return fault === 'rejected' || fault === 'unavailable';
}
