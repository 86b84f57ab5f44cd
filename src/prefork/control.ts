// The local socket that workers and `weft ctl` connect to.
// Nothing that comes over it disturbs the service: an unknown or silent client is disconnected.

import { acceptAll } from "../platform/accept_all.ts";
import { EXIT } from "../platform/failure.ts";
import { messageOf, showError } from "../platform/log.ts";
import type { Clock, Listener, Log, Platform, Socket } from "../platform/ports.ts";
import { listenAtPath } from "../platform/socket_path.ts";
import { dropOldest } from "../progress/oldest.ts";
import { LineChannel } from "./line_channel.ts";
import { type Question, readFirst, type Reply, type SupervisorMessage } from "./messages.ts";

/** Time for a new connection to say what it wants. */
const FIRST_LINE_MS = 5_000;
/**
 * Most connections that may stay silent. Above this the oldest is closed. No more workers than this start at one moment,
 * and a worker speaks at once.
 */
const MAX_SILENT = 512;
/** A question is short. */
const MAX_QUESTION_BYTES = 4 * 1024;

/** What connections are passed to. */
export interface Host {
  /** A worker's connection. Returns what handles each message, or null if the token is not known. */
  welcome(token: string, channel: LineChannel<SupervisorMessage>): ((message: unknown) => void) | null;
  /** A question of `weft ctl`. */
  answer(question: Question): Promise<Reply>;
}

/** The control socket of one supervisor. */
export class Control {
  readonly path: string;
  #listener: Listener;
  #host: Host;
  #clock: Clock;
  /** Connections that have not said what they want, the oldest first. */
  #silent = new Set<{ close(): void }>();

  private constructor(path: string, listener: Listener, { host, clock, log }: { host: Host; clock: Clock; log: Log }) {
    this.path = path;
    this.#listener = listener;
    this.#host = host;
    this.#clock = clock;
    acceptAll(listener, {
      clock,
      take: (socket) => {
        this.#greet(socket).catch((error) => log("ERROR", `control socket: ${showError(error)}`));
      },
      onFailure: (error) => log("WARN", `control socket: ${messageOf(error)}`),
    });
  }

  /**
   * Opens the control socket. The socket file of a process that was killed is replaced.
   *
   * @param path where; only the user may connect to it
   * @param options the runtime, what connections are passed to, and the log
   * @returns the socket, which listens
   * @throws {SocketPathError} if it cannot be opened
   */
  static async open(
    path: string,
    { platform, host, log }: { platform: Platform; host: Host; log: Log },
  ): Promise<Control> {
    const { files, clock } = platform;
    const listener = await listenAtPath(path, platform);
    files.makePrivate(path);
    return new Control(path, listener, { host, clock, log });
  }

  /** Ends it; connections that are open stay until their ends close them. */
  close(): void {
    this.#listener.close();
  }

  async #greet(socket: Socket): Promise<void> {
    const channel = new LineChannel<SupervisorMessage | Reply>(socket);
    const impatience = this.#clock.after(FIRST_LINE_MS, () => channel.close());
    this.#silent.add(channel);
    if (this.#silent.size > MAX_SILENT) dropOldest(this.#silent)?.close();
    const settle = () => {
      impatience.cancel();
      this.#silent.delete(channel);
    };
    let take: ((message: unknown) => void) | null = null;
    try {
      for await (const message of channel.messages(MAX_QUESTION_BYTES)) {
        if (take !== null) {
          take(message);
          continue;
        }
        settle();
        const first = readFirst(message);
        if (first === null || !("hello" in first)) return await this.#reply(channel, first);
        take = this.#host.welcome(first.hello, channel as LineChannel<SupervisorMessage>);
        if (take === null) return;
        channel.trust();
      }
    } finally {
      settle();
    }
  }

  /** Answers a question. A client that asks and does not read is given up. */
  async #reply(channel: LineChannel<Reply>, first: { question: Question } | null): Promise<void> {
    channel.send(
      first === null
        ? { ok: false, code: EXIT.usage, text: "not understood: expected what `weft ctl` sends" }
        : await this.#host.answer(first.question),
    );
    const patience = this.#clock.after(FIRST_LINE_MS, () => channel.close());
    await channel.flushed();
    patience.cancel();
  }
}
