// The arithmetic behind the benchmark's tables: examples, and what has to hold for any figures.

import assert from "node:assert/strict";
import fc from "npm:fast-check@^4";
import {
  medianOf,
  percentilesOf,
  quantileOf,
  ratiosOf,
  type Spread,
  spreadOf,
  sumOf,
} from "../../scripts/bench/statistics.ts";

Deno.test("A quantile is a value or lies between two", () => {
  const cases: [values: number[], share: number, expected: number][] = [
    [[7], 0, 7],
    [[7], 0.5, 7],
    [[7], 1, 7],
    [[1, 2], 0.5, 1.5],
    [[3, 1, 2], 0, 1],
    [[3, 1, 2], 0.5, 2],
    [[3, 1, 2], 1, 3],
    [[4, 3, 2, 1], 0.25, 1.75],
    [[4, 3, 2, 1], 0.75, 3.25],
    [[10, 9, 100], 0.5, 10], // by value, not by text
    [[], 0.5, NaN],
  ];
  for (const [values, share, expected] of cases) {
    assert.equal(quantileOf(values, share), expected, `${share} of [${values}]`);
  }
});

Deno.test("A spread is the median with its quartiles, and nothing has none", () => {
  const cases: [values: number[], expected: Spread | undefined][] = [
    [[], undefined],
    [[5], { q1: 5, median: 5, q3: 5 }],
    [[1, 2, 3, 4, 5], { q1: 2, median: 3, q3: 4 }],
    [[9, 8, 7, 6, 5, 4, 3, 2, 1], { q1: 3, median: 5, q3: 7 }],
  ];
  for (const [values, expected] of cases) assert.deepEqual(spreadOf(values), expected, `[${values}]`);
});

Deno.test("A median and a sum leave out what is not known", () => {
  const cases: [values: (number | undefined)[], median: number | undefined, sum: number | undefined][] = [
    [[], undefined, undefined],
    [[undefined], undefined, undefined],
    [[0], 0, 0],
    [[undefined, 4, 2], 3, 6],
    [[1, undefined, 2, 30], 2, 33],
  ];
  for (const [values, median, sum] of cases) {
    assert.deepEqual([medianOf(values), sumOf(values)], [median, sum], `[${values}]`);
  }
});

Deno.test("A ratio compares the same round of two servers", () => {
  const cases: [rounds: number[], base: number[], expected: number[]][] = [
    [[10, 30], [20, 10], [0.5, 3]],
    [[10, 30], [20], [0.5]], // the other server has no second round
    [[10], [20, 10], [0.5]],
    [[10, 30], [], []],
    [[10, 30, 8], [0, NaN, 4], [2]], // no ratio to nothing
  ];
  for (const [rounds, base, expected] of cases) {
    assert.deepEqual(ratiosOf(rounds, base), expected, `[${rounds}] to [${base}]`);
  }
});

Deno.test("A percentile is a wait that was measured, and so many requests waited no longer", () => {
  const upTo = (count: number) => Array.from({ length: count }, (_, nr) => nr + 1).reverse();
  const cases: [waitsMs: number[], p50Ms: number | undefined, p99Ms: number | undefined][] = [
    [[], undefined, undefined],
    [[3], 3, 3],
    [upTo(2), 1, 2],
    [upTo(100), 50, 99],
    [upTo(1000), 500, 990],
    [[...upTo(198).map(() => 1), 80, 90], 1, 1],
    [[...upTo(197).map(() => 1), 70, 80, 90], 1, 70],
  ];
  for (const [waitsMs, p50Ms, p99Ms] of cases) {
    assert.deepEqual(percentilesOf(waitsMs), { p50Ms, p99Ms }, `${waitsMs.length} waits`);
  }
});

const figure = fc.double({ min: 1e-3, max: 1e9, noNaN: true });
const rounds = fc.array(figure, { minLength: 1, maxLength: 15 });

Deno.test("The ratio of a run to itself is 1, without a spread", () => {
  fc.assert(fc.property(rounds, (run) => {
    assert.deepEqual(spreadOf(ratiosOf(run, run)), { q1: 1, median: 1, q3: 1 });
  }));
});

Deno.test("The order of rounds does not matter to a spread, a ratio or a percentile", () => {
  const shuffled = fc.array(fc.tuple(figure, figure), { minLength: 1, maxLength: 15 }).chain((pairs) =>
    fc.tuple(fc.constant(pairs), fc.shuffledSubarray(pairs, { minLength: pairs.length }))
  );
  const summarize = (pairs: [number, number][]) => {
    const [mine, others] = [pairs.map(([one]) => one), pairs.map(([, other]) => other)];
    return { own: spreadOf(mine), ratio: spreadOf(ratiosOf(mine, others)), waits: percentilesOf(mine) };
  };
  fc.assert(fc.property(shuffled, ([pairs, other]) => assert.deepEqual(summarize(pairs), summarize(other))));
});

Deno.test("A ratio does not change if both servers get faster by the same factor", () => {
  fc.assert(fc.property(rounds, fc.constantFrom(0.25, 2, 1024), (run, factor) => {
    const base = run.toReversed();
    assert.deepEqual(ratiosOf(run.map((one) => one * factor), base.map((one) => one * factor)), ratiosOf(run, base));
  }));
});

Deno.test("Quartiles are in order and within the figures", () => {
  fc.assert(fc.property(rounds, (run) => {
    const { q1, median, q3 } = spreadOf(run) ?? assert.fail("no spread");
    // Between two equal values, interpolation may be off by the last bit.
    const slack = 1e-12 * Math.max(...run);
    for (const [low, high] of [[Math.min(...run), q1], [q1, median], [median, q3], [q3, Math.max(...run)]] as const) {
      assert.ok(low <= high + slack, `${low} <= ${high}`);
    }
  }));
});
