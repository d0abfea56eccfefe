import {join, relative} from 'node:path';
import {entriesBelow, type Workspace} from '../adapters/files/index.ts';
import type {Wiki} from '../adapters/git/index.ts';
import {uploadArtifact} from '../adapters/github/artifact.ts';
import {addSummary} from '../adapters/github/output.ts';
import {fail, failure, failureText, messageOf} from '../failure.ts';
import {outputFolders} from '../image/files.ts';
import {fileNameOf, logNames} from '../image/tags.ts';
import type {Plan} from '../plan/index.ts';
import {
  commentBody,
  commentMarker,
  dockerfilesOf,
  failureSentence,
  htmlPage,
  imagesOutput,
  logEnds,
  planJson,
  type RunContext,
  type RunFacts,
  reportFile,
  resultFile,
  summaryPage,
} from '../report/index.ts';
import type {Run} from '../run/index.ts';
import {untilAborted} from '../util/until.ts';
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
export interface Finished extends Pick<RunFacts, 'plan' | 'report' | 'notes' | 'details'> {
  /** Where its pages go; undefined where this run publishes none. */
  readonly wiki: Wiki | undefined;
}

export async function finish(run: Run, {wiki, ...known}: Finished): Promise<ModeEnd> {
  const {workspace, signal} = run;
  const {report} = known;
  const details = await detailsOf(run, known);
  const unlinked: RunFacts = {...known, run: contextOf(run), details};
  // The images are what they are, also where their results cannot be written.
  const write = (facts: RunFacts): Promise<void> =>
    writeResults(workspace, facts).catch((error: unknown) =>
      run.log.warning(`The results of this run could not be written: ${messageOf(error)}`),
    );
  await write(unlinked);
  const publishes = report.outcome === 'passed' && wiki !== undefined;
  const pages =
    publishes && !signal.aborted ? await publishPages(run, wiki, report.images) : undefined;
  const isCut = signal.aborted && publishes && pages === undefined;
  const facts = {...unlinked, details: withPages(details, pages ?? new Map())};
  if (pages !== undefined && pages.size > 0) await write(facts);
  const {outputs: artifact, context} = await tell(run, (now) => summaryPage({...facts, run: now}));
  // The API puts the marker first itself.
  if (!signal.aborted) {
    const body = commentBody({...facts, run: context});
    await comment(run, body.slice(commentMarker.length + 1));
  }
  const outputs = {images: imagesOutput(report.images), ...artifact};
  if (isCut) return {outcome: 'cancelled', sentence: cutSentence, outputs};
  const sentence = failureSentence(report.outcome, report.images, dockerfilesOf(known.plan));
  return {outcome: report.outcome, ...(sentence === undefined ? {} : {sentence}), outputs};
}

const cutSentence =
  'The run was cancelled before its pages were in the wiki. Its images are built, tested and pushed.';

/** What is to be seen of a run where people look: its artifact, and its summary. */
export interface Told {
  /** Where the artifact is. */
  readonly outputs: Readonly<Record<string, string>>;
  readonly context: RunContext;
}

/**
 * The artifact, then the summary, which links to it. The summary of a cancelled run comes first: it must be there before
 * the runner loses patience.
 */
export async function tell(run: Run, pageOf: (context: RunContext) => string): Promise<Told> {
  const write = async (context: RunContext): Promise<void> => {
    const problem = await addSummary(pageOf(context), run.mask);
    if (problem !== undefined) run.log.warning(problem);
  };
  const context = contextOf(run);
  if (run.signal.aborted) {
    await write(context);
    return {outputs: await upload(run), context};
  }
  const outputs = await upload(run);
  const artifactUrl = outputs['artifact-url'];
  const linked = artifactUrl === undefined ? context : {...context, artifactUrl};
  await write(linked);
  return {outputs, context: linked};
}

async function writeResults(workspace: Workspace, facts: RunFacts): Promise<void> {
  for (const result of facts.report.images) {
    const name = fileNameOf(result.ref);
    const isBad = ['failed', 'blocked', 'cancelled'].includes(result.outcome);
    for (const type of isBad ? ['md', 'json'] : []) {
      await workspace.remove(join(manifests, `${name}.${type}`));
    }
    if (result.steps.length > 0) {
      await workspace.write(join(artifacts, `${name}.yaml`), resultFile(result));
    }
  }
  const text = reportFile(facts);
  await workspace.write(join(artifacts, 'report.json'), text);
  await workspace.write(join(artifacts, 'report.html'), htmlPage(text));
}

/** Where this run happened, for the links of its pages; outside GitHub there is little to link. */
export function contextOf({event, subject}: Run): RunContext {
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
    commit: {
      sha: headSha,
      ...(home === undefined ? {} : {url: `${home}/commit/${headSha}`}),
      ...(subject === undefined ? {} : {subject}),
    },
    ...(home === undefined
      ? {}
      : {runUrl: `${home}/actions/runs/${runId}`, wikiUrl: `${home}/wiki`}),
  };
}

/** What the pages show of each image beside its result: where it can be looked at, and the ends of its logs. */
async function detailsOf(
  run: Run,
  {report, details}: Pick<RunFacts, 'report' | 'details'>,
): Promise<NonNullable<RunFacts['details']>> {
  const logs = await logEnds(report.images, (name) =>
    run.workspace.readExcerpt(join(outputFolders.logs, name)),
  );
  return new Map(
    report.images.map(({image, ref}) => {
      const url = packageUrl(run, ref);
      const own = logs.get(image);
      const known = details?.get(image);
      return [
        image,
        {
          ...(url === undefined ? {} : {url}),
          ...(own === undefined ? {} : {logs: own}),
          ...known,
        },
      ];
    }),
  );
}

/** Where there is no page of a package, the page in the wiki. */
function withPages(
  details: NonNullable<RunFacts['details']>,
  pages: ReadonlyMap<string, string>,
): NonNullable<RunFacts['details']> {
  return new Map(
    [...details].map(([image, known]) => {
      const url = known.url ?? pages.get(image);
      return [image, {...known, ...(url === undefined ? {} : {url})}];
    }),
  );
}

/** The page of the package, which GitHub's registry keeps for the owner of this repository. */
function packageUrl({event}: Run, ref: string): string | undefined {
  const {serverUrl, repository} = event;
  const start = `ghcr.io/${repository.owner.toLowerCase()}/`;
  if (!ref.startsWith(start)) return undefined;
  const name = encodeURIComponent(ref.slice(start.length).replace(/[:@].*$/, ''));
  return `${serverUrl}/${repository.owner}/${repository.repo}/pkgs/container/${name}`;
}

async function comment({inputs, event, changes, log}: Run, text: string): Promise<void> {
  if (!inputs.comment || event.kind !== 'pull_request' || event.number === undefined) return;
  const written = await changes.api?.upsertComment(event.number, commentMarker, text);
  if (written?.ok === false) log.warning(written.error);
}

/** A cancelled run has not long: its summary is written already. */
const uploadGraceMs = 1000;

/**
 * One artifact with everything that the run wrote; outside GitHub the files stay where they are. Resolves with the
 * outputs that tell where it is.
 */
async function upload({
  inputs,
  workspace,
  log,
  tempDir,
  signal,
}: Run): Promise<Readonly<Record<string, string>>> {
  const root = workspace.root;
  const entries = await entriesBelow(
    [logs, artifacts, manifests].map((folder) => workspace.path(folder)),
  );
  const files = entries.map(({path}) => path);
  const {artifactName: name, retentionDays} = inputs;
  const uploaded = await untilAborted(
    uploadArtifact({name, files, root, retentionDays, tempDir}),
    signal,
    fail(failure('cancelled', 'The run was cancelled.')),
    uploadGraceMs,
  );
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
