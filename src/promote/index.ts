import {setTimeout as sleep} from 'node:timers/promises';
import type {Presence, Registry} from '../adapters/registry/index.ts';
import {type Failure, fail, failure, ok, type Result} from '../failure.ts';
import {repositoryOf} from '../image/reference.ts';
import type {TagMove} from './plan.ts';
import {shownBefore, type TagReport, type TagResult, type TagState} from './report.ts';

export {readTagFacts, readTagRequest} from './gather.ts';
export type {TagMove} from './plan.ts';
export {makeTagPlan} from './plan.ts';
export type {TagReport, TagState} from './report.ts';
export {digestAfter, promotionFile, shownBefore, tagPlanTable, tagReportTable} from './report.ts';

export interface TaggerPorts {
  readonly registry: Registry;
  /** Looked at between two tags: no PUT is ever cut short. */
  readonly signal: AbortSignal;
  /** Milliseconds; real time by default. */
  readonly wait?: (milliseconds: number) => Promise<unknown>;
}

/**
 * Moves the tags, all or none: the same manifest bytes under the new tag, no layer. When one fails for good, or the
 * run is cancelled, those already moved get their old digest back, and the report says what stands where.
 */
export async function runTagPlan(
  moves: readonly TagMove[],
  ports: TaggerPorts,
): Promise<TagReport> {
  const results: TagResult[] = [];
  for (const move of moves) {
    if (ports.signal.aborted) break;
    const isFirst = results.every(({state}) => state === 'unchanged');
    const moved = await moveTag(move, ports.registry, isFirst ? (ports.wait ?? sleep) : undefined);
    results.push(moved);
    if (moved.failure !== undefined) break;
  }
  const isWhole =
    results.length === moves.length && results.every(({failure}) => failure === undefined);
  if (isWhole) return {outcome: 'passed', results};
  const undone: TagResult[] = [];
  for (const one of results.toReversed()) {
    const mayShow = one.state === 'moved' || one.state === 'unknown';
    undone.unshift(mayShow ? await takeBack(one, ports.registry) : one);
  }
  const untouched = moves
    .slice(results.length)
    .map((move) => result(move, 'untouched', shownBefore(move)));
  return {
    outcome: ports.signal.aborted ? 'cancelled' : 'failed',
    results: [...undone, ...untouched],
  };
}

function result(move: TagMove, state: TagState, shows: Presence, failure?: Failure): TagResult {
  return {move, state, shows, failure};
}

function digestIn(shown: Presence): string | undefined {
  return shown.state === 'present' ? shown.digest : undefined;
}

/**
 * Registries have no compare-and-swap: a conflict is what a read just before and just after the PUT shows. A rival
 * who read the same before our PUT puts its own within about the time that we took; so the read after the first PUT
 * comes that much later, and both see which of them goes on.
 */
async function moveTag(
  move: TagMove,
  registry: Registry,
  settle: TaggerPorts['wait'],
): Promise<TagResult> {
  const {target, digest, before} = move;
  const done: Presence = {state: 'present', digest};
  if (before === digest) return result(move, 'unchanged', done);
  const began = performance.now();
  const first = await registry.head(target);
  if (first.state === 'unknown')
    return result(move, 'failed', shownBefore(move), unreadable(target, first.because));
  if (digestIn(first) !== before) return conflict(move, first);
  const put = await registry.put(target, move);
  if (put.ok) await settle?.(performance.now() - began);
  const seen = put.ok ? await registry.waitForDigest(target, digest, {before}) : put;
  if (seen.ok) return result(move, 'moved', done);
  // Whether the PUT had come through, only the registry can say.
  const now = await registry.head(target);
  if (now.state === 'unknown') return result(move, 'unknown', now, seen.error);
  if (digestIn(now) === digest) return result(move, 'moved', done);
  if (digestIn(now) !== before) return conflict(move, now);
  // What was accepted and does not show may still come.
  return result(move, put.ok ? 'unknown' : 'failed', now, seen.error);
}

/** Gives a tag its old digest back, or deletes it where there was none; never what somebody else put there. */
async function takeBack({move, failure}: TagResult, registry: Registry): Promise<TagResult> {
  const {target, digest, before} = move;
  const isOthers = (shown: Presence): boolean =>
    shown.state !== 'unknown' && digestIn(shown) !== digest && digestIn(shown) !== before;
  const now = await registry.head(target);
  if (isOthers(now)) return conflict(move, now);
  const restored =
    before === undefined ? await remove(target, registry) : await restore(target, before, registry);
  if (restored.ok) return result(move, 'restored', shownBefore(move), failure);
  const end = await registry.head(target);
  if (end.state === 'unknown') return result(move, 'unknown', end, restored.error);
  if (isOthers(end)) return conflict(move, end);
  return result(
    move,
    digestIn(end) === digest ? 'standing' : 'restored',
    end,
    digestIn(end) === digest ? restored.error : failure,
  );
}

async function restore(target: string, before: string, registry: Registry): Promise<Result<void>> {
  const old = await registry.manifest(`${repositoryOf(target)}@${before}`);
  if (old.state === 'unknown') return fail(old.failure);
  if (old.state === 'absent') return fail(unreadable(target, `${before} is gone`));
  const put = await registry.put(target, old);
  return put.ok ? registry.waitForDigest(target, before) : put;
}

/** By tag, never by digest: the manifest is the source's too. */
async function remove(target: string, registry: Registry): Promise<Result<void>> {
  const deleted = await registry.deleteTag(target);
  if (!deleted.ok) return deleted;
  const now = await registry.head(target);
  if (now.state === 'absent') return ok();
  const because = deleted.value ? 'it was deleted and still shows' : 'this registry deletes no tag';
  return fail(unreadable(target, because));
}

function unreadable(target: string, because: string): Failure {
  const message = `${target}: ${because}.`;
  return failure('registry-inconsistent', message, {
    cause: {kind: 'http', request: target, status: undefined},
  });
}

/** Somebody else moved the tag: it is left as they made it. */
function conflict(move: TagMove, shows: Presence): TagResult {
  const {target, before} = move;
  const message = `${target} is a conflict: it showed ${before ?? 'nothing'} when this run planned, and somebody else made it ${digestIn(shows) ?? 'nothing'}. It was left so.`;
  return result(
    move,
    'conflict',
    shows,
    failure('tag-conflict', message, {cause: {kind: 'http', request: target, status: undefined}}),
  );
}
