import {relative} from 'node:path';
import {openContexts} from '../adapters/build-context/index.ts';
import {filesBelow} from '../adapters/files/index.ts';
import {isTracked} from '../adapters/git/index.ts';
import {saysSkipPush} from '../changes/index.ts';
import {outputFolders} from '../image/files.ts';
import {fileNameOf} from '../image/tags.ts';
import {type Plan, planRun} from '../plan/index.ts';
import {mergeReports, parseReport, requireReports} from '../report/index.ts';
import {policyOf, type Run, tagsOf} from '../run/index.ts';
import {loadStack} from '../stack/index.ts';
import type {ModeEnd} from './end.ts';
import {finish} from './finish.ts';
import {joinPlatforms} from './platforms.ts';
import {machinePlatform, openRecords, openRegistry} from './setup/adapters.ts';

type RunnerReport = ReturnType<typeof parseReport>;

/**
 * `mode: report`: the reports of several runners, downloaded into artifacts/, become one, and the postwork is done
 * once. What they say counts only where this checkout's own plan confirms it.
 * @throws {MergeError} for reports that are none
 */
export async function merge(run: Run): Promise<ModeEnd> {
  const {workspace, log} = run;
  const files = await filesBelow([workspace.path(outputFolders.artifacts)]);
  const reports = [];
  for (const file of files.filter((path) => path.endsWith('/report.json'))) {
    reports.push(parseReport(relative(workspace.root, file), (await workspace.read(file)) ?? ''));
  }
  const {plan, publishes, reports: whole} = await planAgain(run, reports);
  if (plan.images.some(({action}) => action !== 'skip')) requireReports(reports);
  const {outcome, images, notes} = mergeReports(plan, whole);
  for (const note of notes) log.warning(note);
  // The pages of all runners are published together: those of the plan's images, and no other file.
  const pages = new Set(plan.images.map(({ref}) => `${fileNameOf(ref)}.md`));
  for (const file of files.filter((path) => /\/manifests\/[^/]+\.md$/.test(path))) {
    const name = file.slice(file.lastIndexOf('/') + 1);
    if (!pages.has(name)) continue;
    await workspace.write(`${outputFolders.manifests}/${name}`, (await workspace.read(file)) ?? '');
  }
  return await finish(run, {plan, report: {outcome, images}, publishes, notes});
}

interface PlannedAgain {
  readonly plan: Plan;
  readonly publishes: boolean;
  /** In which images of several platforms are whole. */
  readonly reports: readonly RunnerReport[];
}

/** What this checkout says that there is to do: the reports are held against it. */
async function planAgain(run: Run, reports: readonly RunnerReport[]): Promise<PlannedAgain> {
  const {inputs, event, workspace, signal} = run;
  const {stackDir, tagPrefix} = inputs;
  const stack = await loadStack(workspace, {stackDir, tagPrefix, tagOf: tagsOf(inputs, event)});
  const isPushSkipped = await saysSkipPush(event, run.changes);
  const policy = policyOf({inputs, event, spec: stack.spec, isPushSkipped});
  const registry = openRegistry(run, policy);
  try {
    const contexts = openContexts(workspace.root, Object.values(outputFolders));
    const records = openRecords(registry);
    const {plan} = await planRun(
      {inputs, event, stack, policy, platform: machinePlatform, signal},
      {
        workspace,
        registry,
        changes: run.changes,
        contexts,
        readRecord: records.read,
        isTracked: (file) => isTracked(workspace.path(file)),
        mayPush: false,
      },
    );
    const request = {run, stack, policy, plan, registry, records};
    return {plan, publishes: policy.publishes, reports: await joinPlatforms(request, reports)};
  } finally {
    await registry.close();
  }
}
