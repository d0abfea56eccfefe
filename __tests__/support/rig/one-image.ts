import {execFileSync} from 'node:child_process';
import {randomUUID} from 'node:crypto';
import {readFileSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {makeWorkspace, runPost, type StepRequest, type StepRun, startStep} from './runner.ts';

export interface OneImageOptions {
  /** `127.0.0.1:5000`, or a proxy before it. */
  readonly registry: string;
  readonly dockerfile?: string;
  /** More keys of the image in spec.yml, one a line. */
  readonly keys?: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
}

/** A repository with the one image `only`, for tests of what goes wrong with it. */
export interface OneImage {
  readonly root: string;
  readonly ref: string;
  request(inputs?: Readonly<Record<string, string>>, env?: StepRequest['env']): StepRequest;
  read(file: string): string;
  remove(): void;
}

export async function makeOneImage(options: OneImageOptions): Promise<OneImage> {
  const {registry, dockerfile, keys = [], files = {}} = options;
  const repository = `${registry}/fault-${randomUUID().slice(0, 8)}/only`;
  const root = await makeWorkspace({
    'images/spec.yml': [
      'images:',
      '  only:',
      `    image_name: "${repository}"`,
      ...keys.map((key) => `    ${key}`),
      'tag: {prefix: "1"}',
      'all_info_cmds: {}',
      '',
    ].join('\n'),
    'images/only/Dockerfile': dockerfile ?? 'FROM debian:bookworm-slim\nRUN echo only > /only\n',
    ...files,
  });
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-c', 'user.name=S', '-c', 'user.email=s@example.org', ...args], {
      cwd: root,
      encoding: 'utf8',
    }).trim();
  git('init', '--quiet', '--initial-branch', 'feature');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'One');
  const sha = git('rev-parse', 'HEAD');
  const ref = `${repository}:1-feature`;
  return {
    root,
    ref,
    request: (inputs = {}, env = {}) => ({
      workspace: root,
      payload: {
        ref: 'refs/heads/feature',
        before: '0'.repeat(40),
        after: sha,
        created: true,
        deleted: false,
        repository: {default_branch: 'main'},
        commits: [{message: 'One'}],
        head_commit: {message: 'One'},
      },
      inputs: {push: 'true', wiki: 'false', ...inputs},
      env: {GITHUB_SHA: sha, ...env},
    }),
    read: (file) => readFileSync(join(root, file), 'utf8'),
    remove: () => {
      rmSync(root, {recursive: true, force: true});
      try {
        execFileSync('docker', ['image', 'rm', '--force', ref], {stdio: 'ignore'});
      } catch {
        // It was never made.
      }
    },
  };
}

/** What was seen of a run that got signals. */
export interface Interrupted {
  readonly run: StepRun;
  /** From the first signal to the end. */
  readonly ms: number;
  /** Signals that were still needed. */
  readonly sent: readonly NodeJS.Signals[];
}

/** Cancels a step as GitHub's runner does, once it is so far: SIGINT, after 7.5 s SIGTERM, after 2.5 s SIGKILL. */
export async function cancelAsRunner(
  request: StepRequest,
  isSoFar: () => boolean,
  first: NodeJS.Signals = 'SIGINT',
): Promise<Interrupted> {
  const step = await startStep(request);
  let isOver = false;
  const done = step.done.finally(() => {
    isOver = true;
  });
  for (let turn = 0; turn < 1200 && !isOver && !isSoFar(); turn++) await pause(50);
  if (isOver) throw new Error(`It ended before it was cancelled: ${(await done).stdout}`);
  const began = performance.now();
  const sent: NodeJS.Signals[] = [];
  for (const [signal, wait] of [
    [first, 7500],
    ['SIGTERM', 2500],
    ['SIGKILL', 5000],
  ] as const) {
    if (isOver) break;
    step.kill(signal);
    sent.push(signal);
    await Promise.race([done, pause(wait)]);
  }
  const run = await done;
  return {run, ms: performance.now() - began, sent};
}

export async function cleanAfter(request: StepRequest, {run}: Interrupted): Promise<StepRun> {
  return runPost(request, run);
}

/** Containers of the run that are still there, running or not. */
export function containersOf({state}: StepRun): string {
  const filter = ['--filter', `label=stack-action.run=${state['runId']}`];
  return execFileSync('docker', ['ps', '--all', '--quiet', ...filter], {encoding: 'utf8'});
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => {
    setTimeout(done, ms).unref();
  });
}
