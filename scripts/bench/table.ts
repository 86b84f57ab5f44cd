// The results as tables of Markdown, for the documentation: Weft's ratio with its quartiles, those of its peers, latencies.

import { NODE_SERVER_NAMES, type PeerName, SERVER_NAMES, titleOf } from "./peers.ts";
import type { Outcome, Results, Row } from "./results.ts";

const GROUPS = [
  { isMoreBetter: true, head: "more is better" },
  { isMoreBetter: false, head: "less is better" },
];

/**
 * Writes a run as Markdown: a table of what should be more, and one of what should be less.
 *
 * @param results what the run has found
 * @returns the tables, with an empty line between them and at the end
 */
export function drawTables({ scenarios, peers }: Results): string {
  const measured = new Set(peers.map(({ name }) => name));
  // Weft has a column of its own, and the ratio of Deno.serve to itself says nothing.
  const others = [...SERVER_NAMES, ...NODE_SERVER_NAMES].filter((name) =>
    measured.has(name) && !["weft", "weftNode", "deno"].includes(name)
  );
  return GROUPS.map(({ isMoreBetter, head }) => {
    const lines = scenarios.filter((outcome) => outcome.isMoreBetter === isMoreBetter).flatMap((outcome) =>
      outcome.rows.filter(({ peer }) => outcome.judged.includes(peer)).map((row) => lineOf(outcome, row, others))
    );
    if (lines.length === 0) return "";
    const heads = [head, "measured", "Weft", "quartiles", ...others.map(titleOf), "p50 ms", "p99 ms"];
    return `${[cells(heads), cells(heads.map((_, at) => at < 2 ? "---" : "---:")), ...lines].join("\n")}\n`;
  }).filter((table) => table !== "").join("\n");
}

function lineOf(outcome: Outcome, row: Row, others: readonly PeerName[]): string {
  const base = outcome.rows.find(({ peer }) => peer === outcome.baseline);
  const { figure, ratio } = row;
  const name = outcome.judged.length === 1 ? "" : `, ${titleOf(row.peer)}`;
  const than = outcome.baseline === "deno" ? "" : ` / ${titleOf(outcome.baseline)}`;
  return cells([
    `(${outcome.nr}) ${outcome.title}${name}${than}`,
    outcome.figure,
    ratio === undefined ? figure === undefined ? "void" : figure.median.toPrecision(3) : ratio.median.toFixed(2),
    ratio === undefined ? "" : `${ratio.q1.toFixed(2)} to ${ratio.q3.toFixed(2)}`,
    ...others.map((name) => outcome.rows.find(({ peer }) => peer === name)?.ratio?.median.toFixed(2) ?? ""),
    both(row.p50Ms, base?.p50Ms),
    both(row.p99Ms, base?.p99Ms),
  ]);
}

/** Weft's latency and that of the server it is compared with. */
function both(own: number | undefined, base: number | undefined): string {
  if (own === undefined) return "";
  return base === undefined ? own.toFixed(2) : `${own.toFixed(2)} / ${base.toFixed(2)}`;
}

function cells(texts: readonly string[]): string {
  return `| ${texts.join(" | ")} |`;
}
