// What an engine is made of and told.

import type { PhaseReader } from "../connection/phases.ts";
import type { Clock, Listener, Log, TemporaryFiles } from "../platform/ports.ts";
import type { DecodeLatin1 } from "../wire/head_facts.ts";
import type { ApplicationOptions } from "./application.ts";
import type { Settings } from "./settings.ts";

/** What an engine needs of the runtime. */
export interface EnginePorts {
  clock: Clock;
  log: Log;
  decode: DecodeLatin1;
  /**
   * For bodies that are read first and too long for memory.
   * @default the runtime's own, in the system's directory for them
   */
  temporaryFiles?: TemporaryFiles;
}

/** Everything that makes an engine. */
export interface EngineOptions {
  listener: Listener;
  scheme: "http" | "https";
  settings: Settings;
  application: Omit<ApplicationOptions, "log" | "health">;
  /** Told of every phase of every connection. */
  readers: readonly PhaseReader[];
}

/** What a drain may be told besides its settings. */
export interface DrainOptions {
  /** Milliseconds to go on accepting; `drainDelayMs` of the settings if it is not given. */
  delayMs?: number;
  /** Milliseconds that a connection may idle; `lastIdleMs` of the settings if it is not given. */
  lastIdleMs?: number;
  /**
   * Other processes take its place, on the same listening socket or each with a socket of its own on the same port. The
   * health path goes on to answer 200, because the service does not go away. If clients may idle, they are sent to the
   * successors a few at a time.
   */
  successors?: "same socket" | "same port";
}
