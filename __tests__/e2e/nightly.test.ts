import {execFileSync} from 'node:child_process';
import {afterEach, beforeEach, expect, it} from 'vitest';
import {makeSmallStack, planned, type SmallStack} from '../support/rig/small-stack.ts';

const docker = (args: readonly string[], input?: string): string =>
  execFileSync('docker', args, {encoding: 'utf8', stdio: 'pipe', ...(input ? {input} : {})}).trim();

let stack: SmallStack;
let upstream: string;

beforeEach(async () => {
  stack = await makeSmallStack();
  upstream = stack.ref('upstream', '12');
});

afterEach(async () => {
  docker(['image', 'rm', upstream]);
  await stack.remove();
});

/** Somebody else publishes the base image that `side` stands on. */
function publish(text: string): void {
  docker(
    ['buildx', 'build', '--provenance=false', '--tag', upstream, '-'],
    `FROM debian:bookworm-slim\nRUN echo ${text} > /upstream\n`,
  );
  docker(['push', '--quiet', upstream]);
}

it('builds at night what stands on a base that moved, and nothing else', async () => {
  publish('one');
  await stack.commit({'images/side/Dockerfile': `FROM ${upstream}\nRUN echo side > /side\n`});
  const spec = await stack.read('images/spec.yml');
  await stack.commit({'images/spec.yml': spec.replace('/side", depend_on: base', '/side"')});
  const first = await stack.push();
  expect(first.exitCode, first.stdout).toBe(0);
  stack.settle();
  const night = {event: 'schedule', payload: {schedule: '17 3 * * *'}, env: {GITHUB_RUN_ID: '70'}};
  const calm = await stack.push({mode: 'plan', reuse: 'always'}, night);
  expect(new Set(planned(calm).map((line) => line.split(' ')[1]))).toEqual(new Set(['reuse']));
  expect(calm.stdout).not.toContain('stale base');

  publish('two');
  const plan = await stack.push({mode: 'plan', reuse: 'always'}, night);
  expect(plan.stdout).toMatch(
    /stale base: \S+upstream:12 moved from sha256:[0-9a-f]{12} to sha256:[0-9a-f]{12} since side was built/,
  );
  const run = await stack.push({reuse: 'always'}, night);
  expect(run.exitCode, run.stdout).toBe(0);
  expect(planned(run).toSorted()).toEqual(['base reuse', 'leaf reuse', 'mid reuse', 'side build']);
});
