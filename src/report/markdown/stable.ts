import {formatBytes, safeLine} from '../../util/text.ts';
import type {StableImage} from '../types.ts';
import type {Section} from './budget.ts';
import {changeSections, shortDigest, tableHead, tableRow} from './parts.ts';
import {cell, code, shortened} from './text.ts';

type Stable = ReadonlyMap<string, StableImage>;

const atTagWords: Record<StableImage['atTag'], string> = {
  same: 'the same image',
  other: 'another image',
  nothing: 'no image',
};

/** What stable holds, and what is at the tag of the run that stable does not have. */
export function stableSections(stable: Stable): readonly Section[] {
  if (stable.size === 0) return [];
  const rows = [...stable].map(([image, {ref, digest, commit, created, size, atTag}]) =>
    tableRow([
      code(shortened(image, 120)),
      `${code(tagOf(ref))} ${code(shortDigest(digest))}`,
      commit === undefined
        ? ''
        : `${code(commit.sha.slice(0, 7))} ${cell(shortened(commit.subject ?? '', 80))}`.trim(),
      cell(created?.slice(0, 10) ?? ''),
      size === undefined ? '' : formatBytes(size).replace(' ', '&nbsp;'),
      atTagWords[atTag],
    ]),
  );
  const columns = ['Image', 'Stable', 'Commit', 'Built', 'Size', 'At the tag of this run'];
  return [
    {head: `### What stable holds\n\n${tableHead(columns)}`, rows, of: 'images'},
    ...changeSections(
      'What the tag of this run has that stable does not',
      [...stable].map(([image, {difference}]) => [image, difference]),
    ),
  ];
}

/** The same in short, for the log. */
export function stableLines(stable: Stable): readonly string[] {
  return [...stable].map(([image, {ref, digest, commit, created, atTag}]) => {
    const built = [
      ...(commit === undefined ? [] : [`commit ${commit.sha.slice(0, 7)}`]),
      ...(created === undefined ? [] : [`built ${created.slice(0, 10)}`]),
    ].join(', ');
    return safeLine(
      `${image}: ${tagOf(ref)} is ${digest}${built === '' ? '' : ` (${built})`}; at the tag of this run is ${atTagWords[atTag]}`,
    );
  });
}

function tagOf(reference: string): string {
  return reference.slice(reference.lastIndexOf(':') + 1);
}
