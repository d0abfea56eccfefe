import {outputFolders} from '../adapters/files/index.ts';
import {openWiki, type Wiki} from '../adapters/git/index.ts';
import {hasPhrase} from '../adapters/github/event.ts';
import {findMessages} from '../changes/index.ts';
import {failureText} from '../failure.ts';
import {defaultBranchOf, isFork, type Run} from '../run/index.ts';
import {publishManifestPages} from './promotion.ts';

export type {Promotion, WikiPlan} from './promotion.ts';
export {planPages, publishPromotion} from './promotion.ts';

/** The wiki of the repository; undefined where nobody could write it. */
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

/** Whether a green build of this event publishes its pages: on the default branch, unless the commit says `skip push`. */
export async function mayPublish(run: Run): Promise<boolean> {
  const {inputs, event} = run;
  if (inputs.wiki === 'false' || isFork(event) || wikiOf(run) === undefined) return false;
  const isDefaultBranch =
    event.kind !== 'pull_request' && event.branch === defaultBranchOf(inputs, event);
  if (inputs.wiki === 'auto' && !isDefaultBranch) return false;
  const messages = await findMessages(event, run.changes);
  return !messages.ok || !hasPhrase(messages.value.slice(-1), 'skip push');
}

/** Publishes the pages of a green build, by their names without `.md`. A wiki that cannot be written costs one warning: the images stay good. */
export async function publishPages(run: Run, names: readonly string[]): Promise<void> {
  const wiki = wikiOf(run);
  if (wiki === undefined) return;
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
