import type {Lookup, Published} from '../adapters/registry/index.ts';
import type {ChangedFiles, ChangeSet} from '../changes/index.ts';
import {labels} from '../image/tags.ts';
import type {ImageSpec} from '../stack/spec/index.ts';
import type {BuildReason} from './types.ts';

/** Everything a plan is decided from. All of it is read before; nothing is asked here. */
export interface PlanFacts {
  readonly tag: string;
  readonly images: ReadonlyMap<string, ImageSpec>;
  /** Names, parents first. */
  readonly order: readonly string[];
  readonly refs: ReadonlyMap<string, string>;
  /** Reasons to work on every image (rule 3.2), and those of doubt. */
  readonly everything: readonly BuildReason[];
  readonly changes: ChangeSet;
  /** Image keys, or names of tracks, of the input `rebuild`. */
  readonly requested: ReadonlySet<string>;
  /** The same of the input `images`; empty for all. */
  readonly only: ReadonlySet<string>;
  readonly reuse: 'auto' | 'always' | 'never';
  readonly hashes: ReadonlyMap<string, {readonly fingerprint: string; readonly content: string}>;
  /** What stands at each image's tag; unpublished images have no entry. */
  readonly atTag: ReadonlyMap<string, Lookup>;
  /** What stands at the `fp-` tag of the checkout's fingerprint, where it was asked for. */
  readonly twins: ReadonlyMap<string, Lookup>;
  /** Images at their tag whose own fingerprint label has no `fp-` tag: they never passed their tests. */
  readonly untested: ReadonlySet<string>;
  /** The parents whose layers the image begins with (FROM), by image. */
  readonly bases: ReadonlyMap<string, readonly string[]>;
  readonly isTestFile: (image: ImageSpec, file: string) => boolean;
  readonly run: RunIdentity;
}

/** Tells a re-run of the same event from a new one (DESIGN.md section 4, last sentence). */
export interface RunIdentity {
  readonly commit: string;
  readonly runId: string;
  readonly isRetry: boolean;
  /** A push names its commit; a schedule or a dispatch of the same commit is a new wish. */
  readonly commitNamesEvent: boolean;
}

/** An image without labels was made by the scripts: it counts as what the checkout says. */
export function fits(facts: PlanFacts, image: ImageSpec): boolean {
  const label = present(facts.atTag.get(image.name))?.labels.get(labels.content);
  return label === undefined || label === must(facts.hashes, image.name).content;
}

/** Files of the image that count as changed; empty when every image does. */
export function changedFilesOf(facts: PlanFacts, image: ImageSpec): readonly string[] {
  return facts.changes.kind === 'some' ? (facts.changes.files.get(image.key) ?? []) : [];
}

/** What stands behind a reference, if the registry is sure that something does. */
export function present(lookup: Lookup | undefined): Published | undefined {
  return lookup?.state === 'present' ? lookup : undefined;
}

/** @throws {Error} when the facts are not whole, which is a bug */
export function must<K, V>(map: ReadonlyMap<K, V>, key: K): V {
  const value = map.get(key);
  if (value === undefined)
    throw new Error(`Internal error: the plan has no entry for ${String(key)}`);
  return value;
}

/** What rule 3.2 looks at: the event and the wishes of the user. */
export interface RunFacts {
  readonly rebuildAll: boolean;
  readonly isFullRebuild: boolean;
  readonly isDefaultBranchPush: boolean;
  /** The push created the branch. */
  readonly isCreated: boolean;
  readonly changed: ChangedFiles;
  readonly atTag: ReadonlyMap<string, Lookup>;
}

/** Reasons to work on every image: rule 3.2, and the doubts of rule 3.5. */
export function reasonsForAll(facts: RunFacts): readonly BuildReason[] {
  const {changed, atTag} = facts;
  const nothingThere =
    atTag.size > 0 && [...atTag.values()].every((lookup) => lookup.state === 'absent');
  const reasons: BuildReason[] = [];
  if (facts.rebuildAll) reasons.push({kind: 'requested'});
  if (facts.isFullRebuild) reasons.push({kind: 'full-rebuild'});
  if (facts.isDefaultBranchPush) reasons.push({kind: 'default-branch'});
  if (facts.isCreated || nothingThere) reasons.push({kind: 'first-run'});
  if (changed.kind === 'no-range' && !facts.isCreated) {
    reasons.push({kind: 'event', event: changed.event});
  }
  if (changed.kind === 'unknown') {
    reasons.push({kind: 'unknown-changes', because: changed.because});
  }
  return reasons;
}
