// How the results look as an SVG: Weft's ratio to the baseline, a bar for each judged row, a line at 1.0.
// No script, no font and no style from elsewhere; its own background, so that it reads on light and dark pages.

import type { Outcome, Results } from "./report.ts";
import type { Row } from "./rows.ts";
import { BASELINE, JUDGED, PEER_TITLES } from "./scenario.ts";

const WIDTH = 860;
const ROW = 26;
const BAR = 14;
/** The left end of the bars: the longest title fits before it. */
const LEFT = 330;
/** Room after the longest bar for its value. */
const RIGHT = 70;
const TOP = 62;
/** A longer bar ends here, its number tells how long it is: it would leave the others no room. */
const LONGEST = 4;

const INK = "#1f2933";
const FAINT = "#616e7c";
const GRID = "#d5dbe1";
const GOOD = "#1f7a5c";
const SHORT = "#b4541a";
/** A quick run meets and misses nothing. */
const PLAIN = "#3a6ea5";

/** A row of Weft's; without a ratio it is written, not drawn. */
interface Bar {
  outcome: Outcome;
  row: Row;
}

/** The place of a bar, and whether its targets count. */
interface Place {
  y: number;
  scale: number;
  isQuick: boolean;
}

/**
 * Draws the chart.
 *
 * @param results of a run
 * @returns an SVG document
 */
export function drawChart(results: Results): string {
  const bars = results.scenarios.flatMap((outcome): Bar[] =>
    outcome.rows.filter(({ peer, ratio, figure }) => {
      const shown = outcome.target === undefined ? figure : ratio;
      return outcome.judged.includes(peer) && shown !== undefined;
    }).map((row) => ({ outcome, row }))
  );
  const groups = [
    {
      title: "More is better: work for each second of CPU time",
      bars: bars.filter(({ outcome }) => outcome.isMoreBetter),
    },
    {
      title: "Less is better: memory, latency, start, idling",
      bars: bars.filter(({ outcome }) => !outcome.isMoreBetter),
    },
  ].filter((group) => group.bars.length > 0);
  const most = Math.max(1.25, ...bars.map(({ row }) => Math.min(row.ratio?.q3 ?? 0, LONGEST)));
  const scale = (WIDTH - LEFT - RIGHT) / most;
  const parts: string[] = [];
  let y = TOP;
  for (const { title, bars } of groups) {
    parts.push(text(20, y + 17, title, { size: 12, fill: FAINT, weight: 600 }));
    y += ROW;
    for (const bar of bars) {
      parts.push(drawBar(bar, { y, scale, isQuick: results.isQuick }));
      y += ROW;
    }
    y += 8;
  }
  const x = LEFT + scale;
  const grid = [
    `<line x1="${LEFT}" y1="${TOP}" x2="${LEFT}" y2="${y}" stroke="${GRID}"/>`,
    `<line x1="${round(x)}" y1="${TOP}" x2="${round(x)}" y2="${y}" stroke="${INK}" stroke-dasharray="4 3"/>`,
    text(x, TOP - 6, "Deno.serve, or who is named behind a stroke, = 1.0", { size: 11, fill: INK, anchor: "middle" }),
  ];
  const height = y + 50;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" ` +
    `font-family="system-ui, sans-serif" role="img" aria-labelledby="title">
<title id="title">Weft's ratio to Deno.serve, or to Weft in one process, in each scenario</title>
<rect width="${WIDTH}" height="${height}" rx="8" fill="#ffffff" stroke="${GRID}"/>
${text(20, 28, "Weft against Deno.serve", { size: 17, fill: INK, weight: 600 })}
${grid.join("\n")}
${parts.join("\n")}
${captions(results).map((line, nr) => text(20, y + 18 + nr * 16, line, { size: 11, fill: FAINT })).join("\n")}
</svg>
`;
}

function drawBar(bar: Bar, { y, scale, isQuick }: Place): string {
  const { outcome: { verdicts, figure }, row: { peer, ratio, figure: value } } = bar;
  const isMet = verdicts.every((verdict) => verdict.peer !== peer || verdict.isMet);
  const fill = isQuick ? PLAIN : isMet ? GOOD : SHORT;
  const middle = y + ROW / 2;
  const name = text(LEFT - 10, middle + 4, nameOf(bar), { size: 12, fill: INK, anchor: "end" });
  if (ratio === undefined) {
    const most = verdicts.find((verdict) => verdict.peer === peer)?.wanted;
    const said = `${value?.median.toPrecision(2)} ${figure} (${most})`;
    return [name, text(LEFT + 8, middle + 4, said, { size: 12, fill, weight: 600, hasHalo: true })].join("\n");
  }
  const long = (value: number) => Math.min(Math.max(0, value), LONGEST) * scale;
  const at = (value: number) => round(LEFT + long(value));
  const end = at(Math.max(ratio.median, ratio.q3));
  return [
    name,
    `<rect x="${LEFT}" y="${middle - BAR / 2}" width="${round(long(ratio.median))}" height="${BAR}" rx="2" ` +
    `fill="${fill}"/>`,
    `<line x1="${at(ratio.q1)}" y1="${middle}" x2="${
      at(ratio.q3)
    }" y2="${middle}" stroke="${INK}" stroke-width="1.5"/>`,
    text(end + 8, middle + 4, ratio.median.toFixed(2), { size: 12, fill: INK, weight: 600, hasHalo: true }),
  ].join("\n");
}

/** The scenario's title; with it the row if Weft has several, and the baseline if that is not Deno.serve. */
function nameOf({ outcome: { nr, title, judged, baseline }, row: { peer } }: Bar): string {
  const who = judged.join() === JUDGED.join() ? "" : `: ${PEER_TITLES[peer]}`;
  return `(${nr}) ${title}${who}${baseline === BASELINE ? "" : ` / ${PEER_TITLES[baseline]}`}`;
}

function captions({ date, isQuick, rounds, seconds, peers, machine, load }: Results): string[] {
  const versionOf = (name: string) => peers.find((peer) => peer.name === name)?.version ?? "";
  const how = isQuick
    ? "quick run, not to be relied on"
    : `medians of ${rounds} rounds of ${seconds} s, quartiles as lines`;
  return [
    `Weft ${versionOf("weft")}, ${load}; ${how}; ${isQuick ? "" : "green: targets met; "}${date.slice(0, 10)}`,
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGib} GiB, ${machine.system}, kernel ${machine.kernel}; ` +
    `server and load on a core each`,
  ];
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
