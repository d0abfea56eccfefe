import {readdir, readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {makeWorkspace, runStep, type StepRequest, type StepRun} from './support/rig/runner.ts';
import {type RegistryServer, startRegistry} from './support/servers/registry-server.ts';

let server: RegistryServer;

beforeEach(async () => {
  server = await startRegistry();
});

afterEach(() => server.close());

const specOf = (host: string): string =>
  `images:\n  base: {image_name: "${host}/o/base"}\n  leaf: {image_name: "${host}/o/leaf", depend_on: base}\ntag: {prefix: "1"}\n`;

const sha = 'a'.repeat(40);

interface Case {
  /** Over the files of a good stack; undefined takes one away. */
  readonly files?: Readonly<Record<string, string | undefined>>;
  readonly inputs?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly event?: string;
  readonly payload?: object;
  readonly isPost?: boolean;
}

/** Runs the committed bundle on a small stack whose registry is in memory and empty. */
async function run({
  files = {},
  inputs = {},
  env = {},
  event,
  payload,
  isPost = false,
}: Case): Promise<StepRun & {workspace: string}> {
  const good: Record<string, string | undefined> = {
    'images/spec.yml': specOf(server.host),
    'images/base/Dockerfile': 'FROM scratch\n',
    'images/leaf/Dockerfile': `ARG BASE_TAG\nFROM ${server.host}/o/base:\${BASE_TAG}\n`,
    ...files,
  };
  const present = Object.entries(good).flatMap(([name, text]) =>
    text === undefined ? [] : [[name, text]],
  );
  const workspace = await makeWorkspace(Object.fromEntries(present) as Record<string, string>);
  const request: StepRequest = {
    workspace,
    inputs: {mode: 'plan', ...inputs},
    payload: payload ?? {
      ref: 'refs/heads/feature',
      before: sha,
      after: sha,
      repository: {default_branch: 'main'},
      commits: [{message: 'x'}],
    },
    env: {GITHUB_SHA: sha, ...env},
    isPost,
    ...(event === undefined ? {} : {event}),
  };
  return {...(await runStep(request)), workspace};
}

describe('mode: plan', () => {
  it('says for every image what would be done and why, and touches nothing', async () => {
    const {exitCode, stdout, outputs, workspace, summary} = await run({
      env: {PATH: '/nonexistent'},
    });
    expect(exitCode, stdout).toBe(0);
    expect(outputs['tag']).toBe('1-feature');
    expect(stdout).toContain('base: build: first run of this branch');
    expect(JSON.parse(outputs['plan'] ?? '')).toMatchObject({
      schema: 1,
      tag: '1-feature',
      images: [
        {
          name: 'base',
          parents: [],
          level: 0,
          ref: `${server.host}/o/base:1-feature`,
          action: 'build',
        },
        {
          name: 'leaf',
          parents: ['base'],
          level: 1,
          reasons: expect.arrayContaining([{kind: 'parent', image: 'base'}]),
        },
      ],
    });
    expect(JSON.parse(outputs['matrix'] ?? '')).toMatchObject({
      include: [{images: 'base,leaf', level: 0, platform: 'linux/amd64'}],
    });
    expect(await readFile(join(workspace, 'artifacts/IMAGES_CHANGED'), 'utf8')).toBe(
      'base\nleaf\n',
    );
    expect(JSON.parse(await readFile(join(workspace, 'artifacts/plan.json'), 'utf8'))).toEqual(
      JSON.parse(outputs['plan'] ?? ''),
    );
    expect(summary).toContain('| build | <code>base</code> |');
    expect(server.seen.every(({line}) => /^(GET|HEAD) /.test(line))).toBe(true);
  });

  it('builds what the registry cannot answer for, and says so', async () => {
    const {host} = server;
    await server.close();
    const {exitCode, stdout} = await run({
      files: {
        'images/spec.yml': specOf(host),
        'images/leaf/Dockerfile': `ARG BASE_TAG\nFROM ${host}/o/base:\${BASE_TAG}\n`,
      },
    });
    server = await startRegistry();
    expect(exitCode).toBe(0);
    expect(stdout).toContain('base: build: ');
    expect(stdout).toContain('the registry could not be queried');
  });
});

describe('a login that an earlier step made', () => {
  const repo = {full_name: 'o/stack', default_branch: 'main'};
  const pull = {head: {ref: 'feature', sha, repo}, base: {ref: 'main', sha, repo}};
  const fork = {...pull, head: {...pull.head, repo: {full_name: 'stranger/stack'}}};

  it.each([
    ['serves requests to the registry', pull, []],
    ['is not used for a pull request from a fork', fork, ['unknown-registry']],
  ])('%s', async (_, pull_request, kinds) => {
    await server.close();
    server = await startRegistry({auth: 'basic'});
    const auth = Buffer.from('someone:right').toString('base64');
    const config = await makeWorkspace({
      'config.json': JSON.stringify({auths: {[server.host]: {auth}}}),
    });
    const {outputs} = await run({
      event: 'pull_request',
      payload: {repository: repo, pull_request},
      env: {DOCKER_CONFIG: config},
    });
    const plan = JSON.parse(outputs['plan'] ?? '{}') as {
      images: readonly {reasons: readonly {kind: string}[]}[];
    };
    const found = plan.images[0]?.reasons.map(({kind}) => kind) ?? [];
    expect(found.filter((kind) => kind === 'unknown-registry')).toEqual(kinds);
  });
});

describe('bad input is one clear sentence, never a stack trace', () => {
  const spec = (text: string): Case => ({files: {'images/spec.yml': text}});
  it.each<[string, Case, RegExp]>([
    ['no spec.yml', {files: {'images/spec.yml': undefined}}, /images\/spec\.yml.*no such file/],
    ['an empty spec.yml', spec(''), /images\/spec\.yml:1:1: the file is empty/],
    [
      'an unknown key',
      spec('images:\n  a: {image_nam: x/y}\ntag: {prefix: "1"}\n'),
      /images\/spec\.yml:2:7: .*image_nam.*image_name/,
    ],
    [
      'a cycle',
      spec(
        'images:\n  a: {image_name: x/a, depend_on: b}\n  b: {image_name: x/b, depend_on: a}\ntag: {prefix: "1"}\n',
      ),
      /a -> b -> a/,
    ],
    ['5 MB of spec', spec(`# ${'x'.repeat(5_000_000)}`), /too large/],
    [
      'no Dockerfile',
      {files: {'images/leaf/Dockerfile': undefined}},
      /images\/spec\.yml:3:3: .*leaf/,
    ],
    [
      'a value that an input does not have',
      {inputs: {mode: 'deploy'}},
      /"mode" is "deploy".*build, plan, tag, report/,
    ],
    [
      'an image that there is not',
      {inputs: {images: 'nope'}},
      /"images": unknown image "nope". Known images: base, leaf/,
    ],
    [
      'a branch with the stable tag',
      {
        payload: {ref: 'refs/heads/stable', before: sha, after: sha},
        env: {GITHUB_REF: 'refs/heads/stable'},
      },
      /1-stable is the stable tag of base/,
    ],
    ['no branch', {payload: {}, env: {GITHUB_REF: ''}}, /GITHUB_REF has no branch/],
    ['code of a pull request with secrets', {event: 'pull_request_target'}, /pull_request_target/],
    [
      'a tag that is no source',
      {inputs: {mode: 'tag', 'source-tag': 'main', wiki: 'false'}},
      /"source-tag": "main" is not of the form/,
    ],
    ['no reports to merge', {inputs: {mode: 'report'}}, /no report\.json/],
  ])('%s', async (_, one, sentence) => {
    const {exitCode, stdout, stderr, outputs} = await run(one);
    expect(exitCode).toBe(1);
    expect(stdout.replaceAll('%0A', '\n')).toMatch(sentence);
    expect(stdout + stderr).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m);
    expect(stdout).not.toContain('Internal error');
    expect(['failed', undefined]).toContain(outputs['outcome']);
  });

  it('no Docker', async () => {
    const {exitCode, stdout} = await run({
      inputs: {mode: 'build', push: 'false'},
      env: {PATH: '/nonexistent'},
    });
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/::error::Nothing was built: .*docker.*(install|PATH)/i);
  });

  it('a registry that cannot say, for a run that is to push: before any build', async () => {
    await server.close();
    server = await startRegistry({troubles: [{match: /./, status: 403}]});
    const {exitCode, stdout} = await run({
      inputs: {mode: 'build', push: 'true'},
      env: {PATH: '/nonexistent'},
    });
    expect(exitCode).toBe(1);
    expect(stdout).toContain('::error::Nothing was built: the registry could not be queried');
  });

  it('a password that is wrong, and is shown nowhere', async () => {
    await server.close();
    server = await startRegistry({auth: 'basic'});
    const password = 'correct-horse-battery';
    const {exitCode, stdout, stderr, workspace} = await run({
      inputs: {mode: 'build', push: 'true', username: 'someone', password},
    });
    expect(exitCode).toBe(1);
    const shown = stdout.split('\n').filter((line) => !line.startsWith('::add-mask::'));
    const files = await readdir(workspace, {recursive: true, withFileTypes: true});
    const texts = await Promise.all(
      files
        .filter((file) => file.isFile())
        .map((file) => readFile(join(file.parentPath, file.name), 'utf8')),
    );
    for (const text of [...shown, stderr, ...texts]) expect(text).not.toContain(password);
  });
});

it('does nothing for a branch that was deleted', async () => {
  const {exitCode, stdout} = await run({
    inputs: {mode: 'build'},
    payload: {ref: 'refs/heads/feature', before: sha, after: '0'.repeat(40), deleted: true},
  });
  expect(exitCode).toBe(0);
  expect(stdout).toContain('was deleted');
  expect(server.seen).toEqual([]);
});

it('is no second run when the main step was killed before it had saved anything', async () => {
  const {exitCode, stdout} = await run({isPost: true, inputs: {mode: 'build'}});
  expect(exitCode).toBe(0);
  expect(stdout).not.toContain('stack-action: mode');
  expect(server.seen).toEqual([]);
});

describe('the files of dist/', () => {
  it('are all there that a run may load later, with the licences of what is in them', async () => {
    const read = (name: string): Promise<string> =>
      readFile(new URL(`../dist/${name}`, import.meta.url), 'utf8');
    const later = [...(await read('index.js')).matchAll(/webpackIgnore: true \*\/ '\.\/([^']+)'/g)];
    const names = later.map(([, name = '']) => name).toSorted();
    expect(names).toEqual(['artifact-client.js', 'octokit.js']);
    const exported = await Promise.all(
      names.map(async (name) => Object.keys(await import(`../dist/${name}`))),
    );
    expect(exported.flat()).toEqual(['DefaultArtifactClient', 'createOctokit']);
    const licences = new Set((await read('licenses.txt')).split('\n'));
    for (const library of ['@actions/artifact', '@actions/core', '@octokit/core', 'execa', 'yaml'])
      expect(licences).toContain(library);
  });
});
