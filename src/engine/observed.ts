// Drives a connection whose phases are read, and shows each phase to its readers.

import type { Connection } from "../connection/connection.ts";
import { Turns } from "../connection/drive.ts";
import type { ConnectionView, PhaseReader } from "../connection/phases.ts";
import { ReadOnlyConnection } from "../connection/views.ts";
import { showError } from "../platform/log.ts";
import type { Log } from "../platform/ports.ts";

/** A connection with its readers. */
export class Observed {
  #connection: Connection;
  /** What readers are given of the connection: the same object for each call. */
  #view: ConnectionView;
  #readers: readonly PhaseReader[];

  /**
   * @param connection not driven before
   * @param readers called in this order
   */
  constructor(connection: Connection, readers: readonly PhaseReader[]) {
    this.#connection = connection;
    this.#view = new ReadOnlyConnection(connection);
    this.#readers = readers;
  }

  /**
   * Drives the connection to its end.
   *
   * @throws what a reader throws, and what {@linkcode Turns} throws
   */
  async run(): Promise<void> {
    for await (const turn of new Turns(this.#connection)) {
      for (const phase of turn) {
        for (const reader of this.#readers) reader.see(this.#view, phase);
      }
    }
  }

  /** Shows the last phase. A reader that fails here is logged. */
  showClosed(log: Log): void {
    try {
      for (const reader of this.#readers) reader.see(this.#view, "closed");
    } catch (error) {
      log("ERROR", `connection ${this.#view.id}: a reader of phases failed: ${showError(error)}`);
    }
  }
}
