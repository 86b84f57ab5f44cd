// What the JSON of results holds, and how it is made of samples: rows, and whether targets are met.
// One error voids a row. A void row has no figures, and no ratio is taken from a void baseline.

import type { Besides, Sample } from "./measure.ts";
import { type PeerName, titleOf } from "./peers.ts";
import { FIGURES, type Scenario } from "./scenarios.ts";
import { medianOf, ratiosOf, type Spread, spreadOf, sumOf } from "./statistics.ts";

/** All that a run has found. */
export interface Results {
  /** When it began, as ISO 8601. */
  date: string;
  isQuick: boolean;
  rounds: number;
  seconds: number;
  /** Minutes that the run took. */
  minutes: number;
  /** What sends most of the requests. */
  load: string;
  hono: string;
  /** No host name, user or path is published. */
  machine: { cpu: string; cores: number; memoryGib: number; kernel: string; system: string };
  peers: { name: PeerName; title: string; version: string }[];
  leftOut: { peer: PeerName; reason: string }[];
  notes: string[];
  scenarios: Outcome[];
}

/** One scenario's results. */
export interface Outcome {
  nr: number;
  title: string;
  figure: string;
  /** The figure's name over a column. */
  head: string;
  isMoreBetter: boolean;
  /** The server that the ratios are to. */
  baseline: PeerName;
  /** The rows that the targets are for. */
  judged: readonly PeerName[];
  /** Of the ratio; undefined if the figure itself is judged. */
  target?: number | undefined;
  rows: Row[];
  verdicts: Verdict[];
}

/** One peer in one scenario: medians, and sums of disturbances and failed requests. */
export interface Row extends Besides {
  peer: PeerName;
  errors: string[];
  said: string[];
  figure?: Spread | undefined;
  ratio?: Spread | undefined;
  rssMib?: number | undefined;
  /** The figure of each round. */
  rounds: number[];
}

/** One target, and what was reached. */
export interface Verdict {
  peer: PeerName;
  what: string;
  wanted: string;
  got?: number | undefined;
  isMet: boolean;
}

/** The samples of each peer, in the order of the rounds. */
export type Samples = ReadonlyMap<PeerName, readonly Sample[]>;

/** Makes a scenario's outcome of its samples. */
export function outcomeOf(scenario: Scenario, samples: Samples): Outcome {
  const { nr, title, figure, unit = "requests", target, baseline = "deno", judged = ["weft"] } = scenario;
  const { head, isMoreBetter } = FIGURES[figure];
  const base = goodRounds(samples.get(baseline));
  const rows = [...samples].map(([peer, taken]) => rowOf(peer, taken, base));
  const outcome = {
    nr,
    title,
    figure: FIGURES[figure].title(unit),
    head,
    isMoreBetter,
    baseline,
    judged,
    target,
    rows,
  };
  return { ...outcome, verdicts: judge(scenario, outcome) };
}

/**
 * Decides whether a run has failed: a judged row is void (a request was lost or answered wrongly, or the server is not
 * there), or a target is missed. A quick run has no targets.
 */
export function hasFailed({ isQuick, scenarios }: Pick<Results, "isQuick" | "scenarios">): boolean {
  return scenarios.some(({ rows, judged, verdicts }) =>
    rows.some(({ peer, figure }) => judged.includes(peer) && figure === undefined) ||
    !isQuick && verdicts.some(({ isMet }) => !isMet)
  );
}

/** The figure of each round, none if any round had an error. */
function goodRounds(taken: readonly Sample[] = []): number[] {
  return taken.some(({ errors }) => errors.length > 0) ? [] : taken.map(({ figure }) => figure);
}

function rowOf(peer: PeerName, taken: readonly Sample[], base: readonly number[]): Row {
  const errors = [...new Set(taken.flatMap((sample) => sample.errors))];
  const said = [...new Set(taken.map((sample) => sample.said).filter((text) => text !== ""))];
  const rounds = goodRounds(taken);
  if (rounds.length === 0) return { peer, errors, said, rounds };
  const middle = (pick: (sample: Sample) => number | undefined) => medianOf(taken.map(pick));
  return {
    peer,
    errors,
    said,
    figure: spreadOf(rounds),
    ratio: spreadOf(ratiosOf(rounds, base)),
    perSecond: middle(({ perSecond }) => perSecond),
    p50Ms: middle(({ p50Ms }) => p50Ms),
    p99Ms: middle(({ p99Ms }) => p99Ms),
    rssMib: middle(({ rssBytes }) => rssBytes / 1024 ** 2),
    uploadMibPerSecond: middle(({ uploadMibPerSecond }) => uploadMibPerSecond),
    disturbances: sumOf(taken.map(({ disturbances }) => disturbances)),
    failed: sumOf(taken.map(({ failed }) => failed)),
    readyMs: middle(({ readyMs }) => readyMs),
    rounds,
  };
}

/** Compares the judged rows with the targets; a row that was not measured has no verdict. */
function judge(
  scenario: Scenario,
  { nr, rows, judged, baseline, head, isMoreBetter }: Omit<Outcome, "verdicts">,
): Verdict[] {
  const { target, targetToBare, mostFigure } = scenario;
  const bare = rows.find(({ peer }) => peer === "bare" || peer === "bareNet")?.rounds ?? [];
  return rows.filter(({ peer }) => judged.includes(peer)).flatMap(({ peer, ratio, figure, rounds }) => {
    const verdicts: Verdict[] = [];
    const add = (what: string, limit: number | undefined, got: number | undefined, isLeast = false) => {
      if (limit === undefined) return;
      const isMet = got !== undefined && (isLeast ? got >= limit : got <= limit);
      const name = scenario.judged === undefined ? `${nr}` : `${nr} ${titleOf(peer)}`;
      verdicts.push({ peer, what: name + what, wanted: `${isLeast ? ">=" : "<="} ${limit}`, got, isMet });
    };
    add(` to ${titleOf(baseline)}`, target, ratio?.median, isMoreBetter);
    add(" to the bare loop", targetToBare, medianOf(ratiosOf(rounds, bare)), true);
    add(`, ${head}`, mostFigure, figure?.median);
    return verdicts;
  });
}
