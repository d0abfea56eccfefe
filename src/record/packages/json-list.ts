import type {Listed, Output} from './output.ts';

/** `pip list --format=json`, `pip inspect`, `conda list --json`, and R's tables as jsonlite writes them. */
export function readJsonList({text, lines}: Output): readonly Listed[] {
  if (!/[[{]/.test(text)) return [];
  // Tools print notices around it; the list itself is then one line.
  const whole = parse(text);
  const values = whole === undefined ? lines.filter(isJsonLine).map(parse) : [whole];
  return values.flatMap((value) => entriesOf(value).flatMap(entry));
}

function isJsonLine(line: string): boolean {
  return /^[[{]/.test(line);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function entriesOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  const {installed, packages} = fieldsOf(value);
  if (Array.isArray(installed)) return installed.map((one) => fieldsOf(one)['metadata']);
  return Array.isArray(packages) ? packages : [];
}

function entry(value: unknown): readonly Listed[] {
  const {name, version, Package, Version, channel, build_string, dist_name} = fieldsOf(value);
  if (isWord(Package) && isWord(Version)) return [{manager: 'r', name: Package, version: Version}];
  if (!isWord(name) || !isWord(version)) return [];
  const isConda = build_string !== undefined || dist_name !== undefined || channel !== undefined;
  const isPip = !isConda || channel === 'pypi' || build_string === 'pypi_0';
  return [{manager: isPip ? 'pip' : 'conda', name, version}];
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? {...value} : {};
}

function isWord(value: unknown): value is string {
  return typeof value === 'string' && /^\S{1,200}$/.test(value);
}
