import {join} from 'node:path/posix';
import type {Docker, DockerOptions, Layer} from '../../adapters/docker/index.ts';
import type {LogFile, Workspace} from '../../adapters/files/index.ts';
import type {RunCommand} from '../../adapters/process/index.ts';
import type {Published, RawManifest, Registry} from '../../adapters/registry/index.ts';
import {type Failure, failure, messageOf, type Result} from '../../failure.ts';
import {outputFolders} from '../../image/files.ts';
import {repositoryOf} from '../../image/reference.ts';
import {fileNameOf, type logNames} from '../../image/tags.ts';
import type {InfoResult} from '../../page/index.ts';
import type {Plan, PlannedImage} from '../../plan/index.ts';
import type {
  Difference,
  ImageFacts as ImageFactsOfRecord,
  ImageRecord,
  RecordedRun,
} from '../../record/index.ts';
import type {StepName} from '../../schedule/index.ts';
import type {CacheKind, Caches} from '../cache.ts';
import type {Emit, TestCounts} from '../types.ts';

/** Records of images, where the registry takes them. */
export interface RecordStore {
  write(record: ImageRecord): Promise<Result<unknown>>;
  /** Undefined where there is none that can be trusted. */
  read(image: {
    readonly repository: string;
    readonly digest: string;
  }): Promise<ImageRecord | undefined>;
}

/** What the info commands and the engine said of an image. */
export interface Inventory {
  readonly layers: readonly Layer[];
  readonly info: readonly InfoResult[];
}

/** What is known of the inside of an image. */
export interface ImageDetails {
  readonly facts: ImageFactsOfRecord;
  /** What the image changed itself. */
  readonly difference?: Difference;
}

/** What the steps of all images share. */
export interface StepContext {
  readonly plan: Plan;
  /** By image and parent: how the Dockerfile refers to that parent, as it is written after expansion. */
  readonly references: ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;
  /** Build args that the action gives to a Dockerfile which asks for them, by image. */
  readonly parentArgs: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Hashes the image's files once more; fails when they are not what was planned. */
  readonly verifyInputs: (image: PlannedImage) => Promise<Result<void>>;
  /** Hashes the image's tests once more; fails when they are not what was planned. */
  readonly verifyTests: (image: PlannedImage) => Promise<Result<void>>;
  readonly records: RecordStore;
  /** Said once in a run: a registry that refuses records. */
  readonly recordRefused: (because: string) => void;
  /** The run, as records and pages name it. */
  readonly runOf: () => RecordedRun;
  /** First line of the commit's message; undefined when not known. */
  readonly subject: string | undefined;
  /**
   * External images by digest, under the names that the Dockerfile has for them: those that the fingerprint tells. The
   * engine may have an older image under such a name, and the registry a newer one by now.
   */
  readonly pinsOf: (image: PlannedImage) => ReadonlyMap<string, string>;
  /** The external base of an image and its digest, where it is known. */
  readonly baseOf: (image: PlannedImage) => Pick<ImageFactsOfRecord, 'base'>;
  /** Of this machine: `linux/amd64`. */
  readonly platform: string;
  /** Replaces secrets; pages and records are public where the image is. */
  readonly mask: (text: string) => string;
  /** Further tags for an image that passed all its tests in this run. */
  readonly extraTags: (image: PlannedImage) => readonly string[];
  /** Relative to the workspace. */
  readonly stackDir: string;
  readonly workspace: Workspace;
  readonly docker: Docker;
  readonly registry: Registry;
  readonly run: RunCommand;
  readonly emit: Emit;
  /** What a step of an image prints, as it comes; the bytes are the caller's again afterwards. */
  readonly onOutput: (image: string, chunk: Uint8Array) => void;
  /** The environment that tests get, without credentials. */
  readonly testEnvironment: Readonly<Record<string, string>>;
  readonly tempDir: string;
  readonly push: boolean;
  /** False for pull requests from forks: their code gets no build secret. */
  readonly givesSecrets: boolean;
  readonly cache: CacheKind;
  readonly caches: Caches;
  /** The deadline of one step; undefined for the built-in ones. */
  readonly timeoutMinutes: number | undefined;
  readonly runId: string;
  /** The commit that is built; empty when there is none. */
  readonly revision: string;
  /** URL of the repository; undefined outside of GitHub. */
  readonly sourceUrl: string | undefined;
  /** Logs in again, for a token that ran out during a long run; undefined without a login. */
  readonly login: (() => Promise<Result<void>>) | undefined;
  readonly now: () => Date;
  /** Waits before another attempt; rejects when the signal fires. */
  readonly wait: (seconds: number, signal: AbortSignal) => Promise<void>;
}

/** What the steps of one image leave for the next ones. The only thing here that changes. */
export interface ImageState {
  /** In the engine's store. */
  id: string | undefined;
  size: number | undefined;
  /** In the registry, at the image's reference. */
  digest: string | undefined;
  /** An earlier image that was pulled for the cache of plain `docker build`. */
  readonly pulledCache: string[];
  /** Logs that this run has begun. */
  readonly logs: Set<string>;
  /** What the tests came to, once all of them ran; undefined before. */
  verdict: 'passed' | 'failed' | undefined;
  /** Tests that pytest counted. */
  counts: TestCounts | undefined;
  /** Some test ran; false where there are none. */
  isTested: boolean;
  /** What the page and the record say besides; undefined until the info commands ran. */
  inventory: Inventory | undefined;
  /** What the page says, and what changed. */
  details: ImageDetails | undefined;
  /** Everything that changed since the earlier image, also what the image inherits. */
  difference: Difference | undefined;
  /** Bytes that a build which is going on is expected to need. */
  reserved: number;
  isFailed: boolean;
  /** Seconds of the steps that are done, by name. */
  readonly seconds: Map<StepName, number>;
  /** What the registry has at that digest, where this run looked at it; with its layers, where it looked into it. */
  manifest: (RawManifest & Partial<Pick<Published, 'diffIds'>>) | undefined;
  /** The digest once it is in the registry, undefined when it never will be: builders elsewhere wait for it. */
  readonly pushed: PromiseWithResolvers<string | undefined>;
  /** The pull of an image that was not built in this run; children share it. */
  brought: Promise<StepEnd> | undefined;
}

/** One step of one image. */
export interface Work {
  readonly context: StepContext;
  readonly image: PlannedImage;
  readonly state: ImageState;
  readonly signal: AbortSignal;
  readonly stateOf: (image: string) => ImageState;
}

/** How a step ended; empty for a success without notes. */
export interface StepEnd {
  readonly failure?: Failure;
  readonly notes?: readonly string[];
  /** Of a build: spent on writing its cache. */
  readonly cacheSeconds?: number;
  readonly tests?: TestCounts;
}

export type Step = (work: Work) => Promise<StepEnd>;

export type LogKind = (typeof logNames)[number];

/** Lends the log of a step; it is closed afterwards. The first step of a run that uses it begins it anew. */
export async function withLog<T>(
  {context, image, state}: Work,
  kind: LogKind,
  use: (log: LogFile) => Promise<T>,
): Promise<T> {
  const name = `${fileNameOf(image.ref)}.${kind}.log`;
  const file = join(outputFolders.logs, name);
  const log = context.workspace.openLog(file, {append: state.logs.has(name)});
  state.logs.add(name);
  const tapped: LogFile = {
    ...log,
    write: (chunk) => {
      log.write(chunk);
      context.onOutput(image.name, chunk);
    },
  };
  try {
    return await use(tapped);
  } finally {
    await log.close();
    const problem = log.problem();
    if (problem !== undefined) {
      const message = `${outputFolders.logs}/${name} is not complete: ${problem}`;
      context.emit({kind: 'warning', image: image.name, message});
    }
  }
}

/** Log, signal and deadline of a docker command within a step. */
export function dockerOptions({context, signal}: Work, log?: LogFile): DockerOptions {
  const {timeoutMinutes} = context;
  return {
    signal,
    ...(log === undefined ? {} : {log}),
    ...(timeoutMinutes === undefined ? {} : {seconds: timeoutMinutes * 60}),
  };
}

/** The image in the registry, by what never changes. */
export function byDigest(ref: string, digest: string): string {
  return `${repositoryOf(ref)}@${digest}`;
}

/** A bug, or a case that was never considered: it fails its image and nothing else. */
export function internalFailure(error: unknown): Failure {
  const message = messageOf(error);
  return failure('internal', `Internal error: ${message}`);
}
