// How a worker's process begins.
// This is the main module of a worker, beside mod.ts: what a worker does not use is not loaded before it serves.

import { lineLog } from "../platform/log.ts";
import { platform } from "../platform/runtime.ts";
import { runWorker } from "./run_worker.ts";
import { runAndExit } from "./run_and_exit.ts";

const { process, clock } = platform;
/** What the supervisor tells of itself, and its own command line. */
const [hello = "", ...args] = process.args;

// Not awaited here: an application that is loaded may wait for this module.
runAndExit(runWorker(args, JSON.parse(hello), { platform, log: lineLog(process, clock) }), process);
