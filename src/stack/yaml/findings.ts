import {findNearest} from '../../util/nearest.ts';

/** The user's files break the rules. Holds all mistakes at once, as `file:line:column: message`. */
export class SpecError extends Error {
  override readonly name = 'SpecError';
  readonly mistakes: readonly string[];

  constructor(mistakes: readonly string[]) {
    super(mistakes.join('\n'));
    this.mistakes = mistakes;
  }
}

/** Collects what is wrong with one file. Offsets are UTF-16 units from its beginning. */
export interface Findings {
  readonly file: string;
  positionOf(offset: number): Position;
  /** `images/spec.yml:12:5`, for a second place in a message. */
  placeOf(offset: number): string;
  mistake(offset: number, message: string): void;
  warning(offset: number, message: string): void;
  /** ` Did you mean "x"?`, or nothing. */
  suggest(word: string, known: Iterable<string>): string;
  /** In the order of the file. */
  mistakes(): readonly string[];
  warnings(): readonly string[];
  /** @throws {SpecError} when there is a mistake */
  throwMistakes(): void;
}

interface Finding {
  readonly offset: number;
  readonly message: string;
}

/** Beyond this many mistakes suggestions are noise, and each costs a look at every name. */
const maxSuggestions = 50;
/** More than these are not kept: half a megabyte of `:` would be half a million lines. */
const maxMistakes = 1000;

export function collectFindings(file: string, positionOf: (offset: number) => Position): Findings {
  const mistakes: Finding[] = [];
  const warnings: Finding[] = [];
  let suggestions = 0;
  let dropped = 0;
  const placeOf = (offset: number): string => {
    const {line, column} = positionOf(offset);
    return `${file}:${line}:${column}`;
  };
  const inOrder = (findings: readonly Finding[]): readonly string[] =>
    findings
      .toSorted((one, other) => one.offset - other.offset)
      .map(({offset, message}) => `${placeOf(offset)}: ${message}`);
  const allMistakes = (): readonly string[] => [
    ...inOrder(mistakes),
    ...(dropped === 0 ? [] : [`${file}: and ${dropped} more mistakes`]),
  ];
  return {
    file,
    positionOf,
    placeOf,
    mistake: (offset, message) => {
      if (mistakes.length < maxMistakes) mistakes.push({offset, message});
      else dropped += 1;
    },
    warning: (offset, message) => warnings.push({offset, message}),
    suggest: (word, known) => {
      suggestions += 1;
      const nearest = suggestions > maxSuggestions ? undefined : findNearest(word, known);
      return nearest === undefined ? '' : ` Did you mean "${nearest}"?`;
    },
    mistakes: allMistakes,
    warnings: () => inOrder(warnings),
    throwMistakes: () => {
      if (mistakes.length > 0) throw new SpecError(allMistakes());
    },
  };
}
/** The words of the domain. Data only: readonly, no behaviour, no I/O. */

/** A place in a text file; both count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}
