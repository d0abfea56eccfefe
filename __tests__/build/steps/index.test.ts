import {chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import type {BuildRequest, Docker} from '../../../src/adapters/docker/types.ts';
import {openWorkspace} from '../../../src/adapters/files/index.ts';
import {runCommand} from '../../../src/adapters/process/index.ts';
import type {StepContext} from '../../../src/build/steps/context.ts';
import {createSteps} from '../../../src/build/steps/index.ts';
import type {Failure, Result} from '../../../src/failure.ts';
import type {PlannedImage} from '../../../src/plan/types.ts';
import type {StepName} from '../../../src/schedule/steps.ts';
import type {ImageSpec} from '../../../src/stack/spec/types.ts';
import {imageSpec, published} from '../../support/builders/stack.ts';
import {
  builtImage,
  fakeDockerPort,
  fakeRegistryPort,
  pushedDigest,
} from '../../support/fakes/step-ports.ts';

const digest = `sha256:${'3'.repeat(64)}`;
const fingerprint = `sha256:${'0123456789abcdef'.repeat(4)}`;

function spec(name: string, more: Partial<ImageSpec> = {}): ImageSpec {
  return imageSpec(name, [], {tagPrefix: '1', repository: `r.io/${name}`, ...more});
}

function planned(name: string, more: Partial<PlannedImage> = {}): PlannedImage {
  return {
    name,
    parents: [],
    level: 0,
    ref: `r.io/${name}:1-topic`,
    action: 'build',
    reasons: [],
    fingerprint,
    content: 'sha256:c',
    source: undefined,
    expectedSeconds: undefined,
    ...more,
  };
}

function failed(failure: Partial<Failure> & {class: Failure['class']}): Result<never> {
  return {
    ok: false,
    error: {message: 'no', tail: [], ...failure} as Failure,
  };
}

let root: string;
let calls: string[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'steps-'));
  calls = [];
});
afterEach(() => rmSync(root, {recursive: true}));

interface Setting {
  readonly specs?: readonly ImageSpec[];
  readonly images?: readonly PlannedImage[];
  readonly docker?: Parameters<typeof fakeDockerPort>[1];
  readonly registry?: Parameters<typeof fakeRegistryPort>[1];
  readonly context?: Partial<StepContext>;
}

function write(file: string, text: string): string {
  const path = join(root, file);
  mkdirSync(dirname(path), {recursive: true});
  writeFileSync(path, text);
  return path;
}

function open(images: readonly PlannedImage[], setting: Setting) {
  const specs = setting.specs ?? images.map(({name}) => spec(name));
  return createSteps({
    plan: {tag: '1-topic', images, changed: []},
    images: new Map(specs.map((one) => [one.name, one])),
    stackDir: 'images',
    workspace: openWorkspace(root),
    docker: fakeDockerPort(calls, setting.docker),
    registry: fakeRegistryPort(calls, setting.registry),
    run: runCommand,
    emit: () => {},
    testEnvironment: {PATH: join(root, 'bin')},
    tempDir: tmpdir(),
    push: true,
    cache: 'inline',
    caches: new Map(),
    timeoutMinutes: undefined,
    runId: '77',
    revision: 'abc',
    sourceUrl: undefined,
    login: undefined,
    now: () => new Date(0),
    wait: async () => {},
    ...setting.context,
  });
}

/** Does steps of the last image of the plan, up to the first that fails. */
async function go(names: readonly StepName[], setting: Setting = {}) {
  const images = setting.images ?? [planned('a')];
  const {runStep, facts} = open(images, setting);
  const image = images.at(-1) ?? planned('a');
  let last = await runStep(image, names[0] ?? 'build', new AbortController().signal);
  for (const name of names.slice(1)) {
    if (last.failure !== undefined) break;
    last = await runStep(image, name, new AbortController().signal);
  }
  return {...last, facts: facts(image.name)};
}

describe('pull', () => {
  const legacy = {hasBuildx: false};

  const caches = new Map([['a', ['r.io/a:buildcache', 'r.io/a:1-main']]]);

  it('leaves the cache to BuildKit where there is one, and says which', async () => {
    const {notes} = await go(['pull'], {context: {caches}});
    expect(notes).toEqual(['cache from r.io/a:buildcache, r.io/a:1-main']);
    expect(calls).toEqual([]);
  });

  it("names no image where GitHub's cache is read instead", async () => {
    const {notes} = await go(['pull'], {context: {caches, cache: 'gha'}});
    expect(notes).toEqual([]);
  });

  it('pulls the first that is an image, for plain docker build', async () => {
    const docker: Partial<Docker> = {
      pull: async (ref) => {
        calls.push(`pull ${ref}`);
        return ref.endsWith('main') ? {ok: true, value: undefined} : failed({class: 'not-found'});
      },
      build: async ({cacheFrom}) => {
        calls.push(`cache ${cacheFrom.join()}`);
        return failed({class: 'internal'});
      },
    };
    await go(['pull', 'build'], {docker: {...docker, facts: legacy}, context: {caches}});
    expect(calls).toEqual(['pull r.io/a:buildcache', 'pull r.io/a:1-main', 'cache r.io/a:1-main']);
  });

  it('asks docker for nothing where there is no cache', async () => {
    const check: Docker['check'] = () => Promise.reject(new Error('it was asked'));
    const {failure, notes} = await go(['pull'], {docker: {check}});
    expect({failure, notes}).toEqual({failure: undefined, notes: ['no cache to read']});
  });
});

describe('build', () => {
  const requests: BuildRequest[] = [];
  const recording: Partial<Docker> = {
    build: async (request) => {
      requests.push(request);
      return {ok: true, value: {...builtImage, cacheSeconds: 2}};
    },
  };
  beforeEach(() => requests.splice(0));
  const family = (parent: Partial<PlannedImage>): readonly PlannedImage[] => [
    planned('p', parent),
    planned('a', {parents: ['p']}),
  ];

  it('tells a child its parent, and lets the spec have the last word', async () => {
    const specs = [spec('p'), spec('a', {buildArgs: new Map([['BASE_TAG', 'mine']])})];
    await go(['build'], {images: family({}), specs, docker: recording});
    expect([...(requests[0]?.buildArgs ?? [])]).toEqual([
      ['BASE_TAG', 'mine'],
      ['BASE_IMAGE', 'r.io/p:1-topic'],
    ]);
  });

  it('brings a parent that is only in the registry, by digest, once', async () => {
    const source = {ref: 'r.io/p:1-topic', digest};
    await go(['build', 'build'], {images: family({action: 'skip', source}), docker: recording});
    expect(calls).toEqual([`pull r.io/p@${digest}`, `tag r.io/p@${digest} r.io/p:1-topic`]);
  });

  it('makes sure of a parent that was built here, once for all children that start together', async () => {
    const images = [...family({}), planned('b', {parents: ['p']})];
    const {runStep} = open(images, {docker: recording});
    const build = (image: PlannedImage) => runStep(image, 'build', new AbortController().signal);
    const [parent, ...children] = images;
    if (parent !== undefined) await build(parent);
    await Promise.all(children.map(build));
    expect(calls).toEqual([`tag ${builtImage.id} r.io/p:1-topic`]);
    // Minutes later somebody else may have moved it.
    await Promise.all(children.map(build));
    expect(calls).toHaveLength(2);
  });

  it('shows a parent in the registry to a builder elsewhere', async () => {
    const docker = {...recording, facts: {driver: 'kubernetes'}};
    const source = {ref: 'r.io/p:1-topic', digest};
    await go(['build'], {images: family({action: 'reuse', source}), docker});
    expect([...(requests[0]?.buildContexts ?? [])]).toEqual([
      ['r.io/p:1-topic', `docker-image://r.io/p@${digest}`],
    ]);
    expect(calls).toEqual([]);
  });

  it('builds in the engine what a builder elsewhere could not see', async () => {
    const docker = {...recording, facts: {driver: 'docker-container'}};
    const {notes} = await go(['build'], {images: family({}), docker, context: {push: false}});
    expect(requests[0]).toMatchObject({inEngine: true, buildContexts: new Map()});
    expect(notes.join()).toContain('built by the engine');
  });

  it.each([
    ['a root', [planned('a')], 0],
    ['a child', family({}), 1],
  ])('asks for the builder what it must: %s', async (_, images, times) => {
    let asked = 0;
    const driver: Docker['driver'] = async () => {
      asked++;
      return {ok: true, value: 'docker'};
    };
    await go(['build'], {images, docker: {...recording, driver}});
    expect(asked).toBe(times);
  });

  it('says what the cache cost, and that the builder knows no better one', async () => {
    const {notes, cacheSeconds} = await go(['build'], {
      docker: recording,
      context: {cache: 'registry'},
    });
    expect(cacheSeconds).toBe(2);
    expect(notes).toEqual([
      'cache written in 2.0 s',
      'cache "registry" is not supported by this builder; using inline instead',
    ]);
  });

  it('builds one platform here and all of them for the registry', async () => {
    const pushes: BuildRequest[] = [];
    const docker: Partial<Docker> = {
      ...recording,
      buildAndPush: async (request) => {
        pushes.push(request);
        return {ok: true, value: pushedDigest};
      },
    };
    const platforms = ['linux/s390x', 'linux/amd64', 'linux/arm64'];
    const {facts} = await go(['build', 'push'], {specs: [spec('a', {platforms})], docker});
    const native = process.arch === 'x64' ? 'linux/amd64' : `linux/${process.arch}`;
    expect(requests[0]?.platforms).toEqual([native]);
    expect(pushes[0]?.platforms).toEqual(platforms);
    expect(facts.digest).toBe(pushedDigest);
  });
});

describe('push', () => {
  const tested = 'put r.io/a:fp-0123456789abcdef';

  it('pushes exactly what was built, and then calls it tested', async () => {
    const {facts, failure} = await go(['build', 'push', 'manifest']);
    expect(failure).toBeUndefined();
    expect(facts).toEqual({digest: pushedDigest, size: 117});
    expect(calls).toEqual([
      'build r.io/a:1-topic',
      `tag ${builtImage.id} r.io/a:1-topic`,
      'push r.io/a:1-topic',
      tested,
    ]);
  });

  it('does not call it tested before the integration tests', async () => {
    await go(['build', 'push'], {specs: [spec('a', {integrationTests: true})]});
    expect(calls).not.toContain(tested);
  });

  it.each([
    ['publish: false', {specs: [spec('a', {publish: false})]}, 'not published ("publish: false")'],
    ['a run that does not push', {context: {push: false}}, 'this run does not push'],
  ])('leaves the registry alone with %s', async (_, setting, note) => {
    const {notes} = await go(['build', 'push'], setting);
    expect(notes).toEqual([note]);
    expect(calls).toEqual(['build r.io/a:1-topic']);
  });

  it('fails when the registry shows the image of somebody else', async () => {
    const inspect = async () => published('b', {digest: pushedDigest, configDigest: digest});
    const {failure} = await go(['build', 'push'], {registry: {inspect}});
    expect(failure).toMatchObject({class: 'tag-conflict'});
    expect(calls).not.toContain(tested);
  });

  it('logs in once more when the token ran out', async () => {
    let pushes = 0;
    const push: Docker['push'] = async () => {
      pushes++;
      return pushes === 1 ? failed({class: 'auth'}) : {ok: true, value: pushedDigest};
    };
    const login = async () => {
      calls.push('login');
      return {ok: true, value: undefined} as const;
    };
    const {failure} = await go(['build', 'push'], {docker: {push}, context: {login}});
    expect(failure).toBeUndefined();
    expect(calls.filter((call) => call === 'login')).toHaveLength(1);
  });

  it('does not log in for ever', async () => {
    const push: Docker['push'] = async () => {
      calls.push('push');
      return failed({class: 'auth'});
    };
    const login = async () => ({ok: true, value: undefined}) as const;
    const {failure} = await go(['build', 'push'], {docker: {push}, context: {login}});
    expect(failure).toMatchObject({class: 'auth'});
    expect(calls.filter((call) => call === 'push')).toHaveLength(2);
  });
});

describe('reuse', () => {
  const images = [planned('a', {action: 'reuse', source: {ref: 'r.io/a:fp-1', digest}})];

  it('moves a tag and starts no docker', async () => {
    const {facts, notes} = await go(['reuse'], {images});
    expect(facts.digest).toBe(digest);
    expect(notes).toEqual(['tagged from r.io/a:fp-1']);
    expect(calls).toEqual(['put r.io/a:1-topic']);
  });

  it('fails when the twin is gone', async () => {
    const registry = {manifest: async () => ({state: 'absent'}) as const};
    expect((await go(['reuse'], {images, registry})).failure).toMatchObject({class: 'not-found'});
  });
});

describe('test', () => {
  /** A program that stands for pytest: prints its arguments and environment, and ends as told. */
  function program(name: string, exitCode: number): void {
    const text = `#!/bin/sh\necho "args $*"\necho "image $TEST_IMAGE token $GITHUB_TOKEN"\nexit ${exitCode}\n`;
    chmodSync(write(`bin/${name}`, text), 0o755);
  }
  const log = (): string =>
    readFileSync(join(root, 'logs', 'r.io-a-1-topic.basic-tests.log'), 'utf8');
  const own = (): string => write('images/a/test/test_a.py', '');

  it('says that there are none', async () => {
    expect((await go(['test'])).notes).toEqual(['no tests']);
  });

  it('runs the common ones and its own from the root of the workspace', async () => {
    program('pytest', 0);
    write('images/tests_common/test_c.py', '');
    write('images/a/tests/test_a.py', '');
    expect((await go(['test'])).failure).toBeUndefined();
    expect(log()).toContain('args -x -p no:cacheprovider images/tests_common images/a/tests');
    expect(log()).toContain('image r.io/a:1-topic token \n');
  });

  it('passes when nothing was collected, and says so', async () => {
    program('pytest', 5);
    own();
    const {failure, notes} = await go(['test']);
    expect(failure).toBeUndefined();
    expect(notes).toEqual(['no tests collected']);
  });

  it.each([1, 2, 3, 4])('fails with exit code %d of pytest', async (exitCode) => {
    program('pytest', exitCode);
    own();
    expect((await go(['test'])).failure).toMatchObject({class: 'test-failed', exitCode});
  });

  it('finds pytest as a module', async () => {
    program('python3', 0);
    own();
    expect((await go(['test'])).failure).toBeUndefined();
    expect(log()).toContain('args -m pytest -x');
  });

  it('says in one sentence that there is no pytest', async () => {
    own();
    const {failure} = await go(['test']);
    expect(failure?.message).toMatch(/^pytest is not installed/);
    expect(failure?.hint).toContain('pip install pytest');
  });

  it('runs the command of the spec instead', async () => {
    program('check', 0);
    const tests = {command: `check "a b"`, where: 'host', timeoutMinutes: undefined} as const;
    expect((await go(['test'], {specs: [spec('a', {tests})]})).failure).toBeUndefined();
    expect(log()).toContain('args a b\n');
  });

  it('does not take exit code 5 of another program for no tests', async () => {
    program('check', 5);
    const tests = {command: 'check', where: 'host', timeoutMinutes: undefined} as const;
    const {failure} = await go(['test'], {specs: [spec('a', {tests})]});
    expect(failure).toMatchObject({class: 'test-failed'});
  });

  it('calls an image tested that only had to be tested again', async () => {
    program('pytest', 0);
    own();
    const source = {ref: 'r.io/a:1-topic', digest};
    await go(['pull', 'test'], {images: [planned('a', {action: 'test', source})]});
    expect(calls.at(-1)).toBe('put r.io/a:fp-0123456789abcdef');
  });

  it('wants the integration tests that the spec promises', async () => {
    const specs = [spec('a', {integrationTests: true})];
    expect((await go(['integration-test'], {specs})).failure).toMatchObject({class: 'no-tests'});
  });
});

describe('prune', () => {
  it('removes the reference where the spec says so', async () => {
    await go(['prune'], {specs: [spec('a', {prune: true})]});
    expect(calls).toEqual(['removeImage r.io/a:1-topic']);
  });

  it('keeps it otherwise', async () => {
    await go(['prune']);
    expect(calls).toEqual([]);
  });

  it('does not fail when it cannot', async () => {
    const removeImage: Docker['removeImage'] = async () => failed({class: 'internal'});
    const {failure, notes} = await go(['prune'], {
      specs: [spec('a', {prune: true})],
      docker: {removeImage},
    });
    expect(failure).toBeUndefined();
    expect(notes).toEqual(['not pruned: no']);
  });
});

it('turns a bug into a failure of one image', async () => {
  const docker: Partial<Docker> = {
    check: () => {
      throw new Error('oops');
    },
  };
  expect((await go(['build'], {docker})).failure).toMatchObject({
    class: 'internal',
    message: 'Internal error: oops',
  });
});
