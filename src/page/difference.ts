import {
  countOf,
  type Difference,
  isSame,
  type Manager,
  managers,
  ownBytes,
  type PackageChanges,
  type RecordedLayer,
} from '../record/index.ts';
import {codeCell} from '../util/markdown.ts';
import {formatBytes, formatChange} from '../util/text.ts';
import {commandCell} from './layers.ts';
import {counted, folded, words} from './words.ts';

/** A longer list of packages is cut; the record has them all. */
const longestList = 500;

const managerNames: Readonly<Record<Manager, string>> = {
  pip: 'Python (pip)',
  conda: 'Conda',
  apt: 'Debian (apt)',
  r: 'R',
};

/** What changed since an earlier image: in short, and folded in full. */
export function differenceSection(difference: Difference): readonly string[] {
  const {from, base, inherited, packages, compared} = difference;
  const title = `## Changes since ${codeCell(from.reference)}`;
  if (isSame(difference)) return [title, '', 'None.', ''];
  return [
    title,
    '',
    ...(from.digest === undefined ? [] : [`- Compared with: ${codeCell(from.digest)}`]),
    `- Size: ${sizeWords(difference)}`,
    ...(base === undefined ? [] : [`- Base image: ${baseWords(base)}`]),
    ...inherited.map(
      ({image, packages: count, bytes}) =>
        `- From ${words(image)}: ${count === undefined ? '' : `${counted(count, 'package')}, `}${formatChange(bytes)} (see its own page)`,
    ),
    ...(compared.length > 0
      ? []
      : ['- Packages: not compared, because no info command lists them in both images']),
    '',
    ...managers.flatMap((manager) => packageLines(manager, packages[manager])),
    ...layerLines(difference),
  ];
}

function sizeWords(difference: Difference): string {
  const {from, to, inherited} = difference;
  const whole = `${formatBytes(from.size)} → ${formatBytes(to.size)} (${formatChange(to.size - from.size)})`;
  return inherited.length === 0
    ? whole
    : `${whole}, of which ${formatChange(ownBytes(difference))} in its own layers`;
}

function baseWords({from, to}: NonNullable<Difference['base']>): string {
  const shown = (base: typeof from): string =>
    base === undefined ? 'none' : codeCell(`${base.reference.split('@')[0]}@${base.digest}`);
  return `${shown(from)} → ${shown(to)}`;
}

function packageLines(manager: Manager, changes: PackageChanges | undefined): readonly string[] {
  if (changes === undefined) return [];
  const {added, removed, changed} = changes;
  const rows = [
    ...changed.map(({name, from, to}) => [name, from, to]),
    ...added.map(({name, version}) => [name, '', version]),
    ...removed.map(({name, version}) => [name, version, '']),
  ];
  const counts = [
    [changed.length, 'changed'],
    [added.length, 'added'],
    [removed.length, 'removed'],
  ] as const;
  const summary = counts
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${count} ${word}`)
    .join(', ');
  const rest = countOf(changes) - longestList;
  return folded(`${managerNames[manager]}: ${summary}`, [
    '| Package | Before | After |',
    '|---|---|---|',
    ...rows.slice(0, longestList).map((row) => `| ${row.map(versionCell).join(' | ')} |`),
    ...(rest > 0 ? ['', `… and ${rest} more, which the JSON record lists.`] : []),
  ]);
}

function versionCell(text: string): string {
  return text === '' ? '' : codeCell(text);
}

function layerLines({layers}: Difference): readonly string[] {
  const {shared, added, removed} = layers;
  if (added.length === 0 && removed.length === 0) return [];
  const row =
    (sign: string) =>
    ({size, createdBy}: RecordedLayer): string =>
      `| ${sign} | ${formatBytes(size)} | ${commandCell(createdBy)} |`;
  const summary = `Layers: ${shared.count} shared (${formatBytes(shared.size)}), ${added.length} added, ${removed.length} removed`;
  return folded(summary, [
    '| | Size | Command |',
    '|---|---:|---|',
    ...added.map(row('added')),
    ...removed.map(row('removed')),
  ]);
}
