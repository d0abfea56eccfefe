import {
  Composer,
  type CST,
  type Document,
  type DocumentOptions,
  Lexer,
  type LineCounter,
  type ParseOptions,
  Parser,
  type SchemaOptions,
} from 'yaml';

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
