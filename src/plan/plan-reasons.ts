import type {Lookup} from '../adapters/registry/types.ts';
import type {ChangedFiles} from '../changes/select.ts';
import type {BuildReason, ImageSpec} from '../stack/spec/types.ts';

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

/** Folders of an image whose files are tests: they are in no fingerprint. */
export const testFolders = ['test', 'tests', 'integration_tests'] as const;

/** Whether a changed file holds tests of this image: its own, or those of every image. */
export function isTestFile(stackDir: string, image: ImageSpec, file: string): boolean {
  const common =
    stackDir === '.'
      ? ['tests_common/', 'conftest.py']
      : [`${stackDir}/tests_common/`, `${stackDir}/conftest.py`];
  return [...common, ...testFolders.map((folder) => `${image.folder}/${folder}/`)].some((path) =>
    path.endsWith('/') ? file.startsWith(path) : file === path,
  );
}
