import {createHash} from 'node:crypto';
import {ok, type Result} from '../../failure.ts';
import {type CallDocker, deadlines, withoutValue} from './cli.ts';
import type {Docker} from './types.ts';

/** No registry has this name: such a tag is in the engine's store or nowhere. */
const host = 'stack-run.invalid';

export interface PrivateTags extends Pick<Docker, 'tagPrivately' | 'releasePrivately'> {
  /** The tag for a build to put; it is removed at the end, whatever comes of the build. */
  begin(name: string): string;
  /** That build put it. */
  confirm(name: string): void;
  removeAll(): Promise<Result<void>>;
}

/** Tags in the engine's store that only this run knows: what a child's FROM means cannot be moved by another run. */
export function createPrivateTags(
  call: CallDocker,
  {runId, began}: {readonly runId: string; readonly began: number},
): PrivateTags {
  const repository = `${privatePrefix(runId)}/${Math.floor(began / 1000)}`;
  const made = new Map<string, Promise<Result<string>>>();
  /** Names whose tag may be there, made or half made. */
  const open = new Set<string>();
  const small = (args: readonly string[], subject: string) =>
    call({args, operation: 'other', subject, seconds: deadlines.small});

  const tag = async (id: string, ref: string): Promise<Result<string>> => {
    const done = await small(['tag', id, ref], ref);
    return done.ok ? ok(ref) : done;
  };
  const refOf = (name: string): string =>
    `${repository}:${createHash('sha256').update(name).digest('hex').slice(0, 16)}`;
  const remove = async (names: readonly string[]): Promise<Result<void>> => {
    if (names.length === 0) return ok();
    for (const name of names) {
      made.delete(name);
      open.delete(name);
    }
    const removed = await small(['image', 'rm', ...names.map(refOf)], 'private tags');
    // A build that failed put none.
    const isGone = removed.ok || removed.error.class === 'not-found';
    return isGone ? ok() : withoutValue(removed);
  };
  return {
    begin: (name) => {
      open.add(name);
      return refOf(name);
    },
    confirm: (name) => {
      made.set(name, Promise.resolve(ok(refOf(name))));
    },
    tagPrivately: (id, name) => {
      open.add(name);
      const tagging = made.get(name) ?? tag(id, refOf(name));
      made.set(name, tagging);
      // What failed once may succeed for the next child.
      void tagging.then((done) => done.ok || made.delete(name));
      return tagging;
    },
    releasePrivately: (name) => (open.has(name) ? remove([name]) : Promise.resolve(ok())),
    removeAll: () => remove([...open]),
  };
}

/** `stack-run.invalid/<run id>`: everything below it belongs to that run. */
export function privatePrefix(runId: string): string {
  return `${host}/${runId.toLowerCase()}`;
}

/** Private tags, with the run and the second in which it began, of the lines `repository:tag`. */
export function readPrivateTags(
  lines: readonly string[],
): readonly {readonly ref: string; readonly runId: string; readonly beganMs: number}[] {
  return lines.flatMap((ref) => {
    const found = /^stack-run\.invalid\/([a-z0-9-]+)\/(\d+):[0-9a-f]{16}$/.exec(ref.trim());
    return found === null
      ? []
      : [{ref: found[0], runId: found[1] ?? '', beganMs: Number(found[2]) * 1000}];
  });
}
