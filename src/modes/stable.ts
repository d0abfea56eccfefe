import type {Registry} from '../adapters/registry/index.ts';
import type {RecordStore} from '../build/steps/index.ts';
import {stableTag} from '../image/tags.ts';
import {movedBaseLine, movedBases, type Planned, type PlannedImage} from '../plan/index.ts';
import {
  type Difference,
  differenceOf,
  type ImageRecord,
  withoutInherited,
} from '../record/index.ts';
import {recordDetails, type StableImage} from '../report/index.ts';

/** What a plan asks beside the plan; from records alone, nothing is pulled. */
export interface StablePorts {
  readonly registry: Pick<Registry, 'head'>;
  readonly records: Pick<RecordStore, 'read'>;
}

/** What is in the registry now, for a person who only looks. */
export interface Standing {
  /** By the name of the image; those that have a stable image. */
  readonly stable: ReadonlyMap<string, StableImage>;
  /** Bases that moved since the images at the tag were built on them. */
  readonly staleBases: readonly string[];
}

/** Reads what stable holds, and what the images at the tag of the run are built on. */
export async function readStanding(
  {plan, baseOf}: Planned,
  {registry, records}: StablePorts,
): Promise<Standing> {
  const found = await Promise.all(
    plan.images.map(async (image) => {
      const {repository} = image.spec;
      const read = (digest: string | undefined): Promise<ImageRecord | undefined> =>
        digest === undefined ? Promise.resolve(undefined) : records.read({repository, digest});
      const ref = `${repository}:${stableTag(image.spec)}`;
      const head = await registry.head(ref, {once: true});
      const digest = head.state === 'present' ? head.digest : undefined;
      const atTag = await read(image.before);
      const atStable = digest === image.before ? atTag : await read(digest);
      return {image, ref, digest, atTag, atStable};
    }),
  );
  // Parents come first in a plan.
  const whole = new Map<string, Difference>();
  const stable = found.flatMap(({image, ref, digest, atTag, atStable}) => {
    if (digest === undefined) return [];
    const difference =
      atTag === undefined || atStable === undefined || digest === image.before
        ? undefined
        : differenceOf({...atStable, reference: ref}, {...atTag, reference: image.ref});
    if (difference !== undefined) whole.set(image.name, difference);
    const inherited = image.parents.flatMap((parent) => whole.get(parent) ?? []);
    const own = difference && withoutInherited(difference, inherited);
    return [[image.name, stableImage(image, {ref, digest, record: atStable, own, atTag})] as const];
  });
  const now = plan.images.flatMap((image) => {
    const {base} = baseOf(image);
    return base === undefined ? [] : [[image.name, base] as const];
  });
  const built = found.flatMap(({image, atTag}) =>
    atTag?.base === undefined ? [] : [[image.name, atTag.base] as const],
  );
  const moved = movedBases(plan, new Map(built), new Map(now));
  return {stable: new Map(stable), staleBases: moved.map(movedBaseLine)};
}

interface Known {
  readonly ref: string;
  readonly digest: string;
  readonly record: ImageRecord | undefined;
  readonly own: Difference | undefined;
  readonly atTag: ImageRecord | undefined;
}

function stableImage(
  {before}: PlannedImage,
  {ref, digest, record, own, atTag}: Known,
): StableImage {
  const difference =
    atTag === undefined || own === undefined ? undefined : recordDetails(atTag, own).difference;
  return {
    ref,
    digest,
    atTag: before === undefined ? 'nothing' : before === digest ? 'same' : 'other',
    ...(record?.commit === undefined
      ? {}
      : {
          commit: {
            sha: record.commit,
            ...(record.subject === undefined ? {} : {subject: record.subject}),
          },
        }),
    ...(record === undefined ? {} : {created: record.created, size: record.size}),
    ...(difference === undefined ? {} : {difference}),
  };
}
