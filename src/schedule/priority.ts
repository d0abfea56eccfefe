import type {PlannedImage} from '../plan/types.ts';

/**
 * The longest chain of work from each image to the end of the run, by name: what is started first among the ready
 * (list scheduling by critical path). Seconds of earlier builds where they are known; an image of unknown length
 * counts as the median of the known, or as one.
 * @param images parents first
 */
export function remainingChains(images: readonly PlannedImage[]): ReadonlyMap<string, number> {
  const known = images
    .flatMap(({expectedSeconds}) => expectedSeconds ?? [])
    .toSorted((a, b) => a - b);
  const usual = known[Math.floor(known.length / 2)] ?? 1;
  const below = new Map<string, number>();
  const chains = new Map<string, number>();
  for (const image of images.toReversed()) {
    const own = image.action === 'build' ? (image.expectedSeconds ?? usual) : 0;
    const chain = own + (below.get(image.name) ?? 0);
    chains.set(image.name, chain);
    for (const parent of image.parents) below.set(parent, Math.max(below.get(parent) ?? 0, chain));
  }
  return chains;
}
