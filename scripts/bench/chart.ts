// How the results look as an SVG: Weft's ratio to the baseline, a bar for each judged row, a line at 1.0.
// No script, no font and no style from elsewhere; its own background, so that it reads on light and dark pages.

import { titleOf } from "./peers.ts";
import type { Outcome, Results, Row } from "./results.ts";

const WIDTH = 860;
const ROW = 26;
const BAR = 14;
/** The left end of the bars: the longest title fits before it. */
const LEFT = 330;
/** Room after the longest bar for its value. */
const RIGHT = 70;
const TOP = 62;
/** A longer bar would leave the others no room. It ends here, and its number tells how long it is. */
const LONGEST = 4;

const INK = "#1f2933";
const FAINT = "#616e7c";
const GRID = "#d5dbe1";
const MET = "#1f7a5c";
const MISSED = "#b4541a";
/** A quick run has no targets. */
const NO_TARGET = "#3a6ea5";

const GROUPS = [
  { isMoreBetter: true, title: "More is better: work for each second of CPU time" },
  { isMoreBetter: false, title: "Less is better: CPU, memory, latency, start, idling" },
];

/** Draws the chart of a run as an SVG document. */
export function drawChart({ scenarios, isQuick, peers, machine, date, load, rounds, seconds }: Results): string {
  const bars = scenarios.flatMap((outcome) => outcome.rows.map((row) => ({ outcome, row }))).filter((
    { outcome, row },
  ) => outcome.judged.includes(row.peer) && (outcome.target === undefined ? row.figure : row.ratio) !== undefined);
  const longest = Math.max(1.25, ...bars.map(({ row }) => Math.min(row.ratio?.q3 ?? 0, LONGEST)));
  const scale = (WIDTH - LEFT - RIGHT) / longest;
  const parts: string[] = [];
  let y = TOP;
  for (const { isMoreBetter, title } of GROUPS) {
    const members = bars.filter(({ outcome }) => outcome.isMoreBetter === isMoreBetter);
    if (members.length === 0) continue;
    parts.push(text(20, y + 17, title, { size: 12, fill: FAINT, weight: 600 }));
    for (const { outcome, row } of members) {
      y += ROW;
      const isMet = outcome.verdicts.every(({ peer, isMet }) => peer !== row.peer || isMet);
      parts.push(...drawBar(outcome, row, { y, scale, fill: isQuick ? NO_TARGET : isMet ? MET : MISSED }));
    }
    y += ROW + 8;
  }
  const one = round(LEFT + scale);
  const legend = "Deno.serve, or the server that is named after the slash, = 1.0";
  const weft = peers.find(({ name }) => name === "weft")?.version ?? "";
  const how = isQuick
    ? "quick run, not to be relied on"
    : `medians of ${rounds} rounds of ${seconds} s, quartiles as lines; green: targets met`;
  const { cpu, cores, memoryGib, system, kernel } = machine;
  const where = `${cpu}, ${cores} cores, ${memoryGib} GiB, ${system}, kernel ${kernel}; server and load on a core each`;
  const size = `viewBox="0 0 ${WIDTH} ${y + 50}" width="${WIDTH}" height="${y + 50}"`;
  const font = `font-family="system-ui, sans-serif" role="img" aria-labelledby="title"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} ${font}>`,
    `<title id="title">Weft's ratio to Deno.serve, or to Weft in one process, in each scenario</title>`,
    `<rect width="${WIDTH}" height="${y + 50}" rx="8" fill="#ffffff" stroke="${GRID}"/>`,
    text(20, 28, "Weft against Deno.serve", { size: 17, fill: INK, weight: 600 }),
    `<line x1="${LEFT}" y1="${TOP}" x2="${LEFT}" y2="${y}" stroke="${GRID}"/>`,
    `<line x1="${one}" y1="${TOP}" x2="${one}" y2="${y}" stroke="${INK}" stroke-dasharray="4 3"/>`,
    text(one, TOP - 6, legend, { size: 11, fill: INK, anchor: "middle" }),
    ...parts,
    text(20, y + 18, `Weft ${weft}, ${load}; ${how}; ${date.slice(0, 10)}`, { size: 11, fill: FAINT }),
    text(20, y + 34, where, { size: 11, fill: FAINT }),
    "</svg>\n",
  ].join("\n");
}

/** The place of a bar and its colour. */
interface BarStyle {
  y: number;
  scale: number;
  fill: string;
}

/** A bar with its quartiles; without a ratio the figure is written, not drawn. */
function drawBar(outcome: Outcome, { peer, ratio, figure }: Row, { y, scale, fill }: BarStyle): string[] {
  const middle = y + ROW / 2;
  const parts = [text(LEFT - 10, middle + 4, nameOf(outcome, peer), { size: 12, fill: INK, anchor: "end" })];
  const value = (x: number, content: string, ink: string) =>
    parts.push(text(x + 8, middle + 4, content, { size: 12, fill: ink, weight: 600, hasHalo: true }));
  if (ratio === undefined) {
    const wanted = outcome.verdicts.find((verdict) => verdict.peer === peer)?.wanted;
    value(LEFT, `${figure?.median.toPrecision(2)} ${outcome.figure} (${wanted})`, fill);
    return parts;
  }
  const at = (value: number) => round(LEFT + Math.min(Math.max(0, value), LONGEST) * scale);
  const { q1, median, q3 } = ratio;
  const long = round(at(median) - LEFT);
  parts.push(
    `<rect x="${LEFT}" y="${middle - BAR / 2}" width="${long}" height="${BAR}" rx="2" fill="${fill}"/>`,
    `<line x1="${at(q1)}" y1="${middle}" x2="${at(q3)}" y2="${middle}" stroke="${INK}" stroke-width="1.5"/>`,
  );
  value(at(Math.max(median, q3)), median.toFixed(2), INK);
  return parts;
}

/** The scenario's title; with it the row if Weft has several, and the baseline if that is not Deno.serve. */
function nameOf({ nr, title, judged, baseline }: Outcome, peer: Row["peer"]): string {
  const row = judged.join() === "weft" ? "" : `: ${titleOf(peer)}`;
  return `(${nr}) ${title}${row}${baseline === "deno" ? "" : ` / ${titleOf(baseline)}`}`;
}

interface TextStyle {
  size: number;
  fill: string;
  weight?: number;
  anchor?: "middle" | "end";
  /** Keeps the lines in the background off the letters. */
  hasHalo?: boolean;
}

function text(x: number, y: number, content: string, style: TextStyle): string {
  const { size, fill, weight = 400, anchor = "start", hasHalo = false } = style;
  const halo = hasHalo ? ' paint-order="stroke" stroke="#ffffff" stroke-width="5"' : "";
  const escaped = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${round(x)}" y="${round(y)}" font-size="${size}" font-weight="${weight}" fill="${fill}" ` +
    `text-anchor="${anchor}"${halo}>${escaped}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
