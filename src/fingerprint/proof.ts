import type {Lookup, Published, Registry} from '../adapters/registry/index.ts';
import {labels} from '../image/tags.ts';

/**
 * What an `fp-` tag shows. Mostly it is the image that is looked up anyway, and then one HEAD is enough: it is quick,
 * and Docker Hub does not count it as a pull.
 */
export async function inspectProof(
  registry: Registry,
  ref: string,
  image: Lookup | Promise<Lookup>,
): Promise<Lookup> {
  const [shown, own] = await Promise.all([registry.head(ref), image]);
  if (shown.state !== 'present') return shown;
  return own.state === 'present' && own.digest === shown.digest ? own : registry.inspect(ref);
}

/**
 * Whether the image at a tag passed its tests: its `fp-` tag shows it, or a younger twin with the same content.
 * An older twin proves nothing: this one was built after it, and may have failed.
 */
export function passedTests(image: Published, twin: Lookup | undefined): boolean {
  if (twin?.state !== 'present') return false;
  if (twin.digest === image.digest) return true;
  if (twin.labels.get(labels.fingerprint) !== image.labels.get(labels.fingerprint)) return false;
  const [mine, other] = [image.labels.get(labels.created), twin.labels.get(labels.created)];
  return mine !== undefined && other !== undefined && Date.parse(other) > Date.parse(mine);
}

/** Whether an image with these layers is built on one with those. */
export function startsWith(layers: readonly string[], base: readonly string[]): boolean {
  return base.length <= layers.length && base.every((layer, index) => layers[index] === layer);
}
