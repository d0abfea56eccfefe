import type {Workspace} from '../adapters/files/index.ts';
import type {Event} from '../adapters/github/event.ts';
import type {Registry} from '../adapters/registry/index.ts';
import {
  type ChangedFiles,
  type ChangeSet,
  findChangedFiles,
  isFullRebuild,
  selectChanges,
} from '../changes/index.ts';
import {hashStack} from '../fingerprint/index.ts';
import {type ChangeSources, checkKeys, defaultBranchOf, type Inputs, tagsOf} from '../run/index.ts';
import {isTestFile, type Stack} from '../stack/index.ts';
import {makePlan} from './decide.ts';
import {type PlanFacts, reasonsForAll} from './facts.ts';
import {readRegistryState} from './registry-state.ts';
import type {Plan} from './types.ts';

export {planLine, reasonWords} from './reasons.ts';
export type {BuildReason, Plan, PlannedAction, PlannedImage} from './types.ts';

/** What planning reads from. Left of the plan nothing is changed anywhere. */
export interface PlannerPorts {
  readonly workspace: Workspace;
  readonly registry: Registry;
  readonly changes: ChangeSources;
}

export interface Planned {
  readonly plan: Plan;
  /** Things to say in the log, no more. */
  readonly notes: readonly string[];
  readonly warnings: readonly string[];
  /** References that the registry could not answer for, with the reason. */
  readonly unknown: readonly string[];
}

/**
 * From the event, the checkout and the registry to the plan (DESIGN.md section 7).
 * @throws {SpecError | InputError} for mistakes of the user, all at once
 */
export async function planRun(
  inputs: Inputs,
  event: Event,
  stack: Stack,
  ports: PlannerPorts,
): Promise<Planned> {
  const {spec, tree} = stack;
  const tagOf = tagsOf(inputs, event);
  checkKeys(inputs, spec.images.values());
  const refs = new Map(
    [...spec.images.values()].map((image) => [image.name, `${image.repository}:${tagOf(image)}`]),
  );
  const [changed, isFull, hashes] = await Promise.all([
    findChangedFiles(event, ports.changes),
    isFullRebuild(event, ports.changes),
    hashStack(stack, ports),
  ]);
  const state = await readRegistryState(ports.registry, spec, refs, hashes.values);
  const files = changed.kind === 'files' ? changed.files : [];
  const changes = selectChanges(files, stack.rules, inputs.stackDir, spec.images.values());
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
      atTag: state.atTag,
    }),
    changes,
    requested: new Set(typeof inputs.rebuild === 'string' ? [] : inputs.rebuild),
    only: new Set(inputs.images),
    reuse: inputs.reuse,
    hashes: hashes.values,
    atTag: state.atTag,
    twins: state.twins,
    untested: state.untested,
    bases: stack.bases,
    isTestFile: (image, file) => isTestFile(inputs.stackDir, image, file),
    run: {
      commit: event.headSha,
      runId: event.runId,
      isRetry: event.runAttempt > 1,
      commitNamesEvent:
        event.kind !== 'other' && event.kind !== 'local' && inputs.rebuild === 'auto',
    },
  };
  return {
    plan: makePlan(facts),
    notes: notesOn(changed, changes),
    warnings: [...stack.warnings, ...hashes.warnings, ...state.warnings],
    unknown: state.unknown,
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
