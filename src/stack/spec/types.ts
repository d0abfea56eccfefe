import type {Position} from '../yaml/index.ts';

/** One image of the stack as `spec.yml` declares it (one per track: see {@link Spec.images}). */
export interface ImageSpec {
  /** The key in `images:`; for a track of `plans:` it is `<key>@<track>`. */
  readonly name: string;
  /** The key in `images:`, which is also the folder below `stack-dir` and what changes are counted for. */
  readonly key: string;
  /** The track of `plans:` this image belongs to; undefined for the main one. */
  readonly track: string | undefined;
  /** Tag prefix of this image: the stack's, or its track's. */
  readonly tagPrefix: string;
  /** Registry host and repository, without tag: `ghcr.io/ucsd-ets/datascience-notebook`. */
  readonly repository: string;
  /** Names (not keys) of the images this one is built on, in the order of the spec. */
  readonly parents: readonly string[];
  /** Build context, relative to the workspace, `/` separated: `images/datascience-notebook`. */
  readonly context: string;
  /** Dockerfile, relative to the workspace. */
  readonly dockerfile: string;
  /** The image's folder, relative to the workspace: tests are looked for here. */
  readonly folder: string;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly target: string | undefined;
  readonly platforms: readonly string[];
  /** Arguments of `docker build --secret`, for example `id=token,env=MY_TOKEN`. */
  readonly secrets: readonly string[];
  /** Globs outside the folder, relative to the workspace, whose files count as this image's. */
  readonly watch: readonly string[];
  readonly publish: boolean;
  readonly allowFailure: boolean;
  readonly integrationTests: boolean;
  readonly prune: boolean;
  readonly prepull: boolean;
  readonly infoCommands: readonly InfoCommand[];
  readonly tests: TestSpec;
  /** Where the image's key stands in spec.yml. */
  readonly position: Position;
}

export interface InfoCommand {
  readonly name: string;
  readonly description: string;
  /** As written; split as a POSIX shell would, run without one. */
  readonly command: string;
}

export interface TestSpec {
  /** Replaces `pytest -x <folders>`; undefined for the default. */
  readonly command: string | undefined;
  readonly where: 'host' | 'container';
  readonly timeoutMinutes: number | undefined;
}

/** A checked spec.yml. Nothing in it can contradict itself any more. */
export interface Spec {
  /** As messages show it: `images/spec.yml`. */
  readonly file: string;
  /** Every image by its name, in the order of the file; images of tracks follow as `<key>@<track>`. */
  readonly images: ReadonlyMap<string, ImageSpec>;
  readonly tagPrefix: string;
  /** Things worth a warning, already as `file:line:column: message`. */
  readonly warnings: readonly string[];
}

/** `change_ignore.json` */
export interface ChangeRules {
  /** Names directly below stack-dir that never count as a change. */
  readonly ignore: readonly string[];
  /** Names directly below stack-dir whose change rebuilds every image. */
  readonly buildAll: readonly string[];
}
