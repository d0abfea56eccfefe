import {architectures, normalPlatform, operatingSystems} from '../../image/platforms.ts';
import {findNearest} from '../../util/nearest.ts';
import type {ImageSpec, Spec} from './types.ts';

/** What to write in place of what is not a platform. */
export function platformMend(text: string): string {
  const [os = '', architecture = '', ...rest] = text.toLowerCase().split('/');
  const nearest = [findNearest(os, operatingSystems), findNearest(architecture, architectures)];
  const usual = 'Write os/architecture, such as linux/arm64.';
  if (nearest.includes(undefined) || rest.length > 1) return usual;
  return `Did you mean ${nearest.join('/')}?`;
}

/** `linux/arm64` and `linux/arm64/v8` are one. */
export function isSamePlatform(one: string, other: string): boolean {
  return normalPlatform(one) === normalPlatform(other);
}

/** The same stack for the runner of one platform: images that have several are built for this one alone. */
export function withOnePlatform(spec: Spec, platform: string | undefined): Spec {
  const images = [...spec.images].map(
    ([name, image]) => [name, onePlatform(image, platform)] as const,
  );
  return {...spec, images: new Map(images)};
}

export function onePlatform(image: ImageSpec, wanted: string | undefined): ImageSpec {
  if (wanted === undefined) return image;
  const platform = image.platforms.find((one) => isSamePlatform(one, wanted));
  if (image.platforms.length < 2 || platform === undefined) return image;
  return {...image, platforms: [platform], platform};
}
