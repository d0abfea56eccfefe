/**
 * The wiki: one page for each good image, the history of builds by month, and the pages that list promotions (Home and
 * Stable_Tag).
 * Enters: the wiki as a port, page texts, a promotion and what it is linked to.
 * Leaves: what a promotion would write, and why it may not; the result of publishing.
 * Not here: git (adapters/git/), making the page of an image (page/), deciding whether a run publishes (modes/wiki.ts).
 */
import type {Wiki, WikiPublished} from '../adapters/git/index.ts';
import {ok, type Result} from '../failure.ts';
import {type BuiltRun, buildPages} from './builds.ts';
import {homeRow, insertHomeRow, type RepositoryPlace, stableTagPage} from './index-pages.ts';
import {
  commitMessage,
  indexPageOf,
  type PageSources,
  type Promotion,
  readPromotionPages,
} from './promotion.ts';

export {type BuiltRun, buildsPage} from './builds.ts';
export type {PromotedImage, RepositoryPlace} from './index-pages.ts';
export type {PageSources, Promotion, RenderPage} from './promotion.ts';
export {publishPromotion} from './promotion.ts';

/** What a promotion has to do with the wiki. */
export interface WikiPlan {
  /** Undefined: the wiki is left alone. */
  readonly wiki: Wiki | undefined;
  readonly sources: PageSources;
  /** `Home.md` or `Stable_Tag.md` as they will be. */
  readonly index: {readonly name: string; readonly text: string};
  readonly refusals: readonly string[];
}

export interface WikiRequest {
  /** Undefined where it cannot be written: there is no token, or no repository. */
  readonly wiki: Wiki | undefined;
  /** The input "wiki" is not false. */
  readonly isWanted: boolean;
  readonly sources: PageSources;
}

/** The run that built them, for the history of builds. */
export interface History {
  readonly run: BuiltRun;
  readonly place: RepositoryPlace;
}

/**
 * Publishes manifest pages (text by name, without `.md`) and their row in the history of builds in one commit; other
 * pages stay as they are.
 */
export function publishManifestPages(
  wiki: Wiki,
  pages: ReadonlyMap<string, string>,
  sha: string,
  history?: History,
): Promise<Result<WikiPublished>> {
  return wiki.publish(commitMessage(sha), async (snapshot) =>
    ok([
      ...Array.from(pages, ([name, text]) => ({
        name: snapshot.find(`${name}.md`) ?? `${name}.md`,
        content: Buffer.from(text),
      })),
      ...(history === undefined ? [] : await buildPages(snapshot, history.run, history.place)),
    ]),
  );
}

/** Reads the wiki before anything moves: every source must have its page there, unless the wiki is not wanted. */
export async function planPages(
  {wiki, isWanted, sources}: WikiRequest,
  promotion: Promotion,
): Promise<WikiPlan> {
  const name = indexPageOf(promotion.target);
  const alone = {name, text: indexAlone(promotion, sources)};
  const none = {wiki: undefined, sources, index: alone};
  const isEmpty = promotion.images.length + (promotion.undone?.gone.length ?? 0) === 0;
  if (!isWanted || isEmpty) return {...none, refusals: []};
  if (wiki === undefined) {
    const why = 'The wiki cannot be read: github-token or GITHUB_REPOSITORY is not set.';
    return {...none, refusals: [`${why} Set them, or set "wiki: false".`]};
  }
  const pages = await readPromotionPages(wiki, sources, promotion);
  if (!pages.ok) {
    const {message, hint} = pages.error;
    return {
      ...none,
      refusals: [[message, hint, 'Or set "wiki: false".'].filter(Boolean).join(' ')],
    };
  }
  return {
    wiki,
    sources,
    index: {name, text: pages.value.pages.get(name) ?? alone.text},
    refusals: pages.value.missing.map(
      (ref) =>
        `The wiki has no manifest page for ${ref}. A green build on the default branch publishes it. To go without, set "wiki: false".`,
    ),
  };
}

/** The page as it would begin in an empty wiki. */
function indexAlone({target, images, undone}: Promotion, {place}: PageSources): string {
  if (images.length === 0) return '';
  return target === 'stable'
    ? insertHomeRow(undefined, homeRow(images, place, {isRestored: undone !== undefined}))
    : stableTagPage(images, place);
}
