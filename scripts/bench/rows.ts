// Medians, quartiles, the ratio to the baseline round by round, and whether a target is met.
// One error voids a row; a void row has no figures, and no ratio is taken from a void baseline.

import type { Sample } from "./measure.ts";
import { BASELINE, FIGURES, JUDGED, PEER_TITLES, type PeerName, type Scenario } from "./scenario.ts";

/** The middle of some numbers and of their halves. */
export interface Spread {
  q1: number;
  median: number;
  q3: number;
}

/** One peer in one scenario. */
export interface Row {
  peer: PeerName;
  errors: string[];
  said: string[];
  figure?: Spread;
  ratio?: Spread;
  perSecond?: number;
  p50Ms?: number;
  p99Ms?: number;
  rssMib?: number;
  uploadMibPerSecond?: number;
  /** Of all rounds together. */
  disturbances?: number;
  failed?: number;
  readyMs?: number;
  /** The figure of each round. */
  rounds: number[];
}

/** One thing Weft shall reach, and what it reached. */
export interface Verdict {
  peer: PeerName;
  what: string;
  wanted: string;
  got: number | undefined;
  isMet: boolean;
}

/** The samples of each peer, in the order of the rounds. */
export type Samples = Map<PeerName, Sample[]>;

/**
 * Makes a scenario's rows.
 *
 * @param samples of every peer that was measured
 * @param baseline the server that the others are compared with
 * @returns a row for each
 */
export function rowsOf(samples: Samples, baseline: PeerName): Row[] {
  const base = samples.get(baseline) ?? [];
  const isBaseGood = base.every(({ errors }) => errors.length === 0);
  return [...samples].map(([peer, taken]) => {
    const errors = [...new Set(taken.flatMap((sample) => sample.errors))];
    const said = [...new Set(taken.map((sample) => sample.said).filter((text) => text !== ""))];
    const rounds = taken.map(({ figure }) => figure);
    if (errors.length > 0 || taken.length === 0) return { peer, errors, said, rounds: [] };
    const ratios = isBaseGood ? ratiosOf(rounds, base) : [];
    const middle = (pick: (sample: Sample) => number | undefined) => medianOf(taken.map(pick));
    const rss = middle(({ rssBytes }) => rssBytes);
    return {
      peer,
      errors,
      said,
      figure: spreadOf(rounds),
      ratio: ratios.length > 0 ? spreadOf(ratios) : undefined,
      perSecond: middle(({ perSecond }) => perSecond),
      p50Ms: middle(({ p50Ms }) => p50Ms),
      p99Ms: middle(({ p99Ms }) => p99Ms),
      rssMib: rss === undefined ? undefined : rss / 1024 ** 2,
      uploadMibPerSecond: middle(({ uploadMibPerSecond }) => uploadMibPerSecond),
      disturbances: sumOf(taken.map(({ disturbances }) => disturbances)),
      failed: sumOf(taken.map(({ failed }) => failed)),
      readyMs: middle(({ readyMs }) => readyMs),
      rounds,
    };
  });
}

/**
 * Compares Weft's rows with what the scenario asks for.
 *
 * @param scenario says what is wanted
 * @param rows the scenario's rows
 * @returns one verdict for each target, none for a row that was not measured
 */
export function judge(scenario: Scenario, rows: readonly Row[]): Verdict[] {
  return rows.filter(({ peer }) => (scenario.judged ?? JUDGED).includes(peer)).flatMap((row) => {
    const { peer, ratio, figure, rounds } = row;
    const { nr, baseline = BASELINE, target, targetToBare, mostFigure } = scenario;
    const { head, isMoreBetter } = FIGURES[scenario.figure];
    const who = scenario.judged === undefined ? `${nr}` : `${nr} ${PEER_TITLES[peer]}`;
    const verdicts: Omit<Verdict, "peer">[] = [];
    if (target !== undefined) {
      const what = `${who} to ${PEER_TITLES[baseline]}`;
      verdicts.push((isMoreBetter ? atLeast : atMost)(what, target, ratio?.median));
    }
    if (targetToBare !== undefined) {
      const bare = rows.find(({ peer }) => peer === "bare")?.rounds ?? [];
      const ratios = rounds.flatMap((value, round) => bare[round] > 0 ? [value / bare[round]] : []);
      verdicts.push(atLeast(`${who} to the bare loop`, targetToBare, medianOf(ratios)));
    }
    if (mostFigure !== undefined) verdicts.push(atMost(`${who}, ${head}`, mostFigure, figure?.median));
    return verdicts.map((verdict) => ({ peer, ...verdict }));
  });
}

/**
 * Finds the median and the quartiles, between two values if there is no middle one.
 *
 * @param values at least one
 * @returns all three
 */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => {
    const place = (sorted.length - 1) * share;
    const low = sorted[Math.floor(place)];
    return low + (sorted[Math.ceil(place)] - low) * (place % 1);
  };
  return { q1: at(0.25), median: at(0.5), q3: at(0.75) };
}

function medianOf(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length > 0 ? spreadOf(known).median : undefined;
}

function sumOf(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length > 0 ? known.reduce((sum, value) => sum + value, 0) : undefined;
}

function ratiosOf(rounds: readonly number[], base: readonly Sample[]): number[] {
  return rounds.flatMap((figure, round) => base[round]?.figure > 0 ? [figure / base[round].figure] : []);
}

function atLeast(what: string, target: number, got: number | undefined): Omit<Verdict, "peer"> {
  return { what, wanted: `>= ${target}`, got, isMet: got !== undefined && got >= target };
}

function atMost(what: string, target: number, got: number | undefined): Omit<Verdict, "peer"> {
  return { what, wanted: `<= ${target}`, got, isMet: got !== undefined && got <= target };
}
