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
  /** Several images in one repository: their tags begin with it. Undefined where the repository is this image's alone. */
  readonly variant: string | undefined;
  /** Registry host and repository, without tag: `ghcr.io/ucsd-ets/datascience-notebook`. */
  readonly repository: string;
  /** Names (not keys) of the images this one is built on: those of depend_on, then those its Dockerfile names. */
  readonly parents: readonly string[];
  /** Whether depend_on is missing, an empty list (no parents), or lists some. */
  readonly dependOn: 'missing' | 'empty' | 'listed';
  /** Build context, relative to the workspace, `/` separated: `images/datascience-notebook`. */
  readonly context: string;
  /** Dockerfile, relative to the workspace. */
  readonly dockerfile: string;
  /** The image's folder, relative to the workspace: tests are looked for here. */
  readonly folder: string;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly target: string | undefined;
  readonly platforms: readonly string[];
  /** The one of several platforms that this run builds, under a tag of its own; undefined where it builds all. */
  readonly platform?: string | undefined;
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
  /** The place of the image's key in spec.yml. */
  readonly position: Position;
}

export interface InfoCommand {
  readonly name: string;
  readonly description: string;
  /** As written. */
  readonly command: string;
  /** The command as a POSIX shell splits it; run without one. */
  readonly words: readonly string[];
}

export interface TestSpec {
  /** Replaces `pytest -x <folders>`, as a POSIX shell splits it; undefined for the default. */
  readonly words: readonly string[] | undefined;
  /** Files and folders anywhere in the repository that are this image's tests, relative to the workspace. */
  readonly paths: readonly string[];
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
  /** The keys of `root`; empty when the spec has none. */
  readonly roots: readonly string[];
  /** Further tags for the same digest: `latest`, `{date}`, `{sha}`, `{prefix}`. */
  readonly extraTags: ExtraTags;
  /** Runner label by platform: `linux/arm64` -> `ubuntu-24.04-arm`. */
  readonly runners: ReadonlyMap<string, string>;
  /** Things worth a warning, already as `file:line:column: message`. */
  readonly warnings: readonly string[];
}

export interface ExtraTags {
  /** Once the image passed all tests of a default-branch build. */
  readonly defaultBranch: readonly string[];
  /** With a promotion. */
  readonly stable: readonly string[];
}

/** `change_ignore.json` */
export interface ChangeRules {
  /** Names directly below stack-dir that never count as a change. */
  readonly ignore: readonly string[];
  /** Names directly below stack-dir whose change rebuilds every image. */
  readonly buildAll: readonly string[];
  /** Where else files of `buildAll` are: what links lead to. Relative to the workspace. */
  readonly places?: readonly string[];
}
