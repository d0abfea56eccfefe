import type {Presence, RawManifest} from '../../../src/adapters/registry/types.ts';
import {type Failure, fail, failure, ok} from '../../../src/failure.ts';
import type {TagRegistry} from '../../../src/promote/types.ts';

export const refused: Failure = failure('permission', 'denied', {
  cause: {kind: 'http', request: 'PUT', status: 403},
});

/** A manifest whose digest is the word. */
export const manifestOf = (digest: string): RawManifest => ({
  digest,
  bytes: Buffer.from(digest),
  mediaType: 'm',
});

/** The surprises of a registry. */
export interface Rules {
  readonly refuse?: (ref: string, puts: readonly string[]) => boolean;
  /** Called before each PUT is done, with what the tags point to. */
  readonly onPut?: (ref: string, tags: Map<string, string>) => void;
  /** Called before each read. */
  readonly onRead?: (ref: string, tags: Map<string, string>, puts: readonly string[]) => void;
  readonly deletes?: boolean;
  /** Whether a read gets no answer, after these PUTs. */
  readonly isSilent?: (ref: string, puts: readonly string[]) => boolean;
  /** PUTs that are accepted and never show. */
  readonly swallows?: (ref: string, puts: readonly string[]) => boolean;
  /** HEAD says 404 to everything. */
  readonly headless?: boolean;
  /** Waited for before each request takes effect, and before its answer is given. */
  readonly turn?: () => Promise<void>;
}

export interface FakeTagRegistry extends TagRegistry {
  readonly puts: readonly string[];
  readonly deleted: readonly string[];
}

/** A registry in memory: tags by reference, digests are words. */
export function tagRegistry(tags: Map<string, string>, rules: Rules = {}): FakeTagRegistry {
  const {turn = async () => undefined, deletes = true} = rules;
  const puts: string[] = [];
  const deleted: string[] = [];
  const read = async (ref: string): Promise<Presence> => {
    await turn();
    rules.onRead?.(ref, tags, puts);
    const at = ref.indexOf('@');
    const digest = at < 0 ? tags.get(ref) : ref.slice(at + 1);
    const isSilent = rules.isSilent?.(ref, puts) === true;
    await turn();
    if (isSilent) return {state: 'unknown', because: '503'};
    return digest === undefined ? {state: 'absent'} : {state: 'present', digest};
  };
  return {
    puts,
    deleted,
    head: async (ref) => (rules.headless ? {state: 'absent'} : read(ref)),
    manifest: async (ref) => {
      const shown = await read(ref);
      if (shown.state === 'unknown') return {...shown, failure: refused};
      return shown.state === 'absent' ? shown : {state: 'present', ...manifestOf(shown.digest)};
    },
    inspect: () => Promise.reject(new Error('not asked')),
    put: async (ref, {digest}) => {
      await turn();
      rules.onPut?.(ref, tags);
      puts.push(ref);
      if (rules.refuse?.(ref, puts)) return fail(refused);
      if (!rules.swallows?.(ref, puts)) tags.set(ref, digest);
      await turn();
      return ok();
    },
    deleteTag: async (ref) => {
      await turn();
      deleted.push(ref);
      return ok(deletes && tags.delete(ref));
    },
    waitForDigest: async (ref, digest) =>
      tags.get(ref) === digest ? ok() : fail({...refused, class: 'tag-conflict'}),
  };
}
