import {chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {afterEach, beforeEach} from 'vitest';
import {openWorkspace} from '../../../src/adapters/files/index.ts';
import {runCommand} from '../../../src/adapters/process/index.ts';
import type {StepContext} from '../../../src/build/steps/context.ts';
import {createSteps, type Steps} from '../../../src/build/steps/index.ts';
import type {ImageFacts, StepResult} from '../../../src/build/types.ts';
import {
  type Failure,
  type FailureClass,
  fail,
  failure,
  ok,
  type Result,
} from '../../../src/failure.ts';
import type {PlannedImage, PlannedSource} from '../../../src/plan/types.ts';
import type {StepName} from '../../../src/schedule/steps.ts';
import type {ImageSpec} from '../../../src/stack/spec/types.ts';
import {imageSpec} from '../builders/stack.ts';
import {fakeDockerPort, fakeRecords, fakeRegistryPort} from '../fakes/step-ports.ts';

/** What stands in the registry before the run. */
export const standingDigest = `sha256:${'3'.repeat(64)}`;
export const fingerprint = `sha256:${'0123456789abcdef'.repeat(4)}`;
export const testsHash = `sha256:${'7e57'.repeat(16)}`;
export const proofOf = (name: string): string => `r.io/${name}:fp-0123456789abcdef-7e577e57`;

/** An image of the plan that is built; tests name only what they are about. */
export function planned(
  name: string,
  more: Partial<PlannedImage> = {},
  spec: Partial<ImageSpec> = {},
): PlannedImage {
  const parents = more.parents ?? [];
  return {
    name,
    spec: imageSpec(name, parents, {tagPrefix: '1', repository: `r.io/${name}`, ...spec}),
    parents,
    level: 0,
    ref: `r.io/${name}:1-topic`,
    action: 'build',
    reasons: [],
    fingerprint,
    content: `sha256:${'c'.repeat(64)}`,
    tests: testsHash,
    before: undefined,
    source: undefined,
    expectedSeconds: undefined,
    ...more,
  };
}

/** The image that stands at this reference. */
export function sourceAt(ref: string, more: Partial<PlannedSource> = {}): PlannedSource {
  return {
    ref,
    digest: standingDigest,
    manifest: {
      digest: standingDigest,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      bytes: Buffer.from('{"standing": true}'),
    },
    fingerprint,
    content: `sha256:${'c'.repeat(64)}`,
    ...more,
  };
}

export function failed(kind: FailureClass, more: Partial<Failure> = {}): Result<never> {
  return fail({...failure(kind, 'no'), ...more});
}

export interface Setting {
  /** Parents first; the last one is worked on. */
  readonly images?: readonly PlannedImage[];
  readonly docker?: Parameters<typeof fakeDockerPort>[1];
  readonly registry?: Parameters<typeof fakeRegistryPort>[1];
  readonly context?: Partial<StepContext>;
}

export interface Done extends StepResult {
  readonly facts: ImageFacts;
}

/** A workspace of its own for each test, and steps over ports in memory that note what they are asked. */
export function useSteps() {
  let root = '';
  const calls: string[] = [];
  const refusals: string[] = [];
  let records = fakeRecords(calls);
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'steps-'));
    calls.splice(0);
    refusals.splice(0);
    records = fakeRecords(calls);
  });
  afterEach(() => rmSync(root, {recursive: true}));

  const write = (file: string, text: string): string => {
    const path = join(root, file);
    mkdirSync(dirname(path), {recursive: true});
    writeFileSync(path, text);
    return path;
  };

  const open = (images: readonly PlannedImage[], setting: Setting = {}): Steps =>
    createSteps({
      plan: {tag: '1-topic', images, changed: []},
      references: new Map(),
      parentArgs: new Map(),
      verifyInputs: async () => ok(),
      verifyTests: async () => ok(),
      records,
      recordRefused: (because) => {
        refusals.push(because);
      },
      runOf: () => ({id: '77', attempt: 1, url: 'https://github.com/o/r/actions/runs/77'}),
      subject: 'Add numpy',
      pinsOf: () => new Map(),
      baseOf: () => ({}),
      platform: 'linux/amd64',
      mask: (text) => text.replaceAll('hunter2', '***'),
      extraTags: () => [],
      stackDir: 'images',
      workspace: openWorkspace(root),
      docker: fakeDockerPort(calls, setting.docker),
      registry: fakeRegistryPort(calls, setting.registry),
      run: runCommand,
      emit: () => {},
      onOutput: () => {},
      testEnvironment: {PATH: join(root, 'bin')},
      tempDir: tmpdir(),
      push: true,
      givesSecrets: true,
      cache: 'inline',
      caches: new Map(),
      timeoutMinutes: undefined,
      runId: '77',
      revision: 'abc',
      sourceUrl: undefined,
      login: undefined,
      now: () => new Date(0),
      wait: async () => {},
      ...setting.context,
    });

  /** Does steps of the last image of the plan, up to the first that fails. */
  const go = async (names: readonly StepName[], setting: Setting = {}): Promise<Done> => {
    const images = setting.images ?? [planned('a')];
    const {runStep, facts} = open(images, setting);
    const image = images.at(-1) ?? planned('a');
    let last: StepResult | undefined;
    for (const name of names) {
      last = await runStep(image, name, new AbortController().signal);
      if (last.failure !== undefined) break;
    }
    if (last === undefined) throw new Error('no step was named');
    return {...last, facts: facts(image.name)};
  };

  return {
    calls,
    /** What the run was told of a registry that refuses records. */
    refusals,
    written: () => records.written,
    write,
    open,
    go,
    /** A program that stands for pytest: prints its arguments and environment, and ends as told. */
    program: (name: string, exitCode: number, more = ''): void => {
      const text = `#!/bin/sh\necho "args $*"\necho "image $TEST_IMAGE token $GITHUB_TOKEN"\n${more}\nexit ${exitCode}\n`;
      chmodSync(write(`bin/${name}`, text), 0o755);
    },
    read: (file: string): string => readFileSync(join(root, file), 'utf8'),
  };
}
