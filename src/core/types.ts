/** The words of the domain. Data only: readonly, no behaviour, no I/O. */

/** Where something stands in a text file; both counted from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

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

/** What git, or GitHub's API, says was changed; `unknown` builds everything. */
export type ChangedFiles =
  | {
      readonly kind: 'files';
      readonly files: readonly string[];
      /** Worth a line: the answer is the second best. */
      readonly note?: string;
    }
  | {readonly kind: 'unknown'; readonly because: string}
  /** The event has no range at all (schedule, dispatch): everything is built. */
  | {readonly kind: 'no-range'; readonly event: string};

/** The images that count as changed (rule 3.1). Keys, not names of tracks. */
export type ChangeSet =
  | {readonly kind: 'all'; readonly because: BuildReason}
  | {
      readonly kind: 'some';
      readonly files: ReadonlyMap<string, readonly string[]>;
      /** Folders below stack-dir that changed and that no image declares. */
      readonly undeclared: readonly string[];
    };

/** Why an image is (not) worked on; the kinds are part of the contract (DESIGN.md section 1). */
export type BuildReason =
  | {readonly kind: 'changed'; readonly files: readonly string[]}
  | {readonly kind: 'parent'; readonly image: string}
  | {readonly kind: 'needed'; readonly image: string}
  | {readonly kind: 'missing'}
  | {readonly kind: 'first-run'}
  | {readonly kind: 'full-rebuild'}
  | {readonly kind: 'default-branch'}
  | {readonly kind: 'requested'}
  | {readonly kind: 'build-all'; readonly files: readonly string[]}
  | {readonly kind: 'event'; readonly event: string}
  | {readonly kind: 'unknown-changes'; readonly because: string}
  | {readonly kind: 'unknown-registry'; readonly because: string}
  | {readonly kind: 'stale'; readonly ref: string}
  | {readonly kind: 'untested'; readonly ref: string}
  | {readonly kind: 'unchanged'}
  | {readonly kind: 'fingerprint'; readonly ref: string};

/** `build` it, `reuse` a tested twin, `test` what stands at the tag, or `skip`. */
export type PlannedAction = 'build' | 'reuse' | 'test' | 'skip';

export interface PlannedImage {
  readonly name: string;
  readonly parents: readonly string[];
  /** 0 for a root, else one more than the deepest parent. */
  readonly level: number;
  /** The full reference this run gives the image. */
  readonly ref: string;
  readonly action: PlannedAction;
  readonly reasons: readonly BuildReason[];
  /** `sha256:<64 hex>`, with the external base digests. */
  readonly fingerprint: string;
  /** The same without the external base digests. */
  readonly content: string;
  /** What already stands in the registry and is used: the twin of a `reuse`, the image of `test` and `skip`. */
  readonly source: {readonly ref: string; readonly digest: string} | undefined;
  /** Seconds an earlier build and test took (label of the image in the registry); undefined when unknown. */
  readonly expectedSeconds: number | undefined;
}

export interface Plan {
  readonly tag: string;
  /** Parents first. */
  readonly images: readonly PlannedImage[];
  /** Image keys that count as changed: artifacts/IMAGES_CHANGED. */
  readonly changed: readonly string[];
}

/** Classes of failure of RELIABILITY.md 2d. */
export type FailureClass =
  | 'spec-invalid'
  | 'auth'
  | 'permission'
  | 'rate-limit'
  | 'registry-unavailable'
  | 'not-found'
  | 'tag-conflict'
  | 'build-failed'
  | 'test-failed'
  | 'no-tests'
  | 'timeout'
  | 'disk-full'
  | 'daemon-lost'
  | 'oom-killed'
  | 'registry-inconsistent'
  | 'cancelled'
  | 'blocked-by-parent'
  | 'internal';

interface FailureBase {
  readonly class: FailureClass;
  /** One sentence for a person, the image reference in full; never a secret. */
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
  /** The last lines of the output. */
  readonly tail: readonly string[];
}

/** An expected failure is data; an exception is a bug or bad configuration. */
export type Failure = FailureBase &
  (
    | {readonly reason: 'exit-code'; readonly command: string; readonly exitCode: number}
    | {readonly reason: 'timeout'; readonly command: string; readonly seconds: number}
    | {readonly reason: 'spawn'; readonly command: string; readonly code: string}
    | {readonly reason: 'registry'; readonly request: string; readonly status: number | undefined}
    | {readonly reason: 'cancelled'}
    | {readonly reason: 'internal'}
  );

/** Expected failures come back as values. */
export type Result<T> =
  | {readonly ok: true; readonly value: T}
  | {readonly ok: false; readonly failure: Failure};

/** The steps of one image, in this order (DESIGN.md section 5); `reuse` stands for all up to the push. */
export type StepName =
  | 'pull'
  | 'build'
  | 'test'
  | 'push'
  | 'reuse'
  | 'integration-test'
  | 'manifest'
  | 'prune';

export interface StepResult {
  readonly step: StepName;
  readonly durationMs: number;
  readonly failure: Failure | undefined;
  /** Worth a line though nothing failed: `no tests collected`, `pushed after 2 retries`. */
  readonly notes: readonly string[];
}

export type Outcome = 'built' | 'reused' | 'skipped' | 'failed' | 'blocked' | 'cancelled';

export interface ImageResult {
  readonly image: string;
  readonly ref: string;
  /** In the registry, `sha256:…`; undefined when nothing was pushed. */
  readonly digest: string | undefined;
  readonly outcome: Outcome;
  readonly steps: readonly StepResult[];
  /** The image and step that stopped this one, when blocked: `datascience-notebook: test`. */
  readonly blockedBy: string | undefined;
  /** Bytes of all layers; undefined when not known. */
  readonly size: number | undefined;
  /** Failed, but the spec allows it: does not fail the run. */
  readonly allowedFailure: boolean;
}

export type RunOutcome = 'passed' | 'failed' | 'cancelled';

export interface RunReport {
  readonly outcome: RunOutcome;
  readonly images: readonly ImageResult[];
}

/** Everything a run has to say while it goes on; report.ts turns it into words. */
export type RunEvent =
  | {readonly kind: 'image-started'; readonly image: PlannedImage}
  | {readonly kind: 'step-started'; readonly image: string; readonly step: StepName}
  | {readonly kind: 'step-finished'; readonly image: string; readonly result: StepResult}
  | {readonly kind: 'image-finished'; readonly result: ImageResult}
  | {readonly kind: 'note'; readonly image: string | undefined; readonly message: string}
  | {readonly kind: 'warning'; readonly image: string | undefined; readonly message: string};

/** What the registry says of one reference: three answers, never two. */
export type Presence =
  | {readonly state: 'present'; readonly digest: string}
  | {readonly state: 'absent'}
  | {readonly state: 'unknown'; readonly because: string};

/** What stands behind a reference: its manifest and, of its (first) image, what the config says. */
export interface Published {
  readonly digest: string;
  readonly mediaType: string;
  /** The manifest or index itself, as the registry keeps it. */
  readonly bytes: Uint8Array;
  readonly labels: ReadonlyMap<string, string>;
  /** Layer identities, oldest first: `rootfs.diff_ids`. */
  readonly diffIds: readonly string[];
  /** Digest of the config blob of the (first) image. */
  readonly configDigest: string;
  /** Compressed bytes of all layers. */
  readonly size: number;
  /** The config's `created` less the label that says when the build began; undefined when either is missing. */
  readonly buildSeconds: number | undefined;
}

export type Lookup =
  | ({readonly state: 'present'} & Published)
  | {readonly state: 'absent'}
  | {readonly state: 'unknown'; readonly because: string};
