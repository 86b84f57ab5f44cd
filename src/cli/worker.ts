// Knows: how a worker's process begins.
// Does not know: how it serves (run_worker.ts).
// Rule: this is the main module of a worker, beside mod.ts: what a worker does not use is not loaded before it serves.

import { lineLog } from "../platform/log.ts";
import { platform } from "../platform/runtime.ts";
import { runWorker } from "./run_worker.ts";
import { toTheEnd } from "./to_the_end.ts";

const { process, clock } = platform;
/** What the supervisor tells of itself, and its own command line. */
const [hello, ...args] = process.args;

// Not awaited here: an application that is loaded may wait for this module.
toTheEnd(runWorker(args, JSON.parse(hello), { platform, log: lineLog(process, clock) }), process);
