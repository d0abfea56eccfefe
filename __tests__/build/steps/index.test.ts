import {beforeEach, describe, expect, it} from 'vitest';
import type {BuildRequest, Docker} from '../../../src/adapters/docker/types.ts';
import type {Registry} from '../../../src/adapters/registry/types.ts';
import type {StepContext} from '../../../src/build/steps/context.ts';
import {fail, failure, ok} from '../../../src/failure.ts';
import {labels} from '../../../src/image/tags.ts';
import {published} from '../../support/builders/stack.ts';
import {builtImage, pushedDigest} from '../../support/fakes/step-ports.ts';
import {
  standingDigest as digest,
  failed,
  fingerprint,
  planned,
  proofOf,
  sourceAt,
  testsHash,
  useSteps,
} from '../../support/rig/steps.ts';

const {calls, go, write} = useSteps();

it.each<['build' | 'test', string]>([
  ['build', 'raise the input "timeout-minutes"'],
  ['test', 'raise "tests.timeout_minutes" in spec.yml, or the input "timeout-minutes"'],
])('says where the deadline of a %s is set', async (step, words) => {
  const slow = async () => failed('timeout');
  const images = [planned('a', {}, {tests: {...planned('a').spec.tests, where: 'container'}})];
  write('images/a/test/test_a.py', '');
  const docker = step === 'build' ? {build: slow} : {start: slow};
  const {failure} = await go(step === 'build' ? ['build'] : ['build', 'test'], {images, docker});
  expect(failure?.class).toBe('timeout');
  expect(failure?.hint).toContain(words);
});

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
        return ref.endsWith('main') ? {ok: true, value: undefined} : failed('not-found');
      },
      build: async ({cacheFrom}) => {
        calls.push(`cache ${cacheFrom.join()}`);
        return failed('internal');
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
  const family = [planned('p'), planned('a', {parents: ['p']})];

  it('gives the args of parents to a Dockerfile, and lets the spec have the last word', async () => {
    const own = planned('a', {}, {buildArgs: new Map([['BASE_TAG', 'mine']])});
    const parentArgs = new Map([
      [
        'a',
        new Map([
          ['BASE_TAG', '1-topic'],
          ['BASE_IMAGE', 'r.io/p:1-topic'],
        ]),
      ],
    ]);
    await go(['build'], {images: [own], docker: recording, context: {parentArgs}});
    expect([...(requests[0]?.buildArgs ?? [])]).toEqual([
      ['BASE_TAG', 'mine'],
      ['BASE_IMAGE', 'r.io/p:1-topic'],
    ]);
  });

  it('labels the image with what it is made of, and with the tests that the checkout has', async () => {
    await go(['build'], {docker: recording});
    expect(Object.fromEntries(requests[0]?.labels ?? [])).toEqual({
      [labels.fingerprint]: fingerprint,
      [labels.content]: `sha256:${'c'.repeat(64)}`,
      [labels.tests]: testsHash,
      [labels.run]: '77',
      [labels.revision]: 'abc',
      [labels.created]: '1970-01-01T00:00:00.000Z',
      [labels.version]: '1-topic',
    });
  });

  it('is not begun when the files are no longer what was planned', async () => {
    const changed = failure('context-changed', 'The files of a changed: images/a/x.');
    const asked: string[] = [];
    const verifyInputs: StepContext['verifyInputs'] = async ({name}) => {
      asked.push(name);
      return fail(changed);
    };
    const done = await go(['build'], {docker: recording, context: {verifyInputs}});
    expect(done.failure).toEqual(changed);
    expect(asked).toEqual(['a']);
    expect(requests).toEqual([]);
  });

  it.each([
    ['a root', [planned('a')], 0],
    ['a child', family, 1],
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

  it.each([
    ['before', 1, []],
    ['while', 2, ['build r.io/a:1-topic']],
  ])('is of no use when files changed %s docker read them', async (_, at, expected) => {
    let looks = 0;
    const verifyInputs = async () => (++looks === at ? failed('context-changed') : ok());
    const {failure, facts} = await go(['build', 'push'], {context: {verifyInputs}});
    expect(failure).toMatchObject({class: 'context-changed'});
    expect(calls).toEqual(expected);
    expect(facts.digest).toBeUndefined();
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
    const {facts} = await go(['build', 'push'], {images: [planned('a', {}, {platforms})], docker});
    const native = process.arch === 'x64' ? 'linux/amd64' : `linux/${process.arch}`;
    expect(requests[0]?.platforms).toEqual([native]);
    expect(pushes[0]?.platforms).toEqual(platforms);
    expect(facts.digest).toBe(pushedDigest);
  });
});

describe('push', () => {
  it('for several platforms builds from what was planned, or not at all: tests ran since', async () => {
    const platforms = ['linux/amd64', 'linux/arm64'];
    let looks = 0;
    const verifyInputs = async () => (++looks > 2 ? failed('context-changed') : ok());
    const {failure} = await go(['build', 'push'], {
      images: [planned('a', {}, {platforms})],
      context: {verifyInputs},
    });
    expect(failure).toMatchObject({class: 'context-changed'});
    expect(calls).toEqual(['build r.io/a:1-topic']);
  });

  const tested = `put ${proofOf('a')}`;

  it('pushes exactly what was built, and then calls it tested', async () => {
    const {facts, failure} = await go(['build', 'push', 'manifest']);
    expect(failure).toBeUndefined();
    expect(facts).toEqual({digest: pushedDigest, size: 117});
    expect(calls).toEqual([
      'build r.io/a:1-topic',
      `tag ${builtImage.id} r.io/a:1-topic`,
      'push r.io/a:1-topic',
      tested,
      `record passed ${pushedDigest}`,
    ]);
  });

  it('does not call it tested before the integration tests', async () => {
    await go(['build', 'push'], {images: [planned('a', {}, {integrationTests: true})]});
    expect(calls).not.toContain(tested);
  });

  it.each([
    [
      'publish: false',
      {images: [planned('a', {}, {publish: false})]},
      'not published ("publish: false")',
    ],
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
      return pushes === 1 ? failed('auth') : {ok: true, value: pushedDigest};
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
      return failed('auth');
    };
    const login = async () => ({ok: true, value: undefined}) as const;
    const {failure} = await go(['build', 'push'], {docker: {push}, context: {login}});
    expect(failure).toMatchObject({class: 'auth'});
    expect(calls.filter((call) => call === 'push')).toHaveLength(2);
  });
});

describe('reuse', () => {
  const source = sourceAt('r.io/a:fp-1');
  const images = [planned('a', {action: 'reuse', source})];

  it('moves a tag to the image that the plan read, and starts no docker', async () => {
    const put: Registry['put'] = async (ref, manifest) => {
      calls.push(`put ${ref}`);
      expect(manifest).toBe(source.manifest);
      return ok();
    };
    const {facts, notes} = await go(['reuse'], {images, registry: {put}});
    expect(facts.digest).toBe(digest);
    expect(notes).toEqual(['tagged from r.io/a:fp-1']);
    expect(calls).toEqual(['put r.io/a:1-topic']);
  });

  it('fails when the registry does not take the tag', async () => {
    const registry = {put: async () => failed('not-found')};
    expect((await go(['reuse'], {images, registry})).failure).toMatchObject({class: 'not-found'});
  });

  it('fails when the tag shows another image afterwards', async () => {
    const waitForDigest = async (ref: string, wanted: string) => {
      calls.push(`wait ${ref} ${wanted}`);
      return failed('tag-conflict');
    };
    const {failure} = await go(['reuse'], {images, registry: {waitForDigest}});
    expect(failure).toMatchObject({class: 'tag-conflict'});
    expect(calls.at(-1)).toBe(`wait r.io/a:1-topic ${digest}`);
  });

  it('leaves the registry alone in a run that does not push', async () => {
    const {facts, notes} = await go(['reuse'], {images, context: {push: false}});
    expect(facts.digest).toBe(digest);
    expect(notes).toEqual(['this run does not push']);
    expect(calls).toEqual([]);
  });
});

describe('prune', () => {
  it('removes the references, the private one too, where the spec says so', async () => {
    await go(['prune'], {images: [planned('a', {}, {prune: true})]});
    expect(calls).toEqual(['removeImage r.io/a:1-topic', 'releasePrivately a']);
  });

  it('keeps it otherwise', async () => {
    await go(['prune']);
    expect(calls).toEqual([]);
  });

  it('does not fail when it cannot', async () => {
    const removeImage: Docker['removeImage'] = async () => failed('internal');
    const {failure, notes} = await go(['prune'], {
      images: [planned('a', {}, {prune: true})],
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
