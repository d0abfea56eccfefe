import {rmSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, describe, expect, it, vi} from 'vitest';
import {createDocker} from '../../../src/adapters/docker/index.ts';
import type {BuildRequest} from '../../../src/adapters/docker/types.ts';
import {runCommand} from '../../../src/adapters/process/index.ts';
import {type Failure, failure, type Result} from '../../../src/failure.ts';
import {type FakeDocker, fakeDocker, type Rule} from '../../support/fakes/docker-cli.ts';

const ref = 'ghcr.io/o/a:2026.3-main';
const id = `sha256:${'1'.repeat(64)}`;
const digest = `sha256:${'2'.repeat(64)}`;
const plugin = {Name: 'buildx', Version: '0.29.1'};
const infoOf = (said: object): Rule => ({
  when: 'info --format',
  stdout: `${JSON.stringify({storage: [], plugins: [plugin], root: '/no/such/folder', ...said})}\n`,
});
const info = infoOf({});
const metadata = (built: string): readonly [string, string] => [
  '--metadata-file',
  JSON.stringify({'containerimage.digest': built, 'image.name': ref}, undefined, 2),
];
const buildx: Rule = {when: 'buildx inspect', stdout: 'Name:   default\nDriver: docker\n'};
const image: Rule = {when: 'image inspect', stdout: `${id}\n`};
const request: BuildRequest = {
  ref,
  context: '.',
  dockerfile: 'Dockerfile',
  buildArgs: new Map(),
  labels: new Map(),
  target: undefined,
  platforms: [],
  secrets: [],
  buildContexts: new Map(),
  inEngine: false,
  privateName: undefined,
  cacheFrom: [],
  cacheTo: [],
};

let fake: FakeDocker;
afterEach(() => {
  vi.unstubAllEnvs();
  fake.remove();
});

const waits: number[] = [];
function open(rules: readonly Rule[], builder?: string) {
  waits.length = 0;
  fake = fakeDocker(rules);
  vi.stubEnv('PATH', fake.bin);
  return createDocker({
    run: runCommand,
    config: {
      folder: fake.folder,
      env: {DOCKER_CONFIG: '/config'},
      hasBuilders: true,
      releaseHost: async () => {},
      remove: async () => {},
    },
    builder,
    runId: '77',
    root: fake.folder,
    tempDir: fake.folder,
    wait: async (seconds) => waits.push(seconds),
  });
}

function failureOf(result: Result<unknown>): Failure {
  if (result.ok) throw new Error('it did not fail');
  return result.error;
}

describe('check', () => {
  it('tells what there is, and asks once', async () => {
    const docker = open([info]);
    const facts = {hasBuildx: true, hasContainerdStore: false};
    expect(await docker.check()).toEqual({ok: true, value: facts});
    await docker.check();
    expect(fake.calls()).toHaveLength(1);
  });

  it('knows the containerd image store', async () => {
    const docker = open([infoOf({storage: [['driver-type', 'io.containerd.snapshotter.v1']]})]);
    expect(await docker.check()).toMatchObject({value: {hasContainerdStore: true}});
  });

  it.each([
    ['is not installed', infoOf({plugins: null})],
    ['is broken', infoOf({plugins: [{...plugin, Err: {}}]})],
    ['is unknown to what is called docker here', {when: 'info', stdout: 'host:\n  arch: amd64\n'}],
  ])('does without a buildx that %s', async (_, rule) => {
    expect(await open([rule]).check()).toMatchObject({value: {hasBuildx: false}});
  });

  it.each(['1.13.1', '19.03.15+x'])('says that Docker %s is too old', async (version) => {
    expect(failureOf(await open([infoOf({version})]).check())).toMatchObject({
      class: 'daemon-lost',
      message: `Docker ${version} is too old. This action needs 20.10 or newer.`,
    });
  });

  it.each(['20.10.24+dfsg1', 'v29.4.2', 'dev'])('takes Docker %s', async (version) => {
    expect(await open([infoOf({version})]).check()).toMatchObject({ok: true});
  });

  it('says that docker is not installed', async () => {
    const docker = open([]);
    rmSync(join(fake.bin, 'docker'));
    expect(failureOf(await docker.check())).toMatchObject({
      class: 'daemon-lost',
      message: 'Docker is not installed: there is no program "docker" on PATH.',
      hint: expect.stringContaining('Install Docker'),
    });
  });

  it('says that the daemon does not answer, and how to start it', async () => {
    const stderr =
      'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?';
    // docker prints what --format asks for all the same.
    const stdout = '{"version":"","storage":null,"plugins":[],"root":""}\n';
    const docker = open([{when: 'info', stderr: `${stderr}\n`, stdout, exitCode: 1}]);
    expect(failureOf(await docker.check())).toMatchObject({
      class: 'daemon-lost',
      message: `The Docker daemon is not reachable: ${stderr}`,
      tail: [],
      hint: expect.stringContaining('systemctl start docker'),
    });
  });
});

describe('driver', () => {
  it('is asked once', async () => {
    const docker = open([{when: 'buildx inspect', stdout: 'Name: b\nDriver: kubernetes\n'}]);
    expect(await docker.driver()).toEqual({ok: true, value: 'kubernetes'});
    await docker.driver();
    expect(fake.calls()).toEqual([['buildx', 'inspect']]);
  });

  it('tells its platforms with the same answer, those of all its nodes', async () => {
    const stdout =
      'Driver: kubernetes\nNodes:\nName: a\nPlatforms:        linux/amd64, linux/arm64*\nName: b\nPlatforms: linux/s390x\n';
    const docker = open([{when: 'buildx inspect', stdout}]);
    await docker.driver();
    expect(await docker.platforms()).toEqual(['linux/amd64', 'linux/arm64', 'linux/s390x']);
    expect(fake.calls()).toEqual([['buildx', 'inspect']]);
  });

  it("is the engine's own where there is no buildx", async () => {
    const stderr = 'unknown command: docker buildx';
    const docker = open([{when: 'buildx', stderr, exitCode: 1}]);
    expect(await docker.driver()).toEqual({ok: true, value: 'docker'});
  });

  it('is a failure when the builder of the input is not there', async () => {
    const stderr = 'ERROR: no builder "far" found';
    const docker = open([{when: 'buildx inspect far', stderr, exitCode: 1}, buildx], 'far');
    expect(failureOf(await docker.driver()).message).toContain('The builder "far" was not found');
  });
});

describe('login', () => {
  it('hands the password over on standard input, and nowhere else', async () => {
    const docker = open([]);
    expect((await docker.login('ghcr.io', 'octocat', 'hunter2')).ok).toBe(true);
    expect(fake.calls()).toEqual([
      ['login', '--username', 'octocat', '--password-stdin', 'ghcr.io'],
    ]);
    const {input, env} = fake.last('login');
    expect(input).toBe('hunter2');
    expect(JSON.stringify(env)).not.toContain('hunter2');
    expect(env['DOCKER_CONFIG']).toBe('/config');
  });

  it('says whose password is wrong', async () => {
    const docker = open([
      {
        when: 'login',
        stderr: 'Error response from daemon: unauthorized: incorrect username or password',
        exitCode: 1,
      },
    ]);
    expect(failureOf(await docker.login('ghcr.io', 'octocat', 'hunter2'))).toMatchObject({
      class: 'auth',
      message: expect.stringContaining('ghcr.io'),
    });
  });
});

describe('login again', () => {
  const timeout =
    'Error response from daemon: Get "https://ghcr.io/v2/": net/http: request canceled (Client.Timeout exceeded while awaiting headers)';

  it('tries again what may pass', async () => {
    const docker = open([{when: 'login', stderr: timeout, exitCode: 1, times: 2}]);
    expect(await docker.login('ghcr.io', 'octocat', 'hunter2')).toEqual({
      ok: true,
      value: undefined,
    });
    expect(fake.calls()).toHaveLength(3);
    expect(waits).toHaveLength(2);
  });

  it('gives up after four attempts', async () => {
    const docker = open([{when: 'login', stderr: timeout, exitCode: 1}]);
    expect(failureOf(await docker.login('ghcr.io', 'octocat', 'hunter2')).class).toBe(
      'registry-unavailable',
    );
    expect(fake.calls()).toHaveLength(4);
  });

  it.each([
    'Error response from daemon: Get "https://ghcr.io/v2/": unauthorized: incorrect username or password',
    'Error response from daemon: Get "https://r.invalid/v2/": dial tcp: lookup r.invalid: no such host',
    'Error response from daemon: Get "https://r.example/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority',
    'Error response from daemon: Get "https://r.example/v2/": http: server gave HTTP response to HTTPS client',
  ])('does not try again: %s', async (stderr) => {
    const docker = open([{when: 'login', stderr, exitCode: 1}]);
    expect((await docker.login('ghcr.io', 'octocat', 'hunter2')).ok).toBe(false);
    expect(fake.calls()).toHaveLength(1);
  });

  it.each(['https://index.docker.io/v1/', 'index.docker.io', 'registry-1.docker.io', 'docker.io'])(
    'logs in to Docker Hub, written %s, so that a push finds the login',
    async (name) => {
      const docker = open([]);
      await docker.login(name, 'octocat', 'hunter2');
      expect(fake.calls()[0]?.at(-1)).toBe('docker.io');
    },
  );
});

describe('build', () => {
  it('answers with the image that was built', async () => {
    const docker = open([info, {when: 'build --progress', writes: metadata(id)}, buildx]);
    expect(await docker.build(request, {})).toEqual({ok: true, value: {id}});
  });

  it.each([
    ['without buildx', infoOf({plugins: []}), {when: 'build --iidfile', writes: ['--iidfile', id]}],
    ['by a buildx that does not say', info, {when: 'build --progress'}],
  ] as const)('knows what was built %s', async (_, engine, build) => {
    const docker = open([engine, build, buildx, image]);
    expect(await docker.build(request, {})).toEqual({ok: true, value: {id}});
  });

  it('takes the reference where a builder elsewhere names an id that the engine does not know', async () => {
    const docker = open([
      info,
      {when: 'build --progress', writes: metadata(digest)},
      {when: 'buildx inspect', stdout: 'Driver: docker-container\n'},
      {when: digest, stderr: `Error response from daemon: No such image: ${digest}`, exitCode: 1},
      image,
    ]);
    expect(await docker.build(request, {})).toMatchObject({value: {id}});
  });

  it('builds in the engine when it must, whatever builder was chosen', async () => {
    const docker = open(
      [
        info,
        {when: 'context show', stdout: 'rootless\n'},
        {when: '--load', writes: metadata(id)},
        buildx,
      ],
      'far',
    );
    expect((await docker.build({...request, inEngine: true}, {})).ok).toBe(true);
    const {args} = fake.last('buildx', 'build');
    expect(args).toContain('rootless');
    expect(args).not.toContain('far');
  });

  it('names buildx where secrets need it', async () => {
    const docker = open([infoOf({plugins: []}), {when: 'buildx', exitCode: 1}]);
    const built = await docker.build({...request, secrets: ['id=x,env=X']}, {});
    expect(failureOf(built)).toMatchObject({message: expect.stringContaining('needs buildx')});
    expect(fake.calls().some(([verb]) => verb === 'build')).toBe(false);
  });

  it('puts the private tag of a parent in the same build, and takes it away at the end', async () => {
    const rules = [info, {when: '--load', writes: metadata(id)}, buildx];
    const docker = open(rules);
    expect((await docker.build({...request, privateName: 'base'}, {})).ok).toBe(true);
    const {args} = fake.last('buildx', 'build');
    const tags = args.filter((_, index) => args[index - 1] === '--tag');
    expect(tags).toEqual([request.ref, expect.stringMatching(/^stack-run\.invalid\/77\//)]);
    const before = fake.calls().length;
    expect(await docker.tagPrivately(id, 'base')).toEqual({ok: true, value: tags[1]});
    expect(fake.calls().length).toBe(before);
    await docker.cleanUp();
    expect(fake.last('image', 'rm').args).toContain(tags[1]);
  });

  it('takes the private tag away also where the build did not end well', async () => {
    const docker = open([info, {when: '--load', exitCode: 1}, buildx]);
    expect((await docker.build({...request, privateName: 'base'}, {})).ok).toBe(false);
    await docker.cleanUp();
    expect(fake.last('image', 'rm').args.join(' ')).toContain('stack-run.invalid/');
    expect((await docker.tagPrivately(id, 'base')).ok).toBe(true);
    expect(fake.last('tag').args).toContain(id);
  });

  it('never pushes a private tag', async () => {
    const text = JSON.stringify({'containerimage.digest': digest}, undefined, 2);
    const docker = open([info, {when: '--push', writes: ['--metadata-file', text]}]);
    await docker.buildAndPush({...request, privateName: 'base'}, {});
    expect(fake.last('buildx', 'build').args.join(' ')).not.toContain('stack-run.invalid');
  });

  it('reads the digest of a build that went straight to the registry', async () => {
    const text = JSON.stringify({'containerimage.digest': digest}, undefined, 2);
    const docker = open([info, {when: '--push', writes: ['--metadata-file', text]}]);
    expect(await docker.buildAndPush(request, {})).toEqual({ok: true, value: digest});
  });
});

describe('push', () => {
  it('answers with the digest of the registry', async () => {
    const docker = open([
      {when: 'push', stdout: `abc: Pushed\n2026.3-main: digest: ${digest} size: 943\n`},
    ]);
    expect(await docker.push(ref, {})).toEqual({ok: true, value: digest});
  });

  it('does not believe an end without a digest', async () => {
    const docker = open([{when: 'push', stdout: 'abc: Pushed\n'}]);
    expect(failureOf(await docker.push(ref, {})).class).toBe('registry-inconsistent');
  });
});

describe('ids', () => {
  it('asks for many in one process', async () => {
    const docker = open([{when: 'image inspect', stdout: `${id}\n${digest}\n`}]);
    const found = await docker.ids(['a', 'b']);
    expect(found.ok && [...found.value]).toEqual([
      ['a', id],
      ['b', digest],
    ]);
    expect(fake.calls()).toHaveLength(1);
  });

  it('leaves out what is not there', async () => {
    const missing = {stderr: 'Error response from daemon: No such image: b', exitCode: 1};
    const docker = open([{when: ' b', ...missing}, image]);
    const found = await docker.ids(['a', 'b']);
    expect(found.ok && [...found.value.keys()]).toEqual(['a']);
  });
});

describe('containers', () => {
  it('removes the container that an ended client leaves behind', async () => {
    const docker = open([]);
    const signal = AbortSignal.abort();
    await docker.run({image: ref, name: 'n', command: ['sleep', '60']}, {signal});
    expect(fake.calls()).toEqual([['rm', '--force', '--volumes', 'n']]);
  });

  it('asks for nothing more when every container was seen to end', async () => {
    const docker = open([{when: 'run', exitCode: 3}]);
    await docker.run({image: ref, name: 'n', command: ['false']}, {});
    await docker.cleanUp();
    expect(fake.calls()).toHaveLength(1);
  });

  it('removes in the end what it did not see to be gone', async () => {
    const docker = open([
      {when: '--name lost', stderr: 'error waiting for container: unexpected EOF', exitCode: 125},
    ]);
    await docker.run({image: ref, name: 'lost', command: ['true']}, {});
    await docker.create({image: ref, name: 'made', command: ['true']}, {});
    await docker.create({image: ref, name: 'done', command: ['true']}, {});
    await docker.removeContainer('done');
    await docker.cleanUp();
    expect(fake.calls().at(-1)).toEqual(['rm', '--force', '--volumes', 'lost', 'made']);
  });

  it('removes of other runs only what is older than six hours, in two calls', async () => {
    const stdout = [
      'old 12 2026-11-24 05:59:00 +0000 UTC',
      'new 12 2026-11-24 06:01:00 +0000 UTC',
      'ours 77 2026-11-24 11:59:00 +0000 UTC',
      '',
    ].join('\n');
    const docker = open([{when: 'ps', stdout}]);
    await docker.sweep(new Date('2026-11-24T12:00:00Z'));
    const format = '{{.ID}} {{.Label "stack-action.run"}} {{.CreatedAt}}';
    expect(fake.calls().filter(([command]) => command !== 'image')).toEqual([
      ['ps', '--all', '--filter', 'label=stack-action.run', '--format', format],
      ['rm', '--force', '--volumes', 'old'],
    ]);
  });

  it('removes private tags of other runs only when they are older than six hours', async () => {
    const at = (time: string): number => Date.parse(time) / 1000;
    const name = '0123456789abcdef';
    const old = `stack-run.invalid/12/${at('2026-11-24T05:59:00Z')}:${name}`;
    const stdout = [
      old,
      `stack-run.invalid/12/${at('2026-11-24T06:01:00Z')}:${name}`,
      `stack-run.invalid/77/${at('2026-11-24T01:00:00Z')}:${name}`,
      `stack-run.invalid/12/${at('2026-11-24T01:00:00Z')}:latest`,
      '',
    ].join('\n');
    const docker = open([{when: 'image', stdout}]);
    await docker.sweep(new Date('2026-11-24T12:00:00Z'));
    expect(fake.calls().filter(([, command]) => command === 'rm')).toEqual([['image', 'rm', old]]);
  });

  it('starts nothing more where no run left anything', async () => {
    const docker = open([{when: 'ps', stdout: '\n'}]);
    await docker.sweep(new Date('2026-11-24T12:00:00Z'));
    expect(fake.calls().map(([command, what]) => `${command} ${what}`)).toEqual([
      'ps --all',
      'image ls',
    ]);
  });

  it('tags an image privately once, and removes that tag once', async () => {
    const docker = open([]);
    const [one, other] = await Promise.all([
      docker.tagPrivately('sha256:1', 'a'),
      docker.tagPrivately('sha256:1', 'a'),
    ]);
    expect(one).toEqual(other);
    const tag = one.ok ? one.value : '';
    expect(tag).toMatch(/^stack-run\.invalid\/77\/\d+:[0-9a-f]{16}$/);
    expect(fake.calls()).toEqual([['tag', 'sha256:1', tag]]);
    await docker.releasePrivately('b');
    await docker.releasePrivately('a');
    await docker.cleanUp();
    expect(fake.calls().slice(1)).toEqual([['image', 'rm', tag]]);
  });

  it('removes with the run what is still tagged privately', async () => {
    const docker = open([]);
    const tagged = await docker.tagPrivately('sha256:1', 'a');
    await docker.cleanUp();
    expect(fake.calls().at(-1)).toEqual(['image', 'rm', tagged.ok ? tagged.value : '']);
  });

  it('prunes nothing of the host', async () => {
    const docker = open([]);
    await docker.removeImage(ref, {});
    expect(fake.calls()).toEqual([['image', 'rm', ref]]);
  });
});

describe('diagnose', () => {
  const failed = failure('build-failed', 'The build failed.', {
    cause: {kind: 'exit', command: 'docker build', exitCode: 1},
  });

  it('blames the daemon where it is gone', async () => {
    const docker = open([
      {when: 'info', stderr: 'Cannot connect to the Docker daemon', exitCode: 1},
    ]);
    expect(await docker.diagnose(failed)).toMatchObject({
      class: 'daemon-lost',
      message: expect.stringContaining('The build failed.'),
    });
  });

  it('leaves the blame where the daemon answers', async () => {
    expect(await open([info]).diagnose(failed)).toEqual(failed);
  });

  it('does not ask where the cause is plain', async () => {
    const docker = open([info]);
    await docker.diagnose({...failed, class: 'permission'});
    expect(fake.calls()).toEqual([]);
  });
});
