import {execFileSync} from 'node:child_process';
import {randomUUID} from 'node:crypto';
import {makeWorkspace, type StepRequest} from '../__tests__/support/rig/runner.ts';

export const registry = process.env['REGISTRY'] ?? '127.0.0.1:5000';

/** Where docker cannot be reached; a run that starts it fails. */
export const withoutDocker = {
  DOCKER_HOST: 'tcp://127.0.0.1:1',
  PATH: `${process.execPath.replace(/\/node$/, '')}:/usr/bin:/bin`,
};

export interface BenchStack {
  readonly root: string;
  readonly prefix: string;
  readonly names: readonly string[];
  request(
    inputs?: Readonly<Record<string, string>>,
    env?: Readonly<Record<string, string>>,
  ): StepRequest;
}

export interface StackShape {
  /** Of the one root; none by default. */
  readonly children?: number;
  /** Dockerfile lines of every image, after FROM. */
  readonly lines: readonly string[];
  readonly test?: string;
  readonly host?: string;
  readonly spec?: readonly string[];
  readonly imageKeys?: string;
}

/** One root and its children, under names that no earlier run used. */
export async function makeBenchStack({
  children = 0,
  lines,
  test,
  host = registry,
  spec = [],
  imageKeys = '',
}: StackShape): Promise<BenchStack> {
  const prefix = `${host}/bench-${randomUUID().slice(0, 8)}`;
  const names = ['root', ...Array.from({length: children}, (_, index) => `child${index}`)];
  const files: Record<string, string> = {};
  const entries = names.map((name) => {
    const from =
      name === 'root'
        ? 'FROM debian:bookworm-slim'
        : `ARG BASE_TAG\nFROM ${prefix}/root:\${BASE_TAG}`;
    files[`images/${name}/Dockerfile`] =
      `${from}\n${lines.map((line) => line.replaceAll('NAME', `${name}-${prefix}`)).join('\n')}\n`;
    if (test !== undefined) files[`images/${name}/test/test_${name}.py`] = test;
    const parent = name === 'root' ? '' : ', depend_on: root';
    return `  ${name}: {image_name: "${prefix}/${name}"${parent}${imageKeys}}`;
  });
  files['images/spec.yml'] = ['images:', ...entries, 'tag: {prefix: "1"}', ...spec, ''].join('\n');
  return checkedOut(files, prefix, names);
}

/** A tree of so many images that nobody builds: ten children each, nothing in them. */
export async function makeTree(owner: string, count: number): Promise<BenchStack> {
  const names = Array.from({length: count}, (_, index) => `image${index}`);
  const files: Record<string, string> = {'images/spec.yml': specLines(owner, count).join('\n')};
  names.forEach((name, index) => {
    const from = index === 0 ? 'scratch' : `${owner}/image${parentOf(index)}:\${BASE_TAG}`;
    files[`images/${name}/Dockerfile`] = `ARG BASE_TAG\nFROM ${from}\n`;
  });
  return checkedOut(files, owner, names);
}

/** These files, committed, with the history of a push. */
export async function checkedOut(
  files: Readonly<Record<string, string>>,
  prefix: string,
  names: readonly string[],
): Promise<BenchStack> {
  const root = await makeWorkspace(files);
  const {before, after} = commitTwice(root);
  return {
    root,
    prefix,
    names,
    request: (inputs = {}, env = {}) => ({
      workspace: root,
      event: 'push',
      payload: {
        ref: 'refs/heads/feature',
        before,
        after,
        repository: {default_branch: 'main'},
        commits: [{message: 'x'}],
        head_commit: {message: 'x'},
      },
      inputs: {push: 'true', wiki: 'false', ...inputs},
      env: {GITHUB_SHA: after, ...env},
    }),
  };
}

const identity = ['-c', 'user.name=bench', '-c', 'user.email=bench@localhost'];

/** A checkout as users have it, with the history of a push. */
function commitTwice(root: string): {readonly before: string; readonly after: string} {
  const git = (...args: readonly string[]): string =>
    // Maintenance would go on in the background of what is measured.
    execFileSync('git', [...identity, '-c', 'maintenance.auto=false', ...args], {
      cwd: root,
      encoding: 'utf8',
    }).trim();
  const commit = (message: string): string => {
    git('commit', '--quiet', '--allow-empty', '--message', message);
    return git('rev-parse', 'HEAD');
  };
  git('init', '--quiet');
  git('add', '.');
  return {before: commit('The stack'), after: commit('A push')};
}

/** The spec of a tree of so many images, ten children each. */
export function specLines(owner: string, count: number): readonly string[] {
  const lines = ['images:'];
  for (let index = 0; index < count; index++) {
    const name = `  image${index}:`;
    lines.push(name, `    image_name: ${owner}/image${index}`, '    build_args: {A: "1"}');
    if (index > 0) lines.push(`    depend_on: image${parentOf(index)}`);
  }
  return [...lines, 'tag: {prefix: "1"}', ''];
}

/** In a tree of ten children each. */
export function parentOf(index: number): number {
  return Math.floor((index - 1) / 10);
}
