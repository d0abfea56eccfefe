import {join, relative} from 'node:path';
import {entriesBelow, type Workspace} from '../adapters/files/index.ts';
import {uploadArtifact} from '../adapters/github/artifact.ts';
import {addSummary} from '../adapters/github/output.ts';
import type {RunReport} from '../build/index.ts';
import {failureText} from '../failure.ts';
import {outputFolders} from '../image/files.ts';
import {fileNameOf, logNames} from '../image/tags.ts';
import type {Plan} from '../plan/index.ts';
import {imagesOutput, planJson, reportFile, resultFile, summaryPage} from '../report/index.ts';
import type {Run} from '../run/index.ts';
import type {ModeEnd} from './end.ts';
import {publishPages} from './wiki.ts';

const {artifacts, logs, manifests} = outputFolders;

/**
 * Writes what is known before anything is done: the plan, and the image keys that count as changed. What an earlier
 * run left in this folder of the same images is removed: it would pass for results of this one.
 */
export async function writePlan(workspace: Workspace, plan: Plan): Promise<void> {
  const left = await entriesBelow([artifacts, logs].map((folder) => workspace.path(folder)));
  const there = new Set(left.map(({path}) => relative(workspace.root, path)));
  const results = plan.images.flatMap(({ref}) => {
    const name = fileNameOf(ref);
    return [
      join(artifacts, `${name}.yaml`),
      ...logNames.map((log) => join(logs, `${name}.${log}.log`)),
    ];
  });
  for (const file of results) if (there.has(file)) await workspace.remove(file);
  const changed = plan.changed.map((key) => `${key}\n`).join('');
  await workspace.write(join(artifacts, 'plan.json'), planJson(plan));
  await workspace.write(join(artifacts, 'IMAGES_CHANGED'), changed);
}

/**
 * Everything after the last image: results, outputs, summary, wiki, comment, artifact. Comes to pass after failures
 * too, and none of it changes what became of an image.
 */
export interface Finished {
  readonly plan: Plan;
  readonly report: RunReport;
  /** Whether its pages go to the wiki. */
  readonly publishes: boolean;
}

export async function finish(run: Run, {plan, report, publishes}: Finished): Promise<ModeEnd> {
  const {workspace, log, signal} = run;
  await writeResults(workspace, plan, report);
  const summary = summaryPage(plan, report);
  const problem = await addSummary(summary, run.mask);
  if (problem !== undefined) log.warning(problem);
  if (!signal.aborted) {
    const pages = report.outcome === 'passed' && publishes ? report.images : [];
    await Promise.all([
      publishPages(
        run,
        pages.map(({ref}) => fileNameOf(ref)),
      ),
      comment(run, summary),
    ]);
  }
  const outputs = {images: imagesOutput(report.images), ...(await upload(run))};
  const sentence = sentenceOf(report);
  return {outcome: report.outcome, ...(sentence === undefined ? {} : {sentence}), outputs};
}

async function writeResults(workspace: Workspace, plan: Plan, report: RunReport): Promise<void> {
  for (const result of report.images) {
    const name = fileNameOf(result.ref);
    const isBad = ['failed', 'blocked', 'cancelled'].includes(result.outcome);
    if (isBad) await workspace.remove(join(manifests, `${name}.md`));
    if (result.steps.length > 0) {
      await workspace.write(join(artifacts, `${name}.yaml`), resultFile(result));
    }
  }
  await workspace.write(join(artifacts, 'report.json'), reportFile(plan, report));
}

/** The comment is found again by this; it does not show. */
const marker = '<!-- stack-action -->';

async function comment({inputs, event, changes, log}: Run, text: string): Promise<void> {
  if (!inputs.comment || event.kind !== 'pull_request' || event.number === undefined) return;
  const written = await changes.api?.upsertComment(event.number, marker, text);
  if (written?.ok === false) log.warning(`The pull request was not commented: ${written.error}`);
}

/**
 * One artifact with everything that the run wrote; outside GitHub the files stay where they are. Resolves with the
 * outputs that tell where it is.
 */
export async function upload({
  inputs,
  workspace,
  log,
  tempDir,
}: Run): Promise<Readonly<Record<string, string>>> {
  const root = workspace.root;
  const entries = await entriesBelow(
    [logs, artifacts, manifests].map((folder) => workspace.path(folder)),
  );
  const files = entries.map(({path}) => path);
  const {artifactName: name, retentionDays} = inputs;
  const uploaded = await uploadArtifact({name, files, root, retentionDays, tempDir});
  if (!uploaded.ok) {
    log.warning(failureText('The artifact was not uploaded', uploaded.error));
    return {};
  }
  if (uploaded.value === undefined) {
    log.info(
      `No artifact service here: the files stay in ${logs}/, ${artifacts}/ and ${manifests}/.`,
    );
    return {};
  }
  const {id, url, leftOut, renamed} = uploaded.value;
  if (leftOut.length > 0) {
    const names = leftOut.map((path) => relative(root, path));
    log.warning(
      `Not in the artifact, because they are not regular files or cannot be read: ${names.join(', ')}`,
    );
  }
  if (renamed.length > 0) {
    const names = renamed.map(({file, name: other}) => `${file} as ${other}`);
    log.warning(`Renamed in the artifact, which cannot have such names: ${names.join(', ')}`);
  }
  return {'artifact-id': String(id), 'artifact-url': url};
}

function sentenceOf({outcome, images}: RunReport): string | undefined {
  if (outcome === 'passed') return undefined;
  if (outcome === 'cancelled') return 'The run was cancelled.';
  const failed = images.filter((image) => image.outcome === 'failed' && !image.allowedFailure);
  const blocked = images.filter((image) => image.outcome === 'blocked');
  const names = failed.map(({image, steps}) => {
    const step = steps.find(({failure}) => failure !== undefined)?.step;
    return `${image} (${step ?? 'unknown step'})`;
  });
  const rest =
    blocked.length === 0 ? '' : `; blocked: ${blocked.map(({image}) => image).join(', ')}`;
  return `Failed: ${names.join(', ')}${rest}. The log and the artifact have the details.`;
}
