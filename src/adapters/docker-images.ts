import type {Layer, LocalImage} from '../core/docker-types.ts';
import type {Failure, Result} from '../core/outcomes.ts';
import type {Docker} from '../ports.ts';
import {type CallDocker, deadlines, withoutValue} from './docker-cli.ts';

type Images = Pick<Docker, 'pull' | 'tag' | 'push' | 'inspect' | 'history' | 'removeImage'>;

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
      return digest === undefined ? {ok: false, failure: noDigest(ref)} : {ok: true, value: digest};
    },

    inspect: async (refs) => {
      const format = '{{json .Id}} {{json .Size}} {{json .RootFS.Layers}}';
      const found = new Map<string, LocalImage>();
      // One process for all; only when one is missing, which fails the whole, each is asked alone.
      const ask = (names: readonly string[]) =>
        call({
          args: ['image', 'inspect', '--format', format, ...names],
          operation: 'other',
          subject: names.join(', '),
          seconds: deadlines.small,
        });
      const all = await ask(refs);
      if (all.ok) {
        all.value.stdout
          .trim()
          .split('\n')
          .forEach((line, index) => {
            const ref = refs[index];
            if (ref !== undefined) found.set(ref, readImage(line));
          });
        return {ok: true, value: found};
      }
      if (all.failure.class !== 'not-found') return all;
      for (const ref of refs.length > 1 ? refs : []) {
        const one = await ask([ref]);
        if (one.ok) found.set(ref, readImage(one.value.stdout));
        else if (one.failure.class !== 'not-found') return one;
      }
      return {ok: true, value: found};
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
      return {ok: true, value: lines.map(readLayer).reverse()};
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

function readImage(line: string): LocalImage {
  const [id = '', size = '0', ...layers] = line.trim().split(' ');
  const diffIds: unknown = JSON.parse(layers.join(' ') || '[]');
  return {
    id: String(JSON.parse(id)),
    size: Number(size),
    diffIds: Array.isArray(diffIds) ? diffIds.map(String) : [],
  };
}

function readLayer(line: string): Layer {
  const value: unknown = JSON.parse(line);
  const [createdBy, size] = Array.isArray(value) ? value : [];
  return {createdBy: String(createdBy), size: Number(size)};
}

function noDigest(ref: string): Failure {
  return {
    reason: 'internal',
    class: 'registry-inconsistent',
    message: `docker pushed ${ref} but did not say which digest the registry has.`,
    tail: [],
  };
}
