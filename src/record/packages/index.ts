import {plainText} from '../../util/text.ts';
import {type Manager, managers, type Packages, type RecordedInfo} from '../schema.ts';
import {readApt, readDpkgQuery} from './apt.ts';
import {readConda} from './conda.ts';
import {readJsonList} from './json-list.ts';
import type {Listed, Output, Reader} from './output.ts';
import {readPip} from './pip.ts';
import {readR} from './r.ts';

/** Formats that show what they are. One output may hold several lists (`pip list; conda list`). */
const certain: readonly Reader[] = [readJsonList, readApt, readConda, readPip, readR];

/** Formats that another output might have by chance: only where nothing else fits. */
const likely: readonly Reader[] = [readDpkgQuery, readTwoColumns];

const longestLine = 4000;

/**
 * The packages of an image.
 * Enters: what its info commands printed.
 * Leaves: names and versions by package manager, read by what an output looks like; unknown output lists none.
 * Not here: running the commands (page/), comparing two lists (record/difference.ts).
 */
export function packagesOf(
  info: readonly Pick<RecordedInfo, 'command' | 'output' | 'exitCode'>[],
): Packages {
  const listed = info.flatMap(({command, output, exitCode}) =>
    exitCode === 0 ? readPackages(output, command) : [],
  );
  const found = managers.flatMap((manager) => {
    const versions = versionsOf(listed.filter((one) => one.manager === manager));
    return versions.length === 0 ? [] : [[manager, Object.fromEntries(versions)] as const];
  });
  return Object.fromEntries(found);
}

export function readPackages(output: string, command: string): readonly Listed[] {
  const text = plainText(output);
  const lines = text
    .split('\n')
    .filter((line) => line.length <= longestLine)
    .map((line) => line.trimEnd())
    .filter((line, index, all) => line !== '' || all[index - 1] !== '');
  const read = {text, lines, hint: hintOf(command)};
  const found = certain.flatMap((reader) => reader(read));
  return found.length > 0 ? found : (likely.map((reader) => reader(read)).find(isSome) ?? []);
}

function isSome(listed: readonly Listed[]): boolean {
  return listed.length > 0;
}

/** Sorted by name. A package that is there twice has both versions. */
function versionsOf(listed: readonly Listed[]): readonly (readonly [string, string])[] {
  const versions = new Map<string, Set<string>>();
  for (const {manager, name, version} of listed) {
    const key = manager === 'pip' ? normalName(name) : name;
    versions.set(key, (versions.get(key) ?? new Set()).add(version));
  }
  return [...versions]
    .map(([name, all]) => [name, [...all].join(', ')] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** `Jinja2`, `jupyter_core` and `jupyter-core`: tools spell them differently, the index takes them for one (PEP 503). */
function normalName(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, '-');
}

const hints: Readonly<Record<Manager, RegExp>> = {
  conda: /\b(?:conda|mamba|micromamba)\b/,
  r: /\bRscript\b|\binstalled\.packages\b|\bR\s+-/,
  apt: /\b(?:dpkg|dpkg-query|apt|apt-get|apt-cache)\b/,
  pip: /\b(?:pip|pip3|pipx|uv)\b/,
};

function hintOf(command: string): Manager | undefined {
  const named = managers.filter((manager) => hints[manager].test(command));
  return named.length === 1 ? named[0] : undefined;
}

/** `numpy 1.26.4` or `numpy=1.26.4` on every line, as greps and formats leave it: the command says whose it is. */
function readTwoColumns({lines, hint}: Output): readonly Listed[] {
  if (hint === undefined) return [];
  const filled = lines.filter((line) => line.trim() !== '');
  const rows = filled.flatMap((line): readonly Listed[] => {
    const [, name, version] = /^\s*([\w@][\w.+:-]*)(?:\s+|\s*=\s*)v?(\d\S*)$/.exec(line) ?? [];
    return name === undefined || version === undefined ? [] : [{manager: hint, name, version}];
  });
  // `python 3.11` among sentences is no list.
  return rows.length === filled.length ? rows : [];
}
