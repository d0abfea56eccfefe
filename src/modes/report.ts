import {relative} from 'node:path';
import {filesBelow, outputFolders} from '../adapters/files/index.ts';
import {fileNameOf} from '../image/tags.ts';
import {type Plan, planRun} from '../plan/index.ts';
import {mergeReports, parseReport, requireReports} from '../report/index.ts';
import {loginOf, type Run, tagsOf} from '../run/index.ts';
import {loadStack} from '../stack/index.ts';
import {openRegistry} from './adapters.ts';
import {finish} from './finish.ts';

/**
 * `mode: report`: the reports of several runners, downloaded into artifacts/, become one, and the postwork is done
 * once. What they say counts only where this checkout's own plan confirms it. Resolves with the sentence that fails
 * the step.
 * @throws {MergeError} for reports that are none
 */
export async function merge(run: Run): Promise<string | undefined> {
  const {inputs, event, workspace, log} = run;
  const files = await filesBelow([workspace.path(outputFolders.artifacts)]);
  const reports = [];
  for (const file of files.filter((path) => path.endsWith('/report.json'))) {
    reports.push(parseReport(relative(workspace.root, file), (await workspace.read(file)) ?? ''));
  }
  requireReports(reports);
  const stack = await loadStack(workspace, {
    stackDir: inputs.stackDir,
    tagPrefix: inputs.tagPrefix,
    tagOf: tagsOf(inputs, event),
  });
  const registry = await openRegistry(run, loginOf(run, stack.spec));
  let plan: Plan;
  try {
    const changes = run.changes;
    ({plan} = await planRun(inputs, event, stack, {workspace, registry, changes}));
  } finally {
    await registry.close();
  }
  const mayFail = (name: string): boolean => stack.spec.images.get(name)?.allowFailure === true;
  const {outcome, images, notes} = mergeReports(plan, reports, mayFail);
  for (const note of notes) log.warning(note);
  // The pages of all runners are published together: those of the plan's images, and no other file.
  const pages = new Set(plan.images.map(({ref}) => `${fileNameOf(ref)}.md`));
  for (const file of files.filter((path) => /\/manifests\/[^/]+\.md$/.test(path))) {
    const name = file.slice(file.lastIndexOf('/') + 1);
    if (!pages.has(name)) continue;
    await workspace.write(`${outputFolders.manifests}/${name}`, (await workspace.read(file)) ?? '');
  }
  return await finish(run, plan, {outcome, images});
}
