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

/** All known words, the one that was most likely meant first; equally near ones in alphabetical order. */
export function byNearness(word: string, known: Iterable<string>): readonly string[] {
  const wanted = plain(word);
  return Array.from(new Set(known), (candidate) => ({
    candidate,
    distance: distanceBetween(wanted, plain(candidate), Number.POSITIVE_INFINITY),
  }))
    .toSorted((a, b) => a.distance - b.distance || compare(a.candidate, b.candidate))
    .map(({candidate}) => candidate);
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

function plain(word: string): string {
  return word.toLowerCase().replaceAll('-', '_');
}

/** Levenshtein, where two neighbours in the wrong order are one change; stops at `limit`, which is then the answer. */
function distanceBetween(one: string, other: string, limit: number): number {
  if (Math.abs(one.length - other.length) >= limit) return limit;
  let before: readonly number[] = [];
  let above = Array.from({length: other.length + 1}, (_, index) => index);
  for (let row = 1; row <= one.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= other.length; column += 1) {
      const change = one[row - 1] === other[column - 1] ? 0 : 1;
      const isSwap =
        row > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      current.push(
        Math.min(
          isSwap ? (before[column - 2] ?? limit) + 1 : limit,
          (above[column] ?? limit) + 1,
          (current[column - 1] ?? limit) + 1,
          (above[column - 1] ?? limit) + change,
        ),
      );
    }
    if (Math.min(...current) >= limit) return limit;
    before = above;
    above = current;
  }
  return above[other.length] ?? limit;
}
