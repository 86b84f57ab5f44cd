// Knows: the local socket that workers and `weft ctl` connect to, and who may.
// Does not know: what is answered.
// Rule: nothing that comes over it disturbs the service: a stranger is shown out, a silent one too.

import type { Clock, Listener, Log, Platform, Socket } from "../platform/ports.ts";
import { ListenerClosed } from "../platform/ports.ts";
import { LineChannel } from "./line_channel.ts";
import { type Question, readFirst, type Reply, type SupervisorMessage } from "./messages.ts";

/** Who connects has so long to say what it wants. */
const FIRST_LINE_MS = 5_000;
/** Whoever asks is served; more than these at once are not operators. */
const MAX_GUESTS = 64;
/** A question is short. */
const MAX_QUESTION_BYTES = 4 * 1024;
/** After an error of accept, such as too many open files. */
const PAUSE_MS = 500;

/** Who is told of connections. */
export interface Host {
  /** A worker's connection; null where nobody waits for this token. It says what to do with each message. */
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
  #log: Log;
  #guests = new Set<Socket>();

  private constructor(path: string, listener: Listener, { host, clock, log }: { host: Host; clock: Clock; log: Log }) {
    this.path = path;
    this.#listener = listener;
    this.#host = host;
    this.#clock = clock;
    this.#log = log;
    this.#acceptAll();
  }

  /**
   * Opens the control socket; one that a killed process has left behind is replaced.
   *
   * @param path where; its directory is made, for nobody else, where it is missing
   * @param parts the runtime, who is told, and the log
   * @returns the socket, which listens
   * @throws {Error} where it cannot be had; the message says what to do
   */
  static async open(
    path: string,
    { platform, host, log }: { platform: Platform; host: Host; log: Log },
  ): Promise<Control> {
    const { files, clock } = platform;
    const kind = files.kindOf(path);
    if (kind !== null && kind !== "socket") throw new Error(`${path} exists and is no socket; name another --control`);
    if (kind === "socket") {
      if (await platform.isUnixSocketLive(path)) {
        throw new Error(`${path} belongs to a process that runs; stop it, or name another --control`);
      }
      platform.removeFile(path);
    }
    const listener = platform.listen({ transport: "unix", path });
    files.makePrivate(path);
    return new Control(path, listener, { host, clock, log });
  }

  /** Ends it; connections that are open stay until their ends close them. */
  close(): void {
    this.#listener.close();
  }

  async #acceptAll(): Promise<void> {
    for (;;) {
      try {
        this.#greet(await this.#listener.accept());
      } catch (error) {
        if (error instanceof ListenerClosed) return;
        this.#log("WARN", `control socket: ${error instanceof Error ? error.message : error}`);
        await new Promise<void>((resolve) => this.#clock.after(PAUSE_MS, resolve));
      }
    }
  }

  async #greet(socket: Socket): Promise<void> {
    if (this.#guests.size >= MAX_GUESTS) return socket.close();
    this.#guests.add(socket);
    const channel = new LineChannel<SupervisorMessage | Reply>(socket);
    const impatience = this.#clock.after(FIRST_LINE_MS, () => channel.close());
    const settle = () => {
      impatience.cancel();
      this.#guests.delete(socket);
    };
    let take: ((message: unknown) => void) | null = null;
    for await (const message of channel.messages(MAX_QUESTION_BYTES)) {
      if (take !== null) {
        take(message);
        continue;
      }
      const first = readFirst(message);
      if (first === null) {
        channel.send({ ok: false, code: 2, text: "not understood: expected what `weft ctl` sends" });
        await channel.flushed();
        break;
      }
      if ("hello" in first) {
        take = this.#host.welcome(first.hello, channel as LineChannel<SupervisorMessage>);
        settle();
        if (take === null) break;
        channel.trust();
      } else {
        impatience.cancel();
        channel.send(await this.#host.answer(first.question));
        // Who asks and does not read is not waited for.
        const patience = this.#clock.after(FIRST_LINE_MS, () => channel.close());
        await channel.flushed();
        patience.cancel();
        break;
      }
    }
    settle();
  }
}
