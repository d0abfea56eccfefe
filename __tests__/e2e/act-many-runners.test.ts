import {randomUUID} from 'node:crypto';
import {readFileSync, rmSync} from 'node:fs';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {type ActRun, runAct, stageAction} from '../support/rig/act.ts';
import {type GitRepository, makeRepository} from '../support/rig/git-repository.ts';
import {standInsFor} from '../support/rig/offline-actions.ts';

const prefix = `127.0.0.1:5000/legs-${randomUUID().slice(0, 8)}`;
const caller = new URL('../fixtures/workflows/many-runners.yml', import.meta.url);
const reusable = new URL('../../.github/workflows/stack.yml', import.meta.url);
const children = ['one', 'two', 'three', 'four'];
const both = 'platforms: [linux/amd64, linux/arm64]';

let stack: GitRepository;
let action: string;
let stand: ReturnType<typeof standInsFor>;

const push = (before: string): Promise<ActRun> => {
  const after = stack.git('rev-parse', 'HEAD');
  const repository = {full_name: 'o/stack', default_branch: 'main'};
  return runAct({
    repository: stack.path,
    workflow: '.github/workflows/many-runners.yml',
    event: 'push',
    payload: {
      ref: 'refs/heads/feature',
      before,
      after,
      created: false,
      deleted: false,
      forced: false,
      repository,
      commits: [],
      head_commit: {id: after, message: 'A change'},
    },
    action,
    standIns: stand.standIns,
  });
};

beforeAll(() => {
  stack = makeRepository();
  action = stageAction();
  stand = standInsFor(readFileSync(reusable, 'utf8'));
  stack.git('switch', '--quiet', '--create', 'feature');
  stack.commit('The stack', {
    '.github/workflows/many-runners.yml': readFileSync(caller, 'utf8'),
    'images/spec.yml': [
      'images:',
      `  base: {image_name: "${prefix}/base", ${both}}`,
      ...children.map((name) => `  ${name}: {image_name: "${prefix}/${name}"}`),
      'runners: {linux/arm64: ubuntu-24.04-arm}',
      'tag: {prefix: "1"}',
      'all_info_cmds: {}',
      '',
    ].join('\n'),
    'images/base/Dockerfile': 'FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /arch\n',
    'images/base/amd64': 'amd64\n',
    'images/base/arm64': 'arm64\n',
    ...Object.fromEntries(
      children.flatMap((name) => [
        [`images/${name}/Dockerfile`, `FROM ${prefix}/base:1-stable\nCOPY note /note\n`],
        [`images/${name}/note`, name],
      ]),
    ),
  });
});

afterAll(() => {
  for (const folder of [stack.path, action, stand.folder])
    rmSync(folder, {recursive: true, force: true});
});

/** The manifest at a tag: its digest, and what it is put together of. */
async function manifestAt(image: string, tag: string): Promise<{digest: string; parts: number}> {
  const [host, ...path] = prefix.split('/');
  const accept =
    'application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.v2+json';
  const url = `http://${host}/v2/${path.join('/')}/${image}/manifests/${tag}`;
  const answer = await fetch(url, {headers: {accept}});
  const {manifests = []} = (await answer.json()) as {manifests?: readonly unknown[]};
  return {digest: answer.headers.get('docker-content-digest') ?? '', parts: manifests.length};
}

type OutputImages = Readonly<Record<string, {readonly digest: string; readonly outcome: string}>>;

const imagesOf = (run: ActRun): OutputImages =>
  JSON.parse(run.outputs.get('report')?.get('images') ?? '{}') as OutputImages;

const outcomesOf = (run: ActRun): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(imagesOf(run)).map(([name, {outcome}]) => [name, outcome]));

describe('the reusable workflow, under act', () => {
  it('plans, builds level after level on runners of their own, joins platforms and reports', async () => {
    const run = await push(stack.git('rev-parse', 'HEAD'));
    expect(run.exitCode, run.log).toBe(0);
    const levels = JSON.parse(run.outputs.get('plan')?.get('levels') ?? '[]') as {
      include: readonly {images: string; runner: string}[];
    }[];
    expect(levels.map(({include}) => include.map(({images}) => images))).toEqual([
      ['base', 'base'],
      ['one,two', 'three,four'],
    ]);
    expect(levels[0]?.include.map(({runner}) => runner)).toEqual([
      'ubuntu-24.04',
      'ubuntu-24.04-arm',
    ]);
    // Jobs of levels that this plan has not are skipped.
    expect(run.jobs).toEqual(
      new Map(['plan', 'level-0', 'level-1', 'report'].map((job) => [job, 'success'])),
    );
    expect([...run.artifacts.keys()].toSorted()).toEqual(
      ['build-artifacts', 'leg-0-0', 'leg-0-1', 'leg-1-0', 'leg-1-1', 'leg-plan'].toSorted(),
    );
    const all = ['base', ...children];
    expect(outcomesOf(run)).toEqual(Object.fromEntries(all.map((name) => [name, 'built'])));
    for (const name of all) {
      const {digest, parts} = await manifestAt(name, '1-feature');
      expect(digest, name).toBe(imagesOf(run)[name]?.digest);
      expect(parts, name).toBe(name === 'base' ? 2 : 0);
    }
  });

  it('reports on nothing where there is nothing to do', async () => {
    const before = stack.git('rev-parse', 'HEAD');
    stack.commit('No image', {'README.md': 'hello\n'});
    const run = await push(before);
    expect(run.exitCode, run.log).toBe(0);
    expect(run.jobs).toEqual(new Map(['plan', 'report'].map((job) => [job, 'success'])));
    expect([...run.artifacts.keys()].toSorted()).toEqual(['build-artifacts', 'leg-plan']);
  });

  it('is red for a leg that failed, blocks only what needs it, and does the rest', async () => {
    const before = stack.git('rev-parse', 'HEAD');
    stack.commit('Break one, change two', {
      'images/one/Dockerfile': `FROM ${prefix}/base:1-stable\nCOPY missing /note\n`,
      'images/two/note': 'another\n',
    });
    const run = await push(before);
    expect(run.exitCode).toBe(1);
    expect(run.jobs.get('report'), run.log).toBe('failure');
    expect(outcomesOf(run)).toMatchObject({base: 'skipped', one: 'failed', two: 'built'});
    expect((await manifestAt('two', '1-feature')).digest).toBe(imagesOf(run)['two']?.digest);
  });
});
