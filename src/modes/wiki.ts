import {openWiki, type Wiki} from '../adapters/git/index.ts';
import {failureText} from '../failure.ts';
import {outputFolders} from '../image/files.ts';
import {fileNameOf} from '../image/tags.ts';
import type {Run} from '../run/index.ts';
import {
  type BuiltRun,
  type Promotion,
  planPages,
  publishManifestPages,
  type RenderPage,
  type RepositoryPlace,
  type WikiPlan,
} from '../wiki/index.ts';

/** The wiki of the repository, for the caller to close; undefined where it cannot be written. */
export function wikiOf({inputs, event, program, tempDir, mask, signal}: Run): Wiki | undefined {
  const {owner, repo} = event.repository;
  if (inputs.githubToken === '' || owner === '' || repo === '') return undefined;
  const remote = {
    serverUrl: event.serverUrl,
    repository: `${owner}/${repo}`,
    token: inputs.githubToken,
  };
  return openWiki(remote, {run: program, tempDir, mask, signal});
}

/**
/**
 * Publishes the pages of a green build, and its row in the history of builds. A wiki that cannot be written costs one
 * warning: the images stay good. Gives the address of each page, by the name of its image; undefined where they are not
 * there.
 */
export async function publishPages(
  run: Run,
  wiki: Wiki,
  built: readonly {
    readonly image: string;
    readonly ref: string;
    readonly digest?: string | undefined;
  }[],
): Promise<ReadonlyMap<string, string> | undefined> {
  const pages = new Map<string, string>();
  const images: BuiltRun['images'][number][] = [];
  for (const {image, ref, digest} of built) {
    const page = fileNameOf(ref);
    const text = await run.workspace.read(`${outputFolders.manifests}/${page}.md`);
    if (text === undefined) continue;
    pages.set(page, text);
    images.push({image, page, ...(digest === undefined ? {} : {digest})});
  }
  if (pages.size === 0) return new Map();
  const {event, subject} = run;
  const place = placeOf(run);
  const published = await publishManifestPages(wiki, pages, event.sha, {
    place,
    run: {
      at: new Date().toISOString(),
      id: event.runId,
      attempt: event.runAttempt,
      commit: event.headSha,
      ...(subject === undefined ? {} : {subject: run.mask.text(subject)}),
      images,
    },
  });
  if (!published.ok) {
    run.log.warning(failureText('The wiki was not updated', published.error));
    return undefined;
  }
  run.log.info(`wiki: ${pages.size} pages ${published.value.state}`);
  const home = `${place.serverUrl}/${place.repository}/wiki`;
  return new Map(images.map(({image, page}) => [image, `${home}/${encodeURIComponent(page)}`]));
}

function placeOf({event}: Pick<Run, 'event'>): RepositoryPlace {
  const {owner, repo} = event.repository;
  return {serverUrl: event.serverUrl, repository: `${owner}/${repo}`};
}

/** What a promotion would write into the wiki of this repository. */
export function planWiki(
  {event, inputs}: Run,
  wiki: Wiki | undefined,
  {promotion, renderPage}: {readonly promotion: Promotion; readonly renderPage?: RenderPage},
): Promise<WikiPlan> {
  const place = placeOf({event});
  const isWanted = inputs.wiki !== 'false';
  return planPages({wiki, isWanted, sources: {place, renderPage}}, promotion);
}
