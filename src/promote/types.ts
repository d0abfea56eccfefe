import type {Lookup, Presence, RawManifest, Registry} from '../adapters/registry/index.ts';
import type {Failure, Result} from '../failure.ts';
import type {ImageRecord, Tested} from '../fingerprint/index.ts';

/** What a promotion asks of the registry. */
export type TagRegistry = Pick<
  Registry,
  'head' | 'inspect' | 'manifest' | 'put' | 'deleteTag' | 'waitForDigest'
>;

/** The outside of a promotion's facts. */
export interface FactPorts {
  readonly registry: TagRegistry;
  /** The record of an image; undefined for none. Without this port, proof tags decide alone. */
  readonly readRecord?: (image: ImageAt) => Promise<Result<ImageRecord | undefined>>;
  /** The tags of a repository, for the words about a source that does not exist. */
  readonly tags?: (repository: string) => Promise<Result<readonly string[]>>;
  /** Whether this login may push there; asked before anything moves, and in a dry run. */
  readonly mayPush?: (repository: string) => Promise<Result<unknown>>;
}

export interface ImageAt {
  readonly repository: string;
  readonly digest: string;
}

/** One image to promote, and all that was read about it. */
export interface TagFacts {
  readonly name: string;
  readonly source: string;
  readonly lookup: Lookup;
  /** The tags that it is to get, and what they point to now: undefined for none, by GET. */
  readonly targets: readonly TagAt[];
  /** Undefined where the source itself could not be read. */
  readonly tested: Tested | undefined;
  /** Parents of a `FROM`: the layers of the image begin with theirs. */
  readonly bases: readonly string[];
  /** Other parents (`COPY --from`), of which only a record tells. */
  readonly copies: readonly string[];
  readonly record: ImageRecord | undefined;
  /** For a source that does not exist: the tags of its repository, the most similar first. */
  readonly similar: readonly string[] | undefined;
  /** Why this run may not push to the repository. */
  readonly denied: string | undefined;
}

/** A tag, and the manifest that it points to. */
export interface TagAt {
  readonly ref: string;
  readonly isExtra: boolean;
  readonly current:
    | {readonly state: 'known'; readonly manifest: RawManifest | undefined}
    | {readonly state: 'unknown'; readonly because: string};
}

/** One tag to move, parents first. The bytes of a manifest are the identity of the image: never re-encoded. */
export interface TagMove {
  readonly name: string;
  readonly source: string;
  readonly target: string;
  /** What the tag points to when this is planned; undefined: a GET showed that it does not exist. */
  readonly before: RawManifest | undefined;
  /** What it is to point to; undefined (when a promotion is undone): it is to be gone. */
  readonly after: RawManifest | undefined;
  /** The commit that the image was built from, by its label. */
  readonly revision: string | undefined;
  /** The reference that the image was built as, by its label: where its page is looked for. */
  readonly builtAs: string | undefined;
  /** A further tag of `tag.extra`, of which the wiki does not tell. */
  readonly isExtra: boolean;
}

export interface TagPlan {
  readonly moves: readonly TagMove[];
  /** Every cause to move nothing. */
  readonly refusals: readonly string[];
  readonly warnings: readonly string[];
}

export interface MovePorts {
  readonly registry: TagRegistry;
  /** The sources are read again at the end, and must be what they were: they are stable tags themselves. */
  readonly holdsSources?: boolean;
  /** Looked at between two tags: no PUT is ever cut short. */
  readonly signal: AbortSignal;
  readonly clock: {
    /** Milliseconds, monotonic. */
    now(): number;
    wait(milliseconds: number): Promise<unknown>;
  };
}

/** What became of one tag. */
export type TagState =
  /** It pointed to this digest before. */
  | 'unchanged'
  | 'moved'
  /** It did not exist before the promotion that is undone, and is gone again. */
  | 'deleted'
  /** It was moved, and points to its old digest again, or is gone again. */
  | 'restored'
  /** It should be gone, or was moved, and could not be taken back. */
  | 'standing'
  /** Nothing was done to it. */
  | 'untouched'
  /** Something else moved it at the same time: left as it is. */
  | 'conflict'
  /** It was not moved. */
  | 'failed'
  /** The registry does not say, or accepted a change and does not return it yet. */
  | 'unknown';

export interface TagResult {
  readonly move: TagMove;
  readonly state: TagState;
  /** What the registry last said of it. */
  readonly shows: Presence;
  readonly failure: Failure | undefined;
}

export interface TagReport {
  readonly outcome: 'passed' | 'failed' | 'cancelled';
  readonly results: readonly TagResult[];
}
