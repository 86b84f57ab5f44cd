// One WebSocket from its opening to its end: reads frames, gives messages to the application, sends what it says.
// No timers: the engine's sweep asks whether the socket is overdue.
//
//   state       what it means                                                        next
//   connecting  the answer 101 is not written yet                                    open, closed
//   open        messages go both ways                                                closing, answering, failed, closed
//   closing     a Close frame was sent; that of the client is awaited                answering, failed, closed
//   answering   both have said Close; the last bytes are written                     closed
//   failed      the client broke the protocol and was told so; the rest is read away closed
//   closed      nothing is left to do                                                -
//
// An application hears of the end once: when the state becomes "failed", or "closed" from any other.

import type { RawDeflate, Socket } from "../platform/ports.ts";
import { MessageDeflate } from "../wire/permessage_deflate.ts";
import { CLOSE, FrameError, isCloseCode } from "../wire/websocket_codes.ts";
import type { Handshake } from "../wire/websocket_handshake.ts";
import { MessageReader, type Received } from "../wire/websocket_reader.ts";
import type { SocketEnd } from "./events.ts";
import { Sender, type SenderEvents } from "./sender.ts";
import { type Link, READY_STATE, ServerSocket } from "./server_socket.ts";
import { Silence, type Standing } from "./silence.ts";
import type { WriteTurns } from "./write_turns.ts";

/** A client that takes nothing while it sends is not read any more once so much waits for it. */
const PAUSE_BYTES = 16 * 1024 * 1024;
/** An application that sends more than a client takes ends here: the connection is cut before memory is gone. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
/** Room for what is read away. */
const LINGER_BYTES = 4 * 1024;

type State =
  | { readonly at: "connecting" | "open" | "closing" | "failed" | "closed" }
  | { readonly at: "answering"; readonly end: SocketEnd };

const OPEN: State = { at: "open" };
const CLOSING: State = { at: "closing" };
const FAILED: State = { at: "failed" };
const CLOSED: State = { at: "closed" };

/** The end of a connection that breaks. */
const GONE: SocketEnd = { code: CLOSE.abnormal, reason: "", wasClean: false };

/** What a link is made with. */
export interface LinkOptions {
  /** Without what is answered once. */
  readonly agreed: Omit<Handshake, "fields">;
  readonly maxMessageBytes: number;
  /** Milliseconds of silence after which the client counts as gone; half of it brings a ping. 0: it may be silent. */
  readonly idleTimeoutMs: number;
  /** Loads zlib. Called if compression was negotiated. */
  readonly loadDeflate: () => Promise<RawDeflate>;
  /** Shared by all sockets of the process. */
  readonly turns: WriteTurns;
}

/** One WebSocket, below the object of the application. */
export class SocketLink implements Link, Standing, SenderEvents {
  /** The application's object. */
  readonly socket: ServerSocket;
  /** Data messages that came. */
  messagesReceived = 0;
  /** Bytes of frames that came. */
  bytesReceived = 0;
  /** True while the client is not read because it takes nothing. */
  isPaused = false;

  readonly #options: LinkOptions;
  readonly #silence = new Silence();
  #state: State = { at: "connecting" };
  /** Null before the connection is handed over. Set by `run`. */
  #connection: Socket | null = null;
  #sender: Sender | null = null;
  /** What `close` was called with before the socket was open; null if it was not. Such a socket never opens. */
  #closeAtOnce: [code: number | undefined, reason: string] | null = null;
  /** Why `send` has cut the connection; null if it has not. */
  #cutFor: SocketEnd | null = null;
  /** Why the engine may cut it; null if the last sweep found nothing. Set by `isOverdue`. */
  #overdueFor: SocketEnd | null = null;

  /** @param options what was agreed, and the limits */
  constructor(options: LinkOptions) {
    this.#options = options;
    this.socket = new ServerSocket(this, options.agreed);
  }

  get at(): State["at"] {
    return this.#state.at;
  }

  get readyState(): number {
    const { at } = this.#state;
    if (at === "open") return READY_STATE.open;
    if (at === "failed" || at === "closed") return READY_STATE.closed;
    return at === "connecting" && this.#closeAtOnce === null ? READY_STATE.connecting : READY_STATE.closing;
  }

  get bufferedAmount(): number {
    return this.#sender?.payload ?? 0;
  }

  /** Data messages that went. */
  get messagesSent(): number {
    return this.#sender?.messages ?? 0;
  }

  /** Bytes of frames that the system has taken. */
  get bytesSent(): number {
    return this.#sender?.written ?? 0;
  }

  get isWriting(): boolean {
    return this.#sender !== null && this.#sender.waiting > 0;
  }

  send(data: string | Uint8Array | Blob): void {
    const sender = this.#sender!; // Set once the socket is open.
    if (sender.waiting <= MAX_WAITING_BYTES) return sender.send(data);
    if (this.#cutFor !== null) return;
    this.#cutFor = { ...GONE, reason: `more than ${MAX_WAITING_BYTES} bytes wait for the client` };
    this.#connection!.close();
  }

  close(code: number | undefined, reason: string): void {
    if (code !== undefined && !isCloseCode(code)) {
      throw new DOMException(`The close code cannot be sent: received ${code}`, "InvalidAccessError");
    }
    if (this.#state.at === "connecting") this.#closeAtOnce ??= [code, reason];
    if (this.#state.at !== "open") return;
    this.#state = CLOSING;
    this.#sender!.close(code ?? CLOSE.noCode, reason);
  }

  /**
   * The engine drains: the client is told to go.
   *
   * @param isReplaced true if another process takes over, so that the client should connect again
   */
  leave(isReplaced: boolean): void {
    this.close(isReplaced ? CLOSE.serviceRestart : CLOSE.goingAway, "");
  }

  /** Called if the answer was not 101, or could not be sent: the socket never opens. */
  neverOpened(): void {
    if (this.#state.at === "connecting") this.#end(GONE, "the connection was not upgraded");
  }

  /**
   * Drives the socket to its end. It is open from now on.
   *
   * @param connection the bytes
   * @param first those that have come already
   * @returns resolved when the connection can be closed; never rejected
   */
  async run(connection: Socket, first: Uint8Array): Promise<void> {
    const { agreed, loadDeflate, maxMessageBytes, turns } = this.#options;
    this.#connection = connection;
    let reader: MessageReader | null = null;
    try {
      const deflate = agreed.deflate === null ? null : new MessageDeflate(agreed.deflate, await loadDeflate());
      const sender = this.#sender = new Sender(connection, { deflate, told: this, turns });
      reader = new MessageReader({ maxMessageBytes }, deflate);
      this.bytesReceived += first.length;
      reader.put(first);
      this.#state = OPEN;
      if (this.#closeAtOnce === null) ServerSocket.open(this.socket);
      else this.close(...this.#closeAtOnce);
      // Spelled out here, because each function that waits takes half a kilobyte for each socket.
      while (this.#take(reader, sender)) {
        if (sender.size > PAUSE_BYTES) await this.#pause(sender);
        const count = await connection.read(reader.room());
        if (count === null || count === 0) return this.#lost(null);
        this.bytesReceived += count;
        reader.filled(count);
      }
      await this.#finish(connection, sender);
    } catch (error) {
      this.#lost(error);
    } finally {
      reader?.close();
      this.#sender?.end();
    }
  }

  /**
   * Called by each sweep of the engine.
   *
   * @param now milliseconds of the deadlines
   * @param writeTimeoutMs most milliseconds without progress of a write; 0 means no limit
   * @returns true if the connection is to be closed
   */
  isOverdue(now: number, writeTimeoutMs: number): boolean {
    const verdict = this.#silence.look(now, this, { idleTimeoutMs: this.#options.idleTimeoutMs, writeTimeoutMs });
    if (verdict === "ping") this.#sender!.ping();
    this.#overdueFor = typeof verdict === "string" ? null : verdict;
    return this.#overdueFor !== null;
  }

  /** Waits until the client has taken most of what waits for it. */
  async #pause(sender: Sender): Promise<void> {
    this.isPaused = true;
    await sender.until(PAUSE_BYTES);
    this.isPaused = false;
  }

  /** Takes all that is here. What the application sends meanwhile goes out together. False if nothing else is to be read. */
  #take(reader: MessageReader, sender: Sender): boolean {
    sender.cork();
    try {
      for (let received = reader.next(); received !== "needMore"; received = reader.next()) {
        this.#took(received, reader, sender);
        if (this.#state.at === "answering" || this.#state.at === "closed") break;
      }
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#fail(error, sender);
    } finally {
      sender.uncork();
    }
    const { at } = this.#state;
    return at !== "answering" && at !== "failed";
  }

  #took(received: Exclude<Received, "needMore">, reader: MessageReader, sender: Sender): void {
    switch (received) {
      case "text":
      case "binary":
        this.messagesReceived++;
        // Once Close was sent, what comes is thrown away (WebSockets standard, section 7).
        if (this.#state.at === "open") {
          const message = received === "text" ? reader.text : reader.bytes as Uint8Array<ArrayBuffer>;
          reader.letGo();
          ServerSocket.message(this.socket, message);
        }
        return;
      case "ping":
        return sender.pong(reader.bytes);
      case "close": {
        const { code, text: reason } = reader;
        sender.closeNow(code, reason); // Does nothing if this side has said so before.
        this.#state = { at: "answering", end: { code, reason, wasClean: true } };
      }
    }
  }

  /** The client has broken the protocol: it is told so, and the application too. */
  #fail({ code, message }: FrameError, sender: Sender): void {
    sender.closeNow(code, message);
    this.#state = FAILED;
    ServerSocket.fail(this.socket, message);
    ServerSocket.end(this.socket, { code, reason: message, wasClean: false });
  }

  /**
   * Writes what is left. After a failure it ends our side and reads on, so that the client gets the Close frame. A sweep ends it
   * if the client does not.
   */
  async #finish(connection: Socket, sender: Sender): Promise<void> {
    const state = this.#state;
    await sender.until(0);
    if (state.at === "answering") return this.#end(state.end);
    await connection.closeWrite();
    const waste = new Uint8Array(LINGER_BYTES);
    for (;;) {
      const count = await connection.read(waste);
      if (count === null || count === 0) return;
      this.bytesReceived += count;
    }
  }

  /** Called by the sending side. */
  unreadable(error: unknown): void {
    if (this.#state.at === "open") this.#state = CLOSING;
    ServerSocket.fail(this.socket, `a Blob cannot be sent: ${error instanceof Error ? error.message : error}`);
  }

  /** Called by the sending side when a write failed. The connection is closed, because a read could wait for ever. */
  broken(error: unknown): void {
    this.#lost(error);
    this.#connection!.close(); // Set once there is a sending side.
  }

  /** The connection is gone, or was ended by the engine or by `send`. */
  #lost(error: unknown): void {
    const end = this.#cutFor ?? this.#overdueFor ?? GONE;
    const cause = error instanceof Error ? error.message : "the client has left without a Close frame";
    this.#end(end, end.reason || cause);
  }

  /** The one way to "closed". The application is told, unless it knows already. */
  #end(end: SocketEnd, problem: string | null = null): void {
    const { at } = this.#state;
    this.#state = CLOSED;
    this.#sender?.end();
    if (at === "closed" || at === "failed") return;
    if (problem !== null) ServerSocket.fail(this.socket, problem);
    ServerSocket.end(this.socket, end);
  }
}
