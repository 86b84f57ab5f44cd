// How results are written as tables for a terminal. A void row shows its errors and no figure.

import { titleOf } from "./peers.ts";
import type { Outcome, Results, Row } from "./results.ts";

/** The widths of the table's columns; the first is a name and is aligned left. */
const WIDTHS = [12, 12, 8, 18, 12, 9, 9, 9] as const;

/** Says what was measured, on which machine and with what. */
export function describeRun(results: Results): string {
  const { date, machine, rounds, seconds, isQuick, load, hono, peers, leftOut, notes } = results;
  return [
    `${date.slice(0, 10)} · ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGib} GiB · ${machine.kernel}`,
    `${rounds} round${rounds === 1 ? "" : "s"} of ${seconds} s${isQuick ? ", quick" : ""} · ${load} · Hono ${hono}`,
    ...peers.map(({ title, version }) => `  ${title.padEnd(WIDTHS[0])}${version}`),
    ...leftOut.map(({ peer, reason }) => `  left out: ${peer}: ${reason}`),
    ...notes.map((note) => `  note: ${note}`),
  ].join("\n");
}

/** Writes one scenario's table. */
export function showOutcome({ nr, title, figure, head, isMoreBetter, rows }: Outcome): string {
  const better = isMoreBetter ? "more is better" : "less is better";
  return [
    `\n(${nr}) ${title}: ${figure} (${better})`,
    line(["", head, "ratio", "[q1 .. q3]", "per second", "p50 ms", "p99 ms", "RSS MiB"]),
    ...rows.map(showRow),
  ].join("\n");
}

/** Writes which targets are met. */
export function showVerdicts(outcomes: readonly Outcome[]): string {
  const lines = outcomes.flatMap(({ verdicts }) => verdicts).map(({ what, wanted, got, isMet }) =>
    `  ${isMet ? "met   " : "MISSED"} ${what.padEnd(30)} ${wanted.padStart(8)}   got ${ratio(got)}`
  );
  return ["\nTargets", ...lines].join("\n");
}

function showRow(row: Row): string {
  const { peer, figure, ratio: { median, q1, q3 } = {}, perSecond, p50Ms, p99Ms, rssMib, errors, said } = row;
  const quartiles = q1 === undefined ? "" : `[${ratio(q1)} .. ${ratio(q3)}]`;
  const cells = [titleOf(peer), number(figure?.median), ratio(median), quartiles, number(perSecond)];
  const measured = line([...cells, ratio(p50Ms), ratio(p99Ms), number(rssMib)]) + besides(row);
  const isVoid = figure === undefined;
  const shown = isVoid ? `  ${titleOf(peer).padEnd(WIDTHS[0])}void: ${errors.join("; ")}` : measured;
  return [shown, ...said.map((text) => `  ${"".padEnd(WIDTHS[0])}said: ${text}`)].join("\n");
}

function besides({ peer, uploadMibPerSecond, disturbances = 0, failed, readyMs }: Row): string {
  const parts: string[] = [];
  if (uploadMibPerSecond !== undefined) parts.push(`uploads ${number(uploadMibPerSecond)} MiB/s`);
  if (disturbances > 0) parts.push(`${disturbances} ${titleOf(peer)}, requests lost: ${failed}`);
  if (readyMs !== undefined) parts.push(`"ready in ${number(readyMs)} ms"`);
  return parts.map((part) => `  ${part}`).join("");
}

function line(cells: string[]): string {
  const padded = cells.map((cell, nr) => nr === 0 ? cell.padEnd(WIDTHS[0]) : cell.padStart(WIDTHS[nr] ?? 0));
  return `  ${padded.join("")}`;
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
