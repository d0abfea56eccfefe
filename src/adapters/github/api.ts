import {fail, messageOf, ok, type Result} from '../../failure.ts';
import type {Mask} from '../../util/masking.ts';
import {untilAborted} from '../../util/until.ts';
import type {Octokit} from './octokit.ts';

export interface GitHubApiOptions {
  /** Empty: there is no API to ask. */
  readonly token: string;
  /** `GITHUB_API_URL` */
  readonly apiUrl: string;
  readonly repository: {readonly owner: string; readonly repo: string};
  /** Waiting time before the first retry of a server error; it grows with the square of the tries. */
  readonly retryMs?: number;
  /** Takes secrets out of what is written. */
  readonly mask?: Mask;
  /** Stops what is under way. */
  readonly signal?: AbortSignal;
}

/** GitHub cuts both lists here without saying so. */
const pullRequestFilesCap = 3000;
const compareFilesCap = 300;
const commentLimit = 65_536;
const deadlineMs = 120_000;

/** The API, or undefined where there is no token. Server errors are tried again, three times. */
export function openGitHubApi(options: GitHubApiOptions): GitHubApi | undefined {
  const {token, apiUrl, repository, mask, signal} = options;
  if (token === '') return undefined;
  let opened: Promise<Octokit> | undefined;
  const client = (): Promise<Octokit> => {
    opened ??= import(/* webpackIgnore: true */ './octokit.ts').then(({createOctokit}) =>
      createOctokit(token, {baseUrl: apiUrl, retryMs: options.retryMs ?? 1000}),
    );
    return opened;
  };
  /** The client would try again what the signal of the run ended. */
  const answer: typeof answerOf = (task, permission, ask) =>
    untilAborted(answerOf(task, permission, ask), signal, fail('The run was cancelled.'));
  const request = () => {
    const deadline = AbortSignal.timeout(deadlineMs);
    return {
      request: {signal: signal === undefined ? deadline : AbortSignal.any([deadline, signal])},
    };
  };

  const compareOnce = async (from: string, to: string) => {
    const basehead = `${from}...${to}`;
    const {rest} = await client();
    const {data} = await rest.repos.compareCommitsWithBasehead({
      ...repository,
      ...request(),
      basehead,
    });
    const files = data.files ?? [];
    return {status: data.status, isCapped: files.length >= compareFilesCap, names: namesOf(files)};
  };

  /** The user of the token. GitHub tells it to every kind of token, except where GraphQL is not reached. */
  const ownLogin = async (): Promise<string> => {
    try {
      const {graphql} = await client();
      const {viewer} = await graphql<{readonly viewer?: {readonly login?: unknown}}>(
        'query { viewer { login } }',
        {request: {...request().request, retries: 0}},
      );
      return typeof viewer?.login === 'string' ? viewer.login : actionsBot;
    } catch {
      return actionsBot;
    }
  };

  return {
    pullRequestFiles: (number) =>
      answer('read the files of the pull request', 'pull-requests: read', async () => {
        const {paginate, rest} = await client();
        const files = await paginate(rest.pulls.listFiles, {
          ...repository,
          ...request(),
          pull_number: number,
          per_page: 100,
        });
        const isWhole = files.length < pullRequestFilesCap;
        return ok({files: namesOf(files), isWhole});
      }),

    compare: (from, to) =>
      answer('compare the commits', 'contents: read', async () => {
        const forward = await compareOnce(from, to);
        // The API compares with the merge base: after a forced push the other side is missing in its answer.
        const isLinear = forward.status === 'ahead' || forward.status === 'identical';
        const sides = isLinear ? [forward] : [forward, await compareOnce(to, from)];
        return sides.some((side) => side.isCapped)
          ? fail(`the API compares at most ${compareFilesCap} files`)
          : ok([...new Set(sides.flatMap((side) => side.names))]);
      }),

    commitMessage: (commit) =>
      answer('read the commit', 'contents: read', async () => {
        const parameters = {...repository, ...request(), ref: commit};
        const {rest} = await client();
        const {data} = await rest.repos.getCommit(parameters);
        return ok(data.commit.message);
      }),

    upsertComment: (number, marker, body) =>
      answer('update the pull request comment', 'pull-requests: write', async () => {
        const text = cut(`${marker}\n${mask?.text(body) ?? body}`);
        const {paginate, rest} = await client();
        const comments = await paginate(rest.issues.listComments, {
          ...repository,
          ...request(),
          issue_number: number,
          per_page: 100,
        });
        // Anybody can begin a comment with the marker.
        const marked = comments.filter((comment) => comment.body?.startsWith(marker));
        const self = marked.length === 0 ? '' : await ownLogin();
        const mine = marked.find(({user}) => isSelf(user, self));
        if (mine === undefined) {
          // Not tried again: a server that failed after it had written would show the comment twice.
          const once = {request: {...request().request, retries: 0}};
          const parameters = {...repository, ...once, issue_number: number, body: text};
          await rest.issues.createComment(parameters);
        } else if (mine.body !== text) {
          const parameters = {...repository, ...request(), comment_id: mine.id, body: text};
          await rest.issues.updateComment(parameters);
        }
        return ok();
      }),
  };
}

/** Who writes with the token of a job. */
const actionsBot = 'github-actions[bot]';

interface ApiUser {
  readonly login: string;
  readonly type: string;
}

/** REST ends the name of an app with `[bot]`, GraphQL not always. */
function isSelf(user: ApiUser | null | undefined, self: string): boolean {
  if (user === null || user === undefined) return false;
  const names = user.type === 'Bot' ? [self, `${self}[bot]`] : [self];
  return names.some((name) => name.toLowerCase() === user.login.toLowerCase());
}

interface ApiFile {
  readonly filename: string;
  readonly status: string;
  readonly previous_filename?: string;
}

/** A rename takes the file away from its old place; a copy does not. */
function namesOf(files: readonly ApiFile[]): readonly string[] {
  return files.flatMap(({filename, status, previous_filename: previous}) =>
    previous === undefined || status === 'copied' ? [filename] : [filename, previous],
  );
}

function cut(text: string): string {
  const notice = '\n\n… cut: a comment has a limit. The whole report is in the artifact.';
  return text.length <= commentLimit ? text : text.slice(0, commentLimit - notice.length) + notice;
}

/** Whatever the API or the network did is an answer, never an exception. */
async function answerOf<T>(
  task: string,
  permission: string,
  ask: () => Promise<Result<T, string>>,
): Promise<Result<T, string>> {
  try {
    return await ask();
  } catch (error) {
    const hint = isForbidden(error) ? `. The job needs \`permissions: ${permission}\`.` : '';
    return fail(`Could not ${task}: ${reasonOf(error)}${hint}`);
  }
}

/** A 403 that is not a limit on requests, which GitHub also answers with 403. */
function isForbidden(error: unknown): boolean {
  if (!(error instanceof Error) || !('status' in error) || error.status !== 403) return false;
  return !isLimit(error);
}

function isLimit(error: Error): boolean {
  return /rate limit|abuse detection/i.test(error.message);
}

/** Octokit's own messages quote the whole answer; of a page of HTML that is too much. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return messageOf(error);
  const hasAnswer = 'response' in error && error.response !== undefined;
  if (hasAnswer && 'status' in error) {
    const limit = error.status === 403 && isLimit(error) ? ' (too many requests)' : '';
    return `GitHub returned HTTP ${error.status}${limit}`;
  }
  return (error.message.split('\n', 1)[0] ?? '').slice(0, 200);
}

/** GitHub's REST API for one repository. */
export interface GitHubApi {
  /** The files of a pull request; not whole at the API's cap of 3000. */
  pullRequestFiles(
    number: number,
  ): Promise<Result<{readonly files: readonly string[]; readonly isWhole: boolean}, string>>;
  /** The net difference, wherever the commits stand to each other; no answer at the API's cap of 300. */
  compare(from: string, to: string): Promise<Result<readonly string[], string>>;
  commitMessage(commit: string): Promise<Result<string, string>>;
  /** Creates the comment that begins with the marker, or gives it this text. The marker is put before the body. */
  upsertComment(number: number, marker: string, body: string): Promise<Result<void, string>>;
}
