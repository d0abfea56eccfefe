import type {Presence} from '../adapters/registry/index.ts';
import {type Failure, failure, ok, type Result} from '../failure.ts';
import {digestIn, presenceOf, readByGet} from './presence.ts';
import type {MovePorts, TagMove, TagRegistry, TagResult, TagState} from './types.ts';

/** A tag that a registry cannot delete is a failure of the run, but no reason to give up the others. */
export function isFailed({state, failure}: TagResult): boolean {
  return failure !== undefined && state !== 'standing';
}

export function resultOf(
  move: TagMove,
  state: TagState,
  shows: Presence,
  failure?: Failure,
): TagResult {
  return {move, state, shows, failure};
}

/** What the tag pointed to when this was planned. */
export function shownBefore({before}: TagMove): Presence {
  return before === undefined ? {state: 'absent'} : {state: 'present', digest: before.digest};
}

/**
 * A rival that read the same before our PUT sends its own within about the time that we took; so the read after the
 * first PUT comes that much later, and both runs see which of them goes on.
 */
export async function moveTag(
  move: TagMove,
  {registry, clock}: MovePorts,
  isFirst: boolean,
): Promise<TagResult> {
  const {target} = move;
  const [before, after] = [move.before?.digest, move.after?.digest];
  const began = clock.now();
  // Where no tag is expected, HEAD alone would not be believed.
  const first = await (before === undefined ? readByGet : presenceOf)(registry, target);
  if (first.state === 'unknown')
    return resultOf(move, 'failed', shownBefore(move), unreadable(target, first.because));
  // Also when another run with the same wish came first.
  if (digestIn(first) === after) return resultOf(move, 'unchanged', first);
  if (digestIn(first) !== before) return conflict(move, first);
  const changed = await change(move, registry);
  if (changed.ok && changed.value === 'impossible')
    return resultOf(move, 'standing', first, undeletable(target));
  if (changed.ok && isFirst) await clock.wait(clock.now() - began);
  const now = await readAfter(move, registry, changed.ok);
  if (digestIn(now) === after && now.state !== 'unknown')
    return resultOf(move, after === undefined ? 'deleted' : 'moved', now);
  const error = changed.ok ? unreadable(target, notShown(now, after)) : changed.error;
  if (now.state === 'unknown') return resultOf(move, 'unknown', now, error);
  if (digestIn(now) !== before) return conflict(move, now);
  // A change that was accepted and is not returned yet may still come.
  return resultOf(move, changed.ok ? 'unknown' : 'failed', now, error);
}

/** Only a tag of which a GET once said that it did not exist is ever deleted, and by tag: the manifest is others' too. */
async function change(
  {target, after}: TagMove,
  registry: TagRegistry,
): Promise<Result<'done' | 'impossible'>> {
  if (after !== undefined) {
    const put = await registry.put(target, after);
    return put.ok ? ok('done' as const) : put;
  }
  const deleted = await registry.deleteTag(target);
  if (!deleted.ok) return deleted;
  return ok(deleted.value ? ('done' as const) : ('impossible' as const));
}

/** The read just after a change; a registry that still returns the old digest is given time. */
async function readAfter(
  {target, before, after}: TagMove,
  registry: TagRegistry,
  isDone: boolean,
): Promise<Presence> {
  const now = await presenceOf(registry, target);
  const isLag = now.state !== 'unknown' && digestIn(now) === before?.digest;
  if (!isDone || !isLag || after === undefined) return now;
  await registry.waitForDigest(target, after.digest, {before: before?.digest});
  return presenceOf(registry, target);
}

/** Milliseconds between two further looks at a tag that is not what it should be. */
const pauses = [200, 500, 1000] as const;

/**
 * The whole set once more, with GET: a set that is not what this run wants now is a conflict. A registry may lag, and
 * a rival that met its own conflict is about to take its tags back: both get a moment.
 */
export function readAgain(
  results: readonly TagResult[],
  ports: MovePorts,
): Promise<readonly TagResult[]> {
  return Promise.all(
    results.map(async (one) => {
      if (one.state === 'standing') return one;
      const {move} = one;
      const wanted = move.after?.digest;
      let now = await readByGet(ports.registry, move.target);
      for (const pause of pauses) {
        if (now.state === 'unknown' || digestIn(now) === wanted || ports.signal.aborted) break;
        await ports.clock.wait(pause);
        now = await readByGet(ports.registry, move.target);
      }
      if (now.state === 'unknown') {
        // What this run did not move, it does not take back either.
        const state = one.state === 'unchanged' ? 'failed' : 'unknown';
        return resultOf(move, state, now, unreadable(move.target, now.because));
      }
      const seen = {...one, shows: now};
      return digestIn(now) === wanted || isLost(seen) ? seen : conflict(move, now);
    }),
  );
}

/** Moved by this run, and back at its old digest: by a rival that gave up. */
export function isLost({move, state, shows}: TagResult): boolean {
  return state === 'moved' && shows.state !== 'unknown' && digestIn(shows) === move.before?.digest;
}

/** A tag that was lost twice: something else wants its old digest. */
export function conflictIfLost(one: TagResult): TagResult {
  return isLost(one) ? conflict(one.move, one.shows) : one;
}

/** Gives a tag its old digest back, or deletes it where there was none; never what something else put there. */
export async function takeBack(
  {move, state, failure}: TagResult,
  registry: TagRegistry,
): Promise<TagResult> {
  const {target} = move;
  const [before, after] = [move.before?.digest, move.after?.digest];
  const isOthers = (shown: Presence): boolean =>
    digestIn(shown) !== after && digestIn(shown) !== before;
  const now = await presenceOf(registry, target);
  if (now.state === 'unknown')
    return resultOf(move, 'unknown', now, failure ?? unreadable(target, now.because));
  if (isOthers(now)) return conflict(move, now);
  // A PUT that was accepted and is not returned yet is overtaken by one of the old digest.
  const back = {...move, before: move.after, after: move.before};
  const isBack = digestIn(now) === before && (state !== 'unknown' || before === undefined);
  const undone = isBack ? ok('done' as const) : await change(back, registry);
  const end = isBack ? now : await readAfter(back, registry, undone.ok);
  if (end.state === 'unknown')
    return resultOf(move, 'unknown', end, failure ?? unreadable(target, end.because));
  if (digestIn(end) === before) return resultOf(move, 'restored', end, failure);
  if (isOthers(end)) return conflict(move, end);
  if (!undone.ok) return resultOf(move, 'standing', end, undone.error);
  const isImpossible = undone.value === 'impossible';
  const error = isImpossible ? undeletable(target) : unreadable(target, notShown(end, before));
  return resultOf(move, 'standing', end, error);
}

/** What was moved from there is taken back. */
export function conflictIfSourceMoved(one: TagResult, shown: Presence): TagResult {
  const {source, after} = one.move;
  if (shown.state === 'unknown') return {...one, failure: unreadable(source, shown.because)};
  if (digestIn(shown) === after?.digest) return one;
  const message = `Conflict: ${source} pointed to ${after?.digest} when this run was planned, but has since been ${movedTo(digestIn(shown))}: another promotion is under way. Run this one again when that is done.`;
  const cause = {kind: 'http', request: source, status: undefined} as const;
  return {...one, failure: failure('tag-conflict', message, {cause})};
}

function notShown(now: Presence, after: string | undefined): string {
  if (now.state === 'unknown') return now.because;
  return `it was set to ${after ?? 'nothing'}, but the registry returns ${digestIn(now) ?? 'nothing'}`;
}

function unreadable(target: string, because: string): Failure {
  return failure('registry-inconsistent', `${target}: ${because}.`, {
    cause: {kind: 'http', request: target, status: undefined},
  });
}

function undeletable(target: string): Failure {
  return failure(
    'registry-inconsistent',
    `${target} could not be deleted: this registry does not delete tags. Delete it in the registry's own interface.`,
  );
}

/** Something else moved the tag: it is left as it is. */
function conflict(move: TagMove, shows: Presence): TagResult {
  const {target, before} = move;
  const message = `Conflict: ${target} ${pointedTo(before?.digest)} when this run was planned, but has since been ${movedTo(digestIn(shows))} by another promotion or a person. It was left as is.`;
  return resultOf(
    move,
    'conflict',
    shows,
    failure('tag-conflict', message, {cause: {kind: 'http', request: target, status: undefined}}),
  );
}

function pointedTo(digest: string | undefined): string {
  return digest === undefined ? 'did not exist' : `pointed to ${digest}`;
}

function movedTo(digest: string | undefined): string {
  return digest === undefined ? 'deleted' : `moved to ${digest}`;
}
