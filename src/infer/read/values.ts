import type {Block, Expression} from './hcl.ts';

/** What an expression comes to; undefined where it is not known, and null of HCL is not known either. */
export type Value = string | number | boolean | readonly Value[] | ValueMap | undefined;
export interface ValueMap {
  readonly [key: string]: Value;
}

export interface Scope {
  readonly names: ReadonlyMap<string, Value>;
  readonly functions: ReadonlyMap<string, Block>;
}

const deepest = 40;

/** Evaluates with what is known. A text with an unknown part is unknown as a whole: half a name is a wrong name. */
export function evaluate(expression: Expression | undefined, scope: Scope, depth = 0): Value {
  if (expression === undefined || depth > deepest) return undefined;
  const value = (one: Expression): Value => evaluate(one, scope, depth + 1);
  switch (expression.kind) {
    case 'text':
      return expression.text;
    case 'literal':
      return expression.value;
    case 'name':
      return scope.names.get(expression.name);
    case 'join':
      return joined(expression.parts.map(value));
    case 'list':
      return expression.items.map(value);
    case 'map':
      return mapOf(expression.entries.map(([key, one]) => [value(key), value(one)]));
    case 'field':
      return fieldOf(value(expression.of), value(expression.key));
    case 'not': {
      const inner = truth(value(expression.of));
      return inner === undefined ? undefined : !inner;
    }
    case 'choose': {
      const [condition, yes, no] = expression.parts;
      const is = truth(value(condition));
      return is === undefined ? undefined : value(is ? yes : no);
    }
    case 'compare':
      return compared(expression.sign, value(expression.sides[0]), value(expression.sides[1]));
    case 'call':
      return called(expression.name, expression.args.map(value), scope, depth);
    case 'unknown':
      return undefined;
  }
}

export function isMap(value: Value): value is ValueMap {
  return typeof value === 'object' && !Array.isArray(value);
}

export function isText(value: Value): value is string {
  return typeof value === 'string';
}

/** The words of a list, without those that are not known. */
export function textsOf(value: Value): readonly string[] {
  if (isText(value)) return [value];
  return Array.isArray(value) ? value.filter(isText) : [];
}

/** A scalar as docker would get it. */
export function scalarText(value: Value): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

function joined(parts: readonly Value[]): Value {
  const texts = parts.map(scalarText);
  return texts.includes(undefined) ? undefined : texts.join('');
}

function mapOf(entries: readonly (readonly [Value, Value])[]): Value {
  return Object.fromEntries(
    entries.flatMap(([key, value]) => (isText(key) && key !== '__proto__' ? [[key, value]] : [])),
  );
}

function fieldOf(of: Value, key: Value): Value {
  if (Array.isArray(of)) return of[Number(key)];
  if (!isMap(of) || !isText(key) || !Object.hasOwn(of, key)) return undefined;
  return of[key];
}

function truth(value: Value): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (value === 'true' || value === 'false') return value === 'true';
  return undefined;
}

function compared(sign: string, left: Value, right: Value): Value {
  if (sign === '&&' || sign === '||') {
    const [one, other] = [truth(left), truth(right)];
    if (one === undefined || other === undefined) return undefined;
    return sign === '&&' ? one && other : one || other;
  }
  const [one, other] = [scalarText(left), scalarText(right)];
  if (one === undefined || other === undefined) return undefined;
  if (sign === '==') return one === other;
  if (sign === '!=') return one !== other;
  if (sign === '+' && typeof left === 'number' && typeof right === 'number') return left + right;
  return undefined;
}

function called(name: string, args: readonly Value[], scope: Scope, depth: number): Value {
  const own = scope.functions.get(name);
  if (own !== undefined) {
    const params = own.fields.get('params');
    const names = params?.kind === 'list' ? params.items : [];
    const given = names.flatMap((one, index) =>
      one.kind === 'name' ? [[one.name, args[index]] as const] : [],
    );
    const inner = {...scope, names: new Map([...scope.names, ...given])};
    return evaluate(own.fields.get('result'), inner, depth + 1);
  }
  const texts = args.map(scalarText);
  const [first, second, third] = texts;
  switch (name) {
    case 'lower':
      return first?.toLowerCase();
    case 'upper':
      return first?.toUpperCase();
    case 'trimspace':
      return first?.trim();
    case 'replace':
      if (first === undefined || second === undefined || third === undefined) return undefined;
      return first.replaceAll(second, third);
    case 'equal':
      return compared('==', args[0], args[1]);
    case 'notequal':
      return compared('!=', args[0], args[1]);
    case 'and':
      return compared('&&', args[0], args[1]);
    case 'or':
      return compared('||', args[0], args[1]);
    case 'concat':
      return args.every((one) => Array.isArray(one))
        ? args.flatMap((one) => one as Value)
        : undefined;
    case 'join': {
      const items = Array.isArray(args[1]) ? args[1].map(scalarText) : [undefined];
      return first === undefined || items.includes(undefined) ? undefined : items.join(first);
    }
    case 'format': {
      let at = 0;
      if (texts.includes(undefined)) return undefined;
      return first?.replace(/%[sdv]/g, () => texts[++at] ?? '');
    }
    case 'compact':
      return Array.isArray(args[0]) ? args[0].filter((one) => one !== '') : undefined;
    default:
      return undefined;
  }
}
