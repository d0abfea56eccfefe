import type {Listed, Output} from './output.ts';

const name = '([A-Za-z0-9][A-Za-z0-9._-]*)';
const frozen = new RegExp(`^${name}(?:\\[[^\\]]*\\])?={2,3}(\\d[^\\s;=]*)`);
const fromUrl = new RegExp(`^${name} @ (\\S+)`);
const editable = /^-e \S+@([0-9a-f]{7,40})#egg=([A-Za-z0-9._-]+)/;
const legacy = new RegExp(`^${name} \\(([^()\\s,]+)(?:, [^()]*)?\\)$`);

/** `pip list` in columns, as `pip freeze`, and as pip before 10 printed it. */
export function readPip({lines, hint}: Output): readonly Listed[] {
  const listed = [...columns(lines), ...lines.flatMap(freezeLine)];
  return listed.length === 0 && hint === 'pip' ? lines.flatMap(legacyLine) : listed;
}

/** The table of `pip list`, `-v`, `--outdated`; a line of dashes below its header. It ends at the first blank line. */
function columns(lines: readonly string[]): readonly Listed[] {
  let isInside = false;
  return lines.flatMap((line, index): readonly Listed[] => {
    if (/^-+ -+/.test(line) && /^Package +Version\b/.test(lines[index - 1] ?? '')) {
      isInside = true;
      return [];
    }
    const [, found, version] = isInside ? (row.exec(line) ?? []) : [];
    if (found === undefined || version === undefined) {
      isInside = false;
      return [];
    }
    return [{manager: 'pip', name: found, version}];
  });
}

const row = new RegExp(`^${name} +(\\S+)(?: |$)`);

function freezeLine(line: string): readonly Listed[] {
  const [, pinned, version] = frozen.exec(line) ?? [];
  if (pinned !== undefined && version !== undefined)
    return [{manager: 'pip', name: pinned, version}];
  const [, commit, egg] = editable.exec(line) ?? [];
  if (commit !== undefined && egg !== undefined)
    return [{manager: 'pip', name: egg, version: commit}];
  const [, direct, url] = fromUrl.exec(line) ?? [];
  if (direct === undefined || url === undefined) return [];
  return [{manager: 'pip', name: direct, version: versionOfUrl(url)}];
}

/** The commit of a repository, or the version in the name of a wheel; never the address, which may hold a password. */
function versionOfUrl(url: string): string {
  const commit = /@([0-9a-f]{7,40})(?:#|$)/.exec(url)?.[1];
  const wheel = /\/[^/-]+-(\d[^/-]*)-[^/]*\.whl(?:#|$)/.exec(url)?.[1];
  return commit ?? wheel ?? 'from a URL or a folder';
}

function legacyLine(line: string): readonly Listed[] {
  const [, found, version] = legacy.exec(line) ?? [];
  return found === undefined || version === undefined
    ? []
    : [{manager: 'pip', name: found, version}];
}
