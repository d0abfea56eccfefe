import type {BuiltImage, Docker, DockerFacts} from '../../../src/adapters/docker/types.ts';
import type {Registry} from '../../../src/adapters/registry/types.ts';
import type {RecordStore} from '../../../src/build/steps/context.ts';
import type {ImageRecord} from '../../../src/record/index.ts';
import {published} from '../builders/stack.ts';

const done = {ok: true, value: undefined} as const;
export const builtImage: BuiltImage = {id: `sha256:${'1'.repeat(64)}`, cacheSeconds: undefined};
export const pushedDigest = `sha256:${'2'.repeat(64)}`;

/** What the fake engine calls an image that only this run knows. */
export const privateTag = (name: string): string => `stack-run.invalid/1/2:${name}`;

/** A docker that does everything well and remembers what it was asked; overrides do otherwise. */
export function fakeDockerPort(
  calls: string[],
  overrides: Partial<Docker> & {readonly facts?: Partial<DockerFacts>} = {},
): Docker {
  const {facts, ...methods} = overrides;
  const note = (...words: readonly string[]): void => {
    calls.push(words.join(' '));
  };
  return {
    check: async () => ({
      ok: true,
      value: {hasBuildx: true, hasContainerdStore: false, ...facts},
    }),
    driver: async () => ({ok: true, value: facts?.driver ?? 'docker'}),
    platforms: async () => [],
    disk: async () => undefined,
    ranOutOfMemory: async () => false,
    memoryRanOut: async () => false,
    login: async (host) => {
      note('login', host);
      return done;
    },
    pull: async (ref) => {
      note('pull', ref);
      return done;
    },
    build: async ({ref}) => {
      note('build', ref);
      return {ok: true, value: builtImage};
    },
    buildAndPush: async ({ref}) => {
      note('buildAndPush', ref);
      return {ok: true, value: pushedDigest};
    },
    tag: async (source, ref) => {
      note('tag', source, ref);
      return done;
    },
    tagPrivately: async (id, name) => {
      note('tagPrivately', id, name);
      return {ok: true, value: privateTag(name)};
    },
    releasePrivately: async (name) => {
      note('releasePrivately', name);
      return done;
    },
    push: async (ref) => {
      note('push', ref);
      return {ok: true, value: pushedDigest};
    },
    ids: async (refs) => ({ok: true, value: new Map(refs.map((ref) => [ref, builtImage.id]))}),
    history: async () => ({ok: true, value: [{createdBy: 'RUN true', size: 117}]}),
    run: async () => ({ok: true, value: {stdout: '', stderr: '', tail: []}}),
    create: async () => done,
    start: async () => ({ok: true, value: {stdout: '', stderr: '', tail: []}}),
    copy: async () => done,
    removeContainer: async () => done,
    removeImage: async (ref) => {
      note('removeImage', ref);
      return done;
    },
    cleanUp: async () => done,
    sweep: async () => done,
    diagnose: async (failure) => failure,
    ...methods,
  };
}

/** A registry in which every reference has the image that was pushed; overrides do otherwise. */
export function fakeRegistryPort(calls: string[], overrides: Partial<Registry> = {}): Registry {
  return {
    head: async () => ({state: 'present', digest: pushedDigest}),
    inspect: async () => published('a', {digest: pushedDigest, configDigest: builtImage.id}),
    manifest: async () => ({
      state: 'present',
      bytes: Buffer.from('{}'),
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      digest: pushedDigest,
    }),
    put: async (ref) => {
      calls.push(`put ${ref}`);
      return done;
    },
    putImage: async (ref) => {
      calls.push(`putImage ${ref}`);
      return {ok: true, value: pushedDigest};
    },
    deleteTag: async () => ({ok: true, value: true}),
    tags: async () => ({ok: true, value: []}),
    blob: async () => ({ok: true, value: Buffer.from('{}')}),
    mayPush: async () => done,
    waitForDigest: async () => done,
    close: async () => {},
    ...overrides,
  };
}

/** Records in memory, by digest; what is written is also noted: `record passed <digest>`. */
export function fakeRecords(
  calls: string[],
  known: ReadonlyMap<string, ImageRecord> = new Map(),
): RecordStore & {readonly written: ImageRecord[]} {
  const written: ImageRecord[] = [];
  return {
    written,
    write: async (record) => {
      calls.push(`record ${record.tests?.verdict} ${record.digest}`);
      written.push(record);
      return done;
    },
    read: async ({digest}) => {
      calls.push(`readRecord ${digest}`);
      return known.get(digest);
    },
  };
}
