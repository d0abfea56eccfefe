import {execFileSync} from 'node:child_process';
import {randomUUID} from 'node:crypto';
import {rmSync, statfsSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {afterAll, afterEach, beforeAll, describe, expect, it} from 'vitest';
import {
  cancelAsRunner,
  makeOneImage,
  type OneImage,
  type OneImageOptions,
} from '../support/rig/one-image.ts';
import {runPost, runStep, startStep} from '../support/rig/runner.ts';
import {outcomes} from '../support/rig/small-stack.ts';
import {
  type PrivateEngine,
  startPrivateEngine,
  whyNoEngine,
} from '../support/servers/private-engine.ts';

const noEngine = whyNoEngine();

let stack: OneImage | undefined;
afterEach(() => {
  stack?.remove();
  stack = undefined;
});

async function make(options: Omit<OneImageOptions, 'registry'>): Promise<OneImage> {
  stack = await makeOneImage({registry: '127.0.0.1:5000', ...options});
  return stack;
}

describe('an engine of its own, on a small disk', () => {
  let engine: PrivateEngine;
  beforeAll(async () => {
    if (noEngine !== undefined) throw new Error(noEngine);
    engine = await startPrivateEngine({megabytes: 700});
  });
  afterAll(() => engine.remove());
  const env = () => ({DOCKER_HOST: engine.host});
  const logOf = ({ref, read}: OneImage): string =>
    read(`logs/${ref.replace(/[/:]/g, '-')}.build.log`);

  it('a build that fills the disk is said to be that, with what helps', async () => {
    const one = await make({
      dockerfile: 'FROM debian:bookworm-slim\nRUN head -c 900000000 /dev/zero > /big\n',
    });
    const run = await runStep(one.request({push: 'false'}, env()));
    expect(run.exitCode).toBe(1);
    expect(outcomes(run)).toEqual({only: 'failed'});
    expect(one.read('artifacts/report.json')).toContain('disk-full');
    expect(run.stdout).toContain('docker builder prune');
    expect(logOf(one)).toMatch(/no space left on device/i);
  });

  it('a disk that has too little before the build is not filled to the end', async () => {
    // What the failed build wrote is given back a little later.
    await sleep(5000);
    const {bavail, bsize} = statfsSync(engine.data);
    const filler = join(engine.data, 'filler');
    execFileSync('fallocate', ['-l', String(bavail * bsize - 60_000_000), filler]);
    try {
      const one = await make({});
      const run = await runStep(one.request({push: 'false'}, env()));
      expect(run.exitCode).toBe(1);
      expect(run.stdout).toMatch(
        /was not built: of the disk of \S+ \d+ MB of \d+ MB are free, and 105 MB are needed/,
      );
      expect(logOf(one)).not.toContain('docker buildx build');
    } finally {
      rmSync(filler);
    }
  });

  it.each(['SIGTERM', 'SIGKILL'] as const)(
    'a daemon that gets %s during a build is lost, and the build is not to blame',
    async (signal) => {
      const one = await make({
        dockerfile: `FROM debian:bookworm-slim\nRUN echo begun ${signal} && sleep 60\n`,
      });
      const step = await startStep(one.request({push: 'false'}, env()));
      const hasBegun = (): boolean => {
        try {
          return /0\.\d+ begun/.test(logOf(one));
        } catch {
          return false;
        }
      };
      for (let turn = 0; turn < 200 && !hasBegun(); turn++) await sleep(50);
      engine.kill(signal);
      const run = await step.done;
      await engine.restart();
      expect(run.exitCode).toBe(1);
      expect(one.read('artifacts/report.json')).not.toMatch(/build-failed|oom-killed/);
      expect(outcomes(run)).toEqual({only: 'failed'});
      expect(one.read('artifacts/report.json')).toContain('daemon-lost');
    },
  );

  it('a daemon that is killed while tests run is lost, and no container stays', async () => {
    const one = await make({
      keys: ['tests: {where: container, command: "sh -c \\"echo begun; sleep 60\\""}'],
      files: {'images/only/test/a': 'a\n'},
    });
    const request = one.request({push: 'false'}, env());
    const step = await startStep(request);
    const running = (): string => engine.docker('ps', '--quiet');
    for (let turn = 0; turn < 400 && running() === ''; turn++) await sleep(50);
    engine.kill('SIGKILL');
    const run = await step.done;
    await engine.restart();
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toContain('were cut off: the Docker daemon was lost');
    expect(one.read('artifacts/report.json')).toContain('daemon-lost');
    // The engine was away when the run cleaned up; when the post step does, it is back.
    expect(engine.docker('ps', '--all', '--quiet')).not.toBe('');
    expect((await runPost(request, run)).exitCode).toBe(0);
    expect(engine.docker('ps', '--all', '--quiet')).toBe('');
  });

  const word = `begun-${randomUUID()}`;
  it.each<[string, Omit<OneImageOptions, 'registry'>, (one: OneImage) => boolean]>([
    [
      'a build',
      {dockerfile: `FROM debian:bookworm-slim\nRUN echo ${word} && sleep 60\n`},
      (one) => {
        try {
          return new RegExp(`\\d ${word}`).test(logOf(one));
        } catch {
          return false;
        }
      },
    ],
    [
      'a container of tests',
      {
        keys: ['tests: {where: container, command: "sh -c \\"echo begun; sleep 60\\""}'],
        files: {'images/only/test/a': 'a\n'},
      },
      () => engine.docker('ps', '--quiet') !== '',
    ],
  ])('an engine that hangs in %s holds no cancelled run', async (_, options, isRunning) => {
    const one = await make(options);
    const request = one.request({push: 'false'}, env());
    const seen = await cancelAsRunner(request, () => {
      if (!isRunning(one)) return false;
      engine.kill('SIGSTOP');
      return true;
    });
    try {
      expect(seen.sent).toEqual(['SIGINT']);
      expect(seen.ms).toBeLessThan(5000);
      expect(seen.run.outputs['outcome']).toBe('cancelled');
    } finally {
      engine.kill('SIGCONT');
    }
    expect((await runPost(request, seen.run)).exitCode).toBe(0);
    expect(engine.docker('ps', '--all', '--quiet')).toBe('');
  });
});

describe('what the kernel or the builder did', () => {
  it('is told where a child of passing tests was killed because memory ran out', async () => {
    const eat = 'a=x; while :; do a=$a$a; done';
    const one = await make({
      keys: ['tests: {where: container, command: sh /tmp/stack-tests/test/run.sh}'],
      files: {
        'images/only/test/run.sh': `sleep 3\nsh -c '${eat}'\necho the child ended with $?\nexit 0\n`,
      },
    });
    const step = await startStep(one.request({push: 'false'}));
    const found = (): string => {
      return execFileSync(
        'docker',
        ['ps', '--quiet', '--filter', 'label=stack-action.run', '--filter', `ancestor=${one.ref}`],
        {encoding: 'utf8'},
      ).trim();
    };
    for (let turn = 0; turn < 400 && found() === ''; turn++) await sleep(50);
    execFileSync('docker', ['update', '--memory', '40m', '--memory-swap', '40m', found()]);
    const run = await step.done;
    expect(run.exitCode, run.stdout).toBe(0);
    expect(run.stdout).toMatch(/::warning.*test container of \S*only.*because memory ran out/);
  });

  it('is told where it was in a container that a host test started, as far as the engine tells', async () => {
    const eat = 'a=x; while :; do a=$a$a; done';
    const one = await make({
      files: {
        'images/only/test/test_a.py': [
          'import os, subprocess',
          'def test_a():',
          '    limit = ["--memory", "30m", "--memory-swap", "30m"]',
          `    command = ["sh", "-c", "sh -c '${eat}'; exit 0"]`,
          '    run = ["docker", "run", "--rm", *limit, os.environ["TEST_IMAGE"], *command]',
          '    assert subprocess.run(run).returncode == 0',
          '',
        ].join('\n'),
      },
    });
    const run = await runStep(one.request({push: 'false'}));
    expect(run.exitCode, run.stdout).toBe(0);
    expect(run.stdout).toMatch(
      /::warning.*While the tests of \S*only\S* ran, .*because memory ran out, though the tests passed\. The tests may have started/,
    );
  });

  it('is told where BuildKit clipped the output', async () => {
    const one = await make({
      dockerfile:
        'FROM debian:bookworm-slim\nRUN yes 0123456789012345678901234567890123456789 | head -c 30000000 && echo UNIQUE\n'.replace(
          'UNIQUE',
          randomUUID(),
        ),
    });
    const run = await runStep(one.request({push: 'false'}));
    expect(run.exitCode, run.stdout).toBe(0);
    expect(run.stdout).toContain('the build log is not complete: BuildKit clipped');
  });
});
