// Finds the known name that was perhaps meant by another one.

/**
 * Finds it.
 *
 * @param name that is not known
 * @param known the names that are
 * @param most how many letters may differ
 * @returns the nearest of them; null if none is near
 */
export function nearestOf(name: string, known: readonly string[], most: number): string | null {
  const [nearest] = known.map((each) => ({ each, letters: distance(name, each) }))
    .sort((a, b) => a.letters - b.letters);
  return nearest === undefined || nearest.letters > most ? null : nearest.each;
}

/** Levenshtein's distance, in which two letters that have changed places count as one: how many letters have to be changed. */
function distance(a: string, b: string): number {
  // Each row has a number for each letter of b, and one more before them.
  let last: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      next[j] = Math.min(
        row[j]! + 1,
        next[j - 1]! + 1,
        row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1),
        isSwapped ? last[j - 2]! + 1 : Infinity,
      );
    }
    last = row;
    row = next;
  }
  return row[b.length]!;
}
