// How sizes, times, counts, ports and switches are written.

import assert from "node:assert/strict";
import { BadValue, readCount, readPort, readSize, readSwitch, readTime } from "../../src/cli/values.ts";

Deno.test("Sizes take binary units in any case", () => {
  for (
    const [text, bytes] of [
      ["0", 0],
      ["512", 512],
      ["64k", 65536],
      ["64KiB", 65536],
      ["1.5m", 1572864],
      ["10MiB", 10485760],
      ["1g", 1073741824],
      ["2 GiB", 2147483648],
      ["7b", 7],
    ] as const
  ) assert.equal(readSize(text), bytes, text);
});

Deno.test("Times are seconds unless they name a unit", () => {
  for (
    const [text, ms] of [["0", 0], ["10", 10_000], ["0.2", 200], ["200ms", 200], ["10s", 10_000], ["5m", 300_000], [
      "1h",
      3_600_000,
    ]] as const
  ) assert.equal(readTime(text), ms, text);
});

Deno.test("Counts and ports are whole numbers in their range", () => {
  assert.equal(readCount("0"), 0);
  assert.equal(readCount("10000"), 10000);
  assert.equal(readPort("65535"), 65535);
});

Deno.test("A switch in a variable may be said in several words", () => {
  for (const on of ["1", "true", "YES", "on"]) assert.equal(readSwitch(on), true, on);
  for (const off of ["", "0", "false", "No", "off"]) assert.equal(readSwitch(off), false, off);
});

Deno.test("What cannot be read is refused with what came", () => {
  for (
    const [read, text] of [
      [readSize, "ten"],
      [readSize, "-1"],
      [readSize, "1t"],
      [readSize, "1constructor"],
      [readSize, ""],
      [readTime, "1d"],
      [readTime, "soon"],
      [readCount, "1.5"],
      [readCount, "-1"],
      [readPort, "65536"],
      [readPort, "http"],
      [readSwitch, "maybe"],
    ] as const
  ) {
    assert.throws(() => read(text), (error) => error instanceof BadValue && error.message.includes(`"${text}"`), text);
  }
});
