// Decides when a client counts as gone. No timers: the engine's sweep asks, with a time that does not count what this process
// itself was blocked.

import { CLOSE } from "../wire/websocket_codes.ts";
import type { SocketEnd } from "./events.ts";

/** A client answers Close at once. One that sends nothing for so long will not. */
const CLOSE_SILENCE_MS = 5_000;
/** The same for one that goes on sending. */
const CLOSE_MS = 30_000;
/** What a client sends that was told of its mistake is read away for so long, so that it gets the Close frame and no reset. */
const LINGER_MS = 1_000;

/** How a socket stands. */
export interface Standing {
  readonly at: "connecting" | "open" | "closing" | "answering" | "failed" | "closed";
  /** Bytes that came and went. */
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** True while bytes wait for the client to take them. */
  readonly isWriting: boolean;
  /** True while the client is not read. */
  readonly isPaused: boolean;
}

/** Limits in milliseconds; 0 means none. */
export interface Patience {
  /** Silence after which the client counts as gone. Half of it brings a ping. */
  readonly idleTimeoutMs: number;
  /** Time without progress of a write. */
  readonly writeTimeoutMs: number;
}

/** What is to be done: nothing, a ping, or the connection is to be closed and this is what the application is told. */
export type Verdict = "go on" | "ping" | SocketEnd;

/** What was seen of one socket. Times are those of the calls. */
export class Silence {
  #at: Standing["at"] = "connecting";
  #enteredAt = 0;
  #received = -1;
  #receivedAt = 0;
  #sent = -1;
  #sentAt = 0;
  #isPinged = false;

  /**
   * Looks at the socket.
   *
   * @param now milliseconds
   * @param standing how it stands
   * @param patience the limits
   * @returns what is to be done
   */
  look(now: number, standing: Standing, { idleTimeoutMs, writeTimeoutMs }: Patience): Verdict {
    this.#note(now, standing);
    if (writeTimeoutMs > 0 && now - this.#sentAt >= writeTimeoutMs) {
      return gone(CLOSE.abnormal, `the client took nothing for ${writeTimeoutMs} ms`);
    }
    const silentMs = now - this.#receivedAt;
    const inStateMs = now - this.#enteredAt;
    switch (standing.at) {
      case "open":
        if (idleTimeoutMs === 0 || standing.isPaused) return "go on";
        // The code and the words are those of Deno.
        if (silentMs >= idleTimeoutMs) return gone(CLOSE.goingAway, "No response from ping frame.");
        if (silentMs < idleTimeoutMs / 2 || this.#isPinged) return "go on";
        this.#isPinged = true;
        return "ping";
      case "closing":
        if (silentMs < CLOSE_SILENCE_MS && inStateMs < CLOSE_MS) return "go on";
        return gone(CLOSE.abnormal, "the client did not answer the Close frame");
      case "failed":
        return inStateMs < LINGER_MS ? "go on" : gone(CLOSE.abnormal, "");
      default:
        return "go on";
    }
  }

  #note(now: number, { at, bytesReceived, bytesSent, isWriting, isPaused }: Standing): void {
    // The Close frame comes after what waits: the client cannot answer it yet.
    if (at !== this.#at || (at === "closing" && isWriting)) {
      this.#at = at;
      this.#enteredAt = this.#receivedAt = now;
    }
    // A ping also comes after what waits. A client that takes what waits is not gone.
    const isTaking = isWriting && bytesSent !== this.#sent;
    if (bytesReceived !== this.#received || isPaused || isTaking) {
      this.#received = bytesReceived;
      this.#receivedAt = now;
      this.#isPinged = false;
    }
    if (bytesSent !== this.#sent || !isWriting) {
      this.#sent = bytesSent;
      this.#sentAt = now;
    }
  }
}

function gone(code: number, reason: string): SocketEnd {
  return { code, reason, wasClean: false };
}
