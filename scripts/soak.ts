/**
 * A random history of a small stack: pushes to two branches, tests that turn red and green, a base image that moves,
 * promotions; with random faults of the registry and random kills. After each run the invariants of soak-checks.ts:
 * whatever tag says stable holds an image whose own digest passed the tests of its commit, built from that commit. The same seed makes the same choices.
 *
 *   npm run soak      SOAK_RUNS=200 SOAK_SEED=1 SOAK_MINUTES=0 (no limit) STACK_ENTRY=dist/index.js
 */
import {execFile} from 'node:child_process';
import {setTimeout as sleep} from 'node:timers/promises';
import {promisify} from 'node:util';
import {createChance} from '../__tests__/support/builders/chance.ts';
import type {StepRequest, StepRun} from '../__tests__/support/rig/runner.ts';
import {type Fault, startFaultProxy} from '../__tests__/support/servers/fault-proxy.ts';
import {createWatch, type Expected} from './soak-checks.ts';

const docker = promisify(execFile);
const number = (name: string, standard: number): number => Number(process.env[name] ?? standard);
const runs = number('SOAK_RUNS', 200);
const seed = number('SOAK_SEED', 1);
const limitMs = number('SOAK_MINUTES', 0) * 60_000;
const origin = process.env['REGISTRY'] ?? '127.0.0.1:5000';

const {upTo, pick} = createChance(seed);
const proxy = await startFaultProxy(origin, []);
// The names of the stack's images begin with the registry's.
process.env['REGISTRY'] = proxy.host;
const {makeSmallStack, outcomes} = await import('../__tests__/support/rig/small-stack.ts');
const {runPost, startStep} = await import('../__tests__/support/rig/runner.ts');
const stack = await makeSmallStack();
const watch = createWatch(stack, {origin, proxied: proxy.host});
const names = ['base', 'mid', 'leaf', 'side'] as const;
const dockerfiles = new Map(
  await Promise.all(
    names.map(async (name) => [name, await stack.read(`images/${name}/Dockerfile`)] as const),
  ),
);

/** The external base of the stack, which somebody else moves. */
const external = `${proxy.host}/${stack.ref('base').split('/')[1]}/external:1`;
async function moveBase(turn: number): Promise<void> {
  const text = `FROM debian:bookworm-slim\nRUN echo external-${turn} > /external\n`;
  // The proxy answers in this very process: nothing here may block it.
  const build = docker('docker', ['build', '--quiet', '--tag', external, '-']);
  build.child.stdin?.end(text);
  await build;
  await docker('docker', ['push', '--quiet', external]);
}
await moveBase(0);
dockerfiles.set('base', `FROM ${external}\nRUN echo base > /base\n`);
await stack.commit({'images/base/Dockerfile': dockerfiles.get('base') ?? ''});

const manifests = /^PUT .*\/manifests\//;
const tagOf = (name: string): RegExp => new RegExp(`^PUT .*/${name}/manifests/1-(?:feature|main)$`);
/** By name: what passes is survived, what stays fails the run. */
const faults: Readonly<Record<string, () => readonly Fault[]>> = {
  none: () => [],
  'push 429 with Retry-After': () => [
    {match: manifests, answer: 429, code: 'TOOMANYREQUESTS', retryAfter: 1, first: 2},
  ],
  'push 429 always': () => [{match: tagOf(pick(names)), answer: 429, code: 'TOOMANYREQUESTS'}],
  'manifest PUT 500 once': () => [{match: manifests, answer: 500, first: 1}],
  'manifest PUT reset once': () => [{match: manifests, answer: 'reset', first: 1}],
  'upload reset twice': () => [{match: /^(?:POST|PATCH) /, answer: 'reset', first: 2}],
  'push denied': () => [{match: tagOf(pick(names)), answer: 403, code: 'DENIED'}],
  'proof tag refused': () => [{match: /^PUT .*\/manifests\/fp-/, answer: 403, code: 'DENIED'}],
  'record refused': () => [{match: /^PUT .*\/manifests\/rec-/, answer: 400, code: 'UNSUPPORTED'}],
  'reads 503 three times': () => [{match: /^(?:HEAD|GET) .*\/manifests\//, answer: 503, first: 3}],
  'reads 503 for ever': () => [{match: /^(?:HEAD|GET) .*\/manifests\//, answer: 503}],
  'reads 401': () => [{match: /^(?:HEAD|GET) .*\/manifests\//, answer: 401, code: 'UNAUTHORIZED'}],
  'HEAD says 404': () => [{match: /^HEAD .*\/manifests\//, answer: 404}],
  'one read hangs': () => [{match: /^HEAD .*\/manifests\//, answer: 'hang', first: 1}],
  'slow answers': () => [{match: /./, answer: 'pass', before: () => sleep(30)}],
};

type Kill = 'none' | 'INT' | 'TERM' | 'runner' | 'KILL';

/** Real signals; `runner` is what GitHub's runner does to a cancelled step. */
async function carryOut(request: StepRequest, kill: Kill, afterMs: number): Promise<StepRun> {
  const step = await startStep(request);
  let isOver = false;
  const done = step.done.finally(() => {
    isOver = true;
  });
  const send = async (signal: NodeJS.Signals, waitMs: number): Promise<void> => {
    await Promise.race([done, sleep(waitMs, undefined, {ref: false})]);
    if (!isOver) step.kill(signal);
  };
  if (kill === 'KILL') await send('SIGKILL', afterMs);
  if (kill === 'TERM') await send('SIGTERM', afterMs);
  if (kill === 'INT' || kill === 'runner') await send('SIGINT', afterMs);
  if (kill === 'runner') {
    await send('SIGTERM', 7500);
    await send('SIGKILL', 2500);
  }
  // A run that outlives this is stuck, which is a finding.
  const late = sleep(240_000, undefined, {ref: false}).then(() => step.kill('SIGKILL'));
  await Promise.race([done, late]);
  return done;
}

let edits = 0;
let isRed = false;
const markers: Record<string, string> = {base: '0', mid: '0', leaf: '0', side: '0'};

/** Commits a change, of an image or of the tests of `mid`. */
async function edit(): Promise<void> {
  const isMended = isRed && upTo(3) === 0;
  const what = isMended
    ? 'tests'
    : pick([...names, ...names, 'tests', 'nothing', 'external'] as const);
  edits++;
  if (what === 'tests') {
    isRed = !isRed;
    const text = `def test_mid():\n    assert ${isRed ? 'False' : 'True'}  # ${edits}\n`;
    await stack.commit({'images/mid/test/test_mid.py': text});
  } else if (what === 'nothing' || what === 'external') {
    if (what === 'external') await moveBase(edits);
    await stack.commit({'README.md': `${edits}\n`});
  } else {
    markers[what] = String(edits);
    const text = `${dockerfiles.get(what)}RUN echo soak-${what}-${edits} > /soak-${what}\n`;
    await stack.commit({[`images/${what}/Dockerfile`]: text});
  }
  watch.committed({markers: {...markers}, isRed});
}

const counts = new Map<string, number>();
const count = (what: string): void => {
  counts.set(what, (counts.get(what) ?? 0) + 1);
};
const problems: string[] = [];
const slowestEnd = {ms: 0, what: ''};

async function one(index: number, expected: Expected & {kill: Kill; fault: string}): Promise<void> {
  const {kind, kill, fault, branch} = expected;
  const inputs: Record<string, string> =
    kind === 'tag'
      ? {mode: 'tag', 'source-tag': `1-${branch}`}
      : {concurrency: String(1 + upTo(3))};
  const ref = `refs/heads/${branch}`;
  const made = stack.request(inputs);
  const plain = {...made, payload: {...made.payload, ref}};
  const temp = await watch.makeTemp();
  const env = {
    ...plain.env,
    GITHUB_REF: ref,
    GITHUB_RUN_ID: String(1000 + index),
    RUNNER_TEMP: temp,
  };
  const request = {...plain, env};
  proxy.setFaults(faults[fault]?.() ?? []);
  const afterMs = upTo(kind === 'tag' ? 900 : 9000);
  const began = performance.now();
  const run = await carryOut(request, kill, afterMs);
  const ms = performance.now() - began;
  // Whatever stopped the main step, the runner runs the post step. One that was killed before it began told nothing.
  if (run.state['runFolder'] === undefined) count('killed before its first line');
  const post = await runPost(request, run);
  proxy.setFaults([]);
  const how = run.signal ?? (run.exitCode === 0 ? 'green' : (run.outputs['outcome'] ?? 'refused'));
  const name = `run ${index} (${kind} ${branch}, ${fault}, kill ${kill}${kill === 'none' ? '' : ` after ${afterMs} ms`}): ${how}`;
  if ((kill === 'INT' || kill === 'TERM') && ms - afterMs > slowestEnd.ms) {
    Object.assign(slowestEnd, {ms: ms - afterMs, what: name});
  }
  count(`${kind} ${how}`);
  const found = await watch.check({run, post, temp, expected, outcomes: outcomes(run)});
  problems.push(...found.map((problem) => `${name}: ${problem}`));
  const said = Object.entries(outcomes(run))
    .map(([image, outcome]) => `${image} ${outcome}`)
    .join(', ');
  console.log(`${name}; ${Math.round(ms / 100) / 10} s; ${said}`);
  for (const problem of found) console.log(`  PROBLEM ${problem}`);
  if (found.length > 0 && process.env['SOAK_VERBOSE']) console.log(run.stdout, run.stderr);
}

const start = Date.now();
let done = 0;
const clean = {kind: 'build', kill: 'none', fault: 'none', branch: 'feature'} as const;
for (; done < runs && (limitMs === 0 || Date.now() - start < limitMs); done++) {
  const branch = pick(['feature', 'feature', 'main'] as const);
  if (done % 5 === 4) {
    const kill = pick(['none', 'none', 'INT', 'KILL', 'runner'] as const);
    const fault = pick(['none', 'none', 'manifest PUT 500 once', 'push denied'] as const);
    await one(done, {kind: 'tag', branch, kill, fault, mustPass: false});
    continue;
  }
  await edit();
  const kill = pick(['none', 'none', 'none', 'INT', 'TERM', 'runner', 'KILL'] as const);
  const fault = pick(Object.keys(faults));
  await one(done, {kind: 'build', branch, kill, fault, mustPass: false});
  // Every commit so far counts for the next run until one of them went well.
  if (problems.length > 20) break;
}
// Nothing is lost: when all is well again, one run makes it good, and it can be promoted.
if (isRed) {
  isRed = false;
  await stack.commit({'images/mid/test/test_mid.py': 'def test_mid():\n    assert True\n'});
  watch.committed({markers: {...markers}, isRed});
}
await one(done, {...clean, mustPass: true});
await one(done + 1, {...clean, kind: 'tag', mustPass: true});

await watch.close();
await docker('docker', ['image', 'rm', external]);
await stack.remove();
await proxy.close();
console.log(`\n${done} runs in ${Math.round((Date.now() - start) / 1000)} s, seed ${seed}`);
for (const [what, times] of [...counts].sort()) console.log(`  ${what}: ${times}`);
console.log(
  `  slowest end after a signal: ${(slowestEnd.ms / 1000).toFixed(1)} s, ${slowestEnd.what}`,
);
console.log(
  problems.length === 0
    ? 'Nothing lost, nothing left, no false success.'
    : `${problems.length} problems:`,
);
for (const problem of problems) console.log(`  ${problem}`);
// A connection that a killed run left half open would keep this process for ever.
process.exit(problems.length === 0 ? 0 : 1);
