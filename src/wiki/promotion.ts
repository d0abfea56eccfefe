import type {
  MakePages,
  Wiki,
  WikiFile,
  WikiPublished,
  WikiSnapshot,
} from '../adapters/git/index.ts';
import {fail, failure, ok, type Result} from '../failure.ts';
import {fileNameOf} from '../image/tags.ts';
import type {Run} from '../run/index.ts';
import {wikiOf} from './index.ts';
import {
  homeRow,
  insertHomeRow,
  type PromotedImage,
  type RepositoryPlace,
  stableTagPage,
} from './index-pages.ts';

/** A set of images that gets, or got, its stable tag. */
export interface Promotion {
  readonly target: 'stable' | 'global-stable';
  readonly images: readonly PromotedImage[];
}

/** What a promotion writes into the wiki as it stands now. */
export interface PromotionPages {
  /** References whose manifest page does not exist; their stable copies are not among the pages. */
  readonly missing: readonly string[];
  /** Text of each page by its file name: `Home.md` or `Stable_Tag.md`, and one copy for each image. */
  readonly pages: ReadonlyMap<string, string>;
}

/** The page that lists the promotions to this target. */
export function indexPageOf(target: Promotion['target']): 'Home.md' | 'Stable_Tag.md' {
  return target === 'stable' ? 'Home.md' : 'Stable_Tag.md';
}

/** Publishes manifest pages (text by name, without `.md`) in one commit; other pages stay as they are. */
export function publishManifestPages(
  wiki: Wiki,
  pages: ReadonlyMap<string, string>,
  sha: string,
): Promise<Result<WikiPublished>> {
  return wiki.publish(commitMessage(sha), async (snapshot) =>
    ok(
      Array.from(pages, ([name, text]) => ({
        name: snapshot.find(`${name}.md`) ?? `${name}.md`,
        content: Buffer.from(text),
      })),
    ),
  );
}

/** Reads the wiki and says what the promotion would write; changes nothing. */
export async function readPromotionPages(
  wiki: Wiki,
  place: RepositoryPlace,
  promotion: Promotion,
): Promise<Result<PromotionPages>> {
  const read = await wiki.read((snapshot) => makePages(snapshot, place, promotion));
  if (!read.ok) return read;
  const {missing, files} = read.value;
  const pages = new Map(files.map(({name, content}) => [name, Buffer.from(content).toString()]));
  return ok({missing, pages});
}

/** Publishes the index page and the stable copies in one commit; made anew on top of every push of others. */
export function publishPromotion(
  wiki: Wiki,
  place: RepositoryPlace,
  {promotion, sha}: {readonly promotion: Promotion; readonly sha: string},
): Promise<Result<WikiPublished>> {
  const make: MakePages = async (snapshot) => {
    const {missing, files} = await makePages(snapshot, place, promotion);
    if (missing.length === 0) return ok(files);
    const message = `The wiki has no manifest page of ${missing.join(', ')}.`;
    const hint = 'A green build on the default branch publishes them; "wiki: false" goes without.';
    return fail(failure('not-found', message, {hint}));
  };
  return wiki.publish(commitMessage(sha), make);
}

interface MadePages {
  readonly missing: readonly string[];
  readonly files: readonly WikiFile[];
}

async function makePages(
  snapshot: WikiSnapshot,
  place: RepositoryPlace,
  {target, images}: Promotion,
): Promise<MadePages> {
  // The index page would name nothing, and Stable_Tag.md lose what it says.
  if (images.length === 0) throw new Error('Internal error: a promotion of no image at all');
  const copies = await Promise.all(
    images.map(async (image) => ({
      image,
      name: existing(snapshot, pageOf(image.target)),
      content: await snapshot.read(pageOf(image.source)),
    })),
  );
  const missing = copies.filter(({content}) => content === undefined);
  const name = existing(snapshot, indexPageOf(target));
  const old = await snapshot.read(name);
  return {
    missing: missing.map(({image}) => image.source),
    files: [
      {name, content: indexPage(old, place, {target, images})},
      ...copies.flatMap(({name, content}) => (content === undefined ? [] : [{name, content}])),
    ],
  };
}

function indexPage(
  old: Uint8Array | undefined,
  place: RepositoryPlace,
  {target, images}: Promotion,
): Uint8Array {
  if (target === 'global-stable') return Buffer.from(stableTagPage(images, place));
  // One character for one byte, and a row that is plain ASCII: whatever encoding the page has, it keeps its bytes.
  const page = old === undefined ? undefined : Buffer.from(old).toString('latin1');
  return Buffer.from(insertHomeRow(page, homeRow(images, place)), 'latin1');
}

function pageOf(ref: string): string {
  return `${fileNameOf(ref)}.md`;
}

/** GitHub refuses pages that differ in case only, so the file that is there is the one to write. */
function existing(snapshot: WikiSnapshot, name: string): string {
  return snapshot.find(name) ?? name;
}

function commitMessage(sha: string): string {
  return `[skip ci] Automated publish for ${sha}`;
}

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

function refusalOf({error: failure}: Extract<Result<unknown>, {ok: false}>): string {
  return [failure.message, failure.hint, 'Or set "wiki: false".'].filter(Boolean).join(' ');
}

/** The page as it would begin in an empty wiki. */
function indexAlone({target, images}: Promotion, place: RepositoryPlace): string {
  if (images.length === 0) return '';
  return target === 'stable'
    ? insertHomeRow(undefined, homeRow(images, place))
    : stableTagPage(images, place);
}
