import {openWiki, type Wiki} from '../adapters/git/index.ts';
import {failureText} from '../failure.ts';
import {outputFolders} from '../image/files.ts';
import type {Run} from '../run/index.ts';
import {
  type Promotion,
  planPages,
  publishManifestPages,
  type RenderPage,
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

/** Publishes the pages of a green build, by their names without `.md`. A wiki that cannot be written costs one warning: the images stay good. */
export async function publishPages(run: Run, wiki: Wiki, names: readonly string[]): Promise<void> {
  const pages = new Map<string, string>();
  for (const name of names) {
    const text = await run.workspace.read(`${outputFolders.manifests}/${name}.md`);
    if (text !== undefined) pages.set(name, text);
  }
  if (pages.size === 0) return;
  const published = await publishManifestPages(wiki, pages, run.event.sha);
  if (published.ok) run.log.info(`wiki: ${pages.size} pages ${published.value.state}`);
  else run.log.warning(failureText('The wiki was not updated', published.error));
}

/** What a promotion would write into the wiki of this repository. */
export function planWiki(
  {event, inputs}: Run,
  wiki: Wiki | undefined,
  {promotion, renderPage}: {readonly promotion: Promotion; readonly renderPage?: RenderPage},
): Promise<WikiPlan> {
  const {owner, repo} = event.repository;
  const place = {serverUrl: event.serverUrl, repository: `${owner}/${repo}`};
  const isWanted = inputs.wiki !== 'false';
  return planPages({wiki, isWanted, sources: {place, renderPage}}, promotion);
}
