import {docsUrl} from '../../util/text.ts';
import type {Findings} from './findings.ts';
import type {Entry, MapNode, SpecNode, TextNode} from './nodes.ts';

/** The keys of one mapping whose names are fixed, with the words for messages about them. */
export interface Fields {
  readonly findings: Findings;
  /** `image "a"` */
  readonly owner: string;
  readonly offset: number;
  /** Undefined when the key is missing or has no value. */
  get(name: string): Entry | undefined;
}

/** Keys of the scripts before 2023, and what does their work today. */
const oldKeys: ReadonlyMap<string, string> = new Map([
  ['dbuild_env', 'build_args, and build_args of a track in "plans"'],
  ['manifests', 'info_cmds with all_info_cmds'],
  ['skip_plans', '"skip" of the track in "plans"'],
  ['tag_prefix', '"prefix" below "tag", or below the track in "plans"'],
  ['tag_stable_postfix', 'nothing: the stable tag is always <prefix>-stable'],
]);

/** Keys without effect, which are accepted; the caller warns about them once. */
export type Ignored = {readonly name: string; readonly offset: number}[];

/** Checks the names of the keys. Undefined, with a mistake, when the node is not a mapping. */
export function readFields(
  request: {readonly findings: Findings; readonly ignored: Ignored; readonly owner: string},
  node: SpecNode,
  keys: readonly string[],
): Fields | undefined {
  const {findings, owner} = request;
  if (node.kind !== 'map') {
    findings.mistake(
      node.offset,
      `${owner} must contain keys (${keys.join(', ')}), not ${show(node)}.`,
    );
    return undefined;
  }
  for (const [name, {keyOffset}] of node.entries) {
    if (keys.includes(name)) continue;
    if (name.startsWith('x-') || name === 'basic_tests') {
      request.ignored.push({name, offset: keyOffset});
    } else findings.mistake(keyOffset, describeUnknown(request, name, keys));
  }
  return {findings, owner, offset: node.offset, get: (name) => present(node, name)};
}

function present(node: MapNode, name: string): Entry | undefined {
  const entry = node.entries.get(name);
  return entry === undefined || isEmpty(entry.value) ? undefined : entry;
}

function describeUnknown(
  {findings, owner}: {readonly findings: Findings; readonly owner: string},
  name: string,
  keys: readonly string[],
): string {
  const today = oldKeys.get(name);
  if (today !== undefined) {
    return `"${name}" in ${owner} is a key of the scripts before 2023. Today it is ${today}; see ${docsUrl('migrating')}`;
  }
  const suggestion = findings.suggest(name, keys) || ` Known keys: ${keys.join(', ')}.`;
  return `unknown key "${name}" in ${owner}.${suggestion}`;
}

/** A value that YAML calls null. */
export function isEmpty(node: SpecNode): boolean {
  return node.kind === 'text' && node.isPlain && /^(?:|~|null|Null|NULL)$/.test(node.text);
}

/** A value for a message: quoted and cut, or the word for its kind. */
export function show(node: SpecNode): string {
  if (node.kind === 'list') return 'a list';
  if (node.kind === 'map') return 'a mapping';
  if (isEmpty(node)) return 'nothing';
  const [line = ''] = node.text.split(/[\r\n]/);
  return `"${line.length > 60 ? `${line.slice(0, 60)}…` : line}"`;
}

export function readText(fields: Fields, name: string): TextNode | undefined {
  const value = fields.get(name)?.value;
  return value === undefined ? undefined : asText(fields, name, value);
}

/** The text of a value; a mistake when it is a list, a mapping or nothing. */
export function asText(fields: Fields, name: string, node: SpecNode): TextNode | undefined {
  if (node.kind === 'text' && node.text !== '' && !isEmpty(node)) return node;
  const {findings, owner} = fields;
  findings.mistake(node.offset, `${name} of ${owner} must be text, not ${show(node)}.`);
  return undefined;
}

/** A list of texts; one text alone counts as a list of one. */
export function readTexts(fields: Fields, name: string): readonly TextNode[] {
  const value = fields.get(name)?.value;
  if (value === undefined) return [];
  const items = value.kind === 'list' ? value.items : [value];
  return items.flatMap((item) => asText(fields, name, item) ?? []);
}

/** What YAML 1.1, which the Python scripts read, takes for a switch when it is not quoted. */
const switchWords: ReadonlyMap<string, boolean> = new Map(
  ['true', 'yes', 'on', 'false', 'no', 'off'].map((word, index) => [word, index < 3]),
);

export function readFlag(fields: Fields, name: string, fallback: boolean): boolean {
  const value = fields.get(name)?.value;
  if (value === undefined) return fallback;
  const found =
    value.kind === 'text' && value.isPlain ? switchWords.get(value.text.toLowerCase()) : undefined;
  if (found !== undefined) return found;
  const hint =
    value.kind === 'text' && /\s(?:--|#|\/\/)/.test(value.text)
      ? ' A comment begins with " #".'
      : '';
  fields.findings.mistake(
    value.offset,
    `${name} of ${fields.owner} is ${show(value)}. Write true or false, without quotes.${hint}`,
  );
  return fallback;
}

/** The keys of a mapping whose names the user chooses; empty when the key is missing. */
export function readEntries(fields: Fields, name: string): ReadonlyMap<string, Entry> {
  const value = fields.get(name)?.value;
  if (value === undefined) return new Map();
  if (value.kind === 'map') return value.entries;
  const message = `${name} of ${fields.owner} must be a mapping (KEY: value), not ${show(value)}.`;
  fields.findings.mistake(value.offset, message);
  return new Map();
}
