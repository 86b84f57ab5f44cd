// What an engine is made of, and what a drain may be told.

import type { Proxies } from "../connection/arrival.ts";
import type { PhaseReader } from "../connection/phases.ts";
import type { Clock, Listener, Log, TemporaryFiles } from "../platform/ports.ts";
import type { DecodeLatin1 } from "../wire/head_facts.ts";
import type { ApplicationOptions } from "./application.ts";
import type { Settings } from "./settings.ts";

/** The ports that an engine uses. */
export interface EnginePorts {
  clock: Clock;
  log: Log;
  decode: DecodeLatin1;
  /**
   * For bodies that are read before the application runs and are too long for memory.
   * @default the runtime's own, in the system's directory for temporary files
   */
  temporaryFiles?: TemporaryFiles | undefined;
}

/** What an engine serves, and how. */
export interface EngineOptions {
  /** The engine accepts its connections and closes it. */
  listener: Listener;
  /** The scheme of the requests' URLs. */
  scheme: "http" | "https";
  /**
   * The proxies whose word about a request counts.
   * @default {null} none
   */
  proxies?: Proxies | null;
  settings: Settings;
  application: Omit<ApplicationOptions, "log" | "health">;
  /** Told of every phase of every connection. */
  readers: readonly PhaseReader[];
}

/** How a drain differs from the settings. */
export interface DrainOptions {
  /**
   * Milliseconds to go on accepting.
   * @default `drainDelayMs` of the settings
   */
  delayMs?: number | undefined;
  /**
   * Milliseconds that a connection may idle.
   * @default `lastIdleMs` of the settings
   */
  lastIdleMs?: number | undefined;
  /**
   * Set if other processes take over: on the same listening socket, or each with its own socket on the same port. The health
   * path then goes on to answer 200, because the server as a whole still serves. If connections may idle (`lastIdleMs`),
   * they are closed a few at a time, so that clients do not all reach the successors at once and wait for each other.
   * @default {undefined} no other process takes over
   */
  successors?: "same socket" | "same port" | undefined;
}

/** The state of an engine. It only ever changes to a later one of this list. */
export type EngineState = "serving" | "draining" | "stopping" | "stopped";

/** How connections ended. */
export interface ConnectionCounts {
  /** Neither cut nor refused. */
  finished: number;
  /** Cut by the graceful timeout or by an abort, after at least one request. */
  cut: number;
  /** Closed during a drain without a request. */
  refused: number;
}
