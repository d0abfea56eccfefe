import type {Listed, Output} from './output.ts';

/** Builds as only conda names them: `py311h64a7726_0`, `hd590300_5`, `pyhd8ed1ab_0`, `1_gnu`, `pypi_0`, `<pip>`. */
const buildName =
  /^(?:[\w.]*h[0-9a-f]{5,}_\w+|py\w*_\d+|pypi_0|<pip>|conda_forge|main|\d+_gnu|\d+_[a-z]\w*)$/;

const exported = /^([a-z0-9_][\w.-]*)=(\d[^=\s]*)=([\w.]+)$/;
const explicit = /^https?:\/\/\S+\/([\w.-]+)\.(?:conda|tar\.bz2)(?:#\S*)?$/;
const canonical = /^[\w./-]+::([\w.-]+)$/;

/** `conda list` as a table, `--export`, `--explicit` and `--canonical`; mamba's tables; `conda env export`. */
export function readConda({lines, hint}: Output): readonly Listed[] {
  const inTable = tableLines(lines);
  return [
    ...lines.flatMap((line, index) => tableRow(line, inTable[index] === true, hint === 'conda')),
    ...lines.flatMap(exportLine),
    ...lines.flatMap(canonicalLine),
    ...environmentLines(lines),
  ];
}

/** Lines below the header of a list; mamba underlines its header, conda comments it out. */
function tableLines(lines: readonly string[]): readonly boolean[] {
  let isInside = false;
  return lines.map((line) => {
    if (/^# packages in environment at /.test(line) || /^#?\s*Name +Version +Build\b/.test(line)) {
      isInside = true;
      return false;
    }
    if (/^#|^\s*[─-]+$/.test(line)) return false;
    const isRow = /^\s*\S+\s+\S+(?:\s+\S+){0,3}$/.test(line);
    if (!isRow) isInside = false;
    return isInside;
  });
}

function tableRow(line: string, isInTable: boolean, isConda: boolean): readonly Listed[] {
  const [name, version, build, channel, ...rest] = line.trim().split(/\s+/);
  if (name === undefined || version === undefined || name.startsWith('#')) return [];
  const isPlausible =
    build !== undefined &&
    rest.length === 0 &&
    /^\d/.test(version) &&
    (buildName.test(build) || (isConda && /^\d+$/.test(build)));
  if (!isInTable && !isPlausible) return [];
  // What pip installed into the environment is pip's, as `pip list` says too.
  const isPip = channel === 'pypi' || build === 'pypi_0' || build === '<pip>' || build === 'pypi';
  return [{manager: isPip ? 'pip' : 'conda', name, version}];
}

function exportLine(line: string): readonly Listed[] {
  const [, name, version, build] = exported.exec(line) ?? [];
  if (name === undefined || version === undefined) return [];
  return [{manager: build === 'pypi_0' ? 'pip' : 'conda', name, version}];
}

/** The name is all but the last two parts of `name-version-build`. */
function canonicalLine(line: string): readonly Listed[] {
  const parts = (explicit.exec(line) ?? canonical.exec(line))?.[1]?.split('-') ?? [];
  const version = parts.at(-2);
  const name = parts.slice(0, -2).join('-');
  return version === undefined || name === '' ? [] : [{manager: 'conda', name, version}];
}

/** `conda env export`: YAML with `- name=version=build`, and `- name==version` below `- pip:`. */
function environmentLines(lines: readonly string[]): readonly Listed[] {
  if (!lines.some((line) => line === 'dependencies:')) return [];
  return lines.flatMap((line): readonly Listed[] => {
    const [, name, equals, version] = /^\s*- ([\w.-]+)(={1,2})([^=\s]+)(?:=\S+)?$/.exec(line) ?? [];
    if (name === undefined || version === undefined) return [];
    return [{manager: equals === '==' ? 'pip' : 'conda', name, version}];
  });
}
