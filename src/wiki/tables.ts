import {parse, postprocess, preprocess} from 'micromark';
import {gfmTable} from 'micromark-extension-gfm-table';
import {cellsOf, type PageLine} from '../util/markdown.ts';

/** Where a table is among the lines of a page: header, delimiter, then rows up to `end` (exclusive). */
export interface TablePlace {
  readonly header: number;
  readonly firstRow: number;
  readonly end: number;
}

/** A part of a page that is in no list and no quote, and its lines from 1. */
interface Block {
  readonly type: string;
  readonly from: number;
  readonly to: number;
}

const containers: ReadonlySet<string> = new Set(['blockQuote', 'listOrdered', 'listUnordered']);
/** What a place in a page is told by; the others are parts of these, or lead to none of our questions. */
const flow: ReadonlySet<string> = new Set(['table', 'paragraph', 'codeFenced', 'htmlFlow']);
/** As GitHub's wiki stores what was pasted with a byte order mark. */
const brokenMark = /^\u00ef\u00bb\u00bf/;

/** The first table with these column names, case aside; undefined when the page shows none. */
export function findTable(
  lines: readonly PageLine[],
  columns: readonly string[],
): TablePlace | undefined {
  const table = blocksOf(textOf(lines)).find(
    ({type, from}) => type === 'table' && hasColumns(lines[from - 1]?.text ?? '', columns),
  );
  return table && {header: table.from - 1, firstRow: table.from + 1, end: table.to};
}

/** Whether a code fence, a comment or raw HTML is open at the end of the page: what is written there is not Markdown. */
export function endsOpen(lines: readonly PageLine[]): boolean {
  return blocksOf(`${textOf(lines)}\n\nend`).at(-1)?.type !== 'paragraph';
}

function textOf(lines: readonly PageLine[]): string {
  return lines
    .map(({text, end}) => text + end)
    .join('')
    .replace(brokenMark, '');
}

function blocksOf(text: string): readonly Block[] {
  const chunks = preprocess()(text, undefined, true);
  const events = postprocess(
    parse({extensions: [gfmTable()]})
      .document()
      .write(chunks),
  );
  let depth = 0;
  const blocks: Block[] = [];
  for (const [kind, {type, start, end}] of events) {
    if (containers.has(type)) depth += kind === 'enter' ? 1 : -1;
    else if (kind === 'enter' && depth === 0 && flow.has(type)) {
      // What ends before the first column of a line has no part of that line.
      const to = end.column === 1 && end.line > start.line ? end.line - 1 : end.line;
      blocks.push({type, from: start.line, to});
    }
  }
  return blocks;
}

function hasColumns(row: string, columns: readonly string[]): boolean {
  const cells = cellsOf(row.replace(brokenMark, '').replace(/^\ufeff/, ''));
  return (
    cells.length === columns.length &&
    cells.every((cell, index) => cell.toLowerCase() === columns[index]?.toLowerCase())
  );
}
