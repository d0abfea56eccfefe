import {dirname, relative} from 'node:path';
import {filesBelow} from '../adapters/files/index.ts';
import {saysSkipPush} from '../changes/index.ts';
import {outputFolders} from '../image/files.ts';
import {fileNameOf} from '../image/tags.ts';
import {type Plan, planRun} from '../plan/index.ts';
import {
  latestReports,
  mergeReports,
  parseReport,
  plannedWork,
  requireReports,
} from '../report/index.ts';
import {policyOf, type Run, tagsOf} from '../run/index.ts';
import {loadStack} from '../stack/index.ts';
import type {ModeEnd} from './end.ts';
import {finish} from './finish.ts';
import {joinPlatforms} from './platforms.ts';
import {machinePlatform, openRecords, openRegistry, plannerPorts} from './setup/adapters.ts';
import {wikiOf} from './wiki.ts';

type RunnerReport = ReturnType<typeof parseReport>;

/**
 * `mode: report`: the reports of several runners, downloaded into artifacts/, become one, and the postwork is done
 * once. What they say counts only where this checkout's own plan confirms it.
 * @throws {MergeError} for reports that are none
 */
export async function merge(run: Run): Promise<ModeEnd> {
  const {workspace, log} = run;
  const files = await filesBelow([workspace.path(outputFolders.artifacts)]);
  const read = async (file: string): Promise<string> => (await workspace.read(file)) ?? '';
  const reports = [];
  for (const file of files.filter((path) => path.endsWith('/report.json')))
    reports.push(parseReport(relative(workspace.root, file), await read(file)));
  const {plan, publishes, reports: whole} = await planAgain(run, latestReports(reports));
  const awaited = new Set<string>();
  // A leg writes its plan beside its report; one that stands alone is the plan of the whole run.
  const reported = new Set(files.filter((path) => path.endsWith('/report.json')).map(dirname));
  for (const file of files.filter((path) => path.endsWith('/plan.json')))
    if (!reported.has(dirname(file)))
      for (const name of plannedWork(plan, await read(file))) awaited.add(name);
  if (awaited.size > 0 || plan.images.some(({action}) => action !== 'skip'))
    requireReports(reports);
  const {outcome, images, details, notes} = mergeReports(plan, whole, awaited);
  for (const note of notes) log.warning(note);
  // The pages of all runners are published together: those of the plan's images, and no other file.
  const pages = new Set(plan.images.map(({ref}) => `${fileNameOf(ref)}.md`));
  for (const file of files.filter((path) => /\/manifests\/[^/]+\.md$/.test(path))) {
    const name = file.slice(file.lastIndexOf('/') + 1);
    if (!pages.has(name)) continue;
    await workspace.write(`${outputFolders.manifests}/${name}`, (await workspace.read(file)) ?? '');
  }
  const wiki = publishes ? wikiOf(run) : undefined;
  try {
    return await finish(run, {plan, report: {outcome, images}, wiki, notes, details});
  } finally {
    await wiki?.close();
  }
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
    const records = openRecords(registry);
    const {plan} = await planRun(
      {inputs, event, stack, policy, platform: machinePlatform, signal},
      {...plannerPorts(run, {registry, records}), mayPush: false},
    );
    const request = {run, stack, policy, plan, registry, records};
    return {plan, publishes: policy.publishes, reports: await joinPlatforms(request, reports)};
  } finally {
    await registry.close();
  }
}
