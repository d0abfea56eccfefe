import type {Answer} from '../adapters/docker/ports.ts';
import {type Event, hasPhrase} from '../adapters/github/event.ts';
import type {ChangeSources} from './index.ts';

/** GitHub puts no more commits of a push into the payload. */
const payloadCap = 2048;

/** The wish for all images in a commit message; a message that cannot be read may hold it (rules 3.2, 3.5). */
export async function isFullRebuild(event: Event, sources: ChangeSources): Promise<boolean> {
  const messages = await findMessages(event, sources);
  return messages.ok ? hasPhrase(messages.value, 'full rebuild') : event.kind !== 'other';
}

/**
 * The messages that can ask for a full rebuild or for no push, newest last: of every commit of a push, and of the
 * newest commit of anything else (DESIGN.md rule 3.2).
 */
export async function findMessages(
  event: Event,
  {git, api}: ChangeSources,
): Promise<Answer<readonly string[]>> {
  if (event.kind === 'push' && event.messages.length >= payloadCap) {
    return messagesOfLongPush(event, git);
  }
  if (event.messages.length > 0) return {ok: true, value: event.messages};
  if (event.headSha === '') return {ok: false, because: 'the event names no commit'};
  const there = await git.ensureCommits([event.headSha]);
  const local = there.ok ? await git.messageOf(event.headSha) : there;
  if (local.ok) return {ok: true, value: [local.value]};
  if (api === undefined) return local;
  const remote = await api.commitMessage(event.headSha);
  return remote.ok
    ? {ok: true, value: [remote.value]}
    : {ok: false, because: `${local.because}; ${remote.because}`};
}

async function messagesOfLongPush(
  event: Extract<Event, {kind: 'push'}>,
  git: ChangeSources['git'],
): Promise<Answer<readonly string[]>> {
  const capped = `the payload lists only ${payloadCap} commits of this push`;
  // Where history is cut off, `before..after` would reach far behind the push.
  if (event.before === undefined || event.after === undefined || (await git.isShallow())) {
    return {ok: false, because: capped};
  }
  const there = await git.ensureCommits([event.before, event.after]);
  const all = there.ok ? await git.messagesBetween(event.before, event.after) : there;
  return all.ok ? all : {ok: false, because: `${capped}; ${all.because}`};
}
