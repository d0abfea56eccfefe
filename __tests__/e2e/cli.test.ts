import {execFileSync, spawn, spawnSync} from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from 'node:fs';
import {createServer} from 'node:http';
import {tmpdir} from 'node:os';
import {delimiter, dirname, join} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {type GitRepository, makeRepository} from '../support/rig/git-repository.ts';
import {type RegistryServer, startRegistry} from '../support/servers/registry-server.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const bin = join(repository, 'bin', 'stack-action.cjs');

/** A machine that is no runner, whatever these tests run on. */
const environment = (more: Readonly<Record<string, string>> = {}) => ({
  PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH']}`,
  HOME: mkdtempSync(join(tmpdir(), 'home-')),
  GIT_CONFIG_NOSYSTEM: '1',
  ...more,
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command; the registry is served by this process, so nothing may block it. */
function start(cwd: string, words: readonly string[], env = environment()) {
  const child = spawn(process.execPath, [bin, ...words], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const done = new Promise<Ended>((resolve) => {
    child.on('close', (code) => resolve({code, stdout, stderr}));
  });
  return {child, done, stdout: () => stdout};
}

const run = (cwd: string, words: readonly string[], env = environment()): Promise<Ended> =>
  start(cwd, words, env).done;

let server: RegistryServer;
let origin: GitRepository;
let work: GitRepository;

beforeAll(async () => {
  server = await startRegistry();
  origin = makeRepository();
  origin.commit('first', {
    'base/Dockerfile': 'FROM scratch\n',
    'leaf/Dockerfile': `FROM ${server.host}/acme/base\n`,
    'other/Dockerfile': 'FROM scratch\n',
  });
  origin.git('config', 'receive.denyCurrentBranch', 'ignore');
  work = origin.clone();
});

afterAll(async () => {
  await server.close();
  work[Symbol.dispose]();
  origin[Symbol.dispose]();
});

describe('npm', () => {
  const published = (): string => {
    const copy = realpathSync(mkdtempSync(join(tmpdir(), 'published-')));
    for (const name of ['package.json', 'action.yml', 'bin', 'dist'])
      cpSync(join(repository, name), join(copy, name), {recursive: true});
    const git = (...args: readonly string[]) =>
      execFileSync('git', ['-c', 'user.name=T', '-c', 'user.email=t@example.org', ...args], {
        cwd: copy,
      });
    git('init', '--quiet');
    git('add', '--all');
    git('commit', '--quiet', '-m', 'x');
    return `git+${pathToFileURL(copy).href}`;
  };

  it('installs the command from a git address without a registry and without a script', () => {
    const folder = mkdtempSync(join(tmpdir(), 'npm-'));
    writeFileSync(join(folder, 'package.json'), '{}');
    // Nothing listens there: whatever npm wanted to install for it would fail.
    const env = environment({
      npm_config_registry: 'http://127.0.0.1:9/',
      npm_config_update_notifier: 'false',
    });
    const installed = spawnSync('npm', ['install', '--no-audit', '--no-fund', published()], {
      cwd: folder,
      env,
      encoding: 'utf8',
    });
    expect(installed.status, installed.stderr).toBe(0);
    const packages = readdirSync(join(folder, 'node_modules')).filter(
      (name) => !name.startsWith('.'),
    );
    expect(packages).toEqual(['stack-action']);
    const help = spawnSync(join(folder, 'node_modules/.bin/stack-action'), ['--help'], {
      env,
      encoding: 'utf8',
    });
    expect(help.status, help.stderr).toBe(0);
    expect(help.stdout).toContain('Usage: stack-action <mode>');
  });

  it('runs it with npx in an empty folder', () => {
    const cwd = mkdtempSync(join(tmpdir(), 'npx-'));
    const env = environment({
      npm_config_registry: 'http://127.0.0.1:9/',
      npm_config_update_notifier: 'false',
    });
    const done = spawnSync(
      'npx',
      ['--yes', `--package=${published()}`, 'stack-action', '--version'],
      {cwd, env, encoding: 'utf8'},
    );
    expect(done.status, done.stderr).toBe(0);
    expect(done.stdout).toBe(
      `${(JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {version: string}).version}\n`,
    );
    expect(readdirSync(cwd)).toEqual([]);
  });
});

it('says in one sentence that Node is too old', () => {
  const old = `Object.defineProperty(process.versions, 'node', {value: '12.22.9'}); require(${JSON.stringify(bin)});`;
  const done = spawnSync(process.execPath, ['-e', old], {encoding: 'utf8'});
  expect(done.stderr).toBe(
    'stack-action needs Node 24 or newer, and this is Node 12.22.9. Install it from https://nodejs.org.\n',
  );
  expect(done.status).toBe(2);
});

describe('in ten minutes on your repository', () => {
  it('init writes the spec and the workflow, and ends with the plan', async () => {
    const {code, stdout, stderr} = await run(work.path, ['init']);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toContain('leaf <- base: FROM in leaf/Dockerfile:1');
    expect(stdout).toContain('Plan for 1-main: 3 images');
    expect(work.git('status', '--short', '--untracked-files=all').split('\n')).toEqual([
      '?? .github/workflows/stack.yml',
      '?? images/spec.yml',
    ]);
  });

  it('is what README says, typed in a folder that was empty', async () => {
    const readme = readFileSync(join(repository, 'README.md'), 'utf8');
    const [, block = ''] =
      /On your own repository[^\n]*\n\n```sh\n([\s\S]*?)```/.exec(readme) ?? [];
    const commands = [...block.matchAll(/^npx github:ucsd-ets\/stack-action (\S+)/gm)];
    expect(commands.map(([, mode]) => mode)).toEqual(['init', 'plan', 'doctor']);
    using folder = makeRepository();
    folder.git('config', 'user.name', 'Newcomer');
    mkdirSync(join(folder.path, 'web'));
    writeFileSync(
      join(folder.path, 'web/Dockerfile'),
      `FROM ${server.host}/acme/base\nCOPY x /x\n`,
    );
    writeFileSync(join(folder.path, 'web/x'), '');
    for (const [, mode = ''] of commands) {
      const {code, stdout, stderr} = await run(folder.path, [mode]);
      expect(code, `${mode}: ${stdout}${stderr}`).toBe(0);
    }
  });

  it('init writes over nothing', async () => {
    const {code, stderr} = await run(work.path, ['init']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^images\/spec\.yml exists.*\n$/);
  });

  it('doctor finds what to look at, and nothing to mend', async () => {
    const {code, stdout} = await run(work.path, ['doctor']);
    expect(code, stdout).toBe(0);
    expect(stdout).toContain('base/.dockerignore: note: ');
    expect(stdout).toContain('doctor: 0 to mend before a run');
  });

  it('doctor asks the registry what a run would ask it, and leaves no upload open', async () => {
    expect((await run(work.path, ['doctor'])).stdout).not.toContain('cannot be pushed');
    expect(server.seen.map(({line}) => line)).toContainEqual(
      expect.stringMatching(/^POST \/v2\/\S+\/uploads\//),
    );
    expect(server.uploads.size).toBe(0);
    const refusing = await startRegistry({auth: 'basic'});
    using other = makeRepository();
    other.commit('x', {
      'images/spec.yml': `images: {a: {image_name: "${refusing.host}/o/a"}}\ntag: {prefix: "1"}\n`,
      'images/a/Dockerfile': 'FROM scratch\n',
    });
    const {code, stdout} = await run(other.path, ['doctor']);
    await refusing.close();
    expect(code, stdout).toBe(0);
    expect(stdout).toMatch(
      /^images\/spec\.yml:1: note: \S+\/o\/a cannot be pushed from here: .*401/m,
    );
  });

  it.each([
    [
      'a platform',
      /^images\/b\/Dockerfile:1:1: "b" takes "a" for linux\/arm64/,
      'platforms: [linux/amd64]',
    ],
    [
      'a test',
      /^images\/spec\.yml:2:3: tests\.paths of image "a" lists "nowhere"/,
      'platforms: [linux/amd64, linux/arm64], tests: {paths: nowhere}',
    ],
  ])('doctor is never content with what plan refuses: %s', async (_, sentence, keys) => {
    using wrong = makeRepository();
    wrong.commit('x', {
      'images/spec.yml': `images:\n  a: {image_name: ${server.host}/o/a, ${keys}}\n  b: {image_name: ${server.host}/o/b, platforms: [linux/arm64]}\ntag: {prefix: "1"}\n`,
      'images/a/Dockerfile': 'FROM scratch\n',
      'images/b/Dockerfile': `FROM ${server.host}/o/a\n`,
    });
    const refused = (await run(wrong.path, ['plan'])).stderr.trim();
    expect(refused).toMatch(sentence);
    const {code, stdout, stderr} = await run(wrong.path, ['doctor']);
    expect(code).toBe(1);
    expect(`${stdout}${stderr}`).toContain(refused.replace(/^\S+ /, ''));
  });

  it('plan tells what the working tree changed, and prints no command of the runner', async () => {
    work.commit('stack', {});
    work.git('push', '--quiet', 'origin', 'HEAD:refs/heads/main', '--force');
    work.git('fetch', '--quiet');
    writeFileSync(join(work.path, 'other/new.txt'), '');
    const {code, stdout, stderr} = await run(join(work.path, 'base'), ['plan', '--wiki', 'false']);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toContain('mode plan, working tree of main');
    expect(stdout).toMatch(/other: build: .*other\/new\.txt/);
    expect(stdout).toContain('doctor: base/.dockerignore: note: ');
    expect(stdout).not.toMatch(/base: build: .*changed/);
    expect(stdout).not.toMatch(/^::/m);
    expect(stdout).not.toContain('\u001b');
    expect(readFileSync(join(work.path, 'logs/run.log'), 'utf8')).toContain('other: build: ');
    expect(readFileSync(join(work.path, 'artifacts/IMAGES_CHANGED'), 'utf8')).toContain('other\n');
  });

  it('goes on when nobody reads what it prints', async () => {
    // The registry is served by this process: nothing here may wait for the shell.
    const words = ['-o', 'pipefail', '-c', '"$0" "$1" plan | true', process.execPath, bin];
    const shell = spawn('bash', words, {cwd: work.path, env: environment()});
    let stderr = '';
    shell.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const code = await new Promise((resolve) => shell.on('close', resolve));
    expect({code, stderr}).toEqual({code: 0, stderr: ''});
  });

  it('is wrong usage to name an image that there is not', async () => {
    const {code, stderr} = await run(work.path, ['plan', '--images', 'nope']);
    expect(code).toBe(2);
    expect(stderr).toContain('"nope"');
  });
});

it.each<[string, readonly string[], number, RegExp]>([
  ['no repository', ['plan'], 1, /is not in a git repository.*git init/],
  ['no Dockerfile', ['init'], 1, /^No Dockerfile was found below this folder/],
  ['no spec', ['doctor'], 1, /^doctor found 1 error\./],
  [
    'a flag that there is not',
    ['plan', '--imags', 'a'],
    2,
    /^Unknown flag --imags\. Did you mean "--images"/,
  ],
  [
    'a value that an input does not have',
    ['plan', '--cache', 'x'],
    2,
    /"cache" is "x".*inline, registry/,
  ],
])('says what to do about %s', async (_, words, exitCode, sentence) => {
  const {code, stderr} = await run(mkdtempSync(join(tmpdir(), 'empty-')), words);
  expect(code).toBe(exitCode);
  expect(stderr).toMatch(sentence);
  expect(stderr).not.toMatch(/^\s+at /m);
});

/** The commands of the command line in the docs, as they are written there. */
function documented(): readonly string[] {
  const pages = readdirSync(join(repository, 'docs'), {encoding: 'utf8'})
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name));
  const lines = ['README.md', 'examples/README.md', ...pages].flatMap((page) => [
    ...readFileSync(join(repository, page), 'utf8').matchAll(
      /^ *npx github:ucsd-ets\/stack-action ([^\n#]*)/gm,
    ),
  ]);
  // In the order in which a newcomer meets them; what is promoted must have been pushed.
  const order = ['init', 'doctor', 'plan', 'build', 'tag'];
  const rank = (line: string): number => order.indexOf(line.split(' ')[0] ?? '');
  return [...new Set(lines.map(([, words = '']) => words.trim()))].toSorted(
    (a, b) => rank(a) - rank(b),
  );
}

describe('every command of the docs', () => {
  const name = `${process.env['REGISTRY'] ?? '127.0.0.1:5000'}/docs-${Date.now()}`;
  let stack: GitRepository;
  beforeAll(() => {
    stack = makeRepository();
    stack.git('remote', 'add', 'origin', 'https://github.com/my-org/images');
    stack.commit('first', {
      'images/base/Dockerfile': 'FROM debian:bookworm-slim\nRUN echo base > /base\n',
      'images/web/Dockerfile': `FROM ${name}/base:latest\nRUN echo web > /web\n`,
      '.gitignore': 'logs/\nartifacts/\nmanifests/\n',
    });
  });
  afterAll(() => stack[Symbol.dispose]());

  it('is found', () => {
    expect(documented()).toEqual(
      expect.arrayContaining(['init', 'plan', 'doctor', expect.stringMatching(/^build /)]),
    );
  });

  it.each(documented())('%s', {timeout: 120_000}, async (words) => {
    const {code, stdout, stderr} = await run(stack.path, words.split(' '), {
      ...environment(),
      ...(process.env['DOCKER_HOST'] === undefined
        ? {}
        : {DOCKER_HOST: process.env['DOCKER_HOST']}),
    });
    expect(code, stdout + stderr).toBe(0);
    if (words !== 'init') return;
    // Whatever it found; the rest of the docs names these.
    const spec = `images:\n  base: {image_name: "${name}/base"}\n  web: {image_name: "${name}/web"}\ntag: {prefix: "2026.3"}\n`;
    stack.commit('spec', {'images/spec.yml': spec});
  });
});

it('docs/testing.md says how to run a test by hand', {timeout: 120_000}, () => {
  const page = readFileSync(join(repository, 'docs/testing.md'), 'utf8');
  const lines = /^```sh\n(docker build[\s\S]*?)^```$/m.exec(page)?.[1] ?? '';
  const test = `import os, subprocess\ndef test_it():\n    subprocess.run(["docker", "run", "--rm", os.environ["TEST_IMAGE"], "true"], check=True)\n`;
  const tree = makeRepository();
  tree.commit('x', {
    'images/base-notebook/Dockerfile': 'FROM debian:bookworm-slim\n',
    'images/base-notebook/test/test_a.py': test,
    'images/tests_common/test_b.py': test,
  });
  const done = spawnSync('bash', ['-euo', 'pipefail', '-c', lines], {
    cwd: tree.path,
    encoding: 'utf8',
  });
  spawnSync('docker', ['rmi', 'base-notebook']);
  tree[Symbol.dispose]();
  expect(done.status, done.stdout + done.stderr).toBe(0);
  expect(done.stdout).toContain('2 passed');
});

it('ends soon after Ctrl-C, whatever hangs', async () => {
  const silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const address = silent.address();
  const port = typeof address === 'object' ? address?.port : 0;
  using stuck = makeRepository();
  stuck.commit('x', {
    'images/spec.yml': `images: {a: {image_name: "127.0.0.1:${port}/o/a"}}\ntag: {prefix: "1"}\n`,
    'images/a/Dockerfile': 'FROM scratch\n',
  });
  const asked = new Promise((resolve) => silent.once('request', resolve));
  const {child, done} = start(stuck.path, ['plan']);
  await asked;
  child.kill('SIGINT');
  const limit = new Promise<'late'>((resolve) => setTimeout(resolve, 6000, 'late').unref());
  const ended = await Promise.race([done, limit]);
  child.kill('SIGKILL');
  silent.closeAllConnections();
  silent.close();
  expect(ended).not.toBe('late');
  expect(ended).toMatchObject({code: 1});
});
