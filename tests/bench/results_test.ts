// From samples to rows, verdicts and the exit status; the published results can still be read and drawn.

import assert from "node:assert/strict";
import { drawChart } from "../../scripts/bench/chart.ts";
import type { Sample } from "../../scripts/bench/measure.ts";
import { hasFailed, outcomeOf, type Results, type Samples } from "../../scripts/bench/results.ts";
import type { Scenario } from "../../scripts/bench/scenarios.ts";
import { drawTables } from "../../scripts/bench/table.ts";

const scenario: Scenario = {
  nr: 1,
  title: "example",
  app: "plain",
  load: { kind: "nothing" },
  figure: "perCpuSecond",
  peers: ["weft", "deno", "bare"],
  target: 0.9,
  targetToBare: 0.5,
};

function samplesOf(figures: Partial<Record<"weft" | "deno" | "bare", (number | string)[]>>): Samples {
  const sampleOf = (figure: number | string): Sample =>
    typeof figure === "number"
      ? { figure, rssBytes: 2 * 1024 ** 2, said: "", errors: [] }
      : { figure: NaN, rssBytes: NaN, said: "", errors: [figure] };
  return new Map(Object.entries(figures).map(([peer, taken]) => [peer as "weft", taken.map(sampleOf)]));
}

Deno.test("An outcome has the ratio of each row to the baseline, round by round", () => {
  const { rows, verdicts } = outcomeOf(
    scenario,
    samplesOf({ weft: [50, 90, 80], deno: [100, 100, 80], bare: [100, 180, 200] }),
  );
  assert.deepEqual(rows.map(({ peer, ratio }) => [peer, ratio?.median]), [["weft", 0.9], ["deno", 1], ["bare", 1.8]]);
  assert.deepEqual(rows[0]?.figure, { q1: 65, median: 80, q3: 85 });
  assert.equal(rows[0]?.rssMib, 2);
  assert.deepEqual(verdicts.map(({ what, wanted, got, isMet }) => [what, wanted, got, isMet]), [
    ["1 to Deno.serve", ">= 0.9", 0.9, true],
    ["1 to the bare loop", ">= 0.5", 0.5, true],
  ]);
});

Deno.test("A target is at most a ratio if less is better", () => {
  const latency: Scenario = { ...scenario, figure: "p99Ms", target: 2, mostFigure: 3 };
  const { verdicts } = outcomeOf(latency, samplesOf({ weft: [4], deno: [2], bare: [1] }));
  assert.deepEqual(verdicts.map(({ what, wanted, isMet }) => [what, wanted, isMet]), [
    ["1 to Deno.serve", "<= 2", true],
    ["1 to the bare loop", ">= 0.5", true],
    ["1, p99", "<= 3", false],
  ]);
});

Deno.test("A run fails if a request of a judged row is lost, and not because of another row", () => {
  const cases: [figures: Parameters<typeof samplesOf>[0], isQuick: boolean, expected: boolean][] = [
    [{ weft: [10], deno: [10], bare: [10] }, true, false],
    [{ weft: [10, "1 x status"], deno: [10, 10] }, true, true],
    [{ weft: ["1 x read"], deno: [10] }, false, true],
    [{ weft: [], deno: [10] }, true, true],
    [{ weft: [10], deno: ["1 x timeout"], bare: ["1 x status"] }, true, false],
    // A full run has targets; one that cannot be judged is not met.
    [{ weft: [10], deno: ["1 x timeout"], bare: [10] }, false, true],
    [{ weft: [10], deno: [20], bare: [10] }, true, false],
    [{ weft: [10], deno: [20], bare: [10] }, false, true],
    [{ weft: [10], deno: [10], bare: [10] }, false, false],
  ];
  for (const [figures, isQuick, expected] of cases) {
    const scenarios = [outcomeOf(scenario, samplesOf(figures))];
    assert.equal(hasFailed({ isQuick, scenarios }), expected, JSON.stringify({ figures, isQuick }));
  }
});

Deno.test("One error voids a row, and a void baseline gives no ratio", () => {
  const { rows } = outcomeOf(scenario, samplesOf({ weft: [10, 20], deno: [10, "2 x read"], bare: [10, 10] }));
  assert.deepEqual(rows.map(({ figure, ratio }) => [figure?.median, ratio]), [
    [15, undefined],
    [undefined, undefined],
    [10, undefined],
  ]);
  assert.deepEqual(rows[1], { peer: "deno", errors: ["2 x read"], said: [], rounds: [] });
});

Deno.test("The published chart is the one of the published figures", async () => {
  const directory = new URL("../../scripts/bench/results/", import.meta.url);
  const results: Results = JSON.parse(await Deno.readTextFile(new URL("bench.json", directory)));
  assert.equal(drawChart(results), await Deno.readTextFile(new URL("bench.svg", directory)));
});

Deno.test("A table has Weft's ratio, those of its peers, and latencies beside those of the baseline", () => {
  const slow: Scenario = { ...scenario, nr: 2, title: "slow", figure: "p99Ms" };
  const samples = samplesOf({ weft: [40, 60], deno: [20, 20], bare: [10, 10] });
  for (const sample of samples.get("weft") ?? []) sample.p99Ms = 40;
  const peers = (["weft", "deno", "bare"] as const).map((name) => ({ name, title: name, version: "1" }));
  const scenarios = [outcomeOf(scenario, samples), outcomeOf(slow, samples)];
  const tables = drawTables({ scenarios, peers } as unknown as Results);
  assert.deepEqual(tables.split("\n"), [
    "| more is better | measured | Weft | quartiles | bare loop | p50 ms | p99 ms |",
    "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    "| (1) example | requests a server CPU second | 2.50 | 2.25 to 2.75 | 0.50 |  | 40.00 |",
    "",
    "| less is better | measured | Weft | quartiles | bare loop | p50 ms | p99 ms |",
    "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    "| (2) slow | p99 in ms | 2.50 | 2.25 to 2.75 | 0.50 |  | 40.00 |",
    "",
  ]);
});

Deno.test("The tables in the documentation are those of the published figures", async () => {
  const root = new URL("../../", import.meta.url);
  const read = (path: string) => Deno.readTextFile(new URL(path, root));
  for (const [run, document] of [["bench", "docs/benchmarks.md"], ["node_20", "docs/node.md"]] as const) {
    const tables = drawTables(JSON.parse(await read(`scripts/bench/results/${run}.json`)) as Results);
    assert.equal(tables, await read(`scripts/bench/results/${run}.md`));
    assert.ok((await read(document)).includes(tables), `${document} does not have the tables of ${run}.json`);
  }
});
