// How a peer is started on a free port, when it answers, and that its answer is the right one.
// A server that answers wrongly, or shares a port with another, is not measured.

import { ask } from "./loads/client.ts";
import type { Peer } from "./peers.ts";
import { Child, SERVER_CORE } from "./process.ts";
import { ProgramLog, type Running } from "./program.ts";
import type { Scenario } from "./scenarios.ts";

/** From here up; below the range that the system takes outgoing ports from. */
const FIRST_PORT = 21_000;
const LAST_PORT = 29_999;
/** A runtime that loads an application takes a tenth of this. */
const READY_MS = 20_000;
/** How often a server that starts is tried. */
const TRY_EVERY_MS = 1;

let nextPort = FIRST_PORT;

/** A peer that serves. */
export interface Serving extends Running {
  port: number;
  /** When its process was asked for, by `performance.now()`. */
  startedAt: number;
}

/** Starts a peer with a scenario's application; it may not listen yet. */
export async function startPeer(peer: Peer, { app, onAllCores }: Scenario): Promise<Serving> {
  const port = findPort();
  const command = await peer.command(app, port);
  const log = peer.workers === undefined ? undefined : new ProgramLog(peer.workers);
  const core = onAllCores ? null : SERVER_CORE;
  const startedAt = performance.now();
  const child = await Child.start(command, { core, env: peer.env, hear: log && ((line) => log.take(line)) });
  return { peer, child, log, port, startedAt };
}

/** Waits until a peer accepts connections, with workers until the last of them does; throws if it ends instead. */
export async function waitListening({ child, log, port }: Serving): Promise<void> {
  const until = performance.now() + READY_MS;
  while (performance.now() < until) {
    if (child.hasEnded) throw new Error("the server ended at its start");
    if (log?.isReady ?? await isListening(port)) return;
    await new Promise((resolve) => setTimeout(resolve, TRY_EVERY_MS));
  }
  throw new Error(`the server did not listen within ${READY_MS / 1000} s`);
}

async function isListening(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}

/** Asks a peer for the scenario's answer and throws if it is another one. */
export async function checkAnswer({ child, port }: Serving, { check }: Scenario): Promise<void> {
  if (check === undefined) return;
  const { status, text } = await child.within(READY_MS, ask(check.request, port));
  const isRight = typeof check.text === "string" ? text === check.text : check.text.test(text);
  if (status !== 200 || !isRight) {
    throw new Error(`expected ${check.text}, got status ${status} with ${JSON.stringify(text.slice(0, 120))}`);
  }
}

/** Tells what a peer said on standard error, shortened, and without what npm's settings make every Deno say. */
export function whatItSaid({ child }: Serving): string {
  const lines = child.stderr.split("\n").filter((line) => line !== "" && !/^npm warn/i.test(line));
  return withoutPaths(lines.join(" | ")).slice(0, 400);
}

/** Leaves out the directories of paths, because results are published. */
export function withoutPaths(text: string): string {
  return text.replaceAll(/(file:\/\/)?(\/[\w.@~-]+)+\/(?=[\w.@-]+)/g, "");
}

function findPort(): number {
  for (; nextPort <= LAST_PORT; nextPort++) {
    try {
      Deno.listen({ hostname: "127.0.0.1", port: nextPort }).close();
      return nextPort++;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
  throw new Error(`no port from ${FIRST_PORT} to ${LAST_PORT} is free`);
}
