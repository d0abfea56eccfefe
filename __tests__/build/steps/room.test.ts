import {beforeEach, describe, expect, it} from 'vitest';
import type {Disk} from '../../../src/adapters/docker/index.ts';
import type {ImageState, StepContext, Work} from '../../../src/build/steps/context.ts';
import {takeRoom, watchClipping} from '../../../src/build/steps/room.ts';
import type {PlannedImage} from '../../../src/plan/types.ts';
import type {ImageRecord} from '../../../src/record/index.ts';
import {imageSpec} from '../../support/builders/stack.ts';
import {fakeDockerPort} from '../../support/fakes/step-ports.ts';

const gb = 1000 ** 3;
const standing = (name: string): string => `sha256:${name.padEnd(64, '0')}`;

/** `base` <- `mid` <- `leaf`, and `other`; all are built, and all stood at their tags before. */
function image(name: string, parents: readonly string[] = []): PlannedImage {
  return {
    name,
    spec: imageSpec(name, parents, {tagPrefix: '1', repository: `r.io/${name}`}),
    parents,
    level: 0,
    ref: `r.io/${name}:1-topic`,
    action: 'build',
    reasons: [],
    fingerprint: 'f',
    content: 'c',
    tests: 't',
    before: standing(name),
    source: undefined,
    expectedSeconds: undefined,
  };
}
const images = [image('base'), image('mid', ['base']), image('leaf', ['mid']), image('other')];

let calls: string[];
let said: string[];
let states: Map<string, ImageState>;
beforeEach(() => {
  calls = [];
  said = [];
  states = new Map();
});

const stateOf = (name: string): ImageState => {
  const fresh = {reserved: 0, isFailed: false, seconds: new Map(), id: undefined};
  const state = states.get(name) ?? (fresh as unknown as ImageState);
  states.set(name, state);
  return state;
};

/** All steps of an image are over. */
function finish(name: string, ...steps: readonly string[]): void {
  const state = stateOf(name);
  state.id = standing(name);
  const all = steps.length > 0 ? steps : ['pull', 'build', 'test', 'push', 'manifest'];
  for (const step of all) (state.seconds as Map<string, number>).set(step, 1);
}

interface Setting {
  /** One a look. */
  readonly free: readonly (number | undefined)[];
  readonly sizes?: Readonly<Record<string, number>>;
  readonly ids?: Readonly<Record<string, string>>;
}

function workOn(name: string, {free, sizes = {}, ids}: Setting): Work {
  const looks = [...free];
  const disk = async (): Promise<Disk | undefined> => {
    const freeBytes = looks.length > 1 ? looks.shift() : looks[0];
    return freeBytes === undefined
      ? undefined
      : {root: '/var/lib/docker', freeBytes, totalBytes: 74 * gb};
  };
  const found = ids ?? Object.fromEntries(images.map(({name: one, ref}) => [ref, standing(one)]));
  const context = {
    plan: {tag: '1-topic', images, changed: []},
    push: true,
    docker: fakeDockerPort(calls, {
      disk,
      ids: async (refs) => ({
        ok: true,
        value: new Map(refs.map((ref) => [ref, found[ref] ?? ''])),
      }),
      releasePrivately: async (one) => {
        calls.push(`release ${one}`);
        return {ok: true, value: undefined};
      },
    }),
    records: {
      read: async ({digest}: {digest: string}) => {
        const one = images.find(({before}) => before === digest);
        const size = sizes[one?.name ?? ''];
        return size === undefined ? undefined : ({size} as ImageRecord);
      },
    },
    emit: (event: {readonly message?: string}) => said.push(event.message ?? ''),
  } as unknown as StepContext;
  const found2 = images.find((one) => one.name === name);
  if (found2 === undefined) throw new Error(name);
  return {
    context,
    image: found2,
    state: stateOf(name),
    signal: new AbortController().signal,
    stateOf,
  };
}

describe('takeRoom', () => {
  it('does not ask what an engine elsewhere has, nor records where plenty is free', async () => {
    for (const free of [undefined, 100 * gb]) {
      const sizes = {base: 500 * gb};
      expect(await takeRoom(workOn('base', {free: [free], sizes}))).toMatchObject({ok: true});
    }
  });

  it('refuses what took more the last time than is free, with the figures and what helps', async () => {
    const done = await takeRoom(workOn('base', {free: [gb], sizes: {base: 3 * gb}}));
    expect(done).toMatchObject({
      ok: false,
      error: {
        class: 'disk-full',
        message:
          'r.io/base:1-topic was not built: of the disk of /var/lib/docker 1.0 GB of 74 GB are free, and 3.1 GB are needed (it took 3.0 GB the last time; builds beside it count).',
        hint: expect.stringContaining('take a larger runner'),
      },
    });
  });

  it('counts what an image adds to its parent, not what it stands on', async () => {
    const sizes = {base: 30 * gb, mid: 31 * gb};
    expect(await takeRoom(workOn('mid', {free: [2 * gb], sizes}))).toMatchObject({ok: true});
    expect(await takeRoom(workOn('mid', {free: [1 * gb], sizes}))).toMatchObject({ok: false});
  });

  it.each([
    ['nobody knows its size', {}],
    ['nobody knows the size of its parent', {mid: 31 * gb}],
  ])('asks for little where %s', async (_, sizes) => {
    expect(await takeRoom(workOn('mid', {free: [gb], sizes}))).toMatchObject({ok: true});
    expect(await takeRoom(workOn('mid', {free: [1000], sizes}))).toMatchObject({
      ok: false,
      error: {message: expect.stringContaining('the least that a build needs')},
    });
  });

  it('leaves the builds beside it what they were promised', async () => {
    const sizes = {base: 3 * gb, other: 3 * gb};
    const free = [4 * gb];
    expect(await takeRoom(workOn('base', {free, sizes}))).toMatchObject({ok: true});
    expect(await takeRoom(workOn('other', {free, sizes}))).toMatchObject({ok: false});
    stateOf('base').reserved = 0;
    expect(await takeRoom(workOn('other', {free, sizes}))).toMatchObject({ok: true});
  });

  it('drops what nothing needs any more, and says so', async () => {
    finish('base');
    finish('mid');
    finish('leaf', 'pull', 'build');
    const work = workOn('other', {free: [gb, 5 * gb], sizes: {other: 3 * gb}});
    expect(await takeRoom(work)).toMatchObject({ok: true});
    expect(calls).toEqual([
      ...['release base', 'removeImage r.io/base:1-topic'],
      ...['release mid', 'removeImage r.io/mid:1-topic'],
    ]);
    expect(said).toEqual([
      'The disk of /var/lib/docker had 1.0 GB free. Nothing needs r.io/base:1-topic, r.io/mid:1-topic any more: dropped here, now 5.0 GB are free.',
    ]);
  });

  it('keeps a parent whose child is not built, what is still pushed, and what another run put at the name', async () => {
    finish('base');
    finish('mid', 'pull', 'build', 'test');
    finish('leaf');
    const ids = {'r.io/leaf:1-topic': 'sha256:of-another-run'};
    stateOf('mid').seconds.delete('build');
    const work = workOn('other', {free: [gb], sizes: {other: 3 * gb}, ids});
    expect(await takeRoom(work)).toMatchObject({ok: false});
    expect(calls).toEqual([]);
  });

  it('never drops what this run did not bring', async () => {
    finish('base');
    finish('mid');
    stateOf('base').id = undefined;
    stateOf('mid').id = undefined;
    await takeRoom(workOn('other', {free: [gb], sizes: {other: 3 * gb}}));
    expect(calls).toEqual([]);
  });
});

describe('watchClipping', () => {
  const watch = () => {
    const written: string[] = [];
    const watched = watchClipping({
      write: (chunk) => {
        written.push(Buffer.from(chunk).toString());
      },
      close: async () => {},
      problem: () => undefined,
    });
    return {written, watched};
  };

  it('says what a clipped log lacks, and passes every byte on', () => {
    const {written, watched} = watch();
    for (const text of [
      '#5 0.1 hello\n',
      '#5 0.2 [output clipped, log limit 200KiB/s reached]\n',
      'x\n',
    ])
      watched.log.write(Buffer.from(text));
    expect(written.join('')).toContain('hello\n#5 0.2 [output clipped');
    expect(watched.notes()).toEqual([
      'the build log is not complete: BuildKit clipped what went beyond 200KiB/s (BUILDKIT_STEP_LOG_MAX_SIZE and _SPEED of the daemon)',
    ]);
  });

  it('says nothing of a whole log', () => {
    const {watched} = watch();
    watched.log.write(Buffer.from('#5 output clipped\n'));
    expect(watched.notes()).toEqual([]);
  });
});
