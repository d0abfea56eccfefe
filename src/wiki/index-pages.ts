import {repositoryOf} from '../image/reference.ts';
import {fileNameOf} from '../image/tags.ts';
import {cellsOf, joinLines, type PageLine, splitLines} from '../util/markdown.ts';
import {endsOpen, findTable} from './tables.ts';

/** One image of a promotion, as the wiki tells of it. */
export interface PromotedImage {
  /** Full reference that was promoted: `ghcr.io/ucsd-ets/rstudio-notebook:2023.2-main`. */
  readonly source: string;
  /** Full reference that it got: `…:2023.2-stable` or `…:stable`. */
  readonly target: string;
  readonly digest: string;
  /** The commit it was built from (its label `org.opencontainers.image.revision`); undefined when unknown. */
  readonly revision: string | undefined;
}

/** The repository whose commits and wiki the links point at. */
export interface RepositoryPlace {
  /** `https://github.com`, without a slash at the end. */
  readonly serverUrl: string;
  /** `owner/name` */
  readonly repository: string;
}

/** Cells joined with `<br>` when written; images and links in the same order. */
export interface HomeRow {
  readonly commits: readonly string[];
  /** Full references, without backticks. */
  readonly images: readonly string[];
  readonly links: readonly string[];
}

/** What may be called a commit: a label is whatever the builder of the image put there. */
export const commitPattern = /^[0-9a-f]{7,64}$/i;

const homeColumns = ['Commit', 'Image', 'Manifest'] as const;
const homeHead = ['| Commit | Image | Manifest |', '|--------|-------|----------|'] as const;
const stableHead = ['| Global-Stable Image | Based On | Manifest |', '| :- | :- | :- |'] as const;

/** The row that a promotion writes into Home.md, in the words of the Python scripts; one that was undone says so. */
export function homeRow(
  images: readonly PromotedImage[],
  place: RepositoryPlace,
  {isRestored = false}: {readonly isRestored?: boolean} = {},
): HomeRow {
  const mark = isRestored ? ' (restored)' : '';
  return {
    commits: [...new Set(images.map(({revision}) => commitCell(revision, place) + mark))],
    images: images.map(({target}) => target),
    links: images.map(({target}) => manifestLink(target, place)),
  };
}

/**
 * Home.md with this row first in its table `| Commit | Image | Manifest |`; every other byte stays as it was.
 * An earlier row of the same stable tag gives way; images that only it named stay, in the new row. A page whose
 * only such row already says this is returned as it is. A page without the table gets one at its end. `gone` are
 * references that leave the page; a row that then names none goes with them.
 */
export function insertHomeRow(
  page: string | undefined,
  row: HomeRow,
  gone: readonly string[] = [],
): string {
  const lines = splitLines(page ?? '');
  const eol = lines.find(({end}) => end !== '')?.end ?? '\n';
  const table = findTable(lines, homeColumns);
  if (table === undefined) {
    if (row.images.length === 0) return page ?? '';
    const fresh = [...homeHead, rowText(row)].map((text) => text + eol).join('');
    const text = page ?? '';
    // Behind a fence that nobody closed the table would be code.
    if (endsOpen(lines)) return `${fresh}${eol}${text}`;
    return `${text}${blankLineAfter(lines, eol)}${fresh}`;
  }
  const isOurs = (line: PageLine, index: number): boolean =>
    index >= table.firstRow && index < table.end && isRowOf(line.text, [...row.images, ...gone]);
  const earlier = lines.filter(isOurs).map((line) => line.text);
  const mergedRow = mergeRows(row, earlier, gone);
  const merged = rowText(mergedRow);
  if (mergedRow.images.length === 0) {
    const rest = lines.filter((line, index) => !isOurs(line, index));
    return joinLines(withEnds(rest, eol, lines.at(-1)?.end ?? ''));
  }
  if (earlier.length === 1 && sameRow(earlier[0] ?? '', merged)) return page ?? '';
  const kept = lines.filter((line, index) => !isOurs(line, index));
  const placed = kept.toSpliced(table.firstRow, 0, {text: merged, end: eol});
  // Whether the page ends in a newline is part of the rest of the page.
  return joinLines(withEnds(placed, eol, lines.at(-1)?.end ?? ''));
}

/** Stable_Tag.md: one table with one row, written anew at every promotion to `stable`; without images, no row. */
export function stableTagPage(images: readonly PromotedImage[], place: RepositoryPlace): string {
  const cells = [
    images.map(({target}) => imageCell(target)),
    images.map(({source}) => imageCell(source)),
    images.map(({target}) => manifestLink(target, place)),
  ];
  const rows = images.length === 0 ? [] : [joinCells(cells)];
  return `${[...stableHead, ...rows].join('\n')}\n`;
}

function commitCell(revision: string | undefined, {serverUrl, repository}: RepositoryPlace) {
  if (revision === undefined || !commitPattern.test(revision)) return 'unknown';
  return `[\`${revision.slice(0, 7)}\`](${serverUrl}/${repository}/commit/${revision})`;
}

function manifestLink(ref: string, {serverUrl, repository}: RepositoryPlace): string {
  return `[Link](${serverUrl}/${repository}/wiki/${encodeURIComponent(fileNameOf(ref))})`;
}

/** References hold no pipe and no backtick by their grammar; anything else is made harmless. */
function imageCell(ref: string): string {
  return `\`${ref.replace(/[`|<>\r\n]/g, '')}\``;
}

function joinCells(cells: readonly (readonly string[])[]): string {
  return `|${cells.map((cell) => cell.join('<br>')).join('|')}|`;
}

function rowText(row: HomeRow): string {
  return joinCells([row.commits, row.images.map(imageCell), row.links]);
}

/** A row of this stable tag names an image of the same owner with the same tag. */
function isRowOf(text: string, images: readonly string[]): boolean {
  const families = new Set(images.map(familyOf));
  return refsOf(cellsOf(text)[1] ?? '').some((ref) => families.has(familyOf(ref)));
}

function familyOf(ref: string): string {
  const repository = repositoryOf(ref);
  return `${repository.slice(0, repository.lastIndexOf('/'))}:${ref.slice(repository.length + 1)}`;
}

function refsOf(cell: string): readonly string[] {
  return partsOf(cell).map((part) => part.replaceAll('`', '').trim());
}

function partsOf(cell: string): readonly string[] {
  return cell
    .split(/<br\s*\/?>/i)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** A promotion of some images only must not take the others off the page: their tags still stand. */
function mergeRows(row: HomeRow, earlier: readonly string[], gone: readonly string[]): HomeRow {
  const ours = new Set([...row.images, ...gone]);
  const rows = earlier.map(cellsOf);
  const others = [...new Set(rows.flatMap((cells) => refsOf(cells[1] ?? '')))].filter(
    (ref) => !ours.has(ref),
  );
  if (others.length === 0) return row;
  // The scripts also wrote links with the dot of ghcr.io left in (to pages that do not exist).
  const dead = [...ours].flatMap((ref) => [fileNameOf(ref), ref.replace(/[/:]/g, '-')]);
  const links = rows
    .flatMap((cells) => partsOf(cells[2] ?? ''))
    .filter((link) => !dead.some((name) => link.endsWith(`/${name})`)));
  const commits = rows.flatMap((cells) => partsOf(cells[0] ?? ''));
  return {
    commits: [...new Set([...row.commits, ...commits])],
    images: [...row.images, ...others],
    links: [...row.links, ...new Set(links)],
  };
}

function sameRow(one: string, other: string): boolean {
  return cellsOf(one).join('|') === cellsOf(other).join('|');
}

function blankLineAfter(lines: readonly PageLine[], eol: string): string {
  const last = lines.at(-1);
  if (last === undefined) return '';
  if (last.end === '') return `${eol}${eol}`;
  return last.text.trim() === '' ? '' : eol;
}

/** Every line but the last needs an ending; the last keeps the one that the page had. */
function withEnds(lines: readonly PageLine[], eol: string, lastEnd: string): readonly PageLine[] {
  return lines.map((line, index) => {
    if (index === lines.length - 1) return {...line, end: lastEnd};
    return line.end === '' ? {...line, end: eol} : line;
  });
}
