import type {WikiFile, WikiSnapshot} from '../adapters/git/index.ts';
import {cellsOf, escapeMarkdown, joinLines, splitLines} from '../util/markdown.ts';
import {commitPattern, type RepositoryPlace} from './index-pages.ts';
import {endsOpen, findTable} from './tables.ts';

/** One run that built images, as the history tells it. */
export interface BuiltRun {
  /** ISO 8601. */
  readonly at: string;
  readonly id: string;
  readonly attempt: number;
  readonly commit: string;
  readonly subject?: string;
  /** Those whose pages it published. */
  readonly images: readonly {
    readonly image: string;
    /** The name of its page, without `.md`. */
    readonly page: string;
    readonly digest?: string;
  }[];
}

/** The page that lists the months. */
export const buildsPage = 'Builds';

const monthColumns = ['Built (UTC)', 'Commit', 'Run', 'Images'] as const;
const indexColumns = ['Month', 'Runs'] as const;
/** More images than these are folded. */
const mostImages = 10;

/** The page of the month with this run on top, and the page of the months; every other run stays as it is. */
export async function buildPages(
  snapshot: WikiSnapshot,
  run: BuiltRun,
  place: RepositoryPlace,
): Promise<readonly WikiFile[]> {
  const month = run.at.slice(0, 7);
  const page = `${buildsPage}-${month}`;
  const link = runLink(run, place);
  const ofMonth = await read(snapshot, page);
  const text = withRow(
    ofMonth ?? emptyPage(`Builds of ${month}`, `[All months](${buildsPage})`, monthColumns),
    {columns: monthColumns, row: runRow(run, link, place), isSame: (cells) => cells[2] === link},
  );
  const count = rowsOf(text, monthColumns).length;
  const monthLink = `[${month}](${page})`;
  const index = withRow(
    (await read(snapshot, buildsPage)) ?? emptyPage('Builds', undefined, indexColumns),
    {
      columns: indexColumns,
      row: `| ${monthLink} | ${count} |`,
      isSame: (cells) => cells[0] === monthLink,
    },
  );
  return [
    {name: nameOf(snapshot, page), content: Buffer.from(text)},
    {name: nameOf(snapshot, buildsPage), content: Buffer.from(index)},
  ];
}

/** A line of Home that leads to the history, where there is one and nothing leads there yet. */
export function linkToBuilds(home: string, snapshot: Pick<WikiSnapshot, 'find'>): string {
  const isThere = snapshot.find(`${buildsPage}.md`) !== undefined;
  if (!isThere || /\]\((?:[^)\s]*\/)?Builds\)|\[\[(?:[^\]|]*\|)?Builds\]\]/i.test(home))
    return home;
  const lines = splitLines(home);
  const table = findTable(lines, ['Commit', 'Image', 'Manifest']);
  if (table === undefined) return home;
  const end = lines.find(({end: one}) => one !== '')?.end ?? '\n';
  const before = lines[table.header - 1]?.text.trim() ?? '';
  const added = [...(before === '' ? [] : ['']), `[All builds, by month](${buildsPage})`, ''].map(
    (text) => ({text, end}),
  );
  return joinLines(lines.toSpliced(table.header, 0, ...added));
}

function emptyPage(title: string, more: string | undefined, columns: readonly string[]): string {
  const links = ['[All images](Home)', ...(more === undefined ? [] : [more])].join(' · ');
  return `# ${title}\n\n${links}\n\n| ${columns.join(' | ')} |\n|${columns.map(() => '---').join('|')}|\n`;
}

interface NewRow {
  readonly columns: readonly string[];
  readonly row: string;
  /** Whether a row is of the same thing: the new one takes its place. */
  readonly isSame: (cells: readonly string[]) => boolean;
}

/** The page with the row first in its table; a table that somebody removed begins anew. */
function withRow(page: string, {columns, row, isSame}: NewRow): string {
  const lines = splitLines(page);
  const table = findTable(lines, columns);
  if (table === undefined) {
    const head = `| ${columns.join(' | ')} |\n|${columns.map(() => '---').join('|')}|\n${row}\n`;
    return endsOpen(lines) ? `${head}\n${page}` : `${page.trimEnd()}\n\n${head}`;
  }
  const isOld = (index: number): boolean =>
    index >= table.firstRow && index < table.end && isSame(cellsOf(lines[index]?.text ?? ''));
  const at = lines.findIndex((_, index) => isOld(index));
  const kept = lines.filter((_, index) => !isOld(index));
  // Without a line end at the end of the page the row would join the last one.
  const ended = kept.map(({text, end}) => ({text, end: end === '' ? '\n' : end}));
  return joinLines(ended.toSpliced(at < 0 ? table.firstRow : at, 0, {text: row, end: '\n'}));
}

function rowsOf(page: string, columns: readonly string[]): readonly string[] {
  const lines = splitLines(page);
  const table = findTable(lines, columns);
  return table === undefined ? [] : lines.slice(table.firstRow, table.end).map(({text}) => text);
}

function runLink({id, attempt}: BuiltRun, {serverUrl, repository}: RepositoryPlace): string {
  const words = `${escapeMarkdown(id)}${attempt > 1 ? `, attempt ${attempt}` : ''}`;
  const address = `${serverUrl}/${repository}/actions/runs/${encodeURIComponent(id)}`;
  return `[${words}](${address}${attempt > 1 ? `/attempts/${attempt}` : ''})`;
}

function runRow(run: BuiltRun, link: string, {serverUrl, repository}: RepositoryPlace): string {
  const {at, commit, subject = '', images} = run;
  const short = `\`${commit.slice(0, 7)}\``;
  const linked = commitPattern.test(commit)
    ? `[${short}](${serverUrl}/${repository}/commit/${commit})`
    : 'unknown';
  const words = escapeMarkdown(subject.slice(0, 100)).replace(/\s+/g, ' ').trim();
  const list = images
    .map(({image, page, digest}) => {
      const named = `[${escapeMarkdown(image)}](${encodeURIComponent(page)})`;
      return digest === undefined ? named : `${named} \`${digest.slice(7, 19)}\``;
    })
    .join('<br>');
  const shown =
    images.length > mostImages
      ? `<details><summary>${images.length} images</summary>${list}</details>`
      : list;
  const time = `${at.slice(0, 10)} ${at.slice(11, 16)}`;
  return `| ${[time, words === '' ? linked : `${linked} ${words}`, link, shown].join(' | ')} |`;
}

async function read(snapshot: WikiSnapshot, page: string): Promise<string | undefined> {
  const bytes = await snapshot.read(nameOf(snapshot, page));
  return bytes === undefined ? undefined : Buffer.from(bytes).toString();
}

function nameOf(snapshot: Pick<WikiSnapshot, 'find'>, page: string): string {
  return snapshot.find(`${page}.md`) ?? `${page}.md`;
}
