import type {BuildContext} from '../adapters/build-context/index.ts';
import type {Workspace} from '../adapters/files/index.ts';
import type {Event} from '../adapters/github/event.ts';
import {
  type ChangedFiles,
  type ChangeSet,
  findChangedFiles,
  selectChanges,
  wantsFullRebuild,
} from '../changes/index.ts';
import type {Result} from '../failure.ts';
import {hashStack} from '../fingerprint/index.ts';
import {repositoryOf} from '../image/reference.ts';
import type {ChangeSources, Inputs, RunPolicy} from '../run/index.ts';
import {isTestFile, type Stack} from '../stack/index.ts';
import {makePlan} from './decide.ts';
import {type PlanFacts, reasonsForAll} from './facts.ts';
import {findOutdated, type RegistryPorts, readRegistryState} from './registry-state.ts';
import type {Plan, PlannedImage} from './types.ts';

export {type Leg, type LegRequest, type Legs, makeLegs, noRunner, runnerOf} from './matrix.ts';
export type {Memory} from './memory.ts';
export {type MovedBase, movedBaseLine, movedBases} from './moved-bases.ts';
export {planLine, reasonWords} from './reasons.ts';
export type {RecordFacts, RegistryPorts} from './registry-state.ts';
export type {BuildReason, Plan, PlannedAction, PlannedImage, PlannedSource} from './types.ts';

/** What planning reads from. Left of the plan nothing is changed anywhere. */
export interface PlannerPorts extends RegistryPorts {
  readonly workspace: Workspace;
  readonly changes: ChangeSources;
  readonly contexts: BuildContext;
  /** Called once, early: whether changed files make it likely that something will be built. */
  readonly foresee?: (isBuildLikely: boolean) => void;
  /** Whether git knows a file of the workspace: asked of what `tests.command` names, and of test data that changed during the run. */
  readonly isTracked: (file: string) => Promise<boolean>;
}

export interface PlanRequest {
  readonly inputs: Inputs;
  readonly event: Event;
  readonly stack: Stack;
  readonly policy: RunPolicy;
  /** Of this machine: `linux/amd64`. */
  readonly platform: string;
  readonly signal: AbortSignal;
}

export interface Planned {
  readonly plan: Plan;
  /** Things to say in the log, no more. */
  readonly notes: readonly string[];
  readonly warnings: readonly string[];
  /** References that the registry could not answer for, with the reason. */
  readonly unknown: readonly string[];
  /** Looks at the files of an image again, just before its build. */
  readonly verifyInputs: (image: PlannedImage) => Promise<Result<void>>;
  /** Looks at its tests again, just before they run. */
  readonly verifyTests: (image: PlannedImage) => Promise<Result<void>>;
  /** By digest, the external images of the fingerprint: under each name that the Dockerfile has, what it means in this run. */
  readonly pinsOf: (image: PlannedImage) => ReadonlyMap<string, string>;
  /** The external base of an image, where its digest is known. */
  readonly baseOf: (image: PlannedImage) => {
    readonly base?: {readonly reference: string; readonly digest: string};
  };
}

/**
 * The plan of a run.
 * Enters: the checked Stack, the event and its files, the hashes of the checkout, what the registry shows and proves.
 * Leaves: Plan, parents first, with every reason. Printing it is the dry run.
 * Not here: asking git or GitHub (changes/), hashing (fingerprint/), doing anything (build/).
 * @throws {SpecError} for files of a context that cannot be read, all at once
 */
export async function planRun(request: PlanRequest, ports: PlannerPorts): Promise<Planned> {
  const {inputs, event, stack, policy, platform, signal} = request;
  const {spec, tree} = stack;
  const {tagOf} = policy;
  const refs = new Map(
    [...spec.images.values()].map((image) => [image.name, `${image.repository}:${tagOf(image)}`]),
  );
  const scopes = [...spec.images.values()].map((image) => ({
    ...image,
    places: stack.places.get(image.name) ?? [],
  }));
  const isThere = async (path: string) => (await ports.workspace.size(path)) !== undefined;
  const findChanges = async () => {
    const found = await findChangedFiles(event, ports.changes, ports.workspace.root, isThere);
    const files = found.kind === 'files' ? found.files : [];
    const selected = selectChanges(files, stack.rules, inputs.stackDir, scopes);
    // A merge of what a branch has built changes files too, and reuses all of it.
    const isTouched = selected.kind === 'all' || selected.files.size > 0;
    ports.foresee?.(isTouched && inputs.reuse !== 'always');
    return {changed: found, changes: selected};
  };
  const [{changed, changes}, wish, hashes] = await Promise.all([
    findChanges(),
    wantsFullRebuild(event, ports.changes),
    hashStack({stack, stackDir: inputs.stackDir, platform}, ports),
  ]);
  signal.throwIfAborted();
  const state = await readRegistryState(ports, {spec, refs, hashes: hashes.values});
  const outdated = await findOutdated({
    images: spec.images.values(),
    stackDir: inputs.stackDir,
    atTag: state.atTag,
    lastChange: (paths) =>
      ports.changes.git.lastChange(paths.map((path) => ports.workspace.path(path))),
  });
  signal.throwIfAborted();
  const facts: PlanFacts = {
    tag: tagOf(spec),
    images: spec.images,
    order: tree.order,
    refs,
    everything: reasonsForAll({
      rebuildAll: inputs.rebuild === 'all',
      fullRebuild: wish,
      isDefaultBranchPush: policy.isDefaultBranchPush,
      isCreated: event.kind === 'push' && event.created,
      changed,
      atTag: state.atTag,
    }),
    changes,
    requested: new Set(typeof inputs.rebuild === 'string' ? [] : inputs.rebuild),
    only: new Set(inputs.images),
    reuse: inputs.reuse,
    hashes: hashes.values,
    atTag: state.atTag,
    outdated,
    evidence: state.evidence,
    proofs: state.proofs,
    bases: stack.bases,
    isTestFile: (image, file) => isTestFile(inputs.stackDir, image, file),
    platform,
    run: {runId: event.runId, isRetry: event.runAttempt > 1},
    parents: inputs.parents,
  };
  return {
    plan: makePlan(facts),
    notes: [...stack.notes, ...notesOn(changed, changes)],
    warnings: [...stack.warnings, ...hashes.warnings, ...state.warnings],
    unknown: state.unknown,
    verifyInputs: ({spec: image}) => hashes.verify(image),
    verifyTests: ({spec: image}) => hashes.verifyTests(image),
    pinsOf: ({name}) =>
      new Map(
        (stack.pinnable.get(name) ?? []).flatMap((reference) => {
          const digest = hashes.bases.get(reference);
          return digest === undefined
            ? []
            : [[reference, `${repositoryOf(reference)}@${digest}`] as const];
        }),
      ),
    baseOf: ({name}) => {
      const [reference] = stack.externalBases.get(name) ?? [];
      const digest = hashes.bases.get(reference ?? '');
      return reference === undefined || digest === undefined ? {} : {base: {reference, digest}};
    },
  };
}

function notesOn(changed: ChangedFiles, changes: ChangeSet): readonly string[] {
  const note = changed.kind === 'files' ? changed.note : undefined;
  const folders = changes.kind === 'some' ? changes.undeclared : [];
  return [
    ...(note === undefined ? [] : [note]),
    ...folders.map((folder) => `${folder} changed, but no image of the spec has this folder`),
  ];
}
