import {join, relative} from 'node:path/posix';
import type {Git} from '../adapters/git/index.ts';
import type {
  Event,
  MergeGroupEvent,
  PullRequestEvent,
  PushEvent,
} from '../adapters/github/event.ts';
import {fail, ok, type Result} from '../failure.ts';
import type {ChangeSources} from '../run/index.ts';
import {hasPhrase} from '../util/text.ts';
import type {ChangedFiles} from './select.ts';

export type {ChangedFiles, ChangeSet} from './select.ts';
export {selectChanges} from './select.ts';

/**
 * What an event changed.
 * Enters: the event, the history of the checkout, GitHub's API, the folder of the workspace.
 * Leaves: changed files relative to the workspace, net: a change and its revert are none; or why they are not known.
 * Not here: whose files they are (select.ts), whether they matter (plan/).
 * @param workspace absolute
 * @param isThere whether a path below it exists
 */
export async function findChangedFiles(
  event: Event,
  ports: ChangeSources,
  workspace: string,
  isThere: (path: string) => Promise<boolean> = async () => true,
): Promise<ChangedFiles> {
  const {git} = ports;
  const [changed, root, head] = await Promise.all([
    askForFiles(event, ports),
    git.root(),
    git.commitOf('HEAD'),
  ]);
  if (changed.kind === 'unknown') return explainShallow(changed, git);
  if (changed.kind === 'no-range') return changed;
  // Without a repository only the API was asked, and its paths begin at the top of the checkout, wherever that is.
  if (!root.ok)
    return (await isAtTop(changed.files, isThere)) ? changed : {kind: 'unknown', because: noTop};
  const {sha, headSha} = event;
  const own = sha === '' || (head.ok && [sha, headSha].includes(head.value));
  const tagged = own ? undefined : await git.commitOf(sha);
  if (head.ok && !own && !(tagged?.ok && tagged.value === head.value)) {
    const because = `the checkout is at ${head.value.slice(0, 7)}, but this run is for commit ${sha.slice(0, 7)}`;
    return {kind: 'unknown', because};
  }
  return {
    ...changed,
    files: changed.files.map((file) => relative(workspace, join(root.value, file))),
  };
}

const noTop =
  'there is no git repository, and none of the changed files is where the API says: the repository may be checked out below the workspace';

async function isAtTop(
  files: readonly string[],
  isThere: (path: string) => Promise<boolean>,
): Promise<boolean> {
  if (files.length === 0) return true;
  for (const file of files) if (await isThere(file)) return true;
  return false;
}

async function explainShallow(
  changed: Extract<ChangedFiles, {kind: 'unknown'}>,
  git: Git,
): Promise<ChangedFiles> {
  if (changed.because.includes('fetch-depth') || !(await git.isShallow())) return changed;
  const because = `${changed.because}; the clone is shallow: set "fetch-depth: 0" on actions/checkout`;
  return {kind: 'unknown', because};
}

/** Asks the nearest source first; explains why when none could answer. */
async function askForFiles(event: Event, ports: ChangeSources): Promise<ChangedFiles> {
  switch (event.kind) {
    case 'push':
      return filesOfPush(event, ports);
    case 'pull_request':
      return filesOfPullRequest(event, ports);
    case 'merge_group':
      return filesOfMergeGroup(event, ports);
    case 'local':
      return event.changed;
    case 'other':
      return {kind: 'no-range', event: event.name || 'no event'};
  }
}

async function filesOfPush(event: PushEvent, ports: ChangeSources): Promise<ChangedFiles> {
  if (event.deleted) return {kind: 'files', files: []};
  if (event.created) return {kind: 'no-range', event: `first push of ${event.branch}`};
  return filesOfRange(event, ports, event.before, event.after);
}

async function filesOfMergeGroup(
  event: MergeGroupEvent,
  ports: ChangeSources,
): Promise<ChangedFiles> {
  return filesOfRange(event, ports, event.baseSha, event.headSha);
}

async function filesOfRange(
  event: Event,
  {git, api}: ChangeSources,
  from: string | undefined,
  to: string | undefined,
): Promise<ChangedFiles> {
  if (from === undefined || to === undefined || to === '') return withoutRange(event);
  const local = await localDifference(git, from, to);
  if (local.ok) return {kind: 'files', files: local.value};
  const remote = api === undefined ? noToken : await api.compare(from, to);
  if (remote.ok) return {kind: 'files', files: remote.value};
  return {kind: 'unknown', because: `${local.error}; ${remote.error}`};
}

async function filesOfPullRequest(
  event: PullRequestEvent,
  {git, api}: ChangeSources,
): Promise<ChangedFiles> {
  const {number, baseSha, headSha} = event;
  if (baseSha === undefined || headSha === '') return withoutRange(event);
  const mergedBase = await baseOfMergeCommit(event, git);
  const local = await sinceMergeBase(git, mergedBase ?? baseSha, headSha);
  if (local.ok) return {kind: 'files', files: local.value};
  const remote =
    api === undefined || number === undefined ? noToken : await api.pullRequestFiles(number);
  if (remote.ok && remote.value.isWhole) return {kind: 'files', files: remote.value.files};
  const why = `${local.error}; ${remote.ok ? 'the API lists at most 3000 files' : remote.error}`;
  if (remote.ok || mergedBase === undefined) return {kind: 'unknown', because: why};
  const merged = await localDifference(git, mergedBase, event.sha);
  return merged.ok
    ? {kind: 'files', files: merged.value, note: `${mergeCommitNote}: ${why}`}
    : {kind: 'unknown', because: `${why}; ${merged.error}`};
}

/** The merge commit's own difference lacks what the base branch has got by another way. */
const mergeCommitNote =
  'Only the merge commit could be read, which may list fewer files than the pull request';

const noToken = fail('there is no github-token to query the API with');

function withoutRange(event: Event): ChangedFiles {
  const because = event.hasPayload
    ? `the payload of the event "${event.name}" does not contain its commits`
    : `the event "${event.name}" has no payload`;
  return {kind: 'unknown', because};
}

async function localDifference(
  git: Git,
  from: string,
  to: string,
): Promise<Result<readonly string[], string>> {
  const there = await git.ensureCommits([from, to]);
  return there.ok ? git.changedFiles(from, to) : there;
}

/** Three dots: what the head has and the base branch did not have when the two parted. */
async function sinceMergeBase(
  git: Git,
  base: string,
  head: string,
): Promise<Result<readonly string[], string>> {
  if (await git.isShallow()) {
    return fail('the clone is shallow, so it has no merge base (use fetch-depth: 0)');
  }
  const there = await git.ensureCommits([base, head]);
  if (!there.ok) return there;
  const mergeBase = await git.mergeBase(base, head);
  return mergeBase.ok ? git.changedFiles(mergeBase.value, head) : mergeBase;
}

/**
 * The base that GitHub merged the head into: the first parent of the merge commit. It can be newer than the base
 * of the payload, and then the head may hold commits of the base branch that are no change of the pull request.
 */
async function baseOfMergeCommit(event: PullRequestEvent, git: Git): Promise<string | undefined> {
  const parents = event.sha === '' ? undefined : await git.parentsOf(event.sha);
  if (parents?.ok !== true || parents.value[1] !== event.headSha) return undefined;
  return parents.value[0];
}

/** GitHub puts no more commits of a push into the payload. */
const payloadCap = 2048;

/** The wish for all images in a commit message; a message that cannot be read may hold it (rules 3.2, 3.5). */
export async function wantsFullRebuild(
  event: Event,
  sources: ChangeSources,
): Promise<Result<boolean, string>> {
  const messages = await findMessages(event, sources);
  if (messages.ok) return ok(hasPhrase(messages.value, 'full rebuild'));
  return event.kind === 'other' ? ok(false) : messages;
}

/** Whether the newest commit message asks to publish nothing. */
export async function saysSkipPush(event: Event, sources: ChangeSources): Promise<boolean> {
  const messages = await findMessages(event, sources);
  return messages.ok && hasPhrase(messages.value.slice(-1), 'skip push');
}

/**
 * The messages that can ask for a full rebuild or for no push, newest last: of every commit of a push, and of the
 * newest commit of anything else.
 */
export async function findMessages(
  event: Event,
  {git, api}: ChangeSources,
): Promise<Result<readonly string[], string>> {
  if (event.kind === 'local') return ok(event.messages);
  if (event.kind === 'push' && event.messages.length >= payloadCap) {
    return messagesOfLongPush(event, git);
  }
  if (event.messages.length > 0) return ok(event.messages);
  if (event.headSha === '') return fail('the event has no commit');
  const there = await git.ensureCommits([event.headSha]);
  const local = there.ok ? await git.messageOf(event.headSha) : there;
  if (local.ok) return ok([local.value]);
  if (api === undefined) return local;
  const remote = await api.commitMessage(event.headSha);
  return remote.ok ? ok([remote.value]) : fail(`${local.error}; ${remote.error}`);
}

async function messagesOfLongPush(
  event: Extract<Event, {kind: 'push'}>,
  git: ChangeSources['git'],
): Promise<Result<readonly string[], string>> {
  const capped = `the payload lists only ${payloadCap} commits of this push`;
  // Where history is cut off, `before..after` would reach far behind the push.
  if (event.before === undefined || event.after === undefined || (await git.isShallow())) {
    return fail(capped);
  }
  const there = await git.ensureCommits([event.before, event.after]);
  const all = there.ok ? await git.messagesBetween(event.before, event.after) : there;
  return all.ok ? all : fail(`${capped}; ${all.error}`);
}
