import {isSamePlatform} from '../stack/spec/index.ts';
import {type Item, packLegs} from './legs.ts';
import type {Plan, PlannedAction, PlannedImage} from './types.ts';

/** One entry of `strategy.matrix`: what one runner does. */
export interface Leg {
  /** The first of its images. */
  readonly image: string;
  /** What its input `images` gets: keys, parents first, with commas. */
  readonly images: string;
  /** 0 for a leg that needs no other; a leg begins when all legs of the levels before have ended. */
  readonly level: number;
  /** `0-1`: the second leg of the first level. For names; no two legs share it. */
  readonly leg: string;
  /** The reference and the action of the first image. */
  readonly ref: string;
  readonly action: PlannedAction;
  readonly platform: string;
  /** For `runs-on`. */
  readonly runner: string;
}

export interface LegRequest {
  /** At most so many legs; GitHub takes no more than 256 in a matrix. */
  readonly maxLegs: number;
  /** Runner label by platform, as the spec declares them. */
  readonly runners: ReadonlyMap<string, string>;
  /** Of this machine, which is what an image without `platforms` is built for. */
  readonly platform: string;
  /** Whether a leg can hand its images to the next, by the registry; else what hangs together stays together. */
  readonly shares: boolean;
}

export interface Legs {
  readonly legs: readonly Leg[];
  /** The same legs by level. */
  readonly levels: readonly (readonly Leg[])[];
  /** Sentences, each with its mend. */
  readonly warnings: readonly string[];
}

/** GitHub's own limit for one matrix. */
const mostLegs = 256;
/** As many as the reusable workflow has jobs for. */
export const mostLevels = 6;
/** Machine, checkout and the pull of a parent, as hosted runners take them. */
const startSeconds = 45;
/** Images that a runner is counted to do in the time of one: builds use several processors by themselves. */
const imagesAtOnce = 2;
/** Of an image, where nothing at all is known yet. */
const usualSeconds = 300;
const defaultRunner = 'ubuntu-24.04';

/**
 * Legs for many runners: what hangs together in a level, and small images, share one. Pure; only images with something
 * to do have a place in it.
 */
export function makeLegs(plan: Plan, request: LegRequest): Legs {
  const {maxLegs, shares} = request;
  const warnings = new Set<string>();
  const {items, units} = itemsOf(plan, request, warnings);
  const packed = packLegs(items, {
    maxLegs: Math.min(maxLegs, mostLegs),
    maxLevels: shares ? mostLevels : 1,
    slots: imagesAtOnce,
    startSeconds,
  });
  const levels = packed.map((loads, level) =>
    loads.map(({platform, items: own}, place): Leg => {
      const members = own.flatMap((index) => units[index] ?? []);
      const [first] = members;
      if (first === undefined) throw new Error('Internal error: a leg without images');
      const [image] = first.images;
      return {
        image: first.words[0] ?? image.name,
        images: members.flatMap(({words}) => words).join(','),
        level,
        leg: `${level}-${place}`,
        ref: image.ref,
        action: image.action,
        platform,
        runner: runnerOf(platform, request) ?? defaultRunner,
      };
    }),
  );
  const legs = levels.flat();
  if (legs.length > maxLegs) {
    const platforms = [...new Set(legs.map(({platform}) => platform))].join(', ');
    warnings.add(
      `Input "max-legs" is ${maxLegs}, but ${legs.length} legs are needed: one for each of ${platforms}.`,
    );
  }
  return {legs, levels, warnings: [...warnings]};
}

/** Images of one key on one platform: the input `images` names them all at once. */
interface Unit {
  readonly images: readonly [PlannedImage, ...PlannedImage[]];
  /** What names them in the input `images`. */
  readonly words: readonly string[];
}

interface Units {
  readonly items: readonly Item[];
  readonly units: readonly Unit[];
}

function itemsOf(plan: Plan, request: LegRequest, warnings: Set<string>): Units {
  const byName = new Map(plan.images.map((image) => [image.name, image]));
  const busy = plan.images.filter(({action}) => action !== 'skip');
  const usual = medianOf(busy.flatMap(({expectedSeconds}) => expectedSeconds ?? []));
  const isBusyParent = new Set(busy.flatMap(({parents}) => parents));
  // What is not published no other leg can take: each leg that needs such an image builds it for itself.
  const isCarried = ({name, spec}: PlannedImage): boolean =>
    !spec.publish && isBusyParent.has(name);
  const keys = Map.groupBy(
    busy.filter((image) => !isCarried(image)),
    ({spec}) => spec.key,
  );
  const sought = (image: PlannedImage, found = new Set<string>()): ReadonlySet<string> => {
    for (const parent of image.parents) {
      const one = byName.get(parent);
      if (one === undefined || one.action === 'skip') continue;
      if (isCarried(one)) sought(one, found);
      else found.add(one.spec.key);
    }
    return found;
  };
  const secondsOf = (image: PlannedImage): number =>
    shareOf[image.action] * (image.expectedSeconds ?? usual);
  const items: Item[] = [];
  const units: Unit[] = [];
  const places = new Map<string, number>();
  for (const [key, images] of inOrder(keys, sought)) {
    const [first, ...others] = images;
    if (first === undefined) continue;
    const words = images.some(({name}) => name === key) ? [key] : images.map(({name}) => name);
    for (const platform of platformsOf(first, request)) {
      if (runnerOf(platform, request) === undefined) {
        warnings.add(noRunner(key, platform));
        continue;
      }
      const lacking = images
        .flatMap(({parents}) => parents.flatMap((parent) => byName.get(parent) ?? []))
        .find((parent) => !isBuiltFor(parent, platform, request));
      if (lacking !== undefined) {
        warnings.add(noParent(key, platform, lacking.spec.key));
        continue;
      }
      const seconds = images.map(secondsOf);
      const needed = new Set(images.flatMap((image) => [...sought(image)]));
      needed.delete(key);
      places.set(`${key} ${platform}`, items.length);
      units.push({images: [first, ...others], words});
      items.push({
        platform,
        work: seconds.reduce((sum, one) => sum + one, 0),
        chain: Math.max(...seconds),
        needs: [...needed].flatMap((parent) => places.get(`${parent} ${platform}`) ?? []),
      });
    }
  }
  return {items, units};
}

function isBuiltFor(image: PlannedImage, platform: string, request: LegRequest): boolean {
  return platformsOf(image, request).some((one) => isSamePlatform(one, platform));
}

function noParent(key: string, platform: string, parent: string): string {
  return `${key} is built for ${platform}, but its parent ${parent} is not, so it has no leg. Add ${platform} to the platforms of ${parent}.`;
}

/** Keys with their images, those that others need first. Tracks of a key may stand far apart in the plan. */
function inOrder(
  keys: ReadonlyMap<string, readonly PlannedImage[]>,
  needsOf: (image: PlannedImage) => ReadonlySet<string>,
): ReadonlyMap<string, readonly PlannedImage[]> {
  const ordered = new Map<string, readonly PlannedImage[]>();
  const open = new Set<string>();
  const visit = (key: string): void => {
    const images = keys.get(key);
    if (images === undefined || ordered.has(key) || open.has(key)) return;
    open.add(key);
    for (const image of images) for (const need of needsOf(image)) visit(need);
    ordered.set(key, images);
  };
  for (const key of keys.keys()) visit(key);
  return ordered;
}

/** How much of a full build and test each action takes. */
const shareOf: Record<PlannedAction, number> = {build: 1, test: 0.5, reuse: 0.02, skip: 0};

function medianOf(seconds: readonly number[]): number {
  const sorted = seconds.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? usualSeconds;
}

function platformsOf({spec}: PlannedImage, {platform}: LegRequest): readonly string[] {
  return spec.platforms.length === 0 ? [platform] : spec.platforms;
}

/** The label for a platform; undefined where nothing says which runner has it. */
export function runnerOf(
  platform: string,
  {runners, platform: own}: Pick<LegRequest, 'runners' | 'platform'>,
): string | undefined {
  const declared = [...runners].find(([one]) => isSamePlatform(one, platform))?.[1];
  return declared ?? (isSamePlatform(platform, own) ? defaultRunner : undefined);
}

/** Hosted runners that are known; for others a label of the user's own. */
const hosted: Readonly<Record<string, string>> = {
  'linux/amd64': 'ubuntu-24.04',
  'linux/arm64': 'ubuntu-24.04-arm',
};

/** Why there is no leg for a platform, and the line that mends it. */
export function noRunner(key: string, platform: string): string {
  const label = hosted[platform] ?? '<label of your runner>';
  return `${key} is built for ${platform}, but no runner is known for it, so it has no leg. Add "runners: {${platform}: ${label}}" at the top of spec.yml.`;
}
