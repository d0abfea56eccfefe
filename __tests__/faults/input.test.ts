import {symlinkSync} from 'node:fs';
import {rm} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, describe, expect, it} from 'vitest';
import {makeWorkspace, runStep, type StepRun} from '../support/rig/runner.ts';

let root: string | undefined;
afterEach(async () => {
  if (root !== undefined) await rm(root, {recursive: true, force: true});
  root = undefined;
});

const good = 'images:\n  a: {image_name: 127.0.0.1:1/o/a}\ntag: {prefix: "1"}\nall_info_cmds: {}\n';
const dockerfile = {'images/a/Dockerfile': 'FROM scratch\n'};

/** A plan of this stack; no docker is there, so nothing can be started before it is refused. */
async function plan(
  files: Readonly<Record<string, string>>,
  arrange: (root: string) => void = () => {},
): Promise<StepRun & {readonly ms: number}> {
  root = await makeWorkspace({'images/spec.yml': good, ...dockerfile, ...files});
  arrange(root);
  const began = performance.now();
  const run = await runStep({
    workspace: root,
    inputs: {mode: 'plan'},
    event: 'workflow_dispatch',
    env: {DOCKER_HOST: 'unix:///nowhere'},
  });
  return {...run, ms: performance.now() - began};
}

const said = ({stdout, stderr}: StepRun): string => stdout + stderr;

describe('a spec.yml that means harm', () => {
  const bomb = [
    'a: &a [x, x, x, x, x, x, x, x, x]',
    ...[...'bcdefghi'].map((name, index) => {
      const before = `*${'abcdefgh'[index]}`;
      return `${name}: &${name} [${Array.from({length: 9}, () => before).join(', ')}]`;
    }),
  ].join('\n');
  it.each<[string, string]>([
    ['expands without end', `${bomb}\n${good}`],
    ['is nested 50 000 deep', `x-deep: ${'['.repeat(50_000)}${']'.repeat(50_000)}\n${good}`],
    ['has 5 MB', `${good}x-long: "${'x'.repeat(5_000_000)}"\n`],
    ['redefines the prototype', `${good}__proto__: {polluted: true}\n`],
    ['has a key twice', `${good}images:\n  b: {image_name: r.io/b}\n`],
    ['is several documents', `${good}---\n${good}`],
    ['is empty', ''],
    ['is a list', '- a\n- b\n'],
    ['is a word', 'images\n'],
    ['has a tab', 'images:\n\ta: {}\n'],
    ['has an image that is nothing', 'images:\n  a:\n  b: null\ntag: {prefix: "1"}\n'],
  ])('and %s is refused with its place, quickly, and no stack trace', async (_, text) => {
    const run = await plan({'images/spec.yml': text});
    expect(run.exitCode).toBe(1);
    expect(said(run)).toContain('images/spec.yml');
    expect(said(run)).not.toMatch(/\n\s+at .*[(/]|Internal error|RangeError/);
    expect(run.stdout).not.toMatch(/^.{65537,}$/m);
  });

  it('may share one anchor among 150 images', async () => {
    const names = Array.from({length: 150}, (_, index) => `i${index}`);
    const run = await plan({
      'images/spec.yml': [
        'x-args: &args {PYTHON: "3.10"}',
        'images:',
        ...names.map((name) => `  ${name}: {image_name: 127.0.0.1:1/o/${name}, build_args: *args}`),
        'tag: {prefix: "1"}',
        'all_info_cmds: {}',
        '',
      ].join('\n'),
      ...Object.fromEntries(names.map((name) => [`images/${name}/Dockerfile`, 'FROM scratch\n'])),
    });
    expect(run.exitCode, said(run).slice(0, 2000)).toBe(0);
    expect(JSON.parse(run.outputs['plan'] ?? '{}').images).toHaveLength(150);
  });
});

describe('a path out of the workspace', () => {
  const withKeys = (keys: string): string =>
    `images:\n  a: {image_name: 127.0.0.1:1/o/a, ${keys}}\ntag: {prefix: "1"}\nall_info_cmds: {}\n`;
  it.each<[string, string]>([
    ['a context above it', 'context: ../..'],
    ['an absolute context', 'context: /etc'],
    ['a context like an option', 'context: "-"'],
    ['a context with NUL', 'context: "a\\0b"'],
    ['a Dockerfile above it', 'dockerfile: ../../../etc/passwd'],
    ['an absolute Dockerfile', 'dockerfile: /etc/passwd'],
    ['tests above it', 'tests: {paths: [../../etc]}'],
  ])('is refused: %s', async (_, keys) => {
    const run = await plan({'images/spec.yml': withKeys(keys)});
    expect(run.exitCode).toBe(1);
    expect(said(run)).toContain('images/spec.yml:2');
  });

  it.each<[string, (root: string) => void]>([
    ['the folder of an image', (at) => symlinkSync('/etc', join(at, 'images/b'))],
    ['a Dockerfile', (at) => symlinkSync('/etc/passwd', join(at, 'images/c/Dockerfile'))],
  ])('is refused where a link leads out: %s', async (what, arrange) => {
    const name = what === 'a Dockerfile' ? 'c' : 'b';
    const text = `images:\n  ${name}: {image_name: 127.0.0.1:1/o/${name}}\ntag: {prefix: "1"}\nall_info_cmds: {}\n`;
    const run = await plan({'images/spec.yml': text, 'images/c/keep': ''}, arrange);
    expect(run.exitCode).toBe(1);
    expect(said(run)).not.toContain('root:x:0');
    expect(said(run)).not.toMatch(/\n\s+at .*[(/]/);
  });
});

describe('a large stack', () => {
  const names = Array.from({length: 10_000}, (_, index) => `i${index}`);
  const spec = [
    'images:',
    ...names.map((name) => `  ${name}: {image_name: 127.0.0.1:1/o/${name}}`),
    'tag: {prefix: "1"}',
    'all_info_cmds: {}',
    '',
  ].join('\n');

  it('of 10 000 images is planned, and summary and outputs fit', async () => {
    const run = await plan({
      'images/spec.yml': spec,
      ...Object.fromEntries(names.map((name) => [`images/${name}/Dockerfile`, 'FROM scratch\n'])),
    });
    expect(run.exitCode, said(run).slice(0, 2000)).toBe(0);
    expect(Buffer.byteLength(run.summary)).toBeLessThan(1024 * 1024);
    expect(Buffer.byteLength(run.outputs['plan'] ?? '')).toBeLessThan(1024 * 1024);
  });

  it('with 10 000 mistakes prints no line that a runner would choke on', async () => {
    const run = await plan({'images/spec.yml': spec});
    expect(run.exitCode).toBe(1);
    expect(said(run)).toContain('there is no folder images/i0');
    expect(
      Math.max(
        ...said(run)
          .split('\n')
          .map((line) => line.length),
      ),
    ).toBeLessThan(65_536);
  });
});
