import {execFileSync} from 'node:child_process';
import {chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {join} from 'node:path';
import {afterEach, describe, expect, it} from 'vitest';
import {
  cancelAsRunner,
  cleanAfter,
  containersOf,
  makeOneImage,
  type OneImage,
  type OneImageOptions,
} from '../support/rig/one-image.ts';
import {outcomes} from '../support/rig/small-stack.ts';
import {type FaultProxy, startFaultProxy} from '../support/servers/fault-proxy.ts';

const origin = process.env['REGISTRY'] ?? '127.0.0.1:5000';
/** What a cancelled step may take before the runner's next signal. */
const patience = 7000;

let stack: OneImage | undefined;
let proxy: FaultProxy | undefined;
afterEach(async () => {
  stack?.remove();
  await proxy?.close();
  [stack, proxy] = [undefined, undefined];
});

async function make(options: Partial<OneImageOptions>): Promise<OneImage> {
  stack = await makeOneImage({registry: origin, ...options});
  return stack;
}

const logHas =
  ({root, ref}: OneImage, kind: string, text: RegExp) =>
  (): boolean => {
    const file = join(root, 'logs', `${ref.replace(/[/:]/g, '-')}.${kind}.log`);
    return existsSync(file) && text.test(readFileSync(file, 'utf8'));
  };

/** Programs whose arguments have this word. */
function running(word: string): readonly string[] {
  const lines = execFileSync('ps', ['-eo', 'args'], {encoding: 'utf8'}).split('\n');
  return lines.filter((line) => line.includes(word) && !line.startsWith('ps '));
}

describe.each(['SIGINT', 'SIGTERM'] as const)('%s', (signal) => {
  it('in a build ends it, and the report is written', async () => {
    const word = `7${String(process.hrtime.bigint()).slice(-7)}`;
    const one = await make({
      dockerfile: `FROM debian:bookworm-slim\nRUN echo begun-${word} && sleep ${word}\n`,
    });
    const request = one.request();
    const seen = await cancelAsRunner(request, logHas(one, 'build', /\d begun-/), signal);
    expect(seen.sent).toEqual([signal]);
    expect(seen.ms).toBeLessThan(patience);
    expect(seen.run.outputs['outcome']).toBe('cancelled');
    expect(outcomes(seen.run)).toEqual({only: 'cancelled'});
    expect(one.read('artifacts/report.json')).toContain('cancelled');
    expect(seen.run.summary).toContain('cancelled');
    expect(running(word)).toEqual([]);
    expect(containersOf(seen.run)).toBe('');
  });

  it('in host tests ends pytest and what it started', async () => {
    const word = `8${String(process.hrtime.bigint()).slice(-7)}`;
    const one = await make({
      files: {
        'images/only/test/test_a.py': `import subprocess\ndef test_a():\n    print("begun", flush=True)\n    open("begun", "w").close()\n    subprocess.run(["sleep", "${word}"])\n`,
      },
    });
    const seen = await cancelAsRunner(
      one.request({push: 'false'}),
      () => existsSync(join(one.root, 'begun')),
      signal,
    );
    expect(seen.sent).toEqual([signal]);
    expect(seen.ms).toBeLessThan(patience);
    expect(seen.run.outputs['outcome']).toBe('cancelled');
    expect(running(word)).toEqual([]);
  });

  it('in a container whose first process ignores it removes the container', async () => {
    const one = await make({
      keys: [
        'tests: {where: container, command: "sh -c \\"trap : TERM INT; echo begun; while :; do sleep 1; done\\""}',
      ],
    });
    const seen = await cancelAsRunner(
      one.request({push: 'false'}),
      logHas(one, 'basic-tests', /^begun/m),
      signal,
    );
    expect(seen.sent).toEqual([signal]);
    expect(seen.ms).toBeLessThan(patience);
    expect(containersOf(seen.run)).toBe('');
  });

  it('in a push that hangs ends, and no tag was moved', async () => {
    let isPut = false;
    const before = async (): Promise<void> => {
      isPut = true;
    };
    const match = /^PUT .*\/manifests\/1-feature$/;
    proxy = await startFaultProxy(origin, [{match, answer: 'hang', before}]);
    const one = await make({registry: proxy.host});
    const seen = await cancelAsRunner(one.request(), () => isPut, signal);
    expect(seen.sent).toEqual([signal]);
    expect(seen.ms).toBeLessThan(patience);
    expect(seen.run.outputs['outcome']).toBe('cancelled');
  });

  it('in planning, while the registry says nothing, ends without a build', async () => {
    let isAsked = false;
    const before = async (): Promise<void> => {
      isAsked = true;
    };
    proxy = await startFaultProxy(origin, [{match: /manifests/, answer: 'hang', before}]);
    const one = await make({registry: proxy.host});
    const seen = await cancelAsRunner(one.request(), () => isAsked, signal);
    expect(seen.sent).toEqual([signal]);
    expect(seen.ms).toBeLessThan(patience);
    expect(seen.run.outputs['outcome']).toBe('cancelled');
    expect(existsSync(join(one.root, 'artifacts/only.yaml'))).toBe(false);
  });
});

describe('SIGINT, while something hangs that knows no signal', () => {
  /** A server that takes every question and answers none. */
  async function silent(): Promise<{readonly url: string; isAsked(): boolean; close(): void}> {
    let isAsked = false;
    const server = createServer(() => {
      isAsked = true;
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const {port} = server.address() as AddressInfo;
    const close = (): void => {
      server.closeAllConnections();
      server.close();
    };
    return {url: `http://127.0.0.1:${port}`, isAsked: () => isAsked, close};
  }
  const token = `x.${Buffer.from('{"scp":"Actions.Results:a:b"}').toString('base64url')}.y`;

  it.each<
    [string, (url: string) => {inputs?: Record<string, string>; env: Record<string, string>}]
  >([
    ['the API', (url) => ({inputs: {'github-token': 'a-token'}, env: {GITHUB_API_URL: url}})],
    [
      'the artifact service',
      (url) => ({env: {ACTIONS_RESULTS_URL: `${url}/`, ACTIONS_RUNTIME_TOKEN: token}}),
    ],
    [
      'the wiki',
      (url) => ({
        inputs: {'github-token': 'a-token', wiki: 'true', push: 'true'},
        env: {GITHUB_SERVER_URL: url},
      }),
    ],
  ])('%s: ends within its time', async (what, more) => {
    const server = await silent();
    try {
      const one = await make({});
      const {inputs, env} = more(server.url);
      const request = one.request({push: 'false', ...inputs}, env);
      // Commits that are not here make it ask the API.
      const payload = {...request.payload, created: false, before: '1'.repeat(40)};
      const asked = what === 'the API' ? {...request, payload} : request;
      const seen = await cancelAsRunner(asked, server.isAsked);
      expect(seen.sent).toEqual(['SIGINT']);
      expect(seen.ms).toBeLessThan(5000);
      if (what !== 'the artifact service') expect(seen.run.outputs['outcome']).toBe('cancelled');
      expect(existsSync(seen.run.state['runFolder'] ?? '/')).toBe(false);
    } finally {
      server.close();
    }
  });

  it('a git that ignores SIGTERM: ends within its time', async () => {
    const one = await make({});
    const bin = join(one.root, '..', `bin-git-${process.pid}`);
    mkdirSync(bin, {recursive: true});
    const flag = join(bin, 'begun');
    const git = execFileSync('which', ['git'], {encoding: 'utf8'}).trim();
    const hang = `*ls-files*) trap '' TERM INT; touch ${flag}; while :; do sleep 1; done`;
    const script = `#!/bin/bash\ncase "$*" in ${hang};; esac\nexec ${git} "$@"\n`;
    writeFileSync(join(bin, 'git'), script, {mode: 0o755});
    const env = {PATH: `${bin}:${process.env['PATH']}`};
    const seen = await cancelAsRunner(one.request({push: 'false'}, env), () => existsSync(flag));
    expect(seen.sent).toEqual(['SIGINT']);
    expect(seen.ms).toBeLessThan(5000);
    expect(seen.run.outputs['outcome']).toBe('cancelled');
  });

  it('tests that took themselves out of their process group: nothing of them is left', async () => {
    const word = `5${String(process.hrtime.bigint()).slice(-7)}`;
    const one = await make({
      files: {
        'images/only/test/test_a.py': [
          'import signal, subprocess, time',
          'def test_a():',
          '    signal.signal(signal.SIGTERM, signal.SIG_IGN)',
          `    subprocess.Popen(["setsid", "sleep", "${word}"])`,
          '    open("begun", "w").close()',
          '    time.sleep(600)',
          '',
        ].join('\n'),
      },
    });
    const isSoFar = (): boolean => existsSync(join(one.root, 'begun')) && running(word).length > 0;
    const seen = await cancelAsRunner(one.request({push: 'false'}), isSoFar);
    expect(seen.sent).toEqual(['SIGINT']);
    expect(seen.ms).toBeLessThan(5000);
    expect(running(word)).toEqual([]);
  });
});

describe('SIGKILL', () => {
  it.each(['build', 'basic-tests'] as const)(
    'in %s leaves nothing that the post step does not end',
    async (kind) => {
      const word = `9${String(process.hrtime.bigint()).slice(-7)}`;
      const sleeper = `FROM debian:bookworm-slim\nRUN echo begun-${word} && sleep ${word}\n`;
      const one = await make(
        kind === 'build'
          ? {dockerfile: sleeper}
          : {keys: [`tests: {where: container, command: "sh -c \\"echo begun; sleep ${word}\\""}`]},
      );
      const request = one.request({push: 'false'});
      const begun = kind === 'build' ? /\d begun-/ : /^begun/m;
      const seen = await cancelAsRunner(request, logHas(one, kind, begun), 'SIGKILL');
      expect(seen.run.signal).toBe('SIGKILL');
      expect((await cleanAfter(request, seen)).exitCode).toBe(0);
      expect(running(word)).toEqual([]);
      expect(containersOf(seen.run)).toBe('');
      expect(existsSync(seen.run.state['runFolder'] ?? '/')).toBe(false);
    },
  );
});

describe('docker itself', () => {
  /** A run that finds only this program `docker` on its PATH. */
  async function runBy(script: string | undefined): Promise<ReturnType<typeof cancelAsRunner>> {
    const one = await make({});
    const bin = join(one.root, '..', `bin-${process.pid}`);
    mkdirSync(bin, {recursive: true});
    const file = join(bin, 'docker');
    writeFileSync(file, `#!/bin/sh\n${script ?? ''}\n`);
    chmodSync(file, script === undefined ? 0o644 : 0o755);
    const git = execFileSync('which', ['git'], {encoding: 'utf8'}).trim();
    const links = join(bin, 'git');
    if (!existsSync(links)) execFileSync('ln', ['-s', git, links]);
    const {runStep} = await import('../support/rig/runner.ts');
    const began = performance.now();
    const run = await runStep(one.request({push: 'false'}, {PATH: bin}));
    return {run, ms: performance.now() - began, sent: []};
  }
  const info = (version: string): string =>
    `case "$*" in info*) echo '{"version":"${version}"}';; *) exit 1;; esac`;

  it.each<[string, string | undefined, RegExp]>([
    ['is not there', undefined, /Docker is not installed|cannot be executed|permission denied/],
    ['is too old', info('19.03.15'), /Docker 19\.03\.15 is too old.*20\.10/],
    [
      'finds no daemon',
      'echo "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?" >&2; exit 1',
      /Docker daemon/,
    ],
    ['is another program', 'echo hello', /was built, but|is not known|FAILED/],
  ])('%s: one error that says what to do, and no stack trace', async (_, script, expected) => {
    const {run} = await runBy(script);
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toMatch(expected);
    expect(run.stdout + run.stderr).not.toMatch(/\n\s+at .*[(/]|Internal error/);
  });

  it('leaves a grandchild that holds its pipes: the call settles, and the grandchild ends', async () => {
    const word = `6${String(process.hrtime.bigint()).slice(-7)}`;
    const script = `/bin/sleep ${word} &\n${info('28.5.2')}`;
    const {run, ms} = await runBy(script);
    expect(run.exitCode).toBe(1);
    expect(ms).toBeLessThan(60_000);
    expect(running(word)).toEqual([]);
  });
});
