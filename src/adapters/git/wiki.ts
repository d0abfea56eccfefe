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
  type Tip,
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

/**
 * The wiki of a repository, which is a git repository beside it. One clone serves the whole run; the caller closes it.
 * What another run pushes meanwhile is seen: a push of ours is then refused, and made anew on top of it.
 */
export interface Wiki {
  /** Begins to fetch what stands there, to be read or written later. */
  prepare(): void;
  /** Lends what stands there. */
  read<T>(look: (snapshot: WikiSnapshot) => Promise<T>): Promise<Result<T>>;
  /** Writes these pages in one commit. Never forces, never touches another page. */
  publish(message: string, makePages: MakePages): Promise<Result<WikiPublished>>;
  /** Ends what still runs, and removes the clone. */
  close(): Promise<void>;
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

/** The clone, standing on what was fetched. */
interface Fetched {
  readonly git: WikiGit;
  readonly folder: string;
  readonly tip: Tip;
}

/** Opens the wiki of a repository; nothing is asked before it is used. */
export function openWiki(remote: WikiRemote, ports: WikiPorts): Wiki {
  const url = wikiUrl(remote);
  const pause = ports.pause ?? ((attempt) => wait((1 + Math.random()) * attempt * 500));
  const closing = new AbortController();
  const signal = AbortSignal.any([closing.signal, ...(ports.signal ? [ports.signal] : [])]);
  let folder: Promise<string> | undefined;
  let clone: Promise<Result<Omit<Fetched, 'tip'>>> | undefined;
  /** What was fetched and not written over since; the next use of anything else fetches anew. */
  let fetched: Promise<Result<Fetched>> | undefined;

  const makeClone = async (): Promise<Result<Omit<Fetched, 'tip'>>> => {
    folder ??= mkdtemp(join(ports.tempDir, 'stack-wiki-'));
    const path = await folder;
    const git = gitIn(path, remote, {...ports, signal});
    const made = await makeRepository(git, path);
    return made.ok ? ok({git, folder: path}) : made;
  };
  const fetch = async (known?: Tip): Promise<Result<Fetched>> => {
    clone ??= makeClone();
    const made = await clone;
    if (!made.ok) {
      clone = undefined;
      return made;
    }
    const tip = await checkOut(made.value.git, url, known);
    return tip.ok ? ok({...made.value, tip: tip.value}) : tip;
  };

  /** Up to five tries, the first of them with what is fetched already. */
  const often = async <T>(
    doing: string,
    attempt: (there: Fetched, isFresh: boolean) => Promise<Result<T>>,
  ): Promise<Result<T>> => {
    for (let round = 1; ; round++) {
      const isFresh = fetched === undefined;
      fetched ??= fetch();
      const there = await fetched;
      const result = there.ok ? await attempt(there.value, isFresh) : there;
      if (result.ok) return result;
      fetched = undefined;
      const again = round < tries && !signal.aborted && mayRetry(result.error);
      const names = {doing, place: remote.repository, url: wikiPageUrl(remote)};
      if (!again) return fail(explainWikiFailure(result.error, names));
      await pause(round);
    }
  };

  return {
    prepare: () => {
      fetched ??= fetch();
      // Whoever uses it hears of it.
      fetched.catch(() => undefined);
    },

    read: (look) => often('read', async (there) => ok(await look(snapshotOf(there)))),

    publish: (message, makePages) => {
      let sent: string | undefined;
      let rejections = 0;
      const write = async (there: Fetched, isFresh: boolean): Promise<Result<WikiPublished>> => {
        const {git, tip} = there;
        const pages = await makePages(snapshotOf(there));
        if (!pages.ok) return pages;
        const files = pages.value.map((file) => maskedFile(file, ports.mask));
        const commit = await commitFiles(git, {folder: there.folder, files, message});
        if (!commit.ok) return commit;
        if (commit.value === undefined) {
          // What was fetched a while ago may have been changed since.
          const now = isFresh ? ok(there) : await fetch(tip);
          if (!now.ok) return now;
          if (now.value.tip !== tip) return write(now.value, true);
          // A push whose answer got lost may have arrived all the same.
          const arrived = sent !== undefined && sent === tip.commit;
          return ok({state: arrived ? 'published' : 'unchanged', files, rejections});
        }
        sent = commit.value;
        fetched = undefined;
        const pushed = await git.remote('push', '--porcelain', url, tip.refspec);
        if (pushed.ok) return ok({state: 'published', files, rejections});
        if (wikiFaultOf(pushed.error.tail) === 'rejected') rejections++;
        return pushed;
      };
      return often('updated', write);
    },

    close: async () => {
      closing.abort();
      await Promise.allSettled([clone, fetched]);
      const path = await folder?.catch(() => undefined);
      if (path !== undefined) await rm(path, {recursive: true, force: true, maxRetries: 3});
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
