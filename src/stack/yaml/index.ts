import {type Document, LineCounter} from 'yaml';
import {composeBounded, TooManyErrors} from '../../util/yaml.ts';
import {collectFindings, type Findings} from './findings.ts';
import {convertNodes, type SpecNode} from './nodes.ts';
import {explain, unquoted} from './syntax.ts';

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
export type {Entry, ListNode, MapNode, SpecNode, TextNode} from './nodes.ts';

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

/** More of them help nobody. */
const maxErrors = 20;

function composeDocument(
  text: string,
  lineCounter: LineCounter,
  findings: Findings,
): Document.Parsed | undefined {
  // Every scalar stays text (failsafe): its key decides what it means. Duplicate keys are found by
  // convertNodes, because the library compares every key with every other.
  const options = {schema: 'failsafe', uniqueKeys: false} as const;
  let found: Document.Parsed | undefined;
  const misread = new Set<number>();
  /** What the parser makes of the rest of a line that should have been quoted helps no one. */
  const mistake = (offset: number, message: string): void => {
    const {line} = findings.positionOf(offset);
    if (!misread.has(line)) findings.mistake(offset, message);
    if (message === unquoted) misread.add(line);
  };
  try {
    for (const document of composeBounded(text, {lineCounter, maxErrors, options})) {
      for (const {pos, code, message} of document.errors) {
        mistake(pos[0], explain(code, message));
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
    for (const {offset, code, message} of error.errors) mistake(offset, explain(code, message));
  }
  return found;
}
