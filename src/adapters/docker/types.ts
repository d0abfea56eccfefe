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
  readonly cacheFrom: readonly string[];
  readonly cacheTo: readonly string[];
}

/** What came of a build. */
export interface BuiltImage {
  /** In the engine's store. */
  readonly id: string;
  /** Spent on writing the cache; undefined when the builder says nothing of it. */
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
