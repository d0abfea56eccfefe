import {
  Composer,
  type CST,
  type Document,
  type DocumentOptions,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Pair,
  type ParseOptions,
  Parser,
  type SchemaOptions,
} from 'yaml';

/** A YAML file of others as plain data; nothing of it is trusted to have any shape. */
export interface LooseFile {
  readonly value: unknown;
  /** Line of the first place that has this text, counted from 1. */
  lineOf(text: string): number;
  /** Line of what stands at these keys, or of what is next above it. */
  lineAt(...keys: readonly (string | number)[]): number;
  /** Line of the last of these keys itself. */
  lineOfKey(...keys: readonly (string | number)[]): number;
}

/** Undefined for what is no YAML, or more than one document. */
export function readLoose(text: string): LooseFile | undefined {
  try {
    const lines = new LineCounter();
    // Looking for keys that stand twice compares every key with every other.
    const options = {logLevel: 'silent', merge: true, uniqueKeys: false} as const;
    const documents = composeBounded(text, {lineCounter: lines, maxErrors: 1, options});
    let found: Document.Parsed | undefined;
    for (const one of documents) {
      if (found !== undefined || one.errors.length > 0) return undefined;
      found = one;
    }
    if (found === undefined) return undefined;
    const document = found;
    const value: unknown = document.toJS({maxAliasCount: 1000});
    const pairs = new Map<unknown, ReadonlyMap<string, Pair>>();
    const pairOf = (node: unknown, key: string | number): Pair | undefined => {
      const map = isAlias(node) ? node.resolve(document) : node;
      if (!isMap(map)) return undefined;
      const known = pairs.get(map) ?? indexed(map.items);
      pairs.set(map, known);
      return known.get(String(key));
    };
    const nodeAt = (keys: readonly (string | number)[]): unknown =>
      keys.reduce<unknown>((node, key) => {
        const list = isAlias(node) ? node.resolve(document) : node;
        return isSeq(list) ? list.items[Number(key)] : pairOf(list, key)?.value;
      }, document.contents);
    const lineOfNode = (node: unknown): number | undefined =>
      isNode(node) && node.range ? Math.max(lines.linePos(node.range[0]).line, 1) : undefined;
    const lineAt = (...keys: readonly (string | number)[]): number =>
      lineOfNode(nodeAt(keys)) ?? (keys.length === 0 ? 1 : lineAt(...keys.slice(0, -1)));
    return {
      value,
      lineOf: (part) => Math.max(lines.linePos(Math.max(text.indexOf(part), 0)).line, 1),
      lineAt,
      lineOfKey: (...keys) => {
        const above = keys.slice(0, -1);
        return lineOfNode(pairOf(nodeAt(above), keys.at(-1) ?? '')?.key) ?? lineAt(...above);
      },
    };
  } catch {
    return undefined;
  }
}

function indexed(pairs: readonly Pair[]): ReadonlyMap<string, Pair> {
  return new Map(
    pairs.map((pair) => [isScalar(pair.key) ? String(pair.key.value) : '', pair] as const),
  );
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What stands below these keys. */
export function below(value: unknown, ...keys: readonly string[]): unknown {
  return keys.reduce<unknown>(
    (found, key) => (isRecord(found) && Object.hasOwn(found, key) ? found[key] : undefined),
    value,
  );
}

export function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  return isRecord(value) ? Object.entries(value) : [];
}

/** A scalar as text; undefined for everything else. */
export function wordOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

/** `{A: b}` or `[A=b]`, as compose writes maps. */
export function pairsOf(value: unknown): ReadonlyMap<string, string> {
  const pairs = Array.isArray(value)
    ? value.flatMap((item) => {
        const [, name, text] = /^([^=]+)=([\s\S]*)$/.exec(wordOf(item) ?? '') ?? [];
        return name === undefined || text === undefined ? [] : [[name, text] as const];
      })
    : entriesOf(value).flatMap(([name, item]) => {
        const text = wordOf(item);
        return text === undefined ? [] : [[name, text] as const];
      });
  return new Map(pairs);
}

/** A mistake of YAML itself. */
export interface BadSyntax {
  readonly offset: number;
  readonly code: string;
  readonly message: string;
}

export class TooManyErrors extends Error {
  readonly errors: readonly BadSyntax[];
  constructor(errors: readonly BadSyntax[]) {
    super('too many syntax errors');
    this.errors = errors;
  }
}

export interface BoundedOptions {
  readonly lineCounter: LineCounter;
  readonly maxErrors: number;
  readonly options: ParseOptions & DocumentOptions & SchemaOptions;
}

/**
 * The documents of a text, up to so many errors. A broken file has an error for every character, and the library makes
 * an Error with its stack for each: 20 s for a megabyte of commas or brackets.
 * @throws {TooManyErrors} with those that were seen
 */
export function composeBounded(text: string, bounds: BoundedOptions): Iterable<Document.Parsed> {
  const {lineCounter, maxErrors, options} = bounds;
  const composer = new Composer({...options, prettyErrors: false, lineCounter});
  boundErrors(composer, maxErrors);
  return composer.compose(parseBounded(text, bounds), true, text.length);
}

/** Levels of the parser; its own limit comes after the whole text was read. */
const deepest = 500;

/** What the parser finds goes past the composer's handler: there the text ends early. */
function* parseBounded(
  text: string,
  {lineCounter, maxErrors}: BoundedOptions,
): Iterable<CST.Token> {
  const parser = new Parser(lineCounter.addNewLine);
  lineCounter.addNewLine(0);
  let errors = 0;
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) {
      yield token;
      if (token.type === 'error') errors++;
      if (errors >= maxErrors) return;
    }
    if (parser.stack.length > deepest) throw new TooManyErrors([tooDeep(parser.offset)]);
  }
  yield* parser.end();
}

function tooDeep(offset: number): BadSyntax {
  return {offset, code: 'RESOURCE_EXHAUSTION', message: 'nested too deeply'};
}

/** The library has no public limit, so its handler is wrapped. */
function boundErrors(composer: Composer, most: number): void {
  const errors: BadSyntax[] = [];
  let isStopped = false;
  const report: ReportError = composer['onError'];
  const bounded: ReportError = (source, code, message, isWarning) => {
    // The library catches what is thrown below a collection, and reports it here as the next error.
    if (isStopped) throw new TooManyErrors(errors);
    report(source, code, message, isWarning);
    if (isWarning) return;
    errors.push({offset: offsetOfError(source), code, message});
    isStopped = errors.length >= most || code === 'RESOURCE_EXHAUSTION';
    if (isStopped) throw new TooManyErrors(errors);
  };
  composer['onError'] = bounded;
}

type Source = number | readonly number[] | {readonly offset: number};
type ReportError = (source: Source, code: string, message: string, isWarning?: boolean) => void;

function offsetOfError(source: Source): number {
  if (typeof source === 'number') return source;
  return 'offset' in source ? source.offset : (source[0] ?? 0);
}
