import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {split} from 'shlex';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {createDockerConfig, type DockerConfig} from '../../src/adapters/docker/config.ts';
import {createDocker, type Docker} from '../../src/adapters/docker/index.ts';
import {openWorkspace} from '../../src/adapters/files/index.ts';
import {testEnvironment} from '../../src/adapters/process/environment.ts';
import {runCommand} from '../../src/adapters/process/index.ts';
import {createRegistry} from '../../src/adapters/registry/index.ts';
import {createSteps, type Steps} from '../../src/build/steps/index.ts';
import type {StepResult} from '../../src/build/types.ts';
import {ok} from '../../src/failure.ts';
import {fileNameOf, labels, proofTag} from '../../src/image/tags.ts';
import type {PlannedImage, PlannedSource} from '../../src/plan/types.ts';
import {readRecord, writeRecord} from '../../src/record/index.ts';
import type {StepName} from '../../src/schedule/steps.ts';
import type {ImageSpec} from '../../src/stack/spec/types.ts';
import {createMask} from '../../src/util/masking.ts';
import {imageSpec} from '../support/builders/stack.ts';
import {type Fault, startFaultProxy} from '../support/servers/fault-proxy.ts';

const host = '127.0.0.1:5000';
/** Of this test run alone: others use the same engine and registry. */
const run = `steps-${crypto.randomUUID().slice(0, 8)}`;
const tag = '2026.3-main';
const secret = 'ghs_very-secret-token';
const mask = createMask();
mask.add([secret]);
const base = 'debian:bookworm-slim';
/** What Docker 29 begins with; then the id of an image is the digest of its manifest. */
const hasContainerdStore = docker('info', '--format', '{{json .DriverStatus}}').includes(
  'io.containerd.snapshotter',
);

function docker(...args: string[]): string {
  return execFileSync('docker', args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
}

const refOf = (name: string): string => `${host}/${run}/${name}:${tag}`;
const fingerprintOf = (name: string): string =>
  `sha256:${Buffer.from(name.padEnd(32, '-')).toString('hex').slice(0, 64)}`;

const content = `sha256:${'c'.repeat(64)}`;
const testsHash = `sha256:${'7e57'.repeat(16)}`;

function image(name: string, more: Partial<ImageSpec> = {}): ImageSpec {
  return imageSpec(name, more.parents, {repository: `${host}/${run}/${name}`, ...more});
}

const command = (name: string, text: string) => ({
  name,
  description: name,
  command: text,
  words: split(text),
});

const specs: readonly ImageSpec[] = [
  image('root', {
    integrationTests: true,
    buildArgs: new Map([['GREETING', 'hi there; $HOME']]),
    infoCommands: [
      command('GREP', `bash -c 'printf "a\\nb\\nc\\n" | grep "a\\|b"'`),
      command('BAD', 'cat /nope'),
      command('BYTES', `printf 'x\\377y'`),
      command('LONG', 'seq 40'),
    ],
  }),
  image('child', {parents: ['root'], prune: true}),
  image('twin'),
  image('flaky', {integrationTests: true}),
  image('broken'),
  image('untestable'),
  image('shell-less', {infoCommands: [command('ANSWER', '/answer 42'), command('NONE', '/nope')]}),
  image('inside', {
    tests: {
      words: ['sh', 'test/check.sh'],
      paths: [],
      where: 'container',
      timeoutMinutes: undefined,
    },
  }),
  image('hanging'),
  image('sleeper', {infoCommands: [command('SLEEP', 'sleep 600')]}),
];

const files: Readonly<Record<string, string>> = {
  'images/tests_common/test_common.py': `
import os, subprocess
def test_runs():
    subprocess.run(["docker", "run", "--rm", os.environ["TEST_IMAGE"], "true"], check=True)
`,
  'images/root/Dockerfile': `FROM ${base}
ARG GREETING
RUN echo "$GREETING" > /greeting && echo ${secret}
`,
  'images/root/test/test_root.py': `
import os, subprocess
def test_greeting():
    out = subprocess.check_output(["docker", "run", "--rm", os.environ["TEST_IMAGE"], "cat", "/greeting"])
    assert out == b"hi there; $HOME\\n"
def test_sees_no_credentials():
    assert "GITHUB_TOKEN" not in os.environ
    open(os.path.join(os.environ["STACK_LOGS_DIR"], "seen.txt"), "w").write("seen")
`,
  'images/root/integration_tests/test_whole.py': 'def test_it():\n    pass\n',
  'images/child/Dockerfile': `ARG BASE_TAG=latest
FROM ${host}/${run}/root:\${BASE_TAG}
ARG BASE_IMAGE
RUN cat /greeting > /copy && echo "$BASE_IMAGE" > /base
`,
  'images/twin/Dockerfile': `FROM ${base}\n`,
  'images/flaky/Dockerfile': `FROM ${base}\nRUN echo flaky > /x\n`,
  'images/flaky/integration_tests/test_bad.py': 'def test_bad():\n    assert 1 == 2\n',
  'images/broken/Dockerfile': `FROM ${base}\nRUN echo the reason why; exit 7\n`,
  'images/untestable/Dockerfile': `FROM ${base}\nRUN echo untestable > /x\n`,
  'images/untestable/tests/test_bad.py': 'def test_bad():\n    assert 1 == 2\n',
  'images/shell-less/Dockerfile': `FROM ${base} AS tools
FROM scratch
COPY --from=tools /bin/echo /answer
COPY --from=tools /lib/x86_64-linux-gnu/libc.so.6 /lib/x86_64-linux-gnu/libc.so.6
COPY --from=tools /lib64/ld-linux-x86-64.so.2 /lib64/ld-linux-x86-64.so.2
CMD ["/answer"]
`,
  'images/inside/Dockerfile': `FROM ${base}\nRUN useradd -m someone\nUSER someone\n`,
  'images/inside/test/check.sh':
    'echo "user $(id -un)"; echo shot > "$STACK_LOGS_DIR/shot.txt"; exit 3\n',
  'images/sleeper/Dockerfile': `FROM ${base}\n`,
  'images/hanging/Dockerfile': `FROM ${base}\nRUN echo waiting; sleep 600\n`,
};

let root: string;
let config: DockerConfig;
const ports: Docker[] = [];
const registry = createRegistry({credentials: new Map()});
const planned = new Map<string, PlannedImage>();

async function recordAt(image: {readonly repository: string; readonly digest: string}) {
  const found = await readRecord(registry, image);
  return found.ok ? found.value : undefined;
}

const recordOf = (name: string, digest = '') =>
  recordAt({repository: `${host}/${run}/${name}`, digest});

/** The image at a reference, as the plan reads it. */
async function sourceAt(ref: string): Promise<PlannedSource> {
  const manifest = await registry.manifest(ref);
  if (manifest.state !== 'present') throw new Error(`${ref} is not there`);
  const {digest} = manifest;
  return {ref, digest, manifest, fingerprint: fingerprintOf('root'), content};
}

interface Wishes {
  readonly push?: boolean;
  readonly seconds?: number;
  /** Takes the waits between attempts, which are then not waited. */
  readonly waits?: number[];
}

function steps(more: Wishes = {}): Steps {
  const port = createDocker({
    run: runCommand,
    config,
    builder: undefined,
    runId: run,
    root,
    tempDir: tmpdir(),
  });
  ports.push(port);
  return createSteps({
    plan: {tag, images: [...planned.values()], changed: []},
    references: new Map([['child', new Map([['root', [refOf('root')]]])]]),
    parentArgs: new Map([
      [
        'child',
        new Map([
          ['BASE_TAG', tag],
          ['BASE_IMAGE', refOf('root')],
        ]),
      ],
    ]),
    verifyInputs: async () => ok(),
    verifyTests: async () => ok(),
    records: {
      write: (record) => writeRecord(registry, record),
      read: recordAt,
    },
    recordRefused: (because) => {
      throw new Error(because);
    },
    runOf: () => ({id: run, attempt: 1, url: ''}),
    subject: undefined,
    pinsOf: () => new Map(),
    baseOf: () => ({}),
    platform: `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`,
    mask: (text) => text.replaceAll(secret, '***'),
    extraTags: () => [],
    stackDir: 'images',
    workspace: openWorkspace(root, mask),
    docker: port,
    registry,
    run: runCommand,
    emit: () => {},
    onOutput: () => {},
    testEnvironment: testEnvironment({...process.env, GITHUB_TOKEN: secret}),
    tempDir: tmpdir(),
    push: more.push ?? true,
    givesSecrets: true,
    cache: 'inline',
    caches: new Map(),
    timeoutMinutes: more.seconds === undefined ? undefined : more.seconds / 60,
    runId: run,
    revision: 'a'.repeat(40),
    sourceUrl: undefined,
    login: undefined,
    now: () => new Date(),
    wait: async (seconds) => {
      more.waits?.push(seconds);
    },
  });
}

function plan(name: string, more: Partial<PlannedImage> = {}): PlannedImage {
  const spec = specs.find((one) => one.name === name) ?? image(name);
  const made: PlannedImage = {
    name,
    spec,
    parents: spec.parents,
    level: 0,
    ref: refOf(name),
    action: 'build',
    reasons: [],
    fingerprint: fingerprintOf(name),
    content,
    tests: testsHash,
    before: undefined,
    source: undefined,
    expectedSeconds: undefined,
    ...more,
  };
  planned.set(name, made);
  return made;
}

const never = new AbortController().signal;

/** Does the steps in order up to the first that fails. */
async function go(of: Steps, name: string, names: readonly StepName[]): Promise<StepResult[]> {
  const done: StepResult[] = [];
  for (const step of names) {
    const result = await of.runStep(planned.get(name) ?? plan(name), step, never);
    done.push(result);
    if (result.failure !== undefined) break;
  }
  return done;
}

const whole = ['pull', 'build', 'test', 'push', 'integration-test', 'manifest', 'prune'] as const;
const failures = (results: readonly StepResult[]) => results.flatMap(({failure}) => failure ?? []);
const log = (name: string, kind: string): string =>
  readFileSync(join(root, 'logs', `${fileNameOf(refOf(name))}.${kind}.log`), 'utf8');
const page = (name: string): string =>
  readFileSync(join(root, 'manifests', `${fileNameOf(refOf(name))}.md`), 'utf8');
const testedTag = (name: string): string =>
  `${host}/${run}/${name}:${proofTag(fingerprintOf(name), testsHash)}`;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'steps-'));
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), {recursive: true});
    writeFileSync(join(root, file), text);
  }
  config = await createDockerConfig(tmpdir());
  for (const {name} of specs) plan(name);
});

afterAll(async () => {
  await registry.close();
  for (const port of ports) await port.cleanUp();
  await config.remove();
  for (const {name} of specs) {
    try {
      docker('image', 'rm', '--force', refOf(name));
    } catch {
      // It was never built, or pruned.
    }
  }
  rmSync(root, {recursive: true});
});

describe('an image and its child, through all steps', () => {
  let rootSteps: readonly StepResult[];
  let all: Steps;
  beforeAll(async () => {
    all = steps();
    rootSteps = await go(all, 'root', whole);
    expect(failures(rootSteps)).toEqual([]);
  });

  it('pushes what was built, with its labels', async () => {
    const found = await registry.inspect(refOf('root'));
    if (found.state !== 'present') throw new Error('it is not there');
    expect(all.facts('root').digest).toBe(found.digest);
    expect(hasContainerdStore ? found.digest : found.configDigest).toBe(
      docker('image', 'inspect', '--format', '{{.Id}}', refOf('root')),
    );
    expect(Object.fromEntries(found.labels)).toMatchObject({
      [labels.fingerprint]: fingerprintOf('root'),
      [labels.run]: run,
      [labels.revision]: 'a'.repeat(40),
      [labels.version]: tag,
    });
  });

  it('remembers in the registry that all tests passed', async () => {
    const {digest} = all.facts('root');
    expect(await registry.head(testedTag('root'))).toEqual({state: 'present', digest});
    expect(await recordOf('root', digest)).toMatchObject({
      reference: refOf('root'),
      tests: {verdict: 'passed', hash: testsHash, counts: {passed: 4, failed: 0}},
      info: [{name: 'GREP', output: 'a\nb\n'}, {name: 'BAD', exitCode: 1}, {}, {}],
    });
  });

  it('writes logs without the secret that the build printed', () => {
    expect(log('root', 'build')).toContain('RUN echo "hi there; $HOME" > /greeting && echo ***');
    expect(log('root', 'build')).not.toContain(secret);
    expect(log('root', 'basic-tests')).toContain('3 passed');
    expect(log('root', 'integration-tests')).toContain('1 passed');
  });

  it('keeps what tests dropped, and leaves nothing in the checkout', () => {
    expect(existsSync(join(root, 'logs', fileNameOf(refOf('root')), 'seen.txt'))).toBe(true);
    expect(existsSync(join(root, 'images/root/test/__pycache__'))).toBe(false);
    expect(existsSync(join(root, '.pytest_cache'))).toBe(false);
  });

  it('documents layers and info commands', () => {
    const text = page('root');
    expect(text).toContain('```text\na\nb\n```');
    expect(text).toContain('failed with exit code 1');
    expect(text).toContain('cat: /nope: No such file or directory');
    expect(text).toContain('x\ufffdy');
    expect(text).toContain('<summary>Output (40 lines)</summary>');
    expect(text).toContain('&gt; /greeting');
    expect(text).not.toContain(secret);
    expect(rootSteps.at(-2)?.notes).toEqual(['info commands that failed: BAD']);
  });

  it('builds the child on it, and frees the disk of the child', async () => {
    const done = await go(all, 'child', ['pull', 'build', 'test']);
    expect(failures(done)).toEqual([]);
    expect(docker('run', '--rm', refOf('child'), 'cat', '/copy', '/base')).toBe(
      `hi there; $HOME\n${refOf('root')}`,
    );
    expect(failures(await go(all, 'child', ['push', 'manifest', 'prune']))).toEqual([]);
    expect(docker('images', '--quiet', `${host}/${run}/child`)).toBe('');
    expect(docker('images', '--quiet', `${host}/${run}/root`)).not.toBe('');
  });

  it('builds a child on a parent that only the registry has', async () => {
    docker('image', 'rm', '--force', refOf('root'));
    plan('root', {action: 'skip', source: await sourceAt(refOf('root'))});
    expect(failures(await go(steps(), 'child', ['build']))).toEqual([]);
    expect(docker('run', '--rm', refOf('child'), 'cat', '/copy')).toBe('hi there; $HOME');
  });

  it('tests again what stands in the registry', async () => {
    const {digest = ''} = all.facts('root');
    docker('image', 'rm', '--force', refOf('root'));
    await registry.deleteTag(testedTag('root'));
    plan('root', {action: 'test', source: await sourceAt(refOf('root'))});
    const again = steps();
    expect(failures(await go(again, 'root', ['pull', 'test', 'integration-test']))).toEqual([]);
    expect(again.facts('root').digest).toBe(digest);
    expect(await registry.head(testedTag('root'))).toEqual({state: 'present', digest});
  });

  it('gives the tag to a twin without building', async () => {
    const {digest = ''} = all.facts('root');
    const source = await sourceAt(testedTag('root'));
    const ref = `${host}/${run}/root:2026.3-topic`;
    const reused = plan('root', {action: 'reuse', ref, source});
    const result = await steps().runStep(reused, 'reuse', never);
    expect(result.failure).toBeUndefined();
    expect(await registry.head(ref)).toEqual({state: 'present', digest});
  });

  it('makes the page of a twin from its record, without its image', async () => {
    const {digest = ''} = all.facts('root');
    docker('image', 'rm', '--force', refOf('root'));
    const ref = `${host}/${run}/root:2026.3-topic`;
    const reused = plan('root', {action: 'reuse', ref, source: await sourceAt(testedTag('root'))});
    const result = await steps().runStep(reused, 'manifest', never);
    expect(result.failure).toBeUndefined();
    const text = readFileSync(join(root, 'manifests', `${fileNameOf(ref)}.md`), 'utf8');
    expect(text).toContain(digest);
    expect(text).toContain('```text\na\nb\n```');
    expect(docker('images', '--quiet', `${host}/${run}/root`)).toBe('');
  });
});

describe('what goes wrong', () => {
  it('says why a build failed', async () => {
    const [failure] = failures(await go(steps(), 'broken', ['pull', 'build']));
    expect(failure).toMatchObject({class: 'build-failed', cause: {kind: 'exit'}});
    expect(failure?.message).toContain(refOf('broken'));
    expect(failure?.tail.join('\n')).toContain('the reason why');
    expect(log('broken', 'build')).toContain('exit code: 7');
  });

  it('never calls an image tested whose tests failed', async () => {
    const done = await go(steps(), 'untestable', ['build', 'test', 'push']);
    expect(failures(done)).toMatchObject([{class: 'test-failed'}]);
    expect(done.at(-1)?.step).toBe('test');
    expect(await registry.head(refOf('untestable'))).toEqual({state: 'absent'});
    expect(await registry.head(testedTag('untestable'))).toEqual({state: 'absent'});
  });

  it('remembers that integration tests failed, of this very digest', async () => {
    const all = steps();
    const done = await go(all, 'flaky', ['build', 'test', 'push', 'integration-test']);
    expect(failures(done)).toMatchObject([{class: 'test-failed'}]);
    const {digest} = all.facts('flaky');
    expect(await registry.head(refOf('flaky'))).toEqual({state: 'present', digest});
    expect(await registry.head(testedTag('flaky'))).toEqual({state: 'absent'});
    expect(await recordOf('flaky', digest)).toMatchObject({tests: {verdict: 'failed'}});
  });

  it('ends a build at its deadline', async () => {
    const [failure] = failures(await go(steps({seconds: 3}), 'hanging', ['build']));
    expect(failure).toMatchObject({class: 'timeout', cause: {kind: 'timeout', seconds: 3}});
    expect(failure?.tail.join('\n')).toContain('waiting');
  });

  it('ends a build that is cancelled', async () => {
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 1500);
    const result = await steps().runStep(plan('hanging'), 'build', abort.signal);
    expect(result.failure).toMatchObject({class: 'cancelled'});
  });

  it('does not push in a run that does not push', async () => {
    const quiet = steps({push: false});
    const done = await go(quiet, 'twin', ['build', 'push']);
    expect(failures(done)).toEqual([]);
    expect(done.at(-1)?.notes).toEqual(['this run does not push']);
    expect(await registry.head(refOf('twin'))).toEqual({state: 'absent'});
  });
});

describe('a push to a registry that has its bad days', () => {
  const manifest = /^PUT .*\/manifests\//;
  const limit = {code: 'TOOMANYREQUESTS', message: 'too many requests'} as const;

  /** Builds and pushes a twin through the proxy. */
  async function push(fault: Fault) {
    const proxy = await startFaultProxy(host, [fault]);
    const waits: number[] = [];
    const ref = `${proxy.host}/${run}/twin:${tag}`;
    plan('twin', {ref});
    try {
      const done = await go(steps({waits}), 'twin', ['build', 'push']);
      const puts = proxy.seen.filter((line) => manifest.test(line) && line.endsWith(tag)).length;
      return {end: done.at(-1), waits, puts};
    } finally {
      docker('image', 'rm', '--force', ref);
      await proxy.close();
    }
  }

  it.each([
    ['a limit on requests', {answer: 429, ...limit, first: 2}, 2],
    ['an error of the server', {answer: 500, first: 1}, 1],
    ['a connection that breaks', {answer: 'reset', first: 1}, 1],
  ] as const)('gets over %s', async (_, fault, retries) => {
    const {end, waits} = await push({match: manifest, ...fault});
    expect(end?.failure).toBeUndefined();
    // containerd tries a limit or an error again by itself, at once.
    const ours = hasContainerdStore && fault.answer !== 'reset' ? 0 : retries;
    const notes = [`pushed after ${ours} ${ours === 1 ? 'retry' : 'retries'}`];
    expect(end?.notes).toEqual(ours === 0 ? [] : notes);
    expect(waits).toHaveLength(ours);
    expect((await registry.head(refOf('twin'))).state).toBe('present');
  });

  it.each([
    ['a limit that stays', {answer: 429, ...limit}, 'rate-limit', 4],
    [
      'a refusal',
      {answer: 403, code: 'DENIED', message: 'requested access to the resource is denied'},
      'permission',
      1,
    ],
    [
      'a tag that cannot move',
      {answer: 400, code: 'TAG_INVALID', message: 'immutable'},
      'tag-conflict',
      1,
    ],
  ] as const)('gives up on %s', async (_, fault, expected, attempts) => {
    const {end, puts, waits} = await push({match: manifest, ...fault});
    expect(end).toMatchObject({step: 'push', failure: {class: expected}});
    expect(waits).toHaveLength(attempts - 1);
    if (!hasContainerdStore) expect(puts).toBe(attempts);
  });
});

describe('tests and info commands in containers', () => {
  it('runs info commands one by one where the image has no shell', async () => {
    expect(failures(await go(steps({push: false}), 'shell-less', ['build', 'manifest']))).toEqual(
      [],
    );
    expect(page('shell-less')).toContain('```text\n42\n```');
    expect(page('shell-less')).toContain('failed with exit code 127');
  });

  it('runs tests inside, as the user of the image, and brings out what they left', async () => {
    const [failure] = failures(await go(steps({push: false}), 'inside', ['build', 'test']));
    expect(failure).toMatchObject({class: 'test-failed', cause: {exitCode: 3}});
    expect(log('inside', 'basic-tests')).toContain('user someone');
    expect(readFileSync(join(root, 'logs', fileNameOf(refOf('inside')), 'shot.txt'), 'utf8')).toBe(
      'shot\n',
    );
  });

  it('ends what runs in a container when the run is cancelled', async () => {
    plan('sleeper');
    expect(failures(await go(steps({push: false}), 'sleeper', ['build']))).toEqual([]);
    const abort = new AbortController();
    const running = steps({push: false}).runStep(plan('sleeper'), 'manifest', abort.signal);
    const filter = ['--filter', `label=stack-action.run=${run}`];
    while (docker('ps', '--quiet', ...filter) === '')
      await new Promise((go) => setTimeout(go, 100));
    abort.abort();
    expect((await running).failure).toMatchObject({class: 'cancelled'});
  });

  it('leaves no container behind, and no private tag after the clean-up', async () => {
    expect(docker('ps', '--all', '--quiet', '--filter', `label=stack-action.run=${run}`)).toBe('');
    const privateTags = () => docker('images', '--quiet', `stack-run.invalid/${run}/*`);
    expect(privateTags()).not.toBe('');
    for (const port of ports) await port.cleanUp();
    expect(privateTags()).toBe('');
  });
});
