import {type Failure, fail, failure, ok, type Result} from '../../failure.ts';
import {type CallDocker, deadlines, withoutValue} from './cli.ts';
import type {Docker, Layer} from './types.ts';

type Images = Pick<Docker, 'pull' | 'tag' | 'push' | 'ids' | 'history' | 'removeImage'>;

/** Images in the engine's store and on their way to the registry. */
export function createImages(call: CallDocker): Images {
  return {
    pull: async (ref, options) =>
      withoutValue(
        await call({
          args: ['pull', ref],
          operation: 'pull',
          subject: ref,
          seconds: deadlines.pull,
          options,
        }),
      ),

    tag: async (source, ref) =>
      withoutValue(
        await call({
          args: ['tag', source, ref],
          operation: 'other',
          subject: ref,
          seconds: deadlines.small,
        }),
      ),

    push: async (ref, options) => {
      const done = await call({
        args: ['push', ref],
        operation: 'push',
        subject: ref,
        seconds: deadlines.push,
        options,
      });
      if (!done.ok) return done;
      const digest = /digest: (sha256:[0-9a-f]{64})/.exec(done.value.tail.join('\n'))?.[1];
      return digest === undefined ? fail(noDigest(ref)) : ok(digest);
    },

    ids: async (refs) => {
      const found = new Map<string, string>();
      // One process for all; only when one is missing, which fails the whole, each is asked alone.
      const ask = (names: readonly string[]) =>
        call({
          args: ['image', 'inspect', '--format', '{{.Id}}', ...names],
          operation: 'other',
          subject: names.join(', '),
          seconds: deadlines.small,
        });
      const all = await ask(refs);
      if (all.ok) {
        const ids = all.value.stdout.trim().split('\n');
        // Another program of that name may say anything, and nothing of it is an image.
        for (const [index, ref] of refs.entries()) {
          const id = ids[index]?.trim() ?? '';
          if (id.startsWith('sha256:')) found.set(ref, id);
        }
        return ok(found);
      }
      if (all.error.class !== 'not-found') return all;
      for (const ref of refs.length > 1 ? refs : []) {
        const one = await ask([ref]);
        if (one.ok) found.set(ref, one.value.stdout.trim());
        else if (one.error.class !== 'not-found') return one;
      }
      return ok(found);
    },

    history: async (ref): Promise<Result<readonly Layer[]>> => {
      const format = '[{{json .CreatedBy}},{{json .Size}}]';
      const done = await call({
        args: ['history', '--no-trunc', '--human=false', '--format', format, ref],
        operation: 'other',
        subject: ref,
        seconds: deadlines.small,
      });
      if (!done.ok) return done;
      const lines = done.value.stdout.trim().split('\n');
      return ok(lines.map(readLayer).reverse());
    },

    removeImage: async (ref, options) =>
      withoutValue(
        await call({
          args: ['image', 'rm', ref],
          operation: 'other',
          subject: ref,
          seconds: deadlines.small * 5,
          options,
        }),
      ),
  };
}

function readLayer(line: string): Layer {
  const value: unknown = JSON.parse(line);
  const [createdBy, size] = Array.isArray(value) ? value : [];
  return {createdBy: String(createdBy), size: Number(size)};
}

function noDigest(ref: string): Failure {
  return failure('registry-inconsistent', `docker pushed ${ref} but did not report its digest.`);
}
