// Knows: how results are written: a table for a terminal, and one JSON object.
// Does not know: how they were measured, or the chart (chart.ts).
// Rule: a void row shows its errors and no figure.

import type { Machine } from "./machine.ts";
import type { Row, Spread, Verdict } from "./rows.ts";
import type { PeerName } from "./scenario.ts";

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
  isMoreBetter: boolean;
  target: number;
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
export function showOutcome(outcome: Outcome, titleOf: (peer: PeerName) => string): string {
  const { nr, title, figure, isMoreBetter, rows } = outcome;
  const better = isMoreBetter ? "more is better" : "less is better";
  const lines = [
    `\n(${nr}) ${title}: ${figure} (${better})`,
    line(["", figureHead(figure), "ratio", "[q1 .. q3]", "per second", "p50 ms", "p99 ms", "RSS MiB"]),
  ];
  for (const row of rows) {
    const name = titleOf(row.peer);
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
      const besides = row.uploadMibPerSecond === undefined ? "" : `  uploads ${number(row.uploadMibPerSecond)} MiB/s`;
      lines.push(line([...cells, ratio(p50Ms), ratio(p99Ms), number(rssMib)]) + besides);
    }
    for (const said of row.said) lines.push(`  ${"".padEnd(WIDTHS[0])}said: ${said}`);
  }
  return lines.join("\n") + "\n";
}

/** Writes which targets are met. */
export function showVerdicts(outcomes: readonly Outcome[]): string {
  const verdicts = outcomes.flatMap((outcome) => outcome.verdicts);
  const lines = verdicts.map(({ what, wanted, got, isMet }) =>
    `  ${isMet ? "met   " : "MISSED"} ${what.padEnd(22)} ${wanted.padStart(8)}   got ${ratio(got)}`
  );
  return ["\nTargets", ...lines].join("\n") + "\n";
}

function figureHead(figure: string): string {
  return figure.endsWith("CPU second") ? "per CPU s" : figure.split(" ")[0];
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
  return value >= 1000 ? number(value) : value.toFixed(2);
}

function number(value: number | undefined): string {
  if (value === undefined) return "-";
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString("en") : value.toFixed(1);
}
