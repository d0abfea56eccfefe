import {dirname, join, normalize} from 'node:path/posix';
import type {Declaration} from '../types.ts';
import {type Block, type Expression, readBlocks} from './hcl.ts';
import {
  evaluate,
  isMap,
  isText,
  type Scope,
  scalarText,
  textsOf,
  type Value,
  type ValueMap,
} from './values.ts';

/**
 * Reads what docker-bake files declare.
 * Enters: the text of one file, HCL or JSON, and its path.
 * Leaves: a declaration for each target that has a Dockerfile of the repository.
 * Not here: overrides by the environment and by other files; what cannot be evaluated is left out, never guessed.
 */
export function readBake(
  path: string,
  text: string,
  exists: (path: string) => boolean,
): readonly Declaration[] {
  const blocks = path.endsWith('.json') ? readJson(text) : readBlocks(text);
  const scope = scopeOf(blocks);
  const targets = new Map<string, Target>();
  for (const block of blocks.filter(({kind}) => kind === 'target')) {
    for (const target of expandMatrix(block, scope)) targets.set(target.name, target);
  }
  return [...targets.values()].flatMap((target) => declare({path, exists}, target, targets));
}

interface Target {
  readonly name: string;
  /** The block it came from: what `target:` and `inherits` may name as well. */
  readonly line: number;
  readonly fields: ReadonlyMap<string, Value>;
}

function scopeOf(blocks: readonly Block[]): Scope {
  const functions = new Map(
    blocks.filter(({kind}) => kind === 'function').map((block) => [block.label, block]),
  );
  const names = new Map<string, Value>();
  // A default may use a variable that stands before it.
  for (const {kind, label, fields} of blocks) {
    if (kind === 'variable') names.set(label, evaluate(fields.get('default'), {names, functions}));
  }
  return {names, functions};
}

const mostTargets = 500;

/** `matrix = {x = ["a", "b"]}` makes a target of each combination, with `name` to tell them apart. */
function expandMatrix(block: Block, scope: Scope): readonly Target[] {
  const matrix = evaluate(block.fields.get('matrix'), scope);
  const evaluated = (names: ReadonlyMap<string, Value>): Target => {
    const inner = {...scope, names: new Map([...scope.names, ...names])};
    const fields = new Map([...block.fields].map(([key, one]) => [key, evaluate(one, inner)]));
    const name = fields.get('name');
    return {name: isText(name) ? name : block.label, line: block.line, fields};
  };
  if (!isMap(matrix)) return [evaluated(new Map())];
  let combinations: readonly ReadonlyMap<string, Value>[] = [new Map()];
  for (const [name, values] of Object.entries(matrix)) {
    const list = Array.isArray(values) ? values : [];
    combinations = combinations
      .flatMap((one) => list.map((value) => new Map([...one, [name, value]])))
      .slice(0, mostTargets);
  }
  return combinations.map(evaluated);
}

/** `inherits`: later ones win over earlier ones, own fields over all; maps are merged. */
function inherited(
  target: Target,
  targets: ReadonlyMap<string, Target>,
  seen: readonly string[] = [],
): ReadonlyMap<string, Value> {
  const fields = new Map<string, Value>();
  const add = (from: ReadonlyMap<string, Value>): void => {
    for (const [key, value] of from) {
      const before = fields.get(key);
      const merged = isMap(before) && isMap(value) ? {...before, ...value} : value;
      // What is not known must not hide what is, but a name that is not known may not become another one.
      fields.set(key, merged);
    }
  };
  for (const name of textsOf(target.fields.get('inherits'))) {
    const parent = targets.get(name);
    if (parent === undefined || seen.includes(name)) continue;
    add(inherited(parent, targets, [...seen, target.name]));
  }
  add(target.fields);
  return fields;
}

interface Source {
  readonly path: string;
  readonly exists: (path: string) => boolean;
}

function declare(
  {path, exists}: Source,
  target: Target,
  targets: ReadonlyMap<string, Target>,
): readonly Declaration[] {
  const fields = inherited(target, targets);
  // A target without any of these is a set of fields for others to inherit.
  if (!['dockerfile', 'context', 'target', 'tags'].some((key) => target.fields.has(key))) return [];
  if (
    fields.has('dockerfile-inline') ||
    ['dockerfile', 'context'].some((key) => isUnknown(fields, key))
  )
    return [];
  const given = fields.get('context') ?? '.';
  if (!isText(given) || /^(?:[a-z+]+:\/\/|git@|target:|-$)/.test(given)) return [];
  const file = scalarText(fields.get('dockerfile')) ?? 'Dockerfile';
  // Bake takes paths from where it is called: mostly the top of the repository, else the folder of its file.
  const context = ['.', dirname(path)]
    .map((folder) => normalize(join(folder, given)))
    .find((folder) => exists(normalize(join(folder, file))));
  if (context === undefined) return [];
  const dockerfile = normalize(join(context, file));
  const stage = fields.get('target');
  return [
    {
      source: 'bake',
      place: `${path}:${target.line}`,
      name: target.name,
      context: context.replace(/(?<=.)\/$/, ''),
      dockerfile,
      target: isText(stage) && stage !== '' ? stage : undefined,
      args: argsOf(fields.get('args')),
      tags: textsOf(fields.get('tags')),
      platforms: textsOf(fields.get('platforms')),
      contexts: contextsOf(fields.get('contexts')),
    },
  ];
}

const isUnknown = (fields: ReadonlyMap<string, Value>, key: string): boolean =>
  fields.has(key) && fields.get(key) === undefined;

function argsOf(value: Value): ReadonlyMap<string, string> {
  const entries = Object.entries(isMap(value) ? value : {}).flatMap(([name, one]) => {
    const text = scalarText(one);
    return text === undefined ? [] : [[name, text] as const];
  });
  return new Map(entries);
}

function contextsOf(value: Value): ReadonlyMap<string, string> {
  const entries = Object.entries(isMap(value) ? value : {}).flatMap(([name, one]) =>
    isText(one) && one.startsWith('target:') ? [[name, one.slice('target:'.length)] as const] : [],
  );
  return new Map(entries);
}

/** The JSON form: `{"target": {"x": {…}}, "variable": {…}}`. */
function readJson(text: string): readonly Block[] {
  const top = parseJson(text);
  if (!isMap(top)) return [];
  return ['variable', 'target'].flatMap((kind) => {
    const blocks = top[kind];
    if (!isMap(blocks)) return [];
    return Object.entries(blocks).map(([label, fields]) => ({
      kind,
      label,
      line: lineOf(text, label),
      fields: new Map(
        Object.entries(isMap(fields) ? fields : {}).map(([key, value]) => [key, literal(value)]),
      ),
    }));
  });
}

function lineOf(text: string, label: string): number {
  const at = text.indexOf(`"${label}": {`);
  return text.slice(0, Math.max(at, 0)).split('\n').length;
}

/** Texts of JSON are templates as well: `"${TAG}"`. */
function literal(value: Value): Expression {
  if (Array.isArray(value)) return {kind: 'list', items: value.map(literal)};
  if (isMap(value))
    return {
      kind: 'map',
      entries: Object.entries(value).map(([key, one]) => [{kind: 'text', text: key}, literal(one)]),
    };
  if (!isText(value)) return {kind: 'literal', value: value as boolean | number | undefined};
  if (!value.includes('${')) return {kind: 'text', text: value};
  const [block] = readBlocks(`t "t" {\nv = ${JSON.stringify(value)}\n}`);
  return block?.fields.get('v') ?? {kind: 'unknown'};
}

function parseJson(text: string): ValueMap | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return toValue(value) as ValueMap | undefined;
  } catch {
    return undefined;
  }
}

function toValue(value: unknown): Value {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return value;
  if (Array.isArray(value)) return value.map(toValue);
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, toValue(one)]));
}
