import type {Failure, Result} from './core/outcomes.ts';
import {repositoryOf} from './core/references.ts';
import type {TagMove} from './core/tag-plan.ts';
import type {TagReport, TagResult, TagState} from './core/tag-report.ts';
import type {Registry} from './ports.ts';

export interface TaggerPorts {
  readonly registry: Registry;
  /** Looked at between two tags: no PUT is ever cut short. */
  readonly signal: AbortSignal;
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
    const moved = await moveTag(move, ports.registry);
    results.push(moved);
    if (moved.failure !== undefined) break;
  }
  const isWhole =
    results.length === moves.length && results.every(({failure}) => failure === undefined);
  if (isWhole) return {outcome: 'passed', results};
  const undone: TagResult[] = [];
  for (const one of results.toReversed()) {
    undone.unshift(one.state === 'moved' ? await takeBack(one, ports.registry) : one);
  }
  const untouched = moves.slice(results.length);
  return {
    outcome: ports.signal.aborted ? 'cancelled' : 'failed',
    results: [...undone, ...untouched.map((move) => result(move, 'untouched'))],
  };
}

function result(move: TagMove, state: TagState, failure?: Failure): TagResult {
  return {move, state, failure};
}

/** Registries have no compare-and-swap: a conflict is what a read just before and just after the PUT shows. */
async function moveTag(move: TagMove, registry: Registry): Promise<TagResult> {
  const {target, digest, before} = move;
  if (before === digest) return result(move, 'unchanged');
  const now = await registry.head(target);
  if (now.state === 'unknown') return result(move, 'failed', unreadable(target, now.because));
  const shown = now.state === 'present' ? now.digest : undefined;
  if (shown !== before) return result(move, 'conflict', overtaken(move, shown));
  const put = await registry.put(target, move);
  const seen = put.ok ? await registry.waitForDigest(target, digest) : put;
  if (seen.ok) return result(move, 'moved');
  // Whether the PUT had come through, only the registry can say.
  const after = await registry.head(target);
  if (after.state === 'present' && after.digest === digest) return result(move, 'moved');
  const other = after.state === 'present' ? after.digest : undefined;
  const isOvertaken = put.ok && after.state === 'present' && other !== before;
  return isOvertaken
    ? result(move, 'conflict', overtaken(move, other))
    : result(move, 'failed', seen.failure);
}

/** Gives a moved tag its old digest back, or deletes it where there was none; never what somebody else put there. */
async function takeBack({move, failure}: TagResult, registry: Registry): Promise<TagResult> {
  const {target, digest, before} = move;
  const now = await registry.head(target);
  if (now.state === 'present' && now.digest !== digest) {
    return result(move, 'conflict', overtaken(move, now.digest));
  }
  const restored =
    before === undefined ? await remove(target, registry) : await restore(target, before, registry);
  return restored.ok
    ? result(move, 'restored', failure)
    : result(move, 'standing', restored.failure);
}

async function restore(target: string, before: string, registry: Registry): Promise<Result<void>> {
  const old = await registry.manifest(`${repositoryOf(target)}@${before}`);
  if (old.state === 'unknown') return {ok: false, failure: old.failure};
  if (old.state === 'absent') return {ok: false, failure: unreadable(target, `${before} is gone`)};
  const put = await registry.put(target, old);
  return put.ok ? registry.waitForDigest(target, before) : put;
}

/** By tag, never by digest: the manifest is the source's too. */
async function remove(target: string, registry: Registry): Promise<Result<void>> {
  const deleted = await registry.deleteTag(target);
  if (!deleted.ok) return deleted;
  const now = deleted.value ? await registry.head(target) : undefined;
  if (now?.state === 'absent') return {ok: true, value: undefined};
  return {ok: false, failure: unreadable(target, 'this registry cannot delete a tag')};
}

function unreadable(target: string, because: string): Failure {
  const message = `${target}: ${because}.`;
  return {
    reason: 'registry',
    class: 'registry-inconsistent',
    request: target,
    status: undefined,
    message,
    tail: [],
  };
}

function overtaken({target, before}: TagMove, shown: string | undefined): Failure {
  const message = `${target} is a conflict: it showed ${before ?? 'nothing'} when this run planned, and somebody else made it ${shown ?? 'nothing'}. It was left so.`;
  return {
    reason: 'registry',
    class: 'tag-conflict',
    request: target,
    status: undefined,
    message,
    tail: [],
  };
}
