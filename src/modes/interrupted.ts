import {readFile} from 'node:fs/promises';
import {runCommand} from '../adapters/process/index.ts';
import {createLogins, createRegistry, type Presence} from '../adapters/registry/index.ts';
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
  const logins = loginsFor(promotion, readInputs(), signal);
  const registry = createRegistry({logins, signal, onRetry: () => undefined});
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

/** The logins that the main step had. */
function loginsFor(
  {images}: PromotionFile,
  {registry, username, password, githubToken}: Inputs,
  signal: AbortSignal,
) {
  const hosts = [...new Set(images.map(({ref}) => parseReference(ref)?.registry))];
  const host = registry ?? (hosts.length === 1 ? hosts[0] : undefined);
  const isOwn = password !== '' && password !== githubToken && host !== undefined;
  return createLogins({
    inputs: isOwn ? [{host, username, password}] : [],
    fallback: githubToken === '' ? [] : [{host: 'ghcr.io', username, password: githubToken}],
    run: runCommand,
    signal,
  });
}
