import {randomUUID} from 'node:crypto';
import {makeWorkspace, type StepRequest} from '../__tests__/fakes/runner.ts';

export const registry = process.env['REGISTRY'] ?? '127.0.0.1:5000';

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
  readonly children: number;
  /** Dockerfile lines of every image, after FROM. */
  readonly lines: readonly string[];
  readonly test?: string;
  readonly host?: string;
  readonly spec?: readonly string[];
  readonly imageKeys?: string;
}

/** One root and its children, under names that no earlier run used. */
export async function makeBenchStack({
  children,
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
  const root = await makeWorkspace(files);
  const sha = 'a'.repeat(40);
  return {
    root,
    prefix,
    names,
    request: (inputs = {}, env = {}) => ({
      workspace: root,
      event: 'push',
      payload: {
        ref: 'refs/heads/feature',
        before: sha,
        after: sha,
        repository: {default_branch: 'main'},
        commits: [{message: 'x'}],
        head_commit: {message: 'x'},
      },
      inputs: {push: 'true', wiki: 'false', ...inputs},
      env: {GITHUB_SHA: sha, ...env},
    }),
  };
}
