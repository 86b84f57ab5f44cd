// Runs tests on Node: `node main.js [modules below tests/]`. What the program puts in the place of Node's globals is there.

import process from "node:process";
import fc from "npm:fast-check@^4";
import { installFastGlobals } from "../../src/message/fast_globals.ts";
import { runTests } from "./adapter.ts";

/** What a property means for the code is tested on Deno; here, a few examples tell whether Node has the same. */
const RUNS = 20;

fc.configureGlobal({ numRuns: RUNS });
installFastGlobals();
await runTests(process.argv.slice(2).map((name) => new URL(`../${name}`, import.meta.url).href));
