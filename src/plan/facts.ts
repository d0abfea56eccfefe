import type {Lookup, Published} from '../adapters/registry/index.ts';
import type {ChangedFiles, ChangeSet} from '../changes/index.ts';
import type {Result} from '../failure.ts';
import type {ImageHashes} from '../fingerprint/index.ts';
import {labels} from '../image/tags.ts';
import {type ImageSpec, isSamePlatform} from '../stack/spec/index.ts';
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
  readonly hashes: ReadonlyMap<string, ImageHashes>;
  /** What is at each image's tag; unpublished images have no entry. */
  readonly atTag: ReadonlyMap<string, Lookup>;
  /** Images without labels, some of whose files changed after they were made, as far as git tells. */
  readonly outdated: ReadonlySet<string>;
  /** What is proved of the images at their tags; no entry where nothing is. */
  readonly evidence: ReadonlyMap<string, Evidence>;
  /** What is at the proof tag of the checkout: this fingerprint passed these tests. */
  readonly proofs: ReadonlyMap<string, Lookup>;
  /** The parents whose layers the image begins with (FROM), by image. */
  readonly bases: ReadonlyMap<string, readonly string[]>;
  readonly isTestFile: (image: ImageSpec, file: string) => boolean;
  /** The platform of this machine, which builds an image without `platforms`: `linux/amd64`. */
  readonly platform: string;
  readonly run: RunIdentity;
  /** `ready`: this is one leg of a run; what is outside of `only` was done by earlier legs, or has failed. */
  readonly parents: 'auto' | 'ready';
}

/** What is proved of one digest: by its record, or by a proof tag that shows this very digest. Labels alone prove nothing. */
export interface Evidence {
  readonly fingerprint: string;
  readonly content: string;
  /** The hash of the tests that it passed; undefined when they failed. */
  readonly passed: string | undefined;
}

/** Tells a re-run of the same event from a new one: a commit alone says nothing, another branch may have built it. */
export interface RunIdentity {
  readonly runId: string;
  readonly isRetry: boolean;
}

/** Whether the image at the tag holds what the checkout says. */
export function fits(facts: PlanFacts, image: ImageSpec): boolean {
  const standing = present(facts.atTag.get(image.name));
  if (standing === undefined || !hasPlatform(facts, image, standing)) return false;
  const evidence = facts.evidence.get(image.name);
  if (evidence !== undefined) return evidence.content === must(facts.hashes, image.name).content;
  // Made by the Python scripts: it counts as what the checkout says while none of its files change.
  return isUnlabelled(standing) && !facts.outdated.has(image.name);
}

/** Without a label of ours; an image that inherits the labels of its base is not. */
export function isUnlabelled({labels: own}: Published): boolean {
  return !own.has(labels.content) && !own.has(labels.fingerprint);
}

/** An image for another machine is another image, whatever its labels say. */
export function hasPlatform(
  {platform}: Pick<PlanFacts, 'platform'>,
  image: ImageSpec,
  {platform: own}: Published,
): boolean {
  const wanted = image.platforms.length === 0 ? [platform] : image.platforms;
  return own === undefined || wanted.some((one) => isSamePlatform(one, own));
}

/** The input `images` names it, or nothing. */
export function isSelected(facts: PlanFacts, image: ImageSpec): boolean {
  return facts.only.size === 0 || names(facts.only, image);
}

/** A key stands for the image in every track, a name for one of them. */
export function names(set: ReadonlySet<string>, {key, name}: ImageSpec): boolean {
  return set.has(key) || set.has(name);
}

/** Files of the image that count as changed; empty when every image does. */
export function changedFilesOf(facts: PlanFacts, image: ImageSpec): readonly string[] {
  return facts.changes.kind === 'some' ? (facts.changes.files.get(image.key) ?? []) : [];
}

/** What is behind a reference, if the registry is sure that something is. */
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
  /** Whether a commit message asks for it; an error where none could be read. */
  readonly fullRebuild: Result<boolean, string>;
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
  const wish = facts.fullRebuild;
  if (wish.ok && wish.value) reasons.push({kind: 'full-rebuild'});
  if (facts.isDefaultBranchPush) reasons.push({kind: 'default-branch'});
  if (facts.isCreated || nothingThere) reasons.push({kind: 'first-run'});
  if (changed.kind === 'no-range' && !facts.isCreated) {
    reasons.push({kind: 'event', event: changed.event});
  }
  if (changed.kind === 'unknown') {
    reasons.push({kind: 'unknown-changes', because: changed.because});
  } else if (!wish.ok) {
    const because = `the commit messages could not be read, and one may ask for a full rebuild: ${wish.error}`;
    reasons.push({kind: 'unknown-changes', because});
  }
  return reasons;
}
