import type {Failure, Result} from '../../failure.ts';
import type {CommandOutput, LogSink} from '../process/index.ts';
/** What the docker port takes and answers. Data only. */

/** What the engine can do. */
export interface EngineFacts {
  readonly hasBuildx: boolean;
  /** Then an image's id is the digest of its manifest, else that of its config. */
  readonly hasContainerdStore: boolean;
}

/** What the engine and the builder can do. */
export interface DockerFacts extends EngineFacts {
  /** `docker` builds in the engine; `docker-container`, `kubernetes` and `remote` build elsewhere. */
  readonly driver: string;
}

/** The disk where the engine keeps its images. */
export interface Disk {
  /** The engine's data folder. */
  readonly root: string;
  readonly freeBytes: number;
  readonly totalBytes: number;
}

export interface BuildRequest {
  readonly ref: string;
  /** Folders and files are relative to the workspace. */
  readonly context: string;
  readonly dockerfile: string;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly labels: ReadonlyMap<string, string>;
  readonly target: string | undefined;
  readonly platforms: readonly string[];
  readonly secrets: readonly string[];
  /** References of FROM lines that are to mean something else: `docker-image://<repository>@<digest>`. */
  readonly buildContexts: ReadonlyMap<string, string>;
  /** Build in the engine, whatever builder was chosen. */
  readonly inEngine: boolean;
  /** The build tags the image as `tagPrivately` does for this name; undefined where no child is built on it. */
  readonly privateName: string | undefined;
  readonly cacheFrom: readonly string[];
  readonly cacheTo: readonly string[];
}

/** What came of a build. */
export interface BuiltImage {
  /** In the engine's store. */
  readonly id: string;
  /** Spent on writing the cache; undefined when the builder does not report it. */
  readonly cacheSeconds: number | undefined;
}

/** One line of `docker history`. */
export interface Layer {
  readonly createdBy: string;
  /** Bytes, unpacked. */
  readonly size: number;
}

export interface ContainerRequest {
  readonly image: string;
  readonly name: string;
  /** The program and its arguments, instead of the image's entrypoint and command. */
  readonly command: readonly string[];
  readonly env?: ReadonlyMap<string, string>;
  readonly workdir?: string;
}

/** What every docker command takes. */
export interface DockerOptions {
  /** Receives the command line and its output. */
  readonly log?: LogSink;
  readonly signal?: AbortSignal;
  /** Deadline; by default that of the command (docs/reliability.md). */
  readonly seconds?: number;
}

/** The docker CLI. Every container carries the run's label; nothing that is not ours is ever removed. */
export interface Docker {
  /** Asks the engine, once. A failure is one sentence with what to install, update or start. */
  check(): Promise<Result<EngineFacts>>;
  /** The driver of the builder, asked once; a builder that the user names and that is not there is a failure. */
  driver(): Promise<Result<string>>;
  /** The platforms whose programs the builder can run, by itself or emulated; none where it does not tell. */
  platforms(): Promise<readonly string[]>;
  /** How full the engine's disk is now; undefined where that cannot be seen from here: an engine on another machine. */
  disk(): Promise<Disk | undefined>;
  /** Retries what may pass; a refused password is said at once. */
  login(
    host: string,
    username: string,
    password: string,
    options?: DockerOptions,
  ): Promise<Result<void>>;
  pull(ref: string, options: DockerOptions): Promise<Result<void>>;
  /** Builds into the engine's store. */
  build(request: BuildRequest, options: DockerOptions): Promise<Result<BuiltImage>>;
  /** Builds for all platforms straight into the registry; the digest there. */
  buildAndPush(request: BuildRequest, options: DockerOptions): Promise<Result<string>>;
  tag(source: string, ref: string): Promise<Result<void>>;
  /** Tags an image of the engine's store under a name that only this run knows, once; the reference. */
  tagPrivately(id: string, name: string): Promise<Result<string>>;
  /** Removes that tag again, so that the image can be freed. */
  releasePrivately(name: string): Promise<Result<void>>;
  /** The digest that the registry answered. One attempt. */
  push(ref: string, options: DockerOptions): Promise<Result<string>>;
  /** Ids in the engine's store, many in one process; what is not there is missing in the answer. */
  ids(refs: readonly string[]): Promise<Result<ReadonlyMap<string, string>>>;
  /** Oldest first, all layers. */
  history(ref: string): Promise<Result<readonly Layer[]>>;
  /** Runs a container to its end and removes it, whatever happens. */
  run(request: ContainerRequest, options: DockerOptions): Promise<Result<CommandOutput>>;
  create(request: ContainerRequest, options: DockerOptions): Promise<Result<void>>;
  /** Starts a created container and stays with it; its exit code is the command's. */
  start(name: string, options: DockerOptions): Promise<Result<CommandOutput>>;
  /** `from` and `to` as `docker cp` takes them: a path, or `<container>:<path>`. */
  copy(from: string, to: string, options: DockerOptions): Promise<Result<void>>;
  /** Whether the kernel killed something in this container, which still exists, because memory ran out. */
  ranOutOfMemory(name: string): Promise<boolean>;
  /** Whether a process was killed since then in any container of these images, by the engine's events; any job may have started it. */
  memoryRanOut(images: readonly string[], since: Date): Promise<boolean>;
  removeContainer(name: string): Promise<Result<void>>;
  /** Removes the reference; the image itself only when nothing else names it. */
  removeImage(ref: string, options: DockerOptions): Promise<Result<void>>;
  /** Removes what is left of this run's containers and private tags; asks nothing when nothing is left. */
  cleanUp(): Promise<Result<void>>;
  /** Removes the containers and private tags that a killed run left more than six hours ago. */
  sweep(now: Date, options?: DockerOptions): Promise<Result<void>>;
  /** Says more about a failure: whether the daemon answers, whether its disk is full. */
  diagnose(failure: Failure): Promise<Failure>;
}
