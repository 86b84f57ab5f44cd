// Runs tests on Node: `node main.js [modules below tests/]`. The faster globals of the program are installed.

import process from "node:process";
import fc from "npm:fast-check@^4";
import { installFastGlobals } from "../../src/message/fast_globals.ts";
import { runTests } from "./adapter.ts";

/** Properties are tested at length on Deno. Here a few examples show that Node gives the same results. */
const RUNS = 20;

fc.configureGlobal({ numRuns: RUNS });
installFastGlobals();
await runTests(process.argv.slice(2).map((name) => new URL(`../${name}`, import.meta.url).href));
