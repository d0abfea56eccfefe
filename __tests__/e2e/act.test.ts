import {rmSync} from 'node:fs';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {type ActRun, runAct, stageAction} from '../support/rig/act.ts';
import {copySampleStack, type SampleStack} from '../support/rig/sample-stack.ts';
import {type BareWiki, startWikiServer, type WikiServer} from '../support/servers/wiki-server.ts';

const token = 'ghs_tokenOfTheActRun';
const images = ['base-notebook', 'science-notebook', 'r-notebook', 'pandas-notebook'] as const;

let stack: SampleStack;
let action: string;
let server: WikiServer;
let wiki: BareWiki;
let first: string;
let pushed: ActRun;

const run = (workflow: string, event: string, payload: unknown): Promise<ActRun> =>
  runAct({
    repository: stack.path,
    workflow: `.github/workflows/${workflow}.yml`,
    event,
    payload: {repository: {full_name: 'o/stack', default_branch: 'main'}, ...(payload as object)},
    action,
    token,
    // GitHub's artifact client works for github.com and for names below localhost, which git knows without DNS.
    env: {GITHUB_SERVER_URL: server.url.replace('127.0.0.1', 'github.localhost')},
  });

/** The digest that a tag of an image of the stack has in the registry; undefined when it is not there. */
async function digestOf(image: string, tag: string): Promise<string | undefined> {
  const [host, ...path] = stack.imagePrefix.split('/');
  const answer = await fetch(`http://${host}/v2/${path.join('/')}/${image}/manifests/${tag}`, {
    method: 'HEAD',
    headers: {
      accept: [
        'application/vnd.docker.distribution.manifest.v2+json',
        'application/vnd.oci.image.manifest.v1+json',
        'application/vnd.oci.image.index.v1+json',
        'application/vnd.docker.distribution.manifest.list.v2+json',
      ].join(', '),
    },
  });
  return answer.ok ? (answer.headers.get('docker-content-digest') ?? undefined) : undefined;
}

async function digestsOf(tag: string): Promise<Record<string, string | undefined>> {
  const digests = await Promise.all(images.map((image) => digestOf(image, tag)));
  return Object.fromEntries(images.map((image, index) => [image, digests[index]]));
}

interface OutputImage {
  readonly ref: string;
  readonly digest: string;
  readonly outcome: string;
}

function outputOf(result: ActRun, name: string): string {
  const value = result.outputs.get('stack')?.get(name);
  if (value === undefined) throw new Error(`no output ${name}; the log:\n${result.log}`);
  return value;
}

function imagesOf(result: ActRun): Readonly<Record<string, OutputImage>> {
  return JSON.parse(outputOf(result, 'images')) as Record<string, OutputImage>;
}

function fileNameOf(image: string, tag: string): string {
  return `${stack.imagePrefix}/${image}:${tag}`.replace(/[/:]/g, '-');
}

beforeAll(async () => {
  stack = copySampleStack();
  action = stageAction();
  server = await startWikiServer(token);
  first = stack.commit('The stack', {});
  const after = stack.commit('A change', {'README.md': 'hello\n'});
  const repository = {full_name: 'o/stack', default_branch: 'main'};
  pushed = await run('stack', 'push', {
    ref: 'refs/heads/main',
    before: first,
    after,
    created: false,
    deleted: false,
    forced: false,
    repository,
    commits: [],
    head_commit: {id: after, message: 'A change'},
  });
});

afterAll(async () => {
  await server?.close();
  for (const folder of [stack?.path, action]) {
    if (folder !== undefined) rmSync(folder, {recursive: true, force: true});
  }
});

describe('a push to the default branch, under act', () => {
  it('builds, tests and pushes every image, and says which digest each has', async () => {
    expect(pushed.jobs, pushed.log).toEqual(new Map([['stack', 'success']]));
    expect(pushed.exitCode).toBe(0);
    expect(outputOf(pushed, 'tag')).toBe('2026.3-main');
    expect(outputOf(pushed, 'outcome')).toBe('passed');
    const outputs = imagesOf(pushed);
    expect(Object.keys(outputs).toSorted()).toEqual([...images].toSorted());
    const digests = Object.entries(outputs).map(([image, {digest}]) => [image, digest]);
    expect(await digestsOf('2026.3-main')).toEqual(Object.fromEntries(digests));
  });

  it('uploads logs, results, plan and manifests as one artifact', () => {
    expect([...pushed.artifacts.keys()]).toEqual(['build-artifacts']);
    const files = pushed.artifacts.get('build-artifacts');
    const expected = images.flatMap((image) => {
      const name = fileNameOf(image, '2026.3-main');
      return [`manifests/${name}.md`, `artifacts/${name}.yaml`, `logs/${name}.build.log`];
    });
    const names = [...(files?.keys() ?? [])];
    expect(names).toEqual(
      expect.arrayContaining([
        ...expected,
        'logs/run.log',
        'artifacts/plan.json',
        'artifacts/report.json',
        'artifacts/IMAGES_CHANGED',
      ]),
    );
    const plan = JSON.parse(files?.get('artifacts/plan.json') ?? '{}') as {tag?: string};
    expect(plan.tag).toBe('2026.3-main');
  });
});

describe('a pull request, under act', () => {
  const repo = {full_name: 'o/stack', default_branch: 'main'};

  it('plans the leaf that it touched, and pushes under the tag of its branch', async () => {
    const file = 'images/pandas-notebook/Dockerfile';
    const dockerfile = stack.git('show', `HEAD:${file}`);
    const touchLeaf = (value: string): Promise<ActRun> => {
      const sha = stack.commit('Touch a leaf', {[file]: `${dockerfile}\nENV TOUCHED=${value}\n`});
      return run('stack', 'pull_request', {
        action: 'synchronize',
        number: 7,
        pull_request: {
          number: 7,
          head: {ref: 'feature', sha, repo},
          base: {ref: 'main', sha: stack.git('rev-parse', 'main'), repo},
        },
      });
    };
    stack.git('switch', '--quiet', '--create', 'feature');
    const first = await touchLeaf('1');
    const result = await touchLeaf('2');
    stack.git('switch', '--quiet', 'main');
    expect(first.jobs, first.log).toEqual(new Map([['stack', 'success']]));
    expect(result.jobs, result.log).toEqual(new Map([['stack', 'success']]));
    expect(outputOf(result, 'tag')).toBe('2026.3-feature');
    // The first run of a branch takes over what the default branch proved, the next one finds it at its own tag.
    expect(actionsOf(first)).toEqual(['reuse', 'reuse', 'reuse', 'build']);
    expect(actionsOf(result)).toEqual(['skip', 'skip', 'skip', 'build']);
    const leaf = imagesOf(result)['pandas-notebook'];
    expect(await digestOf('pandas-notebook', '2026.3-feature')).toBe(leaf?.digest);
    expect(leaf?.digest).not.toBe(await digestOf('pandas-notebook', '2026.3-main'));
    const files = result.artifacts.get('build-artifacts');
    expect(files?.get('artifacts/IMAGES_CHANGED')?.trim()).toBe('pandas-notebook');
  });
});

/** What was planned, in the order of the plan: pandas-notebook is the last one. */
function actionsOf(result: ActRun): readonly string[] {
  const plan = JSON.parse(outputOf(result, 'plan')) as {images: readonly {action: string}[]};
  return plan.images.map(({action}) => action);
}

describe('the promotion workflows, under act', () => {
  beforeAll(() => {
    const files = pushed.artifacts.get('build-artifacts') ?? new Map<string, string>();
    const pages = Array.from(files, ([name, text]) => [name.split('/'), text] as const)
      .filter(([path]) => path[0] === 'manifests')
      .map(([path, text]) => [path[1] ?? '', text] as const);
    wiki = server.addWiki('o/stack', {'Home.md': 'Welcome!\n', ...Object.fromEntries(pages)});
  });

  /** Every link of a page into the wiki leads to a page that is there. */
  function expectLinksToWork(page: string): void {
    const links = [
      ...wiki
        .read(page)
        .toString()
        .matchAll(/\/o\/stack\/wiki\/([^)]+)\)/g),
    ];
    expect(links).toHaveLength(images.length);
    for (const [, name] of links) expect(wiki.files()).toContain(`${name}.md`);
  }

  it('move nothing in a dry run, and show the pages they would publish', async () => {
    const inputs = {originalTag: '2026.3-main', dryRun: 'true'};
    const result = await run('tag', 'workflow_dispatch', {inputs});
    expect(result.jobs.get('tag'), result.log).toBe('success');
    expect(await digestOf('base-notebook', '2026.3-stable')).toBeUndefined();
    expect(wiki.read('Home.md').toString()).toBe('Welcome!\n');
    const files = result.artifacts.get('tag-artifacts');
    expect(files?.get('artifacts/Home.md')).toContain(':2026.3-stable`');
  });

  it('do not tag when the gate fails', async () => {
    const inputs = {originalTag: '2026.3-feature', dryRun: 'false'};
    const result = await run('tag', 'workflow_dispatch', {inputs});
    expect(result.exitCode).toBe(1);
    expect(result.jobs.get('gate')).toBe('failure');
    expect(await digestOf('base-notebook', '2026.3-stable')).toBeUndefined();
  });

  it('tag stable with the same digests, then global stable, and publish both pages', async () => {
    const tagged = await run('tag', 'workflow_dispatch', {
      inputs: {originalTag: '2026.3-main', dryRun: 'false'},
    });
    expect(tagged.jobs.get('tag'), tagged.log).toBe('success');
    const digests = await digestsOf('2026.3-main');
    expect(await digestsOf('2026.3-stable')).toEqual(digests);
    const home = wiki.read('Home.md').toString();
    expect(home.startsWith('Welcome!\n')).toBe(true);
    expect(home).toContain(stack.git('rev-parse', 'main').slice(0, 7));
    expectLinksToWork('Home.md');
    const promoted = tagged.artifacts.get('tag-artifacts');
    expect(promoted?.get('artifacts/IMAGES_TAGGED')?.trim().split('\n')).toHaveLength(
      images.length,
    );

    const global = await run('tag_global_stable', 'workflow_dispatch', {
      inputs: {stablePrefix: '2026.3', dryRun: 'false'},
    });
    expect(global.jobs.get('tag'), global.log).toBe('success');
    expect(await digestsOf('stable')).toEqual(digests);
    expectLinksToWork('Stable_Tag.md');
  });
});
