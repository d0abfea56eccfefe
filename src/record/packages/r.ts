import type {Listed, Output} from './output.ts';

/** Columns of `installed.packages()`, in any choice and order; the first of a CSV file may have no name. */
const columnNames = new Set([
  '',
  'Package',
  'LibPath',
  'Version',
  'Priority',
  'Depends',
  'Imports',
  'LinkingTo',
  'Suggests',
  'Enhances',
  'License',
  'License_is_FOSS',
  'License_restricts_use',
  'OS_type',
  'MD5sum',
  'NeedsCompilation',
  'Built',
]);

const rName = /^[A-Za-z][A-Za-z0-9.]*$/;
const rVersion = /^\d+(?:[.-]\d+)+$/;

interface Token {
  readonly text: string;
  readonly isQuoted: boolean;
}

interface Table {
  readonly columns: readonly string[];
  readonly hasCommas: boolean;
}

/** What R prints of its packages: matrices (in blocks, when wide), data frames, tibbles, tables, CSV, named vectors. */
export function readR({lines, hint}: Output): readonly Listed[] {
  return [...tableRows(lines, hint === 'r'), ...vectorPairs(lines)];
}

function tableRows(lines: readonly string[], isR: boolean): readonly Listed[] {
  let table: Table | undefined;
  return lines.flatMap((line): readonly Listed[] => {
    const header = headerOf(line, isR);
    // A line of dashes makes it the table of `pip list`.
    const isOver = line === '' || /^-+(?: +-+)*$/.test(line);
    if (header !== undefined || isOver) {
      table = header;
      return [];
    }
    return table === undefined ? [] : tableRow(table, line);
  });
}

function headerOf(line: string, isR: boolean): Table | undefined {
  for (const hasCommas of [false, true]) {
    const columns = tokens(line, hasCommas).map(({text}) => text);
    if (columns.length > 0 && columns.every((column) => columnNames.has(column)))
      return {columns, hasCommas};
  }
  const isUnnamed = isR && /^\s+\[,1\]\s+\[,2\]$/.test(line);
  return isUnnamed ? {columns: ['Package', 'Version'], hasCommas: false} : undefined;
}

/** A row has one cell for each column, most often after the name or the number of the row. */
function tableRow({columns, hasCommas}: Table, line: string): readonly Listed[] {
  const all = tokens(line.replace(/^\s*\[\s*\d+,\]/, '0 '), hasCommas).map(({text}) => text);
  const cells = all.length === columns.length + 1 ? all.slice(1) : all;
  if (cells.length !== columns.length) return [];
  const name = columns.includes('Package') ? cells[columns.indexOf('Package')] : all[0];
  return listed(name, cells[columns.indexOf('Version')]);
}

function listed(name = '', version = ''): readonly Listed[] {
  return rName.test(name) && rVersion.test(version) ? [{manager: 'r', name, version}] : [];
}

/** A named vector: a line of names, and below it as many quoted versions. */
function vectorPairs(lines: readonly string[]): readonly Listed[] {
  return lines.flatMap((line, index): readonly Listed[] => {
    if (!/^\s*"/.test(line)) return [];
    const versions = tokens(line, false);
    const names = tokens(lines[index - 1] ?? '', false);
    const isVector =
      names.length === versions.length &&
      versions.every(({text, isQuoted}) => isQuoted && rVersion.test(text)) &&
      names.every(({text, isQuoted}) => !isQuoted && rName.test(text));
    return isVector ? names.flatMap(({text}, at) => listed(text, versions[at]?.text)) : [];
  });
}

function tokens(line: string, hasCommas: boolean): readonly Token[] {
  const pattern = hasCommas ? /"([^"]*)"|[^,"]+/g : /"((?:[^"\\]|\\.)*)"|\S+/g;
  return Array.from(line.matchAll(pattern), ([all, quoted]) => ({
    text: quoted ?? all,
    isQuoted: quoted !== undefined,
  }));
}
