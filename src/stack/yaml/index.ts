import {Composer, type Document, LineCounter, Parser} from 'yaml';
import {collectFindings, type Findings} from './findings.ts';
import {convertNodes, type SpecNode} from './spec-nodes.ts';

/** A parsed file: its nodes, and the collector of what is wrong with it. */
export interface YamlFile {
  /** Undefined for a file with nothing in it. */
  readonly root: SpecNode | undefined;
  readonly findings: Findings;
}

/**
 * Reads one YAML document with the position of everything. Scalars keep the digits of the source (`3.10`), anchors
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
  // Every scalar stays text (failsafe): the key it stands at says what it means. Duplicate keys are found by
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

/** What the library says, with the fix where the usual cause is known. */
function explain(code: string, message: string): string {
  if (code === 'BAD_INDENT' && message.startsWith('All ')) {
    return 'the indentation fits no line above. Align keys of one level.';
  }
  const fix: Readonly<Record<string, string>> = {
    TAB_AS_INDENT: 'a tab stands where YAML wants spaces. Indent with spaces.',
    RESOURCE_EXHAUSTION: 'nested too deeply. A spec needs no more than six levels.',
    MULTIPLE_DOCS: 'a second document begins here. Keep one, without "---".',
  };
  return fix[code] ?? `bad YAML: ${message}.`.replace(/\.\.$/, '.');
}
