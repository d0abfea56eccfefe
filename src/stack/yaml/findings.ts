/** The user's files contradict the rules; every mistake is there at once, as `file:line:column: message`. */
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

/** Beyond this many mistakes nobody reads suggestions, and each costs a look at every name. */
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
/**
 * The known word that was most likely meant; undefined when none is close. Case, `-` and `_` are no difference.
 * Costs a comparison with every known word: for messages only.
 */
export function findNearest(word: string, known: Iterable<string>): string | undefined {
  const wanted = plain(word);
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of known) {
    const distance = distanceBetween(wanted, plain(candidate), bestDistance);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function plain(word: string): string {
  return word.toLowerCase().replaceAll('-', '_');
}

/** Levenshtein, two rows; stops at `limit`, which is then the answer. */
function distanceBetween(one: string, other: string, limit: number): number {
  if (Math.abs(one.length - other.length) >= limit) return limit;
  let above = Array.from({length: other.length + 1}, (_, index) => index);
  for (let row = 1; row <= one.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= other.length; column += 1) {
      const change = one[row - 1] === other[column - 1] ? 0 : 1;
      current.push(
        Math.min(
          (above[column] ?? limit) + 1,
          (current[column - 1] ?? limit) + 1,
          (above[column - 1] ?? limit) + change,
        ),
      );
    }
    if (Math.min(...current) >= limit) return limit;
    above = current;
  }
  return above[other.length] ?? limit;
}
/** The words of the domain. Data only: readonly, no behaviour, no I/O. */

/** Where something stands in a text file; both counted from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}
