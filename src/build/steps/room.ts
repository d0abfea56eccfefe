import type {Disk} from '../../adapters/docker/index.ts';
import type {LogFile} from '../../adapters/files/index.ts';
import {diskFullHint, type Failure, fail, failure, ok, type Result} from '../../failure.ts';
import {repositoryOf} from '../../image/reference.ts';
import type {PlannedImage} from '../../plan/index.ts';
import {chainOf, pageAfter} from '../../schedule/index.ts';
import {formatBytes} from '../../util/text.ts';
import type {ImageState, Work} from './context.ts';

/** What every build needs, whatever it makes; below this Docker's disk counts as full. */
const floorBytes = 100 * 1024 * 1024;

/** Nobody has to look up how large an image was where this much is free. */
const plentyBytes = 64 * 1024 * 1024 * 1024;

/**
 * Sees before a build that the disk has what the image took the last time, besides what the builds beside it still
 * need. With too little, images of this run that nothing needs any more are dropped first.
 */
export async function takeRoom(work: Work): Promise<Result<void>> {
  const {context, image, state} = work;
  const disk = await context.docker.disk();
  if (disk === undefined || disk.freeBytes >= plentyBytes) return ok();
  const expected = await expectedBytes(work);
  const reserved = context.plan.images.map(({name}) => work.stateOf(name).reserved);
  const needed = expected + floorBytes + reserved.reduce((sum, bytes) => sum + bytes, 0);
  state.reserved = expected;
  if (disk.freeBytes >= needed) return ok();
  const dropped = await dropSpent(work);
  const now = dropped.length === 0 ? disk : ((await context.docker.disk()) ?? disk);
  if (dropped.length > 0) {
    const message = `The disk of ${disk.root} had ${formatBytes(disk.freeBytes)} free. Nothing needs ${dropped.join(', ')} any more: dropped here, now ${formatBytes(now.freeBytes)} are free.`;
    context.emit({kind: 'note', image: image.name, message});
  }
  if (now.freeBytes >= needed) return ok();
  state.reserved = 0;
  return fail(noRoom(image.ref, {needed, expected, disk: now}));
}

/** Unpacked bytes that the image had beyond its parents', by the records of what stands at the tags; 0 where none says. */
async function expectedBytes({context, image}: Work): Promise<number> {
  const size = await recordedSize(image);
  if (size === undefined) return 0;
  const parents = context.plan.images.filter(({name}) => image.parents.includes(name));
  const below = await Promise.all(parents.map(recordedSize));
  // A parent whose size nobody knows may be all of it: too small a guess stops no build that would have gone well.
  if (below.includes(undefined)) return 0;
  return Math.max(0, size - Math.max(0, ...below.map((bytes) => bytes ?? 0)));

  async function recordedSize({ref, before}: PlannedImage): Promise<number | undefined> {
    if (before === undefined) return undefined;
    const record = await context.records.read({repository: repositoryOf(ref), digest: before});
    return record?.size;
  }
}

/** Drops the images that this run brought here and that neither their own steps nor any child's build still need. */
async function dropSpent({context, image, stateOf}: Work): Promise<readonly string[]> {
  const {docker, plan} = context;
  const isOver = (one: PlannedImage): boolean => {
    const {isFailed, seconds} = stateOf(one.name);
    // Pages of reused images may still be made: those stay.
    const options = {...context, concurrency: 1, failFast: false, documentsReused: true};
    const page = pageAfter(one, options) === undefined ? [] : (['manifest'] as const);
    return isFailed || [...chainOf(one, options), ...page].every((step) => seconds.has(step));
  };
  const isBuilt = (one: PlannedImage): boolean =>
    one.action !== 'build' || stateOf(one.name).seconds.has('build');
  const dropped: string[] = [];
  for (const one of plan.images) {
    const state = stateOf(one.name);
    const children = plan.images.filter(({parents}) => parents.includes(one.name));
    if (one === image || state.id === undefined || !isOver(one) || !children.every(isBuilt))
      continue;
    if (!(await isStillThere(one.ref, state))) continue;
    await docker.releasePrivately(one.name);
    const removed = await docker.removeImage(one.ref, {});
    if (removed.ok) dropped.push(one.ref);
    state.id = undefined;
    state.brought = undefined;
  }
  return dropped;

  /** Another run on this engine may have taken the name. */
  async function isStillThere(ref: string, {id}: ImageState): Promise<boolean> {
    const found = await docker.ids([ref]);
    return found.ok && found.value.get(ref) === id;
  }
}

interface Figures {
  readonly needed: number;
  readonly expected: number;
  readonly disk: Disk;
}

function noRoom(ref: string, {needed, expected, disk}: Figures): Failure {
  const why =
    expected > 0
      ? `it took ${formatBytes(expected)} the last time`
      : 'the least that a build needs';
  return failure(
    'disk-full',
    `${ref} was not built: of the disk of ${disk.root} ${formatBytes(disk.freeBytes)} of ${formatBytes(disk.totalBytes)} are free, and ${formatBytes(needed)} are needed (${why}; builds beside it count).`,
    {hint: diskFullHint},
  );
}

/** What BuildKit prints in place of output beyond its limits, which are settings of the daemon. */
const clipped = '[output clipped, log limit ';

/** Passes a build's output on, and remembers whether the builder kept some of it to itself. */
export function watchClipping(log: LogFile): {
  readonly log: LogFile;
  readonly notes: () => readonly string[];
} {
  let limit: string | undefined;
  return {
    log: {
      ...log,
      write: (chunk) => {
        const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
        const at = limit === undefined ? bytes.indexOf(clipped) : -1;
        const text = at < 0 ? '' : bytes.toString('utf8', at, at + 100);
        if (at >= 0) limit = /log limit ([\w/]+)/.exec(text)?.[1] ?? 'unknown';
        log.write(chunk);
      },
    },
    notes: () =>
      limit === undefined
        ? []
        : [
            `the build log is not complete: BuildKit clipped what went beyond ${limit} (BUILDKIT_STEP_LOG_MAX_SIZE and _SPEED of the daemon)`,
          ],
  };
}
