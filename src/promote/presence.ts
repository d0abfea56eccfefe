import type {Presence} from '../adapters/registry/index.ts';
import type {TagAt, TagRegistry} from './types.ts';

/** What a tag points to. HEAD is the fast path; that a tag does not exist is believed from GET only. */
export async function presenceOf(
  registry: Pick<TagRegistry, 'head' | 'manifest'>,
  ref: string,
): Promise<Presence> {
  const shown = await registry.head(ref);
  return shown.state === 'absent' ? readByGet(registry, ref) : shown;
}

/** The same with GET, for reads that everything depends on. */
export async function readByGet(
  registry: Pick<TagRegistry, 'manifest'>,
  ref: string,
): Promise<Presence> {
  const found = await registry.manifest(ref);
  switch (found.state) {
    case 'present':
      return {state: 'present', digest: found.digest};
    case 'absent':
      return {state: 'absent'};
    default:
      return {state: 'unknown', because: found.because};
  }
}

/** A tag with the bytes that it points to now: they are what it gets back when the promotion fails. */
export async function readTag(
  registry: Pick<TagRegistry, 'manifest'>,
  ref: string,
): Promise<TagAt['current']> {
  const found = await registry.manifest(ref);
  if (found.state === 'present') {
    const {bytes, mediaType, digest} = found;
    return {state: 'known', manifest: {bytes, mediaType, digest}};
  }
  // A registry that only refuses to show a tag has not said that there is none: it could not be deleted again.
  if (found.because !== undefined) return {state: 'unknown', because: found.because};
  return {state: 'known', manifest: undefined};
}

export function digestIn(shown: Presence): string | undefined {
  return shown.state === 'present' ? shown.digest : undefined;
}
