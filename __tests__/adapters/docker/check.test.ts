import {hostname, tmpdir} from 'node:os';
import {afterEach, describe, expect, it, vi} from 'vitest';
import {createDocker, type Docker} from '../../../src/adapters/docker/index.ts';
import {runCommand} from '../../../src/adapters/process/index.ts';
import {failure} from '../../../src/failure.ts';
import {type FakeDocker, fakeDocker, type Rule} from '../../support/fakes/docker-cli.ts';

let fake: FakeDocker;
afterEach(() => {
  vi.unstubAllEnvs();
  fake.remove();
});

function open(rules: readonly Rule[], hasBuilders = true): Docker {
  fake = fakeDocker(rules);
  vi.stubEnv('PATH', fake.bin);
  return createDocker({
    run: runCommand,
    config: {
      folder: fake.folder,
      env: {},
      hasBuilders,
      releaseHost: async () => {},
      remove: async () => {},
    },
    builder: undefined,
    runId: '77',
    root: fake.folder,
    tempDir: fake.folder,
  });
}

const saying = (said: unknown): Rule => ({
  when: 'info --format',
  stdout: typeof said === 'string' ? said : JSON.stringify(said),
});

describe('check', () => {
  it.each([
    ['nothing of its store', {version: '28.5.2', plugins: [{Name: 'buildx'}]}, true],
    ['null for everything', {version: null, storage: null, plugins: null, root: null}, false],
    ['plugins of another shape', {version: '28.5.2', plugins: {buildx: {}}}, false],
    ['plugins that are no objects', {version: '28.5.2', plugins: [null, 3, 'buildx']}, false],
    ['a version that is a number', {version: 28}, false],
    ['null', null, false],
    ['a list', [], false],
    ['no JSON', 'Emulate Docker CLI using podman.', false],
    ['nothing', '', false],
  ])('does not stumble over a "docker info" that says %s', async (_, said, hasBuildx) => {
    expect(await open([saying(said)]).check()).toEqual({
      ok: true,
      value: {hasBuildx, hasContainerdStore: false},
    });
  });
});

describe('driver', () => {
  const far: Rule = {when: 'buildx inspect', stdout: 'Driver: remote\n'};

  it('is what buildx says, where somebody created a builder', async () => {
    const docker = open([far]);
    expect(await docker.driver()).toEqual({ok: true, value: 'remote'});
    await docker.driver();
    expect(fake.calls()).toHaveLength(1);
  });

  it('is the engine itself where nobody did, and nothing is asked', async () => {
    expect(await open([far], false).driver()).toEqual({ok: true, value: 'docker'});
    expect(fake.calls()).toEqual([]);
  });
});

describe('disk', () => {
  it('is looked at now, where the engine keeps its data, without asking the engine again', async () => {
    const docker = open([saying({root: tmpdir(), name: hostname()})]);
    const [one, two] = [await docker.disk(), await docker.disk()];
    expect(one).toMatchObject({root: tmpdir(), freeBytes: expect.any(Number)});
    expect(one?.totalBytes).toBeGreaterThan(one?.freeBytes ?? 0);
    expect(two).toBeDefined();
    expect(fake.calls()).toHaveLength(1);
  });

  it.each([
    ['is on another machine', {root: tmpdir(), name: 'elsewhere'}],
    ['keeps its data where this machine has no folder', {root: '/no/such/folder'}],
    ['does not say where its data is', {}],
  ])('is not known where the engine %s', async (_, said) => {
    expect(await open([saying(said)]).disk()).toBeUndefined();
  });

  it('is not known where no engine answers', async () => {
    const docker = open([{when: 'info', stderr: 'Cannot connect', exitCode: 1}]);
    expect(await docker.disk()).toBeUndefined();
  });
});

describe('diagnose', () => {
  const failed = failure('build-failed', 'The build failed.', {
    cause: {kind: 'exit', command: 'docker build', exitCode: 1},
  });

  it('calls a disk full that has nothing left, with the figures', async () => {
    // No file system has less room than this one.
    const docker = open([saying({root: '/proc'})]);
    expect(await docker.diagnose(failed)).toMatchObject({
      class: 'disk-full',
      message: 'The build failed. The disk of /proc is full: 0 B of 0 B are free.',
      hint: expect.stringContaining('docker builder prune'),
    });
  });

  it('never blames the disk of this machine for an engine on another', async () => {
    const docker = open([saying({root: '/proc', name: 'elsewhere'})]);
    expect(await docker.diagnose(failed)).toEqual(failed);
  });
});

describe('memoryRanOut', () => {
  it.each([
    ['', false],
    ['0671497bf067\n', true],
  ])('%j of the events of that time is %s', async (stdout, expected) => {
    const docker = open([{when: 'events', stdout}]);
    const since = new Date('2026-01-01T00:00:00.250Z');
    expect(await docker.memoryRanOut(['r.io/a:1', 'sha256:1'], since)).toBe(expected);
    expect(fake.last('events').args.join(' ')).toMatch(
      /^events --since 1767225600\.250 --until \d+\.\d{3} --filter event=oom --filter image=r\.io\/a:1 --filter image=sha256:1/,
    );
  });
  it('is not known where the engine does not tell', async () => {
    const docker = open([{when: 'events', exitCode: 1}]);
    expect(await docker.memoryRanOut(['r.io/a:1'], new Date())).toBe(false);
  });
});

describe('ranOutOfMemory', () => {
  it.each([
    ['true\n', true],
    ['false\n', false],
    ['', false],
  ])('believes what the engine says of a container: %j', async (stdout, expected) => {
    const docker = open([{when: 'container inspect', stdout}]);
    expect(await docker.ranOutOfMemory('c')).toBe(expected);
  });
});
