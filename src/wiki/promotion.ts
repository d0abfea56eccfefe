import type {
  MakePages,
  Wiki,
  WikiFile,
  WikiPublished,
  WikiSnapshot,
} from '../adapters/git/index.ts';
import {fail, failure, ok, type Result} from '../failure.ts';
import {fileNameOf} from '../image/tags.ts';
import {inTurn} from '../util/in-turn.ts';
import {linkToBuilds} from './builds.ts';
import {
  homeRow,
  insertHomeRow,
  type PromotedImage,
  type RepositoryPlace,
  stableTagPage,
} from './index-pages.ts';
import {barePage, gonePage, stablePage} from './stable-pages.ts';

/** A set of images that gets, or got, its stable tag. */
export interface Promotion {
  readonly target: 'stable' | 'global-stable';
  readonly images: readonly PromotedImage[];
  /** Set where an earlier promotion is undone: the images are those from before it. */
  readonly undone?: {
    /** Tags that did not exist before that promotion, and are gone again. */
    readonly gone: readonly string[];
  };
}

/** The text of the page of an image under its stable tag, made from its record; undefined where it has none. */
export type RenderPage = (image: PromotedImage) => Promise<string | undefined>;

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

/** Where the pages come from, and which repository they link to. */
export interface PageSources {
  readonly place: RepositoryPlace;
  readonly renderPage?: RenderPage | undefined;
}

/** Reads the wiki and says what the promotion would write; changes nothing. */
export async function readPromotionPages(
  wiki: Wiki,
  sources: PageSources,
  promotion: Promotion,
): Promise<Result<PromotionPages>> {
  const read = await wiki.read((snapshot) => makePages(snapshot, sources, promotion));
  if (!read.ok) return read;
  const {missing, files} = read.value;
  const pages = new Map(files.map(({name, content}) => [name, Buffer.from(content).toString()]));
  return ok({missing, pages});
}

/** Publishes the index page and the stable copies in one commit; made anew on top of every push of others. */
export function publishPromotion(
  wiki: Wiki,
  sources: PageSources,
  {promotion, sha}: {readonly promotion: Promotion; readonly sha: string},
): Promise<Result<WikiPublished>> {
  const make: MakePages = async (snapshot) => {
    const {missing, files} = await makePages(snapshot, sources, promotion);
    if (missing.length === 0) return ok(files);
    const message = `The wiki has no manifest page for ${missing.join(', ')}.`;
    const hint =
      'A green build on the default branch publishes them. To go without, set "wiki: false".';
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
  sources: PageSources,
  promotion: Promotion,
): Promise<MadePages> {
  const {target, images, undone} = promotion;
  const gone = undone?.gone ?? [];
  // The index page would name nothing, and Stable_Tag.md lose what it lists.
  if (images.length + gone.length === 0)
    throw new Error('Internal error: a promotion without images');
  const copies = await inTurn(images, async (image) => ({
    image,
    name: existing(snapshot, pageOf(image.target)),
    content: await copyOf(snapshot, sources, {image, isUndone: undone !== undefined}),
  }));
  const missing = copies.filter(({content}) => content === undefined);
  const name = existing(snapshot, indexPageOf(target));
  const old = await snapshot.read(name);
  return {
    missing: missing.map(({image}) => image.source),
    files: [
      {name, content: indexPage(snapshot, old, {place: sources.place, promotion})},
      ...copies.flatMap(({name, content}) => (content === undefined ? [] : [{name, content}])),
      // The page of a tag that never had one is not missed.
      ...gone.flatMap((ref) => {
        const page = snapshot.find(pageOf(ref));
        return page === undefined ? [] : [{name: page, content: Buffer.from(gonePage(ref))}];
      }),
    ],
  };
}

/** A page made from the record of this very digest says more than a copy of the page of its source. */
async function copyOf(
  snapshot: WikiSnapshot,
  {place, renderPage}: PageSources,
  {image, isUndone}: {readonly image: PromotedImage; readonly isUndone: boolean},
): Promise<Uint8Array | undefined> {
  const [own, copied] = await Promise.all([
    renderPage?.(image),
    snapshot.read(pageOf(image.source)),
  ]);
  // Without a page of the source there is nothing to link to.
  if (own !== undefined && copied === undefined) return Buffer.from(own);
  const page = own === undefined ? copied : Buffer.from(own);
  // One character for one byte, and words that are plain ASCII: whatever encoding the page has, it keeps its bytes.
  const text = page === undefined ? undefined : Buffer.from(page).toString('latin1');
  if (!isUndone) {
    return text === undefined ? undefined : Buffer.from(stablePage(text, image, {place}), 'latin1');
  }
  // The tag that an image was once built as may have moved on: only a page of this very digest tells of it.
  if (text?.includes(image.digest) !== true) return Buffer.from(barePage(image));
  // The page of that reference may be one of a later image by now.
  const isLinked = copied !== undefined && Buffer.from(copied).includes(image.digest);
  return Buffer.from(stablePage(text, image, {place, isRestored: true, isLinked}), 'latin1');
}

interface IndexRequest {
  readonly place: RepositoryPlace;
  readonly promotion: Promotion;
}

function indexPage(
  snapshot: WikiSnapshot,
  old: Uint8Array | undefined,
  {place, promotion: {target, images, undone}}: IndexRequest,
): Uint8Array {
  if (target === 'global-stable') return Buffer.from(stableTagPage(images, place));
  const page = old === undefined ? undefined : Buffer.from(old).toString('latin1');
  const row = homeRow(images, place, {isRestored: undone !== undefined});
  return Buffer.from(linkToBuilds(insertHomeRow(page, row, undone?.gone), snapshot), 'latin1');
}

function pageOf(ref: string): string {
  return `${fileNameOf(ref)}.md`;
}

/** GitHub refuses pages that differ in case only, so the file that is there is the one to write. */
function existing(snapshot: WikiSnapshot, name: string): string {
  return snapshot.find(name) ?? name;
}

export function commitMessage(sha: string): string {
  return `[skip ci] Automated publish for ${sha}`;
}
