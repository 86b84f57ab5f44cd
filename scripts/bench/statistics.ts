// The arithmetic of results: medians, quartiles, percentiles, and ratios round by round. Pure: numbers in, numbers out.

/** The middle of some numbers and of their halves. */
export interface Spread {
  q1: number;
  median: number;
  q3: number;
}

/**
 * Finds the value that a share of all values lies below, between two values if there is none in that place.
 *
 * @param values in any order
 * @param share from 0, the least, to 1, the greatest
 * @returns the quantile; NaN if there are no values
 */
export function quantileOf(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const low = sorted[Math.floor(place)] ?? NaN;
  const high = sorted[Math.ceil(place)] ?? NaN;
  return low + (high - low) * (place % 1);
}

/** Finds the median and the quartiles; undefined if there are no values. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined;
  return { q1: quantileOf(values, 0.25), median: quantileOf(values, 0.5), q3: quantileOf(values, 0.75) };
}

/** Finds the median of the values that are known; undefined if none is. */
export function medianOf(values: readonly (number | undefined)[]): number | undefined {
  return spreadOf(values.filter((value) => value !== undefined))?.median;
}

/** Adds up the values that are known; undefined if none is. */
export function sumOf(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0);
}

/**
 * Compares two servers that were measured in interleaved rounds: each round is compared with the same round of the
 * other, so that what disturbs the machine for a while disturbs both sides of a ratio.
 *
 * @param rounds the figure of each round
 * @param base the other server's
 * @returns a ratio for each round that both have and that the other's figure allows
 */
export function ratiosOf(rounds: readonly number[], base: readonly number[]): number[] {
  return rounds.flatMap((figure, round) => {
    const other = base[round] ?? NaN;
    return other > 0 ? [figure / other] : [];
  });
}

/**
 * Finds what half of all requests, and 99 of 100, waited at most. Both are waits that were measured (nearest rank).
 *
 * @param waitsMs in any order
 * @returns milliseconds; undefined if nothing was measured
 */
export function percentilesOf(waitsMs: readonly number[]): { p50Ms: number | undefined; p99Ms: number | undefined } {
  const sorted = waitsMs.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.ceil(sorted.length * share) - 1];
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}
