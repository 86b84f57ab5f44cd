// One worker process, as its supervisor sees it.

import type { Child } from "../platform/ports.ts";
import type { LineChannel } from "./line_channel.ts";
import type { SupervisorMessage, WorkerMessage } from "./messages.ts";

/** What a worker answers to a dump. */
export type WorkerState = WorkerMessage & { kind: "state" };

/** One worker process. */
export class WorkerHandle {
  /** The roster's number for it. */
  readonly id: number;
  readonly child: Child;
  /** Settles when the processes of the application serve, or cannot; null if it has none. */
  readonly backendReady: Promise<void> | null;
  /** Set once it has connected. */
  channel: LineChannel<SupervisorMessage> | null = null;
  /** It was ready once. */
  hasServed = false;
  /** It has told how its connections ended. */
  hasSaidBye = false;
  /** Called once it has connected. */
  onWelcome: () => void = () => {};

  #asked = new Map<number, (state: WorkerState | null) => void>();
  #lastAsk = 0;

  constructor(id: number, child: Child, backendReady: Promise<void> | null) {
    this.id = id;
    this.child = child;
    this.backendReady = backendReady;
  }

  send(message: SupervisorMessage): void {
    this.channel?.send(message);
  }

  /**
   * Asks for everything it knows of itself.
   *
   * @param impatience settles when it is not waited for any longer
   * @returns its answer, or null if none came
   */
  async dump(impatience: Promise<null>): Promise<WorkerState | null> {
    if (this.channel === null || this.channel.isClosed) return null;
    const ask = ++this.#lastAsk;
    const answer = new Promise<WorkerState | null>((resolve) => this.#asked.set(ask, resolve));
    this.send({ kind: "dump", ask });
    const state = await Promise.race([answer, impatience]);
    this.#asked.delete(ask);
    return state;
  }

  /** Called by the supervisor with the answer to a dump. */
  told(state: WorkerState): void {
    this.#asked.get(state.ask)?.(state);
  }

  /** Called by the supervisor when it has ended. */
  gone(): void {
    this.channel?.close();
    for (const resolve of this.#asked.values()) resolve(null);
  }
}
