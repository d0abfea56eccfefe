import type {Listed, Output} from './output.ts';

const debianName = '[a-z0-9][a-z0-9+.-]*';

const architecture =
  '(?:all|amd64|arm64|armel|armhf|i386|loong64|mips64el|mipsel|ppc64el|riscv64|s390x)';

/** `ii  bash  5.2.15-2+b8  amd64  …`: `dpkg -l`; the second letter is the state, `i` is installed. */
const dpkgRow = new RegExp(
  `^[uihrp]i[ R]?\\s+(${debianName})(?::[a-z0-9]+)?\\s+(\\S+)\\s+${architecture}(?:\\s|$)`,
);

/** `bash/stable,now 5.2.15-2+b8 amd64 [installed]`: `apt list`; what is not installed has no brackets. */
const aptRow = new RegExp(`^(${debianName})/\\S+ (\\S+) [a-z0-9-]+ \\[(.+)\\]$`);

/** `dpkg -l`, `apt list --installed`, `apt list --upgradable`. */
export function readApt({lines}: Output): readonly Listed[] {
  return lines.flatMap((line): readonly Listed[] => {
    const [, name, version] = dpkgRow.exec(line) ?? [];
    if (name !== undefined && version !== undefined) return [{manager: 'apt', name, version}];
    const found = aptRow.exec(line);
    const [, aptName, listed, state = ''] = found ?? [];
    const installed = /^upgradable from: (\S+)$/.exec(state)?.[1] ?? listed;
    const isInstalled = /^(?:installed|upgradable from)/.test(state);
    if (aptName === undefined || installed === undefined || !isInstalled) return [];
    return [{manager: 'apt', name: aptName, version: installed}];
  });
}

/** `bash<tab>5.2.15-2+b8` on every line: `dpkg-query -W`; a package without a version is not installed. */
export function readDpkgQuery({lines, hint}: Output): readonly Listed[] {
  if (hint !== undefined && hint !== 'apt') return [];
  const filled = lines.filter((line) => line !== '');
  const row = new RegExp(`^(${debianName})(?::[a-z0-9]+)?(?:\\t(\\d\\S*))?$`);
  const rows = filled.flatMap((line): readonly (Listed | undefined)[] => {
    const found = row.exec(line);
    const [, name, version] = found ?? [];
    if (name === undefined) return [];
    return [version === undefined ? undefined : {manager: 'apt', name, version}];
  });
  return rows.length === filled.length ? rows.filter((one) => one !== undefined) : [];
}
