// How results are written: a table for a terminal, and one JSON object.
// A void row shows its errors and no figure.

import type { Machine } from "./machine.ts";
import type { Row, Spread, Verdict } from "./rows.ts";
import { PEER_TITLES, type PeerName } from "./scenario.ts";

/** All that a run has found; this is what the JSON holds. */
export interface Results {
  /** When it ended, as ISO 8601. */
  date: string;
  isQuick: boolean;
  rounds: number;
  seconds: number;
  /** Minutes that the run took. */
  minutes: number;
  load: string;
  hono: string;
  machine: Machine;
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
  /** Whom the targets are for. */
  judged: readonly PeerName[];
  /** Of the ratio; undefined if the figure itself is what counts. */
  target?: number;
  rows: Row[];
  verdicts: Verdict[];
}

/** The widths of the table's columns; the first is a name and stands left. */
const WIDTHS = [12, 12, 8, 18, 12, 9, 9, 9];

/** Says what was measured, where and with what. */
export function describeRun(results: Results): string {
  const { date, machine, rounds, seconds, isQuick, load, hono, peers, leftOut, notes } = results;
  const lines = [
    `${date.slice(0, 10)} · ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGib} GiB · ${machine.kernel}`,
    `${rounds} round${rounds === 1 ? "" : "s"} of ${seconds} s${isQuick ? ", quick" : ""} · ${load} · Hono ${hono}`,
    ...peers.map(({ title, version }) => `  ${title.padEnd(WIDTHS[0])}${version}`),
    ...leftOut.map(({ peer, reason }) => `  left out: ${peer}: ${reason}`),
    ...notes.map((note) => `  note: ${note}`),
  ];
  return lines.join("\n") + "\n";
}

/** Writes one scenario's table. */
export function showOutcome(outcome: Outcome): string {
  const { nr, title, figure, head, isMoreBetter, rows } = outcome;
  const better = isMoreBetter ? "more is better" : "less is better";
  const lines = [
    `\n(${nr}) ${title}: ${figure} (${better})`,
    line(["", head, "ratio", "[q1 .. q3]", "per second", "p50 ms", "p99 ms", "RSS MiB"]),
  ];
  for (const row of rows) {
    const name = PEER_TITLES[row.peer];
    if (row.figure === undefined) {
      lines.push(`  ${name.padEnd(WIDTHS[0])}void: ${row.errors.join("; ")}`);
    } else {
      const { p50Ms, p99Ms, rssMib, perSecond } = row;
      const cells = [
        name,
        number(row.figure.median),
        ratio(row.ratio?.median),
        quartiles(row.ratio),
        number(perSecond),
      ];
      lines.push(line([...cells, ratio(p50Ms), ratio(p99Ms), number(rssMib)]) + besides(row));
    }
    for (const said of row.said) lines.push(`  ${"".padEnd(WIDTHS[0])}said: ${said}`);
  }
  return lines.join("\n") + "\n";
}

/** Writes which targets are met. */
export function showVerdicts(outcomes: readonly Outcome[]): string {
  const verdicts = outcomes.flatMap((outcome) => outcome.verdicts);
  const lines = verdicts.map(({ what, wanted, got, isMet }) =>
    `  ${isMet ? "met   " : "MISSED"} ${what.padEnd(30)} ${wanted.padStart(8)}   got ${ratio(got)}`
  );
  return ["\nTargets", ...lines].join("\n") + "\n";
}

function besides({ peer, uploadMibPerSecond, disturbances = 0, failed, readyMs }: Row): string {
  const parts: string[] = [];
  if (uploadMibPerSecond !== undefined) parts.push(`uploads ${number(uploadMibPerSecond)} MiB/s`);
  if (disturbances > 0) parts.push(`${disturbances} ${PEER_TITLES[peer]}, requests lost: ${failed}`);
  if (readyMs !== undefined) parts.push(`"ready in ${number(readyMs)} ms"`);
  return parts.map((part) => `  ${part}`).join("");
}

function line(cells: string[]): string {
  const [name, ...rest] = cells;
  return `  ${name.padEnd(WIDTHS[0])}${rest.map((cell, column) => cell.padStart(WIDTHS[column + 1])).join("")}`;
}

function quartiles(spread: Spread | undefined): string {
  return spread === undefined ? "" : `[${ratio(spread.q1)} .. ${ratio(spread.q3)}]`;
}

function ratio(value: number | undefined): string {
  if (value === undefined) return "-";
  if (value >= 1000) return number(value);
  return value.toFixed(value > 0 && value < 0.1 ? 3 : 2);
}

function number(value: number | undefined): string {
  if (value === undefined) return "-";
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en");
  return value.toFixed(value > 0 && value < 1 ? 3 : 1);
}
