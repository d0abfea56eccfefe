import {fail, ok, type Result} from '../../failure.ts';
import type {Expansion} from './expand.ts';

export type MountType = 'bind' | 'cache' | 'tmpfs' | 'secret' | 'ssh';

/** A `--mount` of RUN once its variables are known. */
export interface Mount {
  readonly type: MountType;
  readonly from: string;
  readonly source: string;
  readonly target: string;
}

const types: readonly string[] = ['bind', 'cache', 'tmpfs', 'secret', 'ssh'];

/** The `from` of a mount, which Docker reads before any variable has a value; empty when there is none. */
export function readMountFrom(text: string): Result<string, string> {
  const fields = readCsv(text);
  if (!fields.ok) return fields;
  let from = '';
  for (const field of fields.value) {
    const {key, value} = cut(field);
    if (key !== 'from' || value === undefined) continue;
    const dollar = value.indexOf('$');
    if (dollar >= 0 && dollar !== value.length - 1) {
      return fail(
        `Docker expands no variables in "from" of RUN --mount. Write "FROM ${value} AS tools" before this stage, then "RUN --mount=from=tools,…".`,
      );
    }
    from = value;
  }
  return ok(from);
}

/** The whole mount; `isMissingValue` when what is wrong may be right with the values of a base image. */
export function readMount(
  text: string,
  expand: (word: string) => Expansion,
): Result<Mount, string> {
  const fields = readCsv(text);
  if (!fields.ok) return fields;
  const known = new Map<string, string>();
  let type = 'bind';
  for (const field of fields.value) {
    const {key, value} = cut(field);
    if (value === undefined) {
      if (['readonly', 'ro', 'readwrite', 'rw'].includes(key)) continue;
      if (key === 'required' && ['secret', 'ssh'].includes(type)) continue;
      return fail(`"${field}" of --mount must be written ${field}=value.`);
    }
    const expanded = expand(value);
    if (!expanded.ok) return fail(`${key} of --mount: ${expanded.message}.`);
    const problem = checkField(key, expanded.text, type);
    if (problem !== undefined) return fail(problem);
    if (key === 'type') type = expanded.text.toLowerCase();
    known.set(canonicalKeys[key] ?? key, expanded.text);
  }
  const problem = checkMount(type, known);
  if (problem !== undefined) return fail(problem);
  return ok({
    type: isType(type) ? type : 'bind',
    from: known.get('from') ?? '',
    source: known.get('source') ?? '',
    target: known.get('target') ?? '',
  });
}

const canonicalKeys: Readonly<Record<string, string>> = {
  src: 'source',
  dst: 'target',
  destination: 'target',
};

const isType = (text: string): text is MountType => types.includes(text);
/** What Go's ParseBool takes. */
const booleanPattern = /^(?:1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$/;

function checkField(key: string, value: string, type: string): string | undefined {
  const bad = `"${value}" is not a valid value for ${key} of --mount.`;
  switch (key) {
    case 'type':
      return isType(value.toLowerCase())
        ? undefined
        : `"${value}" is not a mount type. Types: ${types.join(', ')}.`;
    case 'from':
    case 'source':
    case 'src':
    case 'target':
    case 'dst':
    case 'destination':
    case 'id':
    case 'env':
      return undefined;
    case 'readonly':
    case 'ro':
    case 'readwrite':
    case 'rw':
      return booleanPattern.test(value) ? undefined : bad;
    case 'required':
      if (!['secret', 'ssh'].includes(type)) return `a ${type} mount has no "required".`;
      return booleanPattern.test(value) ? undefined : bad;
    case 'size':
      if (type !== 'tmpfs') return `a ${type} mount has no "size".`;
      return /^\d+(?:\.\d+)? ?(?:[kmgtp]i?)?b?$/i.test(value) ? undefined : bad;
    case 'sharing':
      return ['shared', 'private', 'locked'].includes(value.toLowerCase()) ? undefined : bad;
    case 'mode':
      return /^[0-7]{1,11}$/.test(value) ? undefined : bad;
    case 'uid':
    case 'gid':
      return /^\d{1,10}$/.test(value) ? undefined : bad;
    default:
      return `unknown option "${key}" of --mount.`;
  }
}

function checkMount(type: string, known: ReadonlyMap<string, string>): string | undefined {
  const has = (key: string): boolean => (known.get(key) ?? '') !== '';
  if (type === 'bind' || type === 'tmpfs') {
    const owner = ['mode', 'uid', 'gid'].find((key) => known.has(key));
    if (owner !== undefined) return `a ${type} mount has no "${owner}".`;
  }
  if (type === 'secret') {
    if (has('from')) return 'a secret mount has no "from".';
    if (!has('source') && !has('target') && !has('id')) return 'a secret mount needs an "id".';
    if (has('source') && has('id')) return 'a secret mount has "id" or "source", not both.';
  }
  if (has('sharing') && type !== 'cache') return `a ${type} mount has no "sharing".`;
  return undefined;
}

function cut(field: string): {readonly key: string; readonly value: string | undefined} {
  const equals = field.indexOf('=');
  if (equals < 0) return {key: field.toLowerCase(), value: undefined};
  return {key: field.slice(0, equals).toLowerCase(), value: field.slice(equals + 1)};
}

/** One line of comma separated values; a field may be in double quotes. */
export function readCsv(text: string): Result<readonly string[], string> {
  const line = text.replace(/\r?\n$/, '');
  const fields: string[] = [];
  let at = 0;
  if (line === '') return fail('an empty --mount.');
  while (at <= line.length) {
    if (line.charAt(at) !== '"') {
      const comma = line.indexOf(',', at);
      const end = comma < 0 ? line.length : comma;
      const field = line.slice(at, end);
      if (field.includes('"')) return fail(`a quote inside "${field}" of --mount.`);
      fields.push(field);
      at = end + 1;
      continue;
    }
    const match = /^"((?:[^"]|"")*)"(?=,|$)/.exec(line.slice(at));
    if (match === null) return fail('a quote in --mount is not closed.');
    fields.push((match[1] ?? '').replaceAll('""', '"'));
    at += match[0].length + 1;
  }
  return ok(fields);
}
