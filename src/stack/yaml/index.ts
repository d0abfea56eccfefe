import {
  Composer,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  Parser,
  type YAMLMap,
} from 'yaml';
import {collectFindings, type Findings} from './findings.ts';

export type {Fields, Ignored} from './fields.ts';
export {
  asText,
  isEmpty,
  readEntries,
  readFields,
  readFlag,
  readText,
  readTexts,
  show,
} from './fields.ts';
export type {Findings, Position} from './findings.ts';
export {SpecError} from './findings.ts';

/** A parsed file: its nodes, and the collector of what is wrong with it. */
export interface YamlFile {
  /** Undefined for a file with nothing in it. */
  readonly root: SpecNode | undefined;
  readonly findings: Findings;
}

/**
 * YAML with places, so that every mistake of a user's file has its line.
 * Enters: the text of one file and its name.
 * Leaves: nodes with their offsets, and the collector of findings; helpers that read fixed keys of a mapping.
 * Not here: what the keys mean (stack/spec/).
 * Reads one document. Scalars keep the digits of the source (`3.10`), anchors
 * and `<<` are resolved, duplicate keys and foreign tags are findings.
 * @throws {SpecError} for bad syntax, several documents, and what expands or nests too far
 */
export function readYaml(file: string, source: string): YamlFile {
  const text = source.replace(/^\uFEFF/, '');
  const lines = new LineCounter();
  const findings = collectFindings(file, (offset) => {
    const {line, col} = lines.linePos(Math.min(offset, text.length));
    return {line: Math.max(line, 1), column: Math.max(col, 1)};
  });
  const document = composeDocument(text, lines, findings);
  findings.throwMistakes();
  const contents = document?.contents;
  return {root: contents ? convertNodes(contents, findings) : undefined, findings};
}

function composeDocument(
  text: string,
  lineCounter: LineCounter,
  findings: Findings,
): Document.Parsed | undefined {
  // Every scalar stays text (failsafe): its key decides what it means. Duplicate keys are found by
  // convertNodes, because the library compares every key with every other.
  const options = {schema: 'failsafe', uniqueKeys: false, prettyErrors: false} as const;
  const composer = new Composer({...options, lineCounter});
  boundErrors(composer);
  let found: Document.Parsed | undefined;
  const tokens = new Parser(lineCounter.addNewLine).parse(text);
  try {
    for (const document of composer.compose(tokens, true, text.length)) {
      for (const {pos, code, message} of document.errors) {
        findings.mistake(pos[0], explain(code, message));
      }
      if (found !== undefined) {
        findings.mistake(
          document.range[0],
          'a second document begins here. Keep one, without "---".',
        );
        break;
      }
      found = document;
    }
  } catch (error) {
    if (!(error instanceof TooManyErrors)) throw error;
    for (const {offset, message} of error.errors) findings.mistake(offset, message);
  }
  return found;
}

interface BadSyntax {
  readonly offset: number;
  readonly message: string;
}

class TooManyErrors extends Error {
  readonly errors: readonly BadSyntax[];
  constructor(errors: readonly BadSyntax[]) {
    super('too many syntax errors');
    this.errors = errors;
  }
}

const maxErrors = 20;

/**
 * Ends composing at the 20th error. A broken file has an error for every character, and the library makes an Error
 * with its stack for each: 10 s for a megabyte of commas. It has no public limit, so its handler is wrapped.
 */
function boundErrors(composer: Composer): void {
  const errors: BadSyntax[] = [];
  let isStopped = false;
  const report: ReportError = composer['onError'];
  const bounded: ReportError = (source, code, message, isWarning) => {
    // The library catches what is thrown below a collection, and reports it here as the next error.
    if (isStopped) throw new TooManyErrors(errors);
    report(source, code, message, isWarning);
    if (isWarning) return;
    errors.push({offset: offsetOfError(source), message: explain(code, message)});
    isStopped = errors.length >= maxErrors || code === 'RESOURCE_EXHAUSTION';
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

const unquoted =
  'a value without quotes cannot contain ": ". Quote the whole value; a command with quotes of its own goes in single quotes: \'bash -c "echo a: b"\'.';

/** What the library says, with the fix where the usual cause is known. */
function explain(code: string, message: string): string {
  if (/^(?:Nested mappings|Block collections) are not allowed/.test(message)) return unquoted;
  if (message.startsWith('Implicit keys need')) {
    return 'a key and its value belong on one line, as "key: value" with a blank after the colon.';
  }
  if (message.startsWith('Plain value cannot start with')) {
    return `a value without quotes cannot begin with ${message.at(-1)}. Quote it.`;
  }
  if (message.startsWith('Unexpected scalar at node end')) {
    return 'text follows a value that is complete. Quote the whole value.';
  }
  if (code === 'BAD_INDENT' && message.startsWith('All ')) {
    return 'inconsistent indentation: this key does not line up with any key above it.';
  }
  const fix: Readonly<Record<string, string>> = {
    TAB_AS_INDENT: 'tab used for indentation; YAML requires spaces.',
    RESOURCE_EXHAUSTION: 'nested too deeply. A spec needs no more than six levels.',
    MULTIPLE_DOCS: 'a second document begins here. Keep one, without "---".',
  };
  return fix[code] ?? `bad YAML: ${message}.`.replace(/\.\.$/, '.');
}

/** The content of a YAML file as readonly data; nodes behind an anchor are shared and never change. */
export type SpecNode = TextNode | ListNode | MapNode;

export interface TextNode extends NodeBase {
  readonly kind: 'text';
  /** As written: `3.10` keeps its zero, `no` is the word. */
  readonly text: string;
  /** Written without quotes, so that `true` is a switch and nothing is empty. */
  readonly isPlain: boolean;
}

export interface ListNode extends NodeBase {
  readonly kind: 'list';
  readonly items: readonly SpecNode[];
}

export interface MapNode extends NodeBase {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, Entry>;
}

interface NodeBase {
  readonly offset: number;
  /** Nodes in it, those behind aliases counted every time. */
  readonly size: number;
}

export interface Entry {
  readonly keyOffset: number;
  readonly value: SpecNode;
}

interface Context {
  readonly findings: Findings;
  readonly anchors: Map<string, SpecNode>;
  readonly expanded: {nodes: number};
}

const maxDepth = 50;
/** Enough for 10 000 images that share an anchor of a hundred nodes; a bomb has billions. */
const maxExpandedNodes = 1_000_000;
const knownTags = /^(?:!|tag:yaml\.org,2002:(?:str|int|float|bool|null|map|seq|merge))$/;

/** @throws {SpecError} when the nodes nest or expand too far; lesser mistakes are findings */
export function convertNodes(root: Node, findings: Findings): SpecNode {
  return convert({findings, anchors: new Map(), expanded: {nodes: 0}}, root, {depth: 0, offset: 0});
}

/** The place of a node; `offset` serves one that has no characters of its own. */
interface Place {
  readonly depth: number;
  readonly offset: number;
}

function convert(context: Context, node: unknown, place: Place): SpecNode {
  const offset = offsetOf(node) ?? place.offset;
  if (place.depth > maxDepth) refuse(context, offset, `nested more than ${maxDepth} levels deep.`);
  if (isAlias(node)) return resolveAlias(context, node.source, offset);
  if (!isScalar(node) && !isSeq(node) && !isMap(node)) return emptyText(offset);
  if (node.tag !== undefined && !knownTags.test(node.tag)) {
    const tag = node.tag.replace(/^tag:yaml\.org,2002:/, '!!');
    context.findings.mistake(offset, `unsupported YAML tag ${tag}. Remove it.`);
  }
  const inside = {depth: place.depth + 1, offset};
  const converted = isScalar(node)
    ? convertText(context, node, offset)
    : isSeq(node)
      ? convertList(context, node.items, inside)
      : convertMap(context, node, inside);
  if (node.anchor !== undefined) context.anchors.set(node.anchor, converted);
  return converted;
}

function offsetOf(node: unknown): number | undefined {
  return isAlias(node) || isScalar(node) || isSeq(node) || isMap(node)
    ? node.range?.[0]
    : undefined;
}

function emptyText(offset: number): TextNode {
  return {kind: 'text', text: '', isPlain: true, offset, size: 1};
}

function convertText(
  {findings}: Context,
  node: {readonly value: unknown; readonly type?: string | undefined; readonly tag?: string},
  offset: number,
): TextNode {
  const text = typeof node.value === 'string' ? node.value : '';
  if (text.includes('\0')) findings.mistake(offset, 'contains a NUL character. Remove it.');
  const isPlain = node.type === 'PLAIN' && !(node.tag?.endsWith(':str') || node.tag === '!');
  return {kind: 'text', text, isPlain, offset, size: 1};
}

function convertList(context: Context, nodes: readonly unknown[], place: Place): ListNode {
  const items = nodes.map((node) => convert(context, node, place));
  const size = items.reduce((sum, item) => sum + item.size, 1);
  return {kind: 'list', items, offset: place.offset, size};
}

function convertMap(context: Context, node: YAMLMap, place: Place): MapNode {
  const own = new Map<string, Entry>();
  const merged: SpecNode[] = [];
  for (const {key, value} of node.items) {
    const keyOffset = offsetOf(key) ?? place.offset;
    const name = convert(context, key, place);
    const converted = convert(context, value, {depth: place.depth, offset: keyOffset});
    if (name.kind !== 'text') {
      context.findings.mistake(keyOffset, 'a key must be a word. Write it without brackets.');
    } else if (name.text === '<<' && name.isPlain) {
      merged.push(...(converted.kind === 'list' ? converted.items : [converted]));
    } else {
      addEntry(context, own, name.text, {keyOffset, value: converted});
    }
  }
  const entries = merged.length === 0 ? own : mergeEntries(context, own, merged);
  let size = 1;
  for (const {value} of entries.values()) size += 1 + value.size;
  return {kind: 'map', entries, offset: place.offset, size};
}

function addEntry({findings}: Context, own: Map<string, Entry>, name: string, entry: Entry): void {
  const first = own.get(name);
  if (first === undefined) {
    own.set(name, entry);
    return;
  }
  findings.mistake(
    entry.keyOffset,
    `duplicate key "${name}" (first defined at ${findings.placeOf(first.keyOffset)}). Keep one of them.`,
  );
}

/** YAML's `<<`: own keys win, then the earlier of several. Merged keys come first, as PyYAML orders them. */
function mergeEntries(
  context: Context,
  own: ReadonlyMap<string, Entry>,
  merged: readonly SpecNode[],
): ReadonlyMap<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const node of merged) {
    if (node.kind !== 'map') {
      context.findings.mistake(node.offset, '"<<" merges keys, so it needs an alias of a mapping.');
      continue;
    }
    countExpanded(context, node.entries.size, node.offset);
    for (const [name, entry] of node.entries) if (!entries.has(name)) entries.set(name, entry);
  }
  for (const [name, entry] of own) entries.set(name, entry);
  return entries;
}

/** An anchor is known when its node is complete, so an alias inside its own node finds nothing. */
function resolveAlias(context: Context, name: string, offset: number): SpecNode {
  const target = context.anchors.get(name);
  if (target === undefined) {
    context.findings.mistake(offset, `the alias *${name} has no anchor &${name} before it.`);
    return emptyText(offset);
  }
  countExpanded(context, target.size, offset);
  return target;
}

/** Counted as it goes, and not at the end: a chain of merges would cost before it is seen. */
function countExpanded(context: Context, nodes: number, offset: number): void {
  context.expanded.nodes += nodes;
  if (context.expanded.nodes > maxExpandedNodes) {
    refuse(context, offset, 'aliases expand to more than a million nodes. Write fewer of them.');
  }
}

function refuse({findings}: Context, offset: number, message: string): void {
  findings.mistake(offset, message);
  findings.throwMistakes();
}
