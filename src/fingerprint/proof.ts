import type {Lookup, Registry} from '../adapters/registry/types.ts';

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
