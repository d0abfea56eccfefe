import type {ImageResult} from '../build/index.ts';
import type {Plan, PlannedImage} from '../plan/index.ts';

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

/** The output `matrix` for `strategy.matrix`: one entry for each image with something to do, parents first. */
export function matrixOutput(plan: Plan): string {
  const busy = plan.images.filter((image) => image.action !== 'skip');
  return largestThatFits(busy, (images) =>
    JSON.stringify({
      include: images.map(({name, level, ref, action}) => ({image: name, level, ref, action})),
    }),
  );
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
