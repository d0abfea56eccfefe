import {join} from 'node:path';
import {filesBelow, outputFolders, type Workspace} from '../adapters/files/index.ts';
import {uploadArtifact} from '../adapters/github/artifact.ts';
import {addSummary, setOutputs} from '../adapters/github/output.ts';
import {failureText} from '../failure.ts';
import {fileNameOf, logNames} from '../image/tags.ts';
import type {Plan} from '../plan/index.ts';
import {
  commentBody,
  commentMarker,
  dockerfilesOf,
  failureSentence,
  htmlPage,
  imagesOutput,
  planJson,
  type RunContext,
  type RunFacts,
  reportFile,
  resultFile,
  summaryPage,
} from '../report/index.ts';
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
export interface Finished extends Pick<RunFacts, 'plan' | 'report' | 'notes' | 'details'> {
  /** Whether its pages go to the wiki. */
  readonly publishes: boolean;
}

export async function finish(
  run: Run,
  {publishes, ...known}: Finished,
): Promise<string | undefined> {
  const {workspace, log, signal} = run;
  const facts: RunFacts = {...known, run: contextOf(run), details: detailsOf(run, known)};
  const {report} = known;
  await writeResults(workspace, facts);
  setOutputs({images: imagesOutput(report.images), outcome: report.outcome});
  const problem = await addSummary(summaryPage(facts));
  if (problem !== undefined) log.warning(problem);
  if (!signal.aborted) {
    if (report.outcome === 'passed' && publishes) {
      await publishPages(
        run,
        report.images.map(({ref}) => fileNameOf(ref)),
      );
    }
    // The API puts the marker first itself.
    await comment(run, commentBody(facts).slice(commentMarker.length + 1));
  }
  await upload(run);
  return failureSentence(report.outcome, report.images, dockerfilesOf(known.plan));
}

async function writeResults(workspace: Workspace, facts: RunFacts): Promise<void> {
  for (const result of facts.report.images) {
    const name = fileNameOf(result.ref);
    const isBad = ['failed', 'blocked', 'cancelled'].includes(result.outcome);
    if (isBad) await workspace.remove(join(manifests, `${name}.md`));
    if (result.steps.length > 0) {
      await workspace.write(join(artifacts, `${name}.yaml`), resultFile(result));
    }
  }
  const text = reportFile(facts);
  await workspace.write(join(artifacts, 'report.json'), text);
  await workspace.write(join(artifacts, 'report.html'), htmlPage(text));
}

/** Where this run happened, for the links of its pages; outside GitHub there is little to link. */
function contextOf({event}: Run): RunContext {
  const pullRequest = event.kind === 'pull_request' ? event.number : undefined;
  const {serverUrl, repository, runId, headSha, name, branch} = event;
  const home =
    repository.repo === '' ? undefined : `${serverUrl}/${repository.owner}/${repository.repo}`;
  return {
    runId,
    attempt: event.runAttempt,
    event: name,
    branch,
    ...(pullRequest === undefined ? {} : {pullRequest}),
    commit: {sha: headSha, ...(home === undefined ? {} : {url: `${home}/commit/${headSha}`})},
    ...(home === undefined
      ? {}
      : {runUrl: `${home}/actions/runs/${runId}`, wikiUrl: `${home}/wiki`}),
  };
}

/** The package page of each image that GitHub's registry keeps for the owner of this repository. */
function detailsOf(
  {event}: Run,
  {report, details}: Pick<RunFacts, 'report' | 'details'>,
): NonNullable<RunFacts['details']> {
  const {serverUrl, repository} = event;
  const start = `ghcr.io/${repository.owner.toLowerCase()}/`;
  return new Map(
    report.images.map(({image, ref}) => {
      const known = details?.get(image) ?? {};
      if (!ref.startsWith(start) || known.url !== undefined) return [image, known];
      const name = encodeURIComponent(ref.slice(start.length).replace(/[:@].*$/, ''));
      const url = `${serverUrl}/${repository.owner}/${repository.repo}/pkgs/container/${name}`;
      return [image, {url, ...known}];
    }),
  );
}

async function comment({inputs, event, changes, log}: Run, text: string): Promise<void> {
  if (!inputs.comment || event.kind !== 'pull_request' || event.number === undefined) return;
  const written = await changes.api?.upsertComment(event.number, commentMarker, text);
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
