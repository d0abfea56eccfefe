import {execFileSync} from 'node:child_process';
import {randomUUID} from 'node:crypto';
import {mkdir, readFile, rm, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {makeWorkspace, runStep, type StepRequest, type StepRun} from './runner.ts';

const registry = process.env['REGISTRY'] ?? '127.0.0.1:5000';

export interface PlannedOutput {
  readonly name: string;
  readonly action: string;
  readonly reasons: readonly {readonly kind: string}[];
}

/** A repository with `base` <- `mid` <- `leaf` and `base` <- `side`, that builds in a second, under names of its own. */
export interface SmallStack {
  readonly root: string;
  ref(image: string, tag?: string): string;
  /** Commits these files; text by path. Gives the commit. */
  commit(files: Readonly<Record<string, string>>): Promise<string>;
  /** A step for a push to `feature` of everything since the last one. */
  push(inputs?: Readonly<Record<string, string>>, more?: Partial<StepRequest>): Promise<StepRun>;
  /** The request of that push, for tests that start it themselves. */
  request(inputs?: Readonly<Record<string, string>>): StepRequest;
  /** From here on the commits so far are not part of a push. */
  settle(): void;
  head(): string;
  read(file: string): Promise<string>;
  remove(): Promise<void>;
}

export async function makeSmallStack(): Promise<SmallStack> {
  const prefix = `${registry}/small-${randomUUID().slice(0, 8)}`;
  const child = (name: string, parent: string): string =>
    `ARG BASE_TAG\nARG BASE_IMAGE\nFROM ${prefix}/${parent}:\${BASE_TAG}\nARG BASE_IMAGE\nRUN echo ${name} on $BASE_IMAGE > /${name}\n`;
  const root = await makeWorkspace({
    'images/spec.yml': [
      'images:',
      `  base: {image_name: "${prefix}/base", info_cmds: [GREETING, FAILING]}`,
      `  mid: {image_name: "${prefix}/mid", depend_on: base}`,
      `  leaf: {image_name: "${prefix}/leaf", depend_on: mid}`,
      `  side: {image_name: "${prefix}/side", depend_on: base, prune: true}`,
      'tag: {prefix: "1"}',
      'all_info_cmds:',
      `  GREETING: {description: Greeting, command: 'bash -c "echo hello | grep \\"a\\|h\\""'}`,
      '  FAILING: {description: Failing, command: "false"}',
      '',
    ].join('\n'),
    'images/change_ignore.json':
      '{"ChangeIgnore": ["README.md"], "BuildAll": ["spec.yml", "tests_common"]}',
    'images/base/Dockerfile': 'FROM debian:bookworm-slim\nRUN echo base > /base\n',
    'images/mid/Dockerfile': child('mid', 'base'),
    'images/leaf/Dockerfile': child('leaf', 'mid'),
    'images/side/Dockerfile': child('side', 'base'),
    'images/mid/test/test_mid.py': 'def test_mid():\n    assert True\n',
    '.gitignore': '/logs/\n/artifacts/\n/manifests/\n__pycache__/\n',
  });
  const git = (...args: readonly string[]): string =>
    execFileSync(
      'git',
      ['-c', 'user.name=Someone', '-c', 'user.email=someone@example.org', ...args],
      {cwd: root, encoding: 'utf8'},
    ).trim();
  git('init', '--quiet', '--initial-branch', 'feature');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'One');
  const head = (): string => git('rev-parse', 'HEAD');
  let before = head();
  const request: SmallStack['request'] = (inputs = {}) => ({
    workspace: root,
    payload: {
      ref: 'refs/heads/feature',
      before,
      after: head(),
      created: false,
      deleted: false,
      repository: {default_branch: 'main'},
      commits: [{message: 'Change'}],
      head_commit: {message: 'Change'},
    },
    inputs: {push: 'true', wiki: 'false', ...inputs},
    env: {GITHUB_SHA: head()},
  });
  return {
    root,
    head,
    request,
    ref: (image, tag = '1-feature') => `${prefix}/${image}:${tag}`,
    commit: async (files) => {
      for (const [name, text] of Object.entries(files)) {
        await mkdir(dirname(join(root, name)), {recursive: true});
        await writeFile(join(root, name), text);
      }
      git('add', '--all');
      git('commit', '--quiet', '--allow-empty', '--message', 'Change');
      return head();
    },
    push: (inputs, more = {}) => {
      const plain = request(inputs);
      return runStep({...plain, ...more, env: {...plain.env, ...more.env}});
    },
    settle: () => {
      before = head();
    },
    read: (file) => readFile(join(root, file), 'utf8'),
    remove: () => rm(root, {recursive: true, force: true}),
  };
}

/** `name action`, in the order of the plan. */
export function planned(run: StepRun): readonly string[] {
  const plan = JSON.parse(run.outputs['plan'] ?? '{"images":[]}') as {
    images: readonly PlannedOutput[];
  };
  return plan.images.map(({name, action}) => `${name} ${action}`);
}

export function reasonsOf(run: StepRun, image: string): readonly string[] {
  const plan = JSON.parse(run.outputs['plan'] ?? '{"images":[]}') as {
    images: readonly PlannedOutput[];
  };
  return plan.images.find(({name}) => name === image)?.reasons.map(({kind}) => kind) ?? [];
}

/** Outcome and digest of each image. */
export function results(
  run: StepRun,
): Readonly<Record<string, {readonly outcome: string; readonly digest?: string}>> {
  return JSON.parse(run.outputs['images'] ?? '{}') as Record<
    string,
    {outcome: string; digest?: string}
  >;
}

export function outcomes(run: StepRun): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(results(run)).map(([name, {outcome}]) => [name, outcome]),
  );
}
