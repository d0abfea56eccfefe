import {isAlias, isMap, isScalar, isSeq, type Node, type YAMLMap} from 'yaml';
import type {Findings} from './findings.ts';

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
