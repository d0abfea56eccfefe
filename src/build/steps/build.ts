import type {BuildRequest, DockerFacts} from '../../adapters/docker/index.ts';
import {ok, type Result} from '../../failure.ts';
import {parseReference} from '../../image/reference.ts';
import {labels} from '../../image/tags.ts';
import {isPushed} from '../../schedule/index.ts';
import {formatDuration} from '../../util/text.ts';
import {type CacheOptions, cacheOptions} from '../cache.ts';
import {attemptOften, attempts} from './attempts.ts';
import {dockerOptions, type Step, type StepEnd, type Work, withLog} from './context.ts';
import {bringHere, bringParents, type Parents} from './parents.ts';
import {takeRoom, watchClipping} from './room.ts';

/** Brings what the image needs before it can be worked on: itself when it is only tested, else a cache. */
export const pullStep: Step = async (work) => {
  const {context, image, state} = work;
  if (image.action === 'test') return withLog(work, 'build', (log) => bringHere(work, image, log));
  if (image.action !== 'build' || context.cache === 'none') return {};
  const found = context.caches.get(image.name) ?? [];
  // What GitHub's cache holds is not known here; an earlier image serves only where that cannot be read.
  const saying = (note: string): StepEnd => (context.cache === 'gha' ? {} : {notes: [note]});
  if (found.length === 0) return saying('no cache to read');
  const facts = await context.docker.check();
  if (!facts.ok) return {failure: facts.error};
  // BuildKit reads the cache of an image without pulling it.
  if (facts.value.hasBuildx) return saying(`cache from ${found.join(', ')}`);
  return withLog(work, 'build', async (log) => {
    for (const ref of found) {
      const pulled = await context.docker.pull(ref, dockerOptions(work, log));
      if (pulled.ok) {
        state.pulledCache.push(ref);
        return {notes: [`cache from ${ref}`]};
      }
      if (pulled.error.class === 'cancelled') return {failure: pulled.error};
    }
    return {notes: ['no earlier image could be pulled for its cache']};
  });
};

/** Builds into the engine's store. */
export const buildStep: Step = async (work) => {
  const {context, state} = work;
  const facts = await factsFor(work);
  if (!facts.ok) return {failure: facts.error};
  return withLog(work, 'build', async (log) => {
    const parents = await bringParents(work, facts.value, log);
    if (!parents.ok) return {failure: parents.error};
    // Tests of other images ran since the plan was made, and may have written into this context.
    const same = await context.verifyInputs(work.image);
    if (!same.ok) return {failure: same.error};
    const room = await takeRoom(work);
    if (!room.ok) return {failure: room.error};
    const request = buildRequest(work, facts.value, parents.value);
    const watched = watchClipping(log);
    const {result, retries} = await attemptOften(work, {what: 'build', times: attempts.build}, () =>
      context.docker.build(nativeOnly(request), dockerOptions(work, watched.log)),
    );
    state.reserved = 0;
    if (!result.ok) {
      return {failure: await context.docker.diagnose(result.error), notes: watched.notes()};
    }
    // The tests of a parent run beside this build, and may have written before docker read the files.
    const still = await context.verifyInputs(work.image);
    if (!still.ok) return {failure: still.error};
    state.id = result.value.id;
    const {cacheSeconds} = result.value;
    return {
      ...(cacheSeconds === undefined ? {} : {cacheSeconds}),
      notes: [
        ...(retries > 0 ? [`built after ${retries} ${retries === 1 ? 'retry' : 'retries'}`] : []),
        ...(cacheSeconds ? [`cache written in ${formatDuration(cacheSeconds * 1000)}`] : []),
        ...watched.notes(),
        ...notesOf(work, facts.value, request),
      ],
    };
  });
};

/**
 * What the build must know. The builder takes a tenth of a second to say where it builds; only who has parents, or a
 * cache of its own, waits for that: the rest is built alike everywhere.
 */
export async function factsFor({context, image}: Work): Promise<Result<DockerFacts>> {
  const {docker, cache} = context;
  const engine = await docker.check();
  if (!engine.ok) return engine;
  const isAlike = image.parents.length === 0 && (cache === 'inline' || cache === 'none');
  const driver = isAlike ? ({ok: true, value: 'docker'} as const) : await docker.driver();
  return driver.ok ? ok({...engine.value, driver: driver.value}) : driver;
}

/** Where something other was done than the user may expect. */
function notesOf(
  {context, image}: Work,
  facts: DockerFacts,
  {inEngine, platforms}: BuildRequest,
): readonly string[] {
  const isReduced = ['registry', 'gha'].includes(context.cache) && !canExport(facts);
  return [
    ...(inEngine
      ? [
          `built by the Docker engine: builder ${facts.driver} cannot see parents that are not pushed`,
        ]
      : []),
    ...(isReduced
      ? [`cache "${context.cache}" is not supported by this builder; using inline instead`]
      : []),
    ...(platforms.length > 1
      ? [`${image.ref} is built for ${platforms.join(', ')} when it is pushed`]
      : []),
  ];
}

/** What is built, for all its platforms. */
export function buildRequest(work: Work, facts: DockerFacts, parents: Parents): BuildRequest {
  const {context, image} = work;
  const {spec} = image;
  const cache = cacheOf(work, parents.inEngine ? {...facts, driver: 'docker'} : facts);
  return {
    ref: image.ref,
    context: spec.context,
    dockerfile: spec.dockerfile,
    buildArgs: new Map([...(context.parentArgs.get(image.name) ?? []), ...spec.buildArgs]),
    labels: labelsOf(work),
    target: spec.target,
    platforms: spec.platforms,
    secrets: context.givesSecrets ? spec.secrets : [],
    buildContexts: parents.contexts,
    inEngine: parents.inEngine,
    privateName: context.plan.images.some(
      (child) => child.action === 'build' && child.parents.includes(image.name),
    )
      ? image.name
      : undefined,
    cacheFrom: cache.from,
    cacheTo: cache.to,
  };
}

function labelsOf({context, image}: Work): ReadonlyMap<string, string> {
  const {runId, revision, sourceUrl} = context;
  return new Map([
    [labels.fingerprint, image.fingerprint],
    [labels.content, image.content],
    [labels.tests, image.tests],
    [labels.run, runId],
    ...(revision === '' ? [] : [[labels.revision, revision] as const]),
    ...(sourceUrl === undefined ? [] : [[labels.source, sourceUrl] as const]),
    [labels.created, context.now().toISOString()],
    [labels.version, parseReference(image.ref)?.tag ?? context.plan.tag],
  ]);
}

function cacheOf(work: Work, facts: DockerFacts): CacheOptions {
  const {context, image, state} = work;
  if (!facts.hasBuildx) return {from: state.pulledCache, to: []};
  return cacheOptions({
    cache: context.cache,
    name: image.name,
    ref: image.ref,
    found: context.caches.get(image.name) ?? [],
    isWritten: isPushed(image, context),
    canExport: canExport(facts),
  });
}

/** docker's own builder with the old image store knows inline metadata only. */
function canExport(facts: DockerFacts): boolean {
  return facts.hasBuildx && (facts.driver !== 'docker' || facts.hasContainerdStore);
}

/** Tests run here, so what is loaded is for this machine; the rest follows with the push. */
function nativeOnly(request: BuildRequest): BuildRequest {
  if (request.platforms.length < 2) return request;
  const native = `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`;
  const chosen = request.platforms.find((platform) => platform.startsWith(native));
  return {...request, platforms: [chosen ?? request.platforms[0] ?? native]};
}
