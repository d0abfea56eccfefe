import type {Published} from '../adapters/registry/index.ts';
import {proofTag} from '../image/tags.ts';
import type {ImageSpec} from '../stack/spec/index.ts';
import {isLeftToDo, isOutside, redoneBelow} from './earlier-legs.ts';
import {
  changedFilesOf,
  fits,
  isSelected,
  isUnlabelled,
  must,
  names,
  type PlanFacts,
  present,
} from './facts.ts';
import {memoryOf} from './memory.ts';
import {decideReuse} from './reuse.ts';
import type {BuildReason, Plan, PlannedAction, PlannedImage} from './types.ts';

/** Decides what is done with every image, and why. Pure: printing the result is the dry run. */
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
    const image = must(facts.images, name);
    const planned = describe(facts, image, must(levels, name), must(decided, name));
    const missing = image.parents.find((parent) => decided.get(parent)?.isMissing);
    const isBlocked = planned.action === 'build' || planned.action === 'reuse';
    images.push(
      isBlocked && missing !== undefined ? {...planned, missingParent: missing} : planned,
    );
  }
  return {tag: facts.tag, images, changed: changedKeys(facts)};
}

interface Decision {
  readonly action: PlannedAction;
  readonly reasons: readonly BuildReason[];
  /** An earlier leg of this run had to do something with this image, and did not. */
  readonly isMissing?: boolean;
  /** It is built to be tested: nothing in it is new. */
  readonly isRetest?: boolean;
}

const unchanged: Decision = {action: 'skip', reasons: [{kind: 'unchanged'}]};

function decide(
  facts: PlanFacts,
  image: ImageSpec,
  decided: ReadonlyMap<string, Decision>,
): Decision {
  if (isSelected(facts, image)) return decideSelected(facts, image, decided);
  if (!isOutside(facts, image)) return unchanged;
  const asked = decideSelected(facts, image, decided);
  return isLeftToDo(facts, image, asked) ? {...unchanged, isMissing: true} : unchanged;
}

function decideSelected(
  facts: PlanFacts,
  image: ImageSpec,
  decided: ReadonlyMap<string, Decision>,
): Decision {
  const reasons = reasonsToBuild(facts, image, decided);
  if (reasons.length === 0) return leaveOrTest(facts, image);
  const twin = decideReuse(facts, image, reasons, (name) => decided.get(name)?.action);
  if (twin !== undefined) {
    return {
      action: 'reuse',
      reasons: [...reasons, {kind: 'fingerprint', ref: proofRef(facts, image)}],
    };
  }
  const isRetest = !image.publish && reasons.every(({kind}) => kind === 'untested');
  return {
    action: mayBeTested(facts, image, reasons) ? 'test' : 'build',
    reasons,
    ...(isRetest ? {isRetest} : {}),
  };
}

/** Nothing asks for this image, and it is the right one; it is tested again unless it passed these very tests. */
function leaveOrTest(facts: PlanFacts, image: ImageSpec): Decision {
  const standing = present(facts.atTag.get(image.name));
  // Not published, or made by the Python scripts, which kept no proof.
  if (standing === undefined || isUnlabelled(standing)) return unchanged;
  const {tests} = must(facts.hashes, image.name);
  if (facts.evidence.get(image.name)?.passed === tests) return unchanged;
  return {action: 'test', reasons: [{kind: 'untested', ref: proofRef(facts, image)}]};
}

/** Where these tests left their proof, if the image passed them. */
function proofRef(facts: PlanFacts, image: ImageSpec): string {
  const {fingerprint, tests} = must(facts.hashes, image.name);
  return `${image.repository}:${proofTag(fingerprint, tests)}`;
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
    const {action, isMissing = false, isRetest = false} = must(decided, parent);
    const isNew = (action === 'build' && !isRetest) || action === 'reuse' || isMissing;
    const redone = redoneBelow(facts, image, must(facts.images, parent));
    if (isNew) reasons.push({kind: 'parent', image: parent});
    else for (const name of redone) reasons.push({kind: 'parent', image: name});
  }
  const lookup = facts.atTag.get(image.name);
  if (lookup?.state === 'unknown') {
    reasons.push({kind: 'unknown-registry', because: lookup.because});
  }
  const isFirst = reasons.some((reason) => reason.kind === 'first-run');
  if (lookup?.state === 'absent' && !isFirst) reasons.push({kind: 'missing'});
  if (reasons.length === 0 && lookup?.state === 'present') {
    const ref = must(facts.refs, image.name);
    // With labels, and neither record nor proof: nothing says what it holds, nor that it ever passed a test.
    if (!facts.evidence.has(image.name) && !isUnlabelled(lookup)) {
      reasons.push({kind: 'untested', ref: proofRef(facts, image)});
    } else if (!fits(facts, image)) reasons.push({kind: 'stale', ref});
  }
  // Nothing is at a tag that could be tested again: it is built for that.
  const isPassed = facts.evidence.get(image.name)?.passed === must(facts.hashes, image.name).tests;
  if (reasons.length === 0 && !image.publish && !isPassed)
    reasons.push({kind: 'untested', ref: must(facts.refs, image.name)});
  return reasons;
}

/** Only its tests changed, and the image that they are for is at the tag. */
function mayBeTested(facts: PlanFacts, image: ImageSpec, reasons: readonly BuildReason[]): boolean {
  if (!facts.evidence.has(image.name) || !fits(facts, image)) return false;
  return reasons.every(
    (reason) =>
      reason.kind === 'changed' && reason.files.every((file) => facts.isTestFile(image, file)),
  );
}

/** A built image needs its parents: one that is not as the checkout says is built too (rule 3.3). */
function addNeeded(facts: PlanFacts, decided: Map<string, Decision>): void {
  for (const name of facts.order.toReversed()) {
    if (decided.get(name)?.action !== 'build') continue;
    for (const parent of must(facts.images, name).parents) {
      const current = must(decided, parent);
      const image = must(facts.images, parent);
      // Earlier legs did what was to do there; what they did not do blocks.
      if (isOutside(facts, image) || current.action !== 'skip') continue;
      if (standsAsItIs(facts, image)) {
        // Nothing is pushed on an image that did not pass its tests, also where the input `images` omits it.
        if (facts.evidence.has(parent)) decided.set(parent, leaveOrTest(facts, image));
        continue;
      }
      const files = changedFilesOf(facts, image);
      const changed: BuildReason[] = files.length > 0 ? [{kind: 'changed', files}] : [];
      decided.set(parent, {action: 'build', reasons: [...changed, {kind: 'needed', image: name}]});
    }
  }
}

function standsAsItIs(facts: PlanFacts, image: ImageSpec): boolean {
  if (!fits(facts, image)) return false;
  return facts.evidence.has(image.name) || changedFilesOf(facts, image).length === 0;
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
  spec: ImageSpec,
  level: number,
  {action, reasons}: Decision,
): PlannedImage {
  const {name} = spec;
  const ref = must(facts.refs, name);
  const hashes = must(facts.hashes, name);
  const standing = present(facts.atTag.get(name));
  const proof = present(facts.proofs.get(name));
  const used: Record<PlannedAction, Published | undefined> = {
    build: undefined,
    reuse: proof,
    test: standing,
    skip: standing,
  };
  const source = used[action];
  const evidence = action === 'reuse' ? undefined : facts.evidence.get(name);
  return {
    name,
    spec,
    parents: spec.parents,
    level,
    ref,
    action,
    reasons,
    ...hashes,
    source: source && {
      ref: action === 'reuse' ? proofRef(facts, spec) : ref,
      digest: source.digest,
      manifest: {bytes: source.bytes, mediaType: source.mediaType, digest: source.digest},
      fingerprint: evidence?.fingerprint ?? hashes.fingerprint,
      content: evidence?.content ?? hashes.content,
    },
    before: standing?.digest,
    memory: memoryOf(facts.images, spec, hashes.content),
    expectedSeconds: standing?.buildSeconds ?? proof?.buildSeconds,
  };
}

function changedKeys(facts: PlanFacts): readonly string[] {
  const keys = new Set([...facts.images.values()].map((image) => image.key));
  if (facts.everything.length > 0 || facts.changes.kind === 'all') return [...keys];
  const {files} = facts.changes;
  return [...keys].filter((key) => files.has(key));
}
