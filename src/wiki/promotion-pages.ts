import type {Wiki} from '../adapters/git/wiki.ts';
import type {Result} from '../failure.ts';
import type {Run} from '../run/index.ts';
import {wikiOf} from './index.ts';
import {homeRow, insertHomeRow, type RepositoryPlace, stableTagPage} from './index-pages.ts';
import {indexPageOf, type Promotion, readPromotionPages} from './promotion.ts';

/** What a promotion has to do with the wiki. */
export interface WikiPlan {
  /** Undefined: the wiki is left alone. */
  readonly wiki: Wiki | undefined;
  readonly place: RepositoryPlace;
  /** `Home.md` or `Stable_Tag.md` as they will be. */
  readonly index: {readonly name: string; readonly text: string};
  /** Why nothing may be promoted. */
  readonly refusals: readonly string[];
}

/** Reads the wiki before anything moves: every source must have its page there (unless `wiki: false`). */
export async function planPages(run: Run, promotion: Promotion): Promise<WikiPlan> {
  const {event, inputs} = run;
  const {owner, repo} = event.repository;
  const place = {serverUrl: event.serverUrl, repository: `${owner}/${repo}`};
  const name = indexPageOf(promotion.target);
  const alone = {name, text: indexAlone(promotion, place)};
  const none = {wiki: undefined, place, index: alone};
  if (inputs.wiki === 'false' || promotion.images.length === 0) return {...none, refusals: []};
  const wiki = wikiOf(run);
  if (wiki === undefined) {
    return {
      ...none,
      refusals: [
        'The wiki cannot be read: there is no github-token or no GITHUB_REPOSITORY. Set them, or "wiki: false".',
      ],
    };
  }
  const pages = await readPromotionPages(wiki, place, promotion);
  if (!pages.ok) return {...none, refusals: [refusalOf(pages)]};
  const {missing} = pages.value;
  return {
    wiki,
    place,
    index: {name, text: pages.value.pages.get(name) ?? alone.text},
    refusals: missing.map(
      (ref) =>
        `The wiki has no manifest page of ${ref}. A green build on the default branch publishes it; "wiki: false" goes without.`,
    ),
  };
}

function refusalOf({failure}: Extract<Result<unknown>, {ok: false}>): string {
  return [failure.message, failure.hint, 'Or set "wiki: false".'].filter(Boolean).join(' ');
}

/** The page as it would begin in an empty wiki. */
function indexAlone({target, images}: Promotion, place: RepositoryPlace): string {
  if (images.length === 0) return '';
  return target === 'stable'
    ? insertHomeRow(undefined, homeRow(images, place))
    : stableTagPage(images, place);
}
