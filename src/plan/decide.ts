import type {Published} from '../adapters/registry/index.ts';
import {startsWith} from '../fingerprint/index.ts';
import {fingerprintTag, labels} from '../image/tags.ts';
import type {ImageSpec} from '../stack/spec/index.ts';
import {changedFilesOf, fits, must, type PlanFacts, present} from './facts.ts';
import type {BuildReason, Plan, PlannedAction, PlannedImage} from './types.ts';

/**
 * Decides what is done with every image, and why (DESIGN.md sections 3 and 4).
 * Pure: printing the result is the dry run.
 */
export function makePlan(facts: PlanFacts): Plan {
  const decided = new Map<string, Decision>();
  const levels = new Map<string, number>();
  for (const name of facts.order) {
    const image = must(facts.images, name);
    levels.set(name, 1 + Math.max(-1, ...image.parents.map((parent) => must(levels, parent))));
    decided.set(name, decide(facts, image, decided));
  }
  addNeeded(facts, decided);
  const wanted = facts.only.size === 0 ? undefined : withAncestors(facts);
  const images: PlannedImage[] = [];
  for (const name of facts.order) {
    if (wanted !== undefined && !wanted.has(name)) continue;
    images.push(describe(facts, must(facts.images, name), must(levels, name), must(decided, name)));
  }
  return {tag: facts.tag, images, changed: changedKeys(facts)};
}

interface Decision {
  readonly action: PlannedAction;
  readonly reasons: readonly BuildReason[];
}

function decide(
  facts: PlanFacts,
  image: ImageSpec,
  decided: ReadonlyMap<string, Decision>,
): Decision {
  if (!isSelected(facts, image)) return {action: 'skip', reasons: [{kind: 'unchanged'}]};
  const reasons = reasonsToBuild(facts, image, decided);
  const standing = present(facts.atTag.get(image.name));
  if (reasons.length === 0) return leaveOrTest(facts, image, standing);
  if (onlyTestsChanged(facts, image, reasons) && standing !== undefined && fits(facts, image)) {
    return {action: 'test', reasons};
  }
  const twin = decideReuse(facts, image, reasons, (name) => decided.get(name)?.action);
  return twin === undefined
    ? {action: 'build', reasons}
    : {action: 'reuse', reasons: [...reasons, {kind: 'fingerprint', ref: twin}]};
}

/** Nothing asks for this image; it is tested again when it never passed. */
function leaveOrTest(
  facts: PlanFacts,
  image: ImageSpec,
  standing: Published | undefined,
): Decision {
  if (standing === undefined || !facts.untested.has(image.name)) {
    return {action: 'skip', reasons: [{kind: 'unchanged'}]};
  }
  const label = standing.labels.get(labels.fingerprint) ?? '';
  const ref = `${image.repository}:${fingerprintTag(label)}`;
  return {action: 'test', reasons: [{kind: 'untested', ref}]};
}

function reasonsToBuild(
  facts: PlanFacts,
  image: ImageSpec,
  decided: ReadonlyMap<string, Decision>,
): readonly BuildReason[] {
  const reasons: BuildReason[] = [...facts.everything];
  if (facts.changes.kind === 'all') reasons.push(facts.changes.because);
  if (names(facts.requested, image)) reasons.push({kind: 'requested'});
  const files = changedFilesOf(facts, image);
  if (files.length > 0) reasons.push({kind: 'changed', files});
  for (const parent of image.parents) {
    const action = decided.get(parent)?.action;
    if (action === 'build' || action === 'reuse') reasons.push({kind: 'parent', image: parent});
  }
  const lookup = facts.atTag.get(image.name);
  if (lookup?.state === 'unknown') {
    reasons.push({kind: 'unknown-registry', because: lookup.because});
  }
  const isFirst = reasons.some((reason) => reason.kind === 'first-run');
  if (lookup?.state === 'absent' && !isFirst) reasons.push({kind: 'missing'});
  if (reasons.length === 0 && !fits(facts, image)) {
    reasons.push({kind: 'stale', ref: must(facts.refs, image.name)});
  }
  return reasons;
}

function onlyTestsChanged(
  facts: PlanFacts,
  image: ImageSpec,
  reasons: readonly BuildReason[],
): boolean {
  return reasons.every(
    (reason) =>
      reason.kind === 'changed' && reason.files.every((file) => facts.isTestFile(image, file)),
  );
}

/** A built image needs its parents: one that does not stand as the checkout says it is built too (rule 3.3). */
function addNeeded(facts: PlanFacts, decided: Map<string, Decision>): void {
  for (const name of facts.order.toReversed()) {
    if (decided.get(name)?.action !== 'build') continue;
    for (const parent of must(facts.images, name).parents) {
      const current = must(decided, parent);
      if (current.action !== 'skip' || standsAsItIs(facts, must(facts.images, parent))) continue;
      const files = changedFilesOf(facts, must(facts.images, parent));
      const changed: BuildReason[] = files.length > 0 ? [{kind: 'changed', files}] : [];
      decided.set(parent, {action: 'build', reasons: [...changed, {kind: 'needed', image: name}]});
    }
  }
}

function standsAsItIs(facts: PlanFacts, image: ImageSpec): boolean {
  const standing = present(facts.atTag.get(image.name));
  if (standing === undefined) return false;
  if (standing.labels.has(labels.content)) return fits(facts, image);
  return changedFilesOf(facts, image).length === 0;
}

function isSelected(facts: PlanFacts, image: ImageSpec): boolean {
  return facts.only.size === 0 || names(facts.only, image);
}

/** A key stands for the image in every track, a name for one of them. */
function names(set: ReadonlySet<string>, {key, name}: ImageSpec): boolean {
  return set.has(key) || set.has(name);
}

function withAncestors(facts: PlanFacts): ReadonlySet<string> {
  const wanted = new Set<string>();
  for (const name of facts.order.toReversed()) {
    const image = must(facts.images, name);
    if (!wanted.has(name) && !names(facts.only, image)) continue;
    wanted.add(name);
    for (const parent of image.parents) wanted.add(parent);
  }
  return wanted;
}

function describe(
  facts: PlanFacts,
  image: ImageSpec,
  level: number,
  {action, reasons}: Decision,
): PlannedImage {
  const ref = must(facts.refs, image.name);
  const hashes = must(facts.hashes, image.name);
  const standing = present(facts.atTag.get(image.name));
  const twin = present(facts.twins.get(image.name));
  const twinRef = `${image.repository}:${fingerprintTag(hashes.fingerprint)}`;
  const used = action === 'reuse' ? twin : action === 'build' ? undefined : standing;
  return {
    name: image.name,
    parents: image.parents,
    level,
    ref,
    action,
    reasons,
    fingerprint: hashes.fingerprint,
    content: hashes.content,
    source: used && {ref: action === 'reuse' ? twinRef : ref, digest: used.digest},
    expectedSeconds: standing?.buildSeconds ?? twin?.buildSeconds,
  };
}

function changedKeys(facts: PlanFacts): readonly string[] {
  const keys = new Set([...facts.images.values()].map((image) => image.key));
  if (facts.everything.length > 0 || facts.changes.kind === 'all') return [...keys];
  const {files} = facts.changes;
  return [...keys].filter((key) => files.has(key));
}

/** Reasons of rule 3.2: a fresh build of everything is the wish, so a twin serves only a re-run. */
const freshReasons: ReadonlySet<BuildReason['kind']> = new Set([
  'full-rebuild',
  'default-branch',
  'first-run',
  'event',
  'requested',
]);

/**
 * The reference of the tested twin that stands in for a build, or undefined when the image must be built
 * (DESIGN.md section 4). A twin counts only when its label says the fingerprint its tag promises, and when it
 * sits on exactly the parent that this run uses.
 */
export function decideReuse(
  facts: PlanFacts,
  image: ImageSpec,
  reasons: readonly BuildReason[],
  actionOf: (name: string) => PlannedAction | undefined,
): string | undefined {
  const fingerprint = facts.hashes.get(image.name)?.fingerprint;
  const twin = facts.twins.get(image.name);
  if (facts.reuse === 'never' || fingerprint === undefined || twin?.state !== 'present') {
    return undefined;
  }
  const isTrue = twin.labels.get(labels.fingerprint) === fingerprint;
  const isWanted = isSameRun(facts, twin) || allows(facts, image, reasons);
  const sitsRight = image.parents.every((parent) =>
    sitsOn(facts, image, twin, parent, actionOf(parent)),
  );
  return isTrue && isWanted && sitsRight
    ? `${image.repository}:${fingerprintTag(fingerprint)}`
    : undefined;
}

/** Who says `always` trusts the tests that the twin passed, for example those of the pull request now merged. */
function allows(facts: PlanFacts, image: ImageSpec, reasons: readonly BuildReason[]): boolean {
  if (facts.reuse === 'always') return true;
  return !reasons.some(({kind}) => freshReasons.has(kind)) && !testsChanged(facts, image, reasons);
}

/** The twin passed other tests than the ones that this checkout has. */
function testsChanged(
  facts: PlanFacts,
  image: ImageSpec,
  reasons: readonly BuildReason[],
): boolean {
  return reasons.some(
    (reason) =>
      (reason.kind === 'changed' || reason.kind === 'build-all') &&
      reason.files.some((file) => facts.isTestFile(image, file)),
  );
}

/** A re-run of the same event goes on where its first attempt stopped. */
function isSameRun({run}: PlanFacts, twin: Published): boolean {
  if (run.commit === '' || twin.labels.get(labels.revision) !== run.commit) return false;
  return run.commitNamesEvent || (run.isRetry && twin.labels.get(labels.run) === run.runId);
}

function sitsOn(
  facts: PlanFacts,
  image: ImageSpec,
  twin: Published,
  parent: string,
  action: PlannedAction | undefined,
): boolean {
  if (action === 'build') return false;
  if (!facts.bases.get(image.name)?.includes(parent)) return true;
  const used = (action === 'reuse' ? facts.twins : facts.atTag).get(parent);
  return used?.state === 'present' && startsWith(twin.diffIds, used.diffIds);
}
