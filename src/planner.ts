import type {Workspace} from './adapters/fs.ts';
import {type ChangeSources, findChangedFiles} from './changed-files.ts';
import {isFullRebuild} from './commit-messages.ts';
import {selectChanges} from './core/changes.ts';
import type {Event} from './core/event.ts';
import {branchTag, fingerprintTag, labels} from './core/names.ts';
import {makePlan} from './core/plan.ts';
import type {PlanFacts} from './core/plan-facts.ts';
import {isTestFile, passedTests, reasonsForAll} from './core/plan-reasons.ts';
import type {ImageSpec, Lookup, Plan} from './core/types.ts';
import {hashStack} from './hashes.ts';
import {InputError, type Inputs} from './inputs.ts';
import type {Registry} from './ports.ts';
import {loadStack, type Stack} from './stack.ts';

/** What planning reads from. Left of the plan nothing is changed anywhere. */
export interface PlannerPorts {
  readonly workspace: Workspace;
  readonly registry: Registry;
  readonly changes: ChangeSources;
}

export interface Planned {
  readonly stack: Stack;
  readonly plan: Plan;
  readonly warnings: readonly string[];
  /** References that the registry could not answer for, with the reason. */
  readonly unknown: readonly string[];
}

/**
 * From the event, the checkout and the registry to the plan (DESIGN.md section 7).
 * @throws {SpecError | InputError} for mistakes of the user, all at once
 */
export async function planRun(inputs: Inputs, event: Event, ports: PlannerPorts): Promise<Planned> {
  const suffix = inputs.tagSuffix === 'sha' ? event.headSha.slice(0, 7) : event.branch;
  const tagOf = (image: Pick<ImageSpec, 'tagPrefix'>): string => tagFor(image.tagPrefix, suffix);
  const stack = await loadStack(ports.workspace, {
    stackDir: inputs.stackDir,
    tagPrefix: inputs.tagPrefix,
    tagOf,
  });
  const {spec, tree} = stack;
  checkKeys(inputs, spec.images.values());
  const refs = new Map(
    [...spec.images.values()].map((image) => [image.name, `${image.repository}:${tagOf(image)}`]),
  );
  const [changed, isFull, hashes, atTag] = await Promise.all([
    findChangedFiles(event, ports.changes),
    isFullRebuild(event, ports.changes),
    hashStack(stack, ports),
    lookUp(ports.registry, publishedRefs(stack, refs)),
  ]);
  const twins = await lookUp(ports.registry, twinRefs(stack, hashes.values));
  const untested = await findUntested(ports.registry, stack, atTag, twins);
  const facts: PlanFacts = {
    tag: tagOf(spec),
    images: spec.images,
    order: tree.order,
    refs,
    everything: reasonsForAll({
      rebuildAll: inputs.rebuild === 'all',
      isFullRebuild: isFull,
      isDefaultBranchPush:
        event.kind === 'push' && !event.isTag && event.branch === defaultBranchOf(inputs, event),
      isCreated: event.kind === 'push' && event.created,
      changed,
      atTag,
    }),
    changes: selectChanges(
      changed.kind === 'files' ? changed.files : [],
      stack.rules,
      inputs.stackDir,
      spec.images.values(),
    ),
    requested: new Set(typeof inputs.rebuild === 'string' ? [] : inputs.rebuild),
    only: new Set(inputs.images),
    reuse: inputs.reuse,
    hashes: hashes.values,
    atTag,
    twins,
    untested,
    bases: stack.bases,
    isTestFile: (image, file) => isTestFile(inputs.stackDir, image, file),
    run: {
      commit: event.headSha,
      runId: event.runId,
      isRetry: event.runAttempt > 1,
      commitNamesEvent: event.kind !== 'other' && inputs.rebuild !== 'all',
    },
  };
  return {
    stack,
    plan: makePlan(facts),
    warnings: [...stack.warnings, ...hashes.warnings, ...overwritten(twins, hashes.values)],
    unknown: [...atTag].flatMap(([name, lookup]) =>
      lookup.state === 'unknown' ? [`${refs.get(name)}: ${lookup.because}`] : [],
    ),
  };
}

function tagFor(prefix: string, suffix: string): string {
  const result = branchTag(prefix, suffix);
  if (!result.ok) throw new InputError(result.message);
  return result.tag;
}

function checkKeys(inputs: Inputs, images: Iterable<ImageSpec>): void {
  const keys = new Set([...images].map((image) => image.key));
  const unknown = (input: string, names: readonly string[]): string[] =>
    names
      .filter((name) => !keys.has(name))
      .map(
        (name) =>
          `Input "${input}" names "${name}", which is no image of the spec. There are: ${[...keys].join(', ')}.`,
      );
  const mistakes = [
    ...unknown('images', inputs.images),
    ...(typeof inputs.rebuild === 'string' ? [] : unknown('rebuild', inputs.rebuild)),
  ];
  if (mistakes.length > 0) throw new InputError(mistakes.join('\n'));
}

function publishedRefs(
  stack: Stack,
  refs: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  return new Map([...refs].filter(([name]) => stack.spec.images.get(name)?.publish));
}

function twinRefs(stack: Stack, hashes: PlanFacts['hashes']): ReadonlyMap<string, string> {
  const refs = new Map<string, string>();
  for (const image of stack.spec.images.values()) {
    const hash = hashes.get(image.name);
    if (image.publish && hash !== undefined) {
      refs.set(image.name, `${image.repository}:${fingerprintTag(hash.fingerprint)}`);
    }
  }
  return refs;
}

/** All questions at once; the registry adapter keeps its connections alive and bounds their number. */
async function lookUp(
  registry: Registry,
  refs: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, Lookup>> {
  return new Map(
    await Promise.all(
      [...refs].map(async ([name, ref]) => [name, await registry.inspect(ref)] as const),
    ),
  );
}

/** Images at their tag that carry a fingerprint, but never passed their tests (DESIGN.md section 4). */
async function findUntested(
  registry: Registry,
  stack: Stack,
  atTag: ReadonlyMap<string, Lookup>,
  twins: ReadonlyMap<string, Lookup>,
): Promise<ReadonlySet<string>> {
  const untested = new Set<string>();
  const check = async ([name, lookup]: readonly [string, Lookup]): Promise<void> => {
    const label = lookup.state === 'present' ? lookup.labels.get(labels.fingerprint) : undefined;
    if (lookup.state !== 'present' || label === undefined) return;
    const twin = twins.get(name);
    const isSame = twin?.state === 'present' && twin.labels.get(labels.fingerprint) === label;
    const ref = `${stack.spec.images.get(name)?.repository}:${fingerprintTag(label)}`;
    if (!passedTests(lookup, isSame ? twin : await registry.inspect(ref))) untested.add(name);
  };
  await Promise.all([...atTag].map(check));
  return untested;
}

/** A tag that promises one fingerprint and shows an image with another: somebody overwrote it. */
function overwritten(
  twins: ReadonlyMap<string, Lookup>,
  hashes: PlanFacts['hashes'],
): readonly string[] {
  return [...twins].flatMap(([name, twin]) => {
    const label = twin.state === 'present' ? twin.labels.get(labels.fingerprint) : undefined;
    const wanted = hashes.get(name)?.fingerprint;
    if (twin.state !== 'present' || wanted === undefined || label === wanted) return [];
    return [
      `${name}: the tag ${fingerprintTag(wanted)} shows an image with ${label ?? 'no fingerprint'}, so it is not trusted`,
    ];
  });
}

/** The branch whose builds may go to production. */
export function defaultBranchOf(inputs: Inputs, event: Event): string {
  return inputs.defaultBranch ?? event.defaultBranch ?? 'main';
}
