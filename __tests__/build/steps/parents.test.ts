import {beforeEach, describe, expect, it} from 'vitest';
import type {BuildRequest, Docker} from '../../../src/adapters/docker/types.ts';
import {ok} from '../../../src/failure.ts';
import type {PlannedImage} from '../../../src/plan/types.ts';
import {builtImage, privateTag, pushedDigest} from '../../support/fakes/step-ports.ts';
import {
  standingDigest as digest,
  failed,
  planned,
  sourceAt,
  useSteps,
} from '../../support/rig/steps.ts';

const {calls, go, open} = useSteps();

const requests: BuildRequest[] = [];
const recording: Partial<Docker> = {
  build: async (request) => {
    requests.push(request);
    return ok(builtImage);
  },
};
beforeEach(() => {
  requests.splice(0);
});

const source = sourceAt('r.io/p:1-topic');
const never = new AbortController().signal;

/** A parent and its child, whose Dockerfile writes the parent in two ways. */
const family = (parent: Partial<PlannedImage> = {}): readonly PlannedImage[] => [
  planned('p', parent),
  planned('a', {parents: ['p']}),
];
const written = ['r.io/p', 'r.io/p:stable'];
const context = {references: new Map([['a', new Map([['p', written]])]])};
const contexts = (at = 0) => Object.fromEntries(requests[at]?.buildContexts ?? []);
const each = (means: string) =>
  Object.fromEntries(written.map((reference) => [reference, `docker-image://${means}`]));

/** Builds the parent, then the child. */
async function buildBoth(docker: Parameters<typeof go>[1] = {}) {
  const images = family();
  const {runStep} = open(images, {context, ...docker});
  const [parent, child] = images;
  if (parent === undefined || child === undefined) throw new Error('a family expected');
  await runStep(parent, 'build', never);
  return {child: await runStep(child, 'build', never), runStep, images};
}

describe("docker's own builder", () => {
  it('gets a parent of this run by a tag that is private to the run, for every spelling', async () => {
    await buildBoth({docker: recording});
    expect(contexts(1)).toEqual(each(privateTag('p')));
    expect(calls).toEqual([`tagPrivately ${builtImage.id} p`]);
  });

  it('gets a parent that is only in the registry after one pull by digest', async () => {
    await go(['build', 'build'], {
      images: family({action: 'skip', source}),
      docker: recording,
      context,
    });
    expect(contexts()).toEqual(each(privateTag('p')));
    expect(calls.filter((call) => !call.startsWith('tagPrivately'))).toEqual([
      `pull r.io/p@${digest}`,
      `tag r.io/p@${digest} r.io/p:1-topic`,
    ]);
  });

  it('gets nothing for a parent that the Dockerfile names nowhere', async () => {
    await go(['build'], {images: family({action: 'skip', source}), docker: recording});
    expect(requests).toHaveLength(1);
    expect(contexts()).toEqual({});
  });

  it('does not build on a parent that could not be brought', async () => {
    const {failure} = await go(['build'], {
      images: family({action: 'skip', source}),
      docker: {...recording, pull: async () => failed('permission')},
      context,
    });
    expect(failure).toMatchObject({class: 'permission'});
    expect(requests).toEqual([]);
  });

  it('does not build on a parent that could not be tagged', async () => {
    const tagPrivately = async () => failed('daemon-lost');
    const {child} = await buildBoth({docker: {...recording, tagPrivately}});
    expect(child.failure).toMatchObject({class: 'daemon-lost'});
    expect(requests).toHaveLength(1);
  });
});

describe('a builder elsewhere', () => {
  const docker = {...recording, facts: {driver: 'kubernetes'}};

  it('gets a parent of the registry by digest, for every spelling, without a pull', async () => {
    await go(['build'], {images: family({action: 'reuse', source}), docker, context});
    expect(contexts()).toEqual(each(`r.io/p@${digest}`));
    expect(requests[0]?.inEngine).toBe(false);
    expect(calls).toEqual([]);
  });

  it('waits for the push of a parent of this run, and gets what was pushed', async () => {
    const images = family();
    const [parent, child] = images;
    if (parent === undefined || child === undefined) throw new Error('a family expected');
    const {runStep} = open(images, {docker, context});
    await runStep(parent, 'build', never);
    let isBuilt = false;
    const building = runStep(child, 'build', never).then((result) => {
      isBuilt = true;
      return result;
    });
    await new Promise((go) => setImmediate(go));
    expect(isBuilt).toBe(false);
    await runStep(parent, 'push', never);
    expect((await building).failure).toBeUndefined();
    expect(contexts(1)).toEqual(each(`r.io/p@${pushedDigest}`));
  });

  it('does not build when the push of the parent failed', async () => {
    const images = family();
    const [parent, child] = images;
    if (parent === undefined || child === undefined) throw new Error('a family expected');
    const push = async () => failed('permission');
    const {runStep} = open(images, {docker: {...docker, push}, context});
    await runStep(parent, 'build', never);
    const building = runStep(child, 'build', never);
    await runStep(parent, 'push', never);
    expect((await building).failure).toMatchObject({class: 'blocked-by-parent'});
    expect(requests).toHaveLength(1);
  });

  it('gives way to the engine where the parent is never pushed', async () => {
    const {child} = await buildBoth({docker, context: {...context, push: false}});
    expect(requests[1]?.inEngine).toBe(true);
    expect(contexts(1)).toEqual(each(privateTag('p')));
    expect(child.notes.join()).toContain('built by the Docker engine');
  });
});

describe('plain docker build', () => {
  it('finds the parent of this run under the references of the Dockerfile', async () => {
    await buildBoth({docker: {...recording, facts: {hasBuildx: false}}});
    expect(contexts(1)).toEqual({});
    expect(calls).toEqual([
      `tagPrivately ${builtImage.id} p`,
      ...written.map((reference) => `tag ${privateTag('p')} ${reference}`),
    ]);
  });
});

describe('an external image', () => {
  const exact = `docker.io/library/python@${digest}`;
  const pinsOf = () => new Map([['python:3.12', exact]]);

  it('is handed over by the digest of the fingerprint: the engine may have an older one', async () => {
    await go(['build'], {docker: recording, context: {pinsOf}});
    expect(contexts()).toEqual({'python:3.12': `docker-image://${exact}`});
    expect(calls).toEqual([]);
  });

  it('is pulled by digest where a build takes what the engine has under that name', async () => {
    await go(['build'], {docker: {...recording, facts: {hasBuildx: false}}, context: {pinsOf}});
    expect(contexts()).toEqual({});
    expect(calls).toEqual([`pull ${exact}`, `tag ${exact} python:3.12`]);
  });

  it('that cannot be had fails the build', async () => {
    const docker = {
      ...recording,
      facts: {hasBuildx: false},
      pull: async () => failed('permission'),
    };
    const {failure} = await go(['build'], {docker, context: {pinsOf}});
    expect(failure).toMatchObject({class: 'permission'});
    expect(requests).toEqual([]);
  });
});
