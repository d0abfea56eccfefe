import type {ImageResult} from '../build/index.ts';
import type {Legs, Plan, PlannedImage} from '../plan/index.ts';

/** GitHub drops outputs of more than 1 MB without a word. */
const largestOutput = 900_000;

/** `artifacts/plan.json`, whole. */
export function planJson(plan: Plan): string {
  return JSON.stringify(planValue(plan, plan.images, false), undefined, 2);
}

/** The output `plan`: whole, or only the images with something to do when it would be too large. */
export function planOutput(plan: Plan): string {
  const whole = JSON.stringify(planValue(plan, plan.images, false));
  if (fits(whole)) return whole;
  const busy = plan.images.filter((image) => image.action !== 'skip');
  return largestThatFits(busy, (images) => JSON.stringify(planValue(plan, images, true)));
}

function planValue(plan: Plan, images: readonly PlannedImage[], truncated: boolean): object {
  return {
    schema: 1,
    tag: plan.tag,
    ...(truncated ? {truncated} : {}),
    images: images.map(({name, parents, level, ref, action, fingerprint, tests, reasons}) => ({
      name,
      parents,
      level,
      ref,
      action,
      fingerprint,
      tests,
      reasons,
    })),
  };
}

/** The output `matrix` for `strategy.matrix`: one entry a leg, those that others need first. */
export function matrixOutput({legs}: Legs): string {
  return JSON.stringify({include: legs});
}

/** The output `levels`: one such matrix for each level of legs. */
export function levelsOutput({levels}: Legs): string {
  return JSON.stringify(levels.map((legs) => ({include: legs})));
}

/** The output `images`: name to reference, digest and outcome. */
export function imagesOutput(results: readonly ImageResult[]): string {
  const value = (images: readonly ImageResult[], truncated: boolean): string =>
    JSON.stringify({
      ...Object.fromEntries(
        images.map(({image, ref, digest, outcome}) => [image, {ref, digest, outcome}]),
      ),
      ...(truncated ? {truncated} : {}),
    });
  const whole = value(results, false);
  if (fits(whole)) return whole;
  const busy = results.filter((result) => result.outcome !== 'skipped');
  return largestThatFits(busy, (images) => value(images, true));
}

function fits(text: string): boolean {
  return Buffer.byteLength(text) <= largestOutput;
}

/** Halves the list until its text fits: a truncated output is still valid JSON. */
function largestThatFits<T>(items: readonly T[], text: (items: readonly T[]) => string): string {
  const result = text(items);
  if (fits(result) || items.length === 0) return result;
  return largestThatFits(items.slice(0, Math.floor(items.length / 2)), text);
}
