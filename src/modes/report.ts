import {relative} from 'node:path';
import {filesBelow, outputFolders} from '../adapters/files/index.ts';
import {saysSkipPush} from '../changes/index.ts';
import {mergeReports, parseReport} from '../report/index.ts';
import {publishesPages, type Run} from '../run/index.ts';
import type {ModeEnd} from './end.ts';
import {finish} from './finish.ts';

/**
 * `mode: report`: the reports of several runners, downloaded into artifacts/, become one, and the postwork is done
 * once.
 * @throws {MergeError} for reports that are none, or do not fit together
 */
export async function merge(run: Run): Promise<ModeEnd> {
  const {workspace} = run;
  const files = await filesBelow([workspace.path(outputFolders.artifacts)]);
  const reports = [];
  for (const file of files.filter((path) => path.endsWith('/report.json'))) {
    reports.push(parseReport(relative(workspace.root, file), (await workspace.read(file)) ?? ''));
  }
  const {tag, outcome, images} = mergeReports(reports);
  // The pages of all runners are published together.
  for (const file of files.filter((path) => /\/manifests\/[^/]+\.md$/.test(path))) {
    const name = file.slice(file.lastIndexOf('/') + 1);
    await workspace.write(`${outputFolders.manifests}/${name}`, (await workspace.read(file)) ?? '');
  }
  const {inputs, event} = run;
  const isPushSkipped = await saysSkipPush(event, run.changes);
  return await finish(run, {
    plan: {tag, images: [], changed: []},
    report: {outcome, images},
    publishes: publishesPages({inputs, event, isPushSkipped}),
  });
}
