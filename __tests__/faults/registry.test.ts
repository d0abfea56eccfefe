import {afterEach, describe, expect, it} from 'vitest';
import {createRegistry} from '../../src/adapters/registry/index.ts';
import {makeOneImage, type OneImage} from '../support/rig/one-image.ts';
import {runStep, type StepRun} from '../support/rig/runner.ts';
import {outcomes, planned, reasonsOf, results} from '../support/rig/small-stack.ts';
import {type Fault, type FaultProxy, startFaultProxy} from '../support/servers/fault-proxy.ts';
import {startRegistry} from '../support/servers/registry-server.ts';

const origin = process.env['REGISTRY'] ?? '127.0.0.1:5000';

let proxy: FaultProxy | undefined;
let stack: OneImage | undefined;
afterEach(async () => {
  stack?.remove();
  await proxy?.close();
  [stack, proxy] = [undefined, undefined];
});

interface Seen {
  readonly run: StepRun;
  readonly requests: readonly string[];
  readonly ms: number;
  /** The digest at the tag, asked of the registry itself. */
  readonly digest: string | undefined;
}

/** A run of a new image whose registry does this. */
async function runWith(
  faults: readonly Fault[],
  inputs: Readonly<Record<string, string>> = {},
): Promise<Seen> {
  proxy = await startFaultProxy(origin, faults);
  stack = await makeOneImage({registry: proxy.host});
  const began = performance.now();
  const run = await runStep(stack.request(inputs));
  const ms = performance.now() - began;
  const registry = createRegistry({});
  const found = await registry.head(stack.ref.replace(proxy.host, origin));
  await registry.close();
  const digest = found.state === 'present' ? found.digest : undefined;
  return {run, requests: proxy.seen, ms, digest};
}

const tagPut = /^PUT .*\/manifests\/1-feature$/;
const limited = {answer: 429, code: 'TOOMANYREQUESTS', message: 'too many requests'} as const;

/** The report of the last run, which names the class of each failure. */
const classes = (): string => stack?.read('artifacts/report.json') ?? '';

/** Attempts that the job log speaks of. */
const retriesIn = ({stdout}: StepRun): number =>
  stdout.match(/: attempt \d+ of \d+ failed/g)?.length ?? 0;

describe('a push gets over what passes, says each attempt and counts them', () => {
  it.each<[string, Fault, number]>([
    ['429 twice, with Retry-After', {match: tagPut, ...limited, retryAfter: 2, first: 2}, 2],
    ['a manifest that is answered with 500 once', {match: tagPut, answer: 500, first: 1}, 1],
    ['a manifest whose connection breaks once', {match: tagPut, answer: 'reset', first: 1}, 1],
    [
      '404 for a blob that it has, once',
      {
        match: tagPut,
        answer: 404,
        code: 'MANIFEST_BLOB_UNKNOWN',
        message: 'blob unknown',
        first: 1,
      },
      1,
    ],
  ])('%s', async (_, fault, retries) => {
    const {run, digest} = await runWith([fault]);
    expect(run.exitCode, run.stdout).toBe(0);
    expect(outcomes(run)).toEqual({only: 'built'});
    expect(retriesIn(run)).toBe(retries);
    expect(run.stdout).toContain(`pushed after ${retries} ${retries === 1 ? 'retry' : 'retries'}`);
    expect(results(run)['only']?.digest).toBe(digest);
    expect(digest).toBeDefined();
  });

  it('an upload that breaks twice, which docker gets over by itself', async () => {
    const {run, digest} = await runWith([
      {match: /^(?:POST|PATCH) .*\/blobs\/uploads\//, answer: 'reset', first: 2},
    ]);
    expect(run.exitCode, run.stdout).toBe(0);
    expect(results(run)['only']?.digest).toBe(digest);
  });
});

describe('what does not pass', () => {
  it('429 for ever ends after a bounded number of attempts, as rate-limit', async () => {
    const {run, requests, digest} = await runWith([{match: tagPut, ...limited}]);
    expect(run.exitCode).toBe(1);
    expect(classes()).toContain('rate-limit');
    expect(retriesIn(run)).toBe(3);
    expect(requests.filter((line) => tagPut.test(line))).toHaveLength(4);
    expect(digest).toBeUndefined();
  });

  it.each<[string, Fault]>([
    ['header', {match: /^(?:POST|PUT|PATCH) /, ...limited, retryAfter: 3600}],
    [
      'body, as docker shows it',
      {match: tagPut, ...limited, message: 'retry-after: 3600s, allowed: 100/hour'},
    ],
  ])('an hour to wait, told in the %s, fails at once and names the wait', async (_, fault) => {
    const {run, ms} = await runWith([fault]);
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toMatch(/3600|60 min|1 h/);
    expect(retriesIn(run)).toBe(0);
    expect(ms).toBeLessThan(120_000);
  });

  it('403 is not tried again, and says which permission is missing', async () => {
    const denied = {answer: 403, code: 'DENIED', message: 'requested access is denied'} as const;
    const {run, requests} = await runWith([{match: tagPut, ...denied}]);
    expect(run.exitCode).toBe(1);
    expect(classes()).toContain('permission');
    expect(run.stdout).toContain('packages: write');
    expect(requests.filter((line) => tagPut.test(line))).toHaveLength(1);
    expect(retriesIn(run)).toBe(0);
  });
});

describe('a registry that cannot say whether an image is there', () => {
  it.each<[string, Fault['answer'], string]>([
    ['answers 503', 503, 'SERVICE_UNAVAILABLE'],
    ['answers 401', 401, 'UNAUTHORIZED'],
    ['never answers', 'hang', ''],
  ])(
    'and %s: nothing is built by a run that would push',
    async (_, answer, code) => {
      const {run, requests} = await runWith([
        {match: /^(?:HEAD|GET) .*\/manifests\//, answer, code},
      ]);
      expect(run.exitCode).toBe(1);
      expect(requests.filter((line) => line.startsWith('PUT'))).toEqual([]);
      expect(run.stdout).toMatch(/Nothing was built/);
      expect(outcomes(run)).toEqual({});
    },
    290_000,
  );

  it('is built all the same by a run that does not push, with that reason', async () => {
    const {run} = await runWith([{match: /^(?:HEAD|GET) .*\/manifests\//, answer: 503}], {
      push: 'false',
    });
    expect(run.exitCode, run.stdout).toBe(0);
    expect(planned(run)).toEqual(['only build']);
    expect(reasonsOf(run, 'only')).toContain('unknown-registry');
  }, 290_000);
});

describe('a base image', () => {
  it('whose registry hangs ends the build at its deadline', async () => {
    proxy = await startFaultProxy(origin, [{match: /\/hanging\//, answer: 'hang'}]);
    stack = await makeOneImage({
      registry: origin,
      dockerfile: `FROM ${proxy.host}/hanging/base:1\n`,
    });
    const began = performance.now();
    const run = await runStep(stack.request({push: 'false', 'timeout-minutes': '1'}));
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toMatch(/timed out after 60 s|\(timeout\)/);
    // Requests of ours about the base have their own deadlines, before the build.
    expect(performance.now() - began).toBeLessThan(280_000);
  }, 290_000);
});

describe('a login', () => {
  it('with a wrong password is said at once, without the password', async () => {
    const server = await startRegistry({auth: 'basic'});
    try {
      stack = await makeOneImage({registry: server.host});
      const run = await runStep(stack.request({username: 'someone', password: 'wr0ng-secret'}));
      expect(run.exitCode).toBe(1);
      expect(run.stdout).toMatch(/auth|password/);
      const said = run.stdout.replace(/^::add-mask::.*$/gm, '') + run.stderr + run.summary;
      expect(said).not.toContain('wr0ng-secret');
      expect(said).not.toContain(Buffer.from('someone:wr0ng-secret').toString('base64'));
    } finally {
      await server.close();
    }
  });
});
