/** What must hold after each run of a soak: no false success, nothing left on the machine, no red image promoted. */
import {execFileSync} from 'node:child_process';
import {mkdtempSync, readdirSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import type {StepRun} from '../__tests__/support/rig/runner.ts';
import type {SmallStack} from '../__tests__/support/rig/small-stack.ts';
import {createRegistry, type Registry} from '../src/adapters/registry/index.ts';
import {repositoryOf} from '../src/image/reference.ts';
import {readRecord} from '../src/record/index.ts';

export interface Expected {
  readonly kind: 'build' | 'tag';
  /** The branch that was pushed, or whose images were promoted. */
  readonly branch: string;
  readonly mustPass: boolean;
}

/** What a commit has: the last edit of each image, and whether the tests of `mid` fail. */
export interface Commit {
  readonly markers: Readonly<Record<string, string>>;
  readonly isRed: boolean;
}

export interface Ended {
  readonly run: StepRun;
  readonly post: StepRun;
  /** RUNNER_TEMP of the run. */
  readonly temp: string;
  readonly expected: Expected;
  readonly outcomes: Readonly<Record<string, string>>;
}

export interface Watch {
  makeTemp(): Promise<string>;
  committed(commit: Commit): void;
  /** Sentences about what does not hold. */
  check(ended: Ended): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** What each image's history must show: its own marker and those of what it stands on. */
const below: Readonly<Record<string, readonly string[]>> = {
  base: ['base'],
  mid: ['base', 'mid'],
  leaf: ['base', 'mid', 'leaf'],
  side: ['base', 'side'],
};

const docker = (...args: readonly string[]): readonly string[] =>
  execFileSync('docker', args, {encoding: 'utf8'})
    .split('\n')
    .filter((line) => line !== '');

export function createWatch(
  stack: SmallStack,
  {origin, proxied}: {readonly origin: string; readonly proxied: string},
): Watch {
  // The registry itself, not through the proxy.
  const registry = createRegistry({});
  const commits: Commit[] = [{markers: {base: '0', mid: '0', leaf: '0', side: '0'}, isRed: false}];
  const temps: string[] = [];
  /** Digests of `mid` whose last finished tests were red. */
  const red = new Set<string>();
  const direct = (image: string, tag: string): string =>
    stack.ref(image, tag).replace(proxied, origin);
  const digestAt = async (image: string, tag: string): Promise<string | undefined> => {
    const found = await registry.head(direct(image, tag));
    return found.state === 'present' ? found.digest : undefined;
  };

  const green = async ({run, outcomes, expected}: Ended): Promise<readonly string[]> => {
    const problems: string[] = [];
    const images: Readonly<Record<string, {readonly digest?: string}>> = JSON.parse(
      run.outputs['images'] ?? '{}',
    );
    const commit = commits.at(-1);
    const tag = `1-${expected.branch}`;
    if (commit?.isRed) problems.push('green, though the tests of mid fail');
    if (Object.keys(images).length !== 4) problems.push('green without four images');
    for (const [name, {digest}] of Object.entries(images)) {
      if (!['built', 'reused', 'skipped'].includes(outcomes[name] ?? '')) {
        problems.push(`green, and ${name} is ${outcomes[name]}`);
      }
      if (digest === undefined || (await digestAt(name, tag)) !== digest) {
        const there = await digestAt(name, tag);
        problems.push(`${name} is reported as ${digest}, the registry has ${there}`);
      } else if (commit !== undefined) {
        problems.push(...(await contentProblems(registry, direct(name, tag), {name, commit})));
        problems.push(...(await proofProblems(registry, direct(name, tag), digest)));
      }
    }
    return problems;
  };

  const promoted = async ({expected}: Ended): Promise<readonly string[]> => {
    const problems: string[] = [];
    for (const name of Object.keys(below)) {
      const source = await digestAt(name, `1-${expected.branch}`);
      const target = await digestAt(name, '1-stable');
      if (source === undefined || source !== target) {
        problems.push(`promoted, but ${name} is ${source} and stable is ${target}`);
        continue;
      }
      if (red.has(target)) problems.push(`${name} was promoted though its last tests were red`);
      problems.push(...(await proofProblems(registry, direct(name, '1-stable'), target)));
      const history = await historyOf(registry, direct(name, '1-stable'));
      const fits = commits.some(
        (commit) => !commit.isRed && mismatches(history, name, commit).length === 0,
      );
      if (!fits) problems.push(`stable of ${name} is of no commit whose tests are green`);
    }
    return problems;
  };

  /** Remembers a red retest of what stands at the tag, and forgets it when the same digest is green again. */
  const remember = async ({run, outcomes, expected}: Ended): Promise<void> => {
    const digest = await digestAt('mid', `1-${expected.branch}`);
    if (digest === undefined) return;
    const plan = JSON.parse(run.outputs['plan'] ?? '{"images":[]}') as {
      images: readonly {name: string; action: string}[];
    };
    const action = plan.images.find(({name}) => name === 'mid')?.action;
    if (action !== 'test') return;
    const isTestFailure =
      run.stdout.includes('(test-failed)') || run.stdout.includes('test-failed');
    if (outcomes['mid'] === 'failed' && isTestFailure) red.add(digest);
    if (run.exitCode === 0) red.delete(digest);
  };

  return {
    makeTemp: async () => {
      const temp = mkdtempSync(join(tmpdir(), 'soak-'));
      temps.push(temp);
      return temp;
    },
    committed: (commit) => {
      commits.push(commit);
    },
    check: async (ended) => {
      const {run, post, expected, temp} = ended;
      const problems = [...(await left(run, temp, stack.root))];
      const text = run.stdout + run.stderr + post.stdout + post.stderr;
      if (/Internal error|\n\s+at .*\(?(?:file|node):/.test(text)) problems.push('a bug shows');
      if (post.exitCode !== 0) problems.push('the post step failed');
      const isGreen = run.exitCode === 0;
      if (isGreen && expected.kind === 'build') problems.push(...(await green(ended)));
      if (isGreen && expected.kind === 'tag') problems.push(...(await promoted(ended)));
      if (expected.kind === 'build') await remember(ended);
      if (isGreen && run.outputs['outcome'] !== 'passed') problems.push('green without outcome');
      if (!isGreen && run.outputs['outcome'] === 'passed') problems.push('passed, and not green');
      if (expected.mustPass && !isGreen) problems.push(`a clean run failed:\n${text.slice(-3000)}`);
      return problems;
    },
    close: async () => {
      await registry.close();
      for (const temp of temps) rmSync(temp, {recursive: true, force: true});
      for (const name of Object.keys(below)) {
        // Those that were pulled by digest have no tag.
        const ids = docker('image', 'ls', '--quiet', repositoryOf(stack.ref(name)));
        if (ids.length > 0) docker('image', 'rm', '--force', ...new Set(ids));
      }
    },
  };
}

/** Containers, private tags, folders and programs of a run that is over. */
async function left(run: StepRun, temp: string, root: string): Promise<readonly string[]> {
  const problems: string[] = [];
  const runId = run.state['runId'];
  if (runId !== undefined) {
    const label = `label=stack-action.run=${runId}`;
    const containers = docker('ps', '--all', '--quiet', '--filter', label);
    if (containers.length > 0) problems.push(`containers left: ${containers.join(', ')}`);
    const tags = docker(
      'image',
      'ls',
      '--quiet',
      '--filter',
      `reference=stack-run.invalid/${runId}/*`,
    );
    if (tags.length > 0) problems.push(`private tags left: ${tags.length}`);
  }
  const folders = readdirSync(temp);
  if (folders.length > 0) problems.push(`left in the runner's folder: ${folders.join(', ')}`);
  // A program that was just killed may need a moment to be gone.
  for (let turn = 0; turn < 10 && programsOf(root, temp).length > 0; turn++) await sleep(100);
  problems.push(...programsOf(root, temp).map((program) => `still runs: ${program}`));
  return problems;
}

/** Command lines of programs that work in the run's folders. */
function programsOf(...folders: readonly string[]): readonly string[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return [];
    try {
      const [line, environment] = ['cmdline', 'environ'].map((file) =>
        readFileSync(`/proc/${pid}/${file}`, 'utf8'),
      );
      const text = `${line}\0${environment}`;
      return folders.some((folder) => text.includes(folder))
        ? [`${pid} ${line?.replaceAll('\0', ' ')}`]
        : [];
    } catch {
      return [];
    }
  });
}

async function historyOf(registry: Registry, ref: string): Promise<string> {
  const found = await registry.inspect(ref);
  if (found.state !== 'present') return '';
  const blob = await registry.blob(repositoryOf(ref), found.configDigest, {limit: 1024 * 1024});
  return blob.ok ? Buffer.from(blob.value).toString() : '';
}

/** Markers that a commit has and an image's history lacks. */
function mismatches(history: string, name: string, {markers}: Commit): readonly string[] {
  return (below[name] ?? []).flatMap((image) => {
    const last = markers[image] ?? '0';
    // An image that was never edited has no marker at all.
    const found = [...history.matchAll(new RegExp(`soak-${image}-(\\d+)`, 'g'))].at(-1)?.[1] ?? '0';
    return found === last ? [] : [`${image} of edit ${found} in place of ${last}`];
  });
}

async function contentProblems(
  registry: Registry,
  ref: string,
  {name, commit}: {readonly name: string; readonly commit: Commit},
): Promise<readonly string[]> {
  const wrong = mismatches(await historyOf(registry, ref), name, commit);
  return wrong.length === 0 ? [] : [`${name} is not what the commit says: ${wrong.join(', ')}`];
}

/** The record of this digest says passed; where the registry took none, the proof tag stands for it. */
async function proofProblems(
  registry: Registry,
  ref: string,
  digest: string,
): Promise<readonly string[]> {
  const repository = repositoryOf(ref);
  const record = await readRecord(registry, {repository, digest});
  if (record.ok && record.value?.tests.verdict === 'passed') return [];
  const tags = await registry.tags(repository);
  for (const tag of tags.ok ? tags.value.filter((one) => one.startsWith('fp-')) : []) {
    const proof = await registry.head(`${repository}:${tag}`);
    if (proof.state === 'present' && proof.digest === digest) return [];
  }
  return [`${ref} (${digest}) has neither a record that says passed nor a proof tag`];
}
