import {join} from 'node:path';
import {filesBelow, outputFolders, type Workspace} from '../adapters/files/index.ts';
import {uploadArtifact} from '../adapters/github/artifact.ts';
import {addSummary, setOutputs} from '../adapters/github/output.ts';
import type {RunReport} from '../build/index.ts';
import {failureText} from '../failure.ts';
import {fileNameOf, logNames} from '../image/tags.ts';
import type {Plan} from '../plan/index.ts';
import {imagesOutput, planJson, reportFile, resultFile, summaryPage} from '../report/index.ts';
import type {Run} from '../run/index.ts';
import {publishPages} from './wiki.ts';

const {artifacts, logs, manifests} = outputFolders;

/**
 * Writes what is known before anything is done: the plan, and the image keys that count as changed. What an earlier
 * run left in this folder of the same images is removed: it would pass for results of this one.
 */
export async function writePlan(workspace: Workspace, plan: Plan): Promise<void> {
  for (const {ref} of plan.images) {
    const name = fileNameOf(ref);
    await workspace.remove(join(artifacts, `${name}.yaml`));
    for (const log of logNames) await workspace.remove(join(logs, `${name}.${log}.log`));
  }
  const changed = plan.changed.map((key) => `${key}\n`).join('');
  await workspace.write(join(artifacts, 'plan.json'), planJson(plan));
  await workspace.write(join(artifacts, 'IMAGES_CHANGED'), changed);
}

/**
 * Everything after the last image: results, outputs, summary, wiki, comment, artifact. Comes to pass after failures
 * too, and none of it changes what became of an image. Resolves with the sentence that fails the step.
 */
export interface Finished {
  readonly plan: Plan;
  readonly report: RunReport;
  /** Whether its pages go to the wiki. */
  readonly publishes: boolean;
}

export async function finish(
  run: Run,
  {plan, report, publishes}: Finished,
): Promise<string | undefined> {
  const {workspace, log, signal} = run;
  await writeResults(workspace, plan, report);
  setOutputs({images: imagesOutput(report.images), outcome: report.outcome});
  const summary = summaryPage(plan, report);
  const problem = await addSummary(summary);
  if (problem !== undefined) log.warning(problem);
  if (!signal.aborted) {
    if (report.outcome === 'passed' && publishes) {
      await publishPages(
        run,
        report.images.map(({ref}) => fileNameOf(ref)),
      );
    }
    await comment(run, summary);
  }
  await upload(run);
  return sentenceOf(report);
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

/** One artifact with everything that the run wrote; outside GitHub the files stay where they are. */
export async function upload({inputs, workspace, log}: Run): Promise<void> {
  const root = workspace.root;
  const files = await filesBelow(
    [logs, artifacts, manifests].map((folder) => workspace.path(folder)),
  );
  const {artifactName: name, retentionDays} = inputs;
  const uploaded = await uploadArtifact({name, files, root, retentionDays});
  if (!uploaded.ok)
    return log.warning(failureText('The artifact was not uploaded', uploaded.error));
  if (uploaded.value === undefined) {
    return log.info(
      `No artifact service here: the files stay in ${logs}/, ${artifacts}/ and ${manifests}/.`,
    );
  }
  const {id, url, leftOut} = uploaded.value;
  if (leftOut.length > 0) log.warning(`Not in the artifact: ${leftOut.join(', ')}`);
  setOutputs({'artifact-id': String(id), 'artifact-url': url});
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
