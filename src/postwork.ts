import {join} from 'node:path';
import {outputFolders, type Workspace} from './adapters/fs.ts';
import {fileNameOf} from './core/names.ts';
import {planJson} from './core/outputs.ts';
import {reportFile, resultFile} from './core/result-file.ts';
import type {Plan, RunReport} from './core/types.ts';

/** Writes what is known before anything is done: the plan, and the image keys that count as changed. */
export async function writePlan(workspace: Workspace, plan: Plan): Promise<void> {
  const {artifacts} = outputFolders;
  await workspace.write(join(artifacts, 'plan.json'), planJson(plan));
  await workspace.write(
    join(artifacts, 'IMAGES_CHANGED'),
    plan.changed.map((key) => `${key}\n`).join(''),
  );
}

/** Writes the result of each image that was started, and of the whole run. */
export async function writeResults(
  workspace: Workspace,
  plan: Plan,
  report: RunReport,
): Promise<void> {
  const {artifacts} = outputFolders;
  for (const result of report.images) {
    if (result.steps.length === 0) continue;
    await workspace.write(join(artifacts, `${fileNameOf(result.ref)}.yaml`), resultFile(result));
  }
  await workspace.write(join(artifacts, 'report.json'), reportFile(plan, report));
}
