// The WebSocket that an application gets. It passes for the runtime's own class (`instanceof WebSocket`), and behaves as the
// sockets of Deno.upgradeWebSocket do. What it is asked for is done by its link; what the link has for it comes by static methods.

import { MAX_REASON_BYTES } from "../wire/websocket_codes.ts";
import { closeEvent, errorEvent, IncomingMessage, messageEvent, type SocketEnd } from "./events.ts";

const encoder = new TextEncoder();

/** What can be sent. */
export type Sendable = string | ArrayBuffer | ArrayBufferView | Blob;

/** The states, as numbers of the standard. */
export const READY_STATE = { connecting: 0, open: 1, closing: 2, closed: 3 } as const;

/** What a socket asks of the connection below it. */
export interface Link {
  readonly readyState: number;
  /** Bytes of payloads that were given to `send` and not taken by the system yet. */
  readonly bufferedAmount: number;
  /** Called only while the socket is open. */
  send(data: string | Uint8Array | Blob): void;
  close(code: number | undefined, reason: string): void;
}

type Handler = ((event: Event) => unknown) | null;

/** The events that have a handler of their own. */
const NAMES = ["open", "message", "error", "close"] as const;
type Name = typeof NAMES[number];

/** One handler, as `onmessage` holds it, and the listener that calls it. */
interface Held {
  handler: Handler;
  readonly listener: (event: Event) => unknown;
}

/** A WebSocket of a server. */
export class ServerSocket extends EventTarget {
  readonly protocol: string;
  readonly extensions: string;
  #link: Link;
  #binaryType: BinaryType = "arraybuffer";
  /** The handlers that were ever set. */
  #held: Partial<Record<Name, Held>> = {};
  /** The plain functions that listen for messages; null once a listener is not plain, and events have to be native. */
  #listeners: ((event: Event) => unknown)[] | null = [];

  /**
   * @param link does what is asked
   * @param terms what was negotiated
   */
  constructor(link: Link, { protocol, extensions }: { protocol: string; extensions: string }) {
    super();
    this.#link = link;
    this.protocol = protocol;
    this.extensions = extensions;
  }

  /** Empty, as under Deno.serve: the URL is that of the request. */
  get url(): string {
    return "";
  }

  get readyState(): number {
    return this.#link.readyState;
  }

  get bufferedAmount(): number {
    return this.#link.bufferedAmount;
  }

  get binaryType(): BinaryType {
    return this.#binaryType;
  }

  /** Any other value is ignored, as the standard says. */
  set binaryType(type: BinaryType) {
    if (type === "blob" || type === "arraybuffer") this.#binaryType = type;
  }

  send(data: Sendable): void {
    if (arguments.length === 0) {
      throw new TypeError("Failed to execute 'send' on 'WebSocket': 1 argument required, but only 0 present");
    }
    const link = this.#link;
    if (link.readyState === READY_STATE.connecting) {
      throw new DOMException("'readyState' not OPEN", "InvalidStateError");
    }
    if (link.readyState !== READY_STATE.open) return;
    if (typeof data === "string") link.send(data);
    else if (data instanceof Uint8Array) link.send(data);
    else if (ArrayBuffer.isView(data)) link.send(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    else if (isBuffer(data)) link.send(new Uint8Array(data));
    else if (data instanceof Blob) link.send(data);
    else link.send(String(data));
  }

  /** A server may give any code that can be sent, as under Deno.serve. */
  close(code?: number, reason?: string): void {
    const given = code === undefined ? undefined : Math.min(65535, Math.max(0, Math.round(Number(code) || 0)));
    const text = reason === undefined ? "" : String(reason);
    if (encoder.encode(text).length > MAX_REASON_BYTES) {
      throw new DOMException("The close reason may not be longer than 123 bytes", "SyntaxError");
    }
    this.#link.close(given, text);
  }

  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void {
    super.addEventListener(type, listener, options);
    if (type !== "message" || listener === null || this.#listeners === null) return;
    const isPlain = typeof listener === "function" && (options === undefined || options === false);
    if (!isPlain) this.#listeners = null;
    else if (!this.#listeners.includes(listener)) this.#listeners.push(listener);
  }

  override removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | EventListenerOptions,
  ): void {
    super.removeEventListener(type, listener, options);
    if (type !== "message" || this.#listeners === null) return;
    const isCapture = typeof options === "object" ? options?.capture === true : options === true;
    if (!isCapture) this.#listeners = this.#listeners.filter((other) => other !== listener);
  }

  get onopen(): Handler {
    return this.#held.open?.handler ?? null;
  }

  set onopen(handler: Handler) {
    this.#setHandler("open", handler);
  }

  get onmessage(): Handler {
    return this.#held.message?.handler ?? null;
  }

  set onmessage(handler: Handler) {
    this.#setHandler("message", handler);
  }

  get onerror(): Handler {
    return this.#held.error?.handler ?? null;
  }

  set onerror(handler: Handler) {
    this.#setHandler("error", handler);
  }

  get onclose(): Handler {
    return this.#held.close?.handler ?? null;
  }

  set onclose(handler: Handler) {
    this.#setHandler("close", handler);
  }

  /** A handler keeps the place among the listeners at which it was first set (HTML standard, section 8.1.8.1). */
  #setHandler(name: Name, value: Handler): void {
    const handler = typeof value === "function" || (typeof value === "object" && value !== null) ? value : null;
    const held = this.#held[name];
    if (held !== undefined) {
      held.handler = handler;
      return;
    }
    if (handler === null) return;
    const made: Held = {
      handler,
      listener: (event) => typeof made.handler === "function" ? made.handler.call(this, event) : undefined,
    };
    this.#held[name] = made;
    this.addEventListener(name, made.listener);
  }

  #deliverMessage(message: string | Uint8Array<ArrayBuffer>): void {
    const data = typeof message === "string"
      ? message
      : this.#binaryType === "blob"
      ? new Blob([message])
      : message.buffer;
    const listeners = this.#listeners;
    if (listeners === null || listeners.length > 1) {
      this.dispatchEvent(messageEvent(data));
      return;
    }
    const listener = listeners[0];
    if (listener === undefined) return;
    IncomingMessage.call(new IncomingMessage(data, this), listener);
  }

  // What follows is for the link. Applications do not come by: `constructor` is the runtime's class.

  static open(socket: ServerSocket): void {
    socket.dispatchEvent(new Event("open"));
  }

  /** Bytes become the application's own: their array must not be used again. */
  static message(socket: ServerSocket, message: string | Uint8Array<ArrayBuffer>): void {
    socket.#deliverMessage(message);
  }

  static fail(socket: ServerSocket, message: string): void {
    socket.dispatchEvent(errorEvent(message));
  }

  static end(socket: ServerSocket, end: SocketEnd): void {
    socket.dispatchEvent(closeEvent(end));
  }
}

function isBuffer(data: unknown): data is ArrayBuffer {
  return data instanceof ArrayBuffer ||
    (typeof SharedArrayBuffer === "function" && (data as unknown) instanceof SharedArrayBuffer);
}

// Older versions of Node have no WebSocket to pass for.
if (typeof WebSocket === "function") {
  Object.setPrototypeOf(ServerSocket.prototype, WebSocket.prototype);
  Object.defineProperty(ServerSocket.prototype, "constructor", { value: WebSocket });
}
