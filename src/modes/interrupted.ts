import {readFile} from 'node:fs/promises';
import {createRegistry, machineLogins, type Presence} from '../adapters/registry/index.ts';
import {parseReference} from '../image/reference.ts';
import {type PromotionFile, parsePromotion, presenceOf, tellInterrupted} from '../promote/index.ts';
import {type Inputs, readInputs} from '../run/index.ts';

/** Seconds for all questions together: a post step must not hold up a job that was cancelled. */
const patience = 20;

/**
 * What a promotion whose step was killed left behind, for the post step; empty where it reported by itself.
 * `path` is that of its promotion.json, which is written before the first tag moves.
 */
export async function tellKilledPromotion(path: string): Promise<readonly string[]> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  const parsed = text === undefined ? undefined : parsePromotion(text, path);
  if (parsed?.ok !== true || parsed.value.outcome !== 'begun') return [];
  const promotion = parsed.value;
  const signal = AbortSignal.timeout(patience * 1000);
  const credentials = await loginsFor(promotion, readInputs());
  const registry = createRegistry({credentials, signal, onRetry: () => undefined});
  try {
    const lookups = await Promise.all(
      promotion.images.map(
        async ({ref}): Promise<[string, Presence]> => [ref, await presenceOf(registry, ref)],
      ),
    );
    return tellInterrupted(promotion, new Map(lookups));
  } finally {
    await registry.close();
  }
}

/** The logins that the main step had: the inputs for their one registry, before those of the machine. */
async function loginsFor({images}: PromotionFile, {registry, username, password}: Inputs) {
  const hosts = [...new Set(images.map(({ref}) => parseReference(ref)?.registry))];
  const host = registry ?? (hosts.length === 1 ? hosts[0] : undefined);
  const own = password === '' || host === undefined ? [] : [[host, {username, password}] as const];
  return new Map([...(await machineLogins()), ...own]);
}
