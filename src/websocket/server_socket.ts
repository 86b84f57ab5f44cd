// The WebSocket that an application gets. It passes for the runtime's own class (`instanceof WebSocket`), and behaves as the
// sockets of Deno.upgradeWebSocket do. What it is asked for is done by its link; what the link has for it comes by static methods.

import { MAX_REASON_BYTES } from "../wire/websocket_codes.ts";
import { closeEvent, errorEvent, IncomingMessage, messageEvent, report, type SocketEnd } from "./events.ts";

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

/** What an event says of the object that it is for. */
const TARGETS = ["target", "currentTarget", "srcElement"] as const;

/** A WebSocket of a server. */
export class ServerSocket extends EventTarget {
  readonly protocol: string;
  readonly extensions: string;
  #link: Link;
  #binaryType: BinaryType = "arraybuffer";
  /** What `onmessage` and the like hold, in the order in which they were set first. */
  readonly #handlers: Partial<Record<Name, Handler>> = {};
  /**
   * The listeners that call the handlers. Null until something asks for listeners of its own: most applications set handlers
   * only, and those are called without the runtime's list of listeners, which takes a kilobyte for each socket.
   */
  #wrappers: Partial<Record<Name, (event: Event) => unknown>> | null = null;
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
    this.#useListeners();
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
    if (this.#wrappers === null) return;
    super.removeEventListener(type, listener, options);
    if (type !== "message" || this.#listeners === null) return;
    const isCapture = typeof options === "object" ? options?.capture === true : options === true;
    if (!isCapture) this.#listeners = this.#listeners.filter((other) => other !== listener);
  }

  override dispatchEvent(event: Event): boolean {
    this.#useListeners();
    return super.dispatchEvent(event);
  }

  get onopen(): Handler {
    return this.#handlers.open ?? null;
  }

  set onopen(handler: Handler) {
    this.#setHandler("open", handler);
  }

  get onmessage(): Handler {
    return this.#handlers.message ?? null;
  }

  set onmessage(handler: Handler) {
    this.#setHandler("message", handler);
  }

  get onerror(): Handler {
    return this.#handlers.error ?? null;
  }

  set onerror(handler: Handler) {
    this.#setHandler("error", handler);
  }

  get onclose(): Handler {
    return this.#handlers.close ?? null;
  }

  set onclose(handler: Handler) {
    this.#setHandler("close", handler);
  }

  #setHandler(name: Name, value: Handler): void {
    this.#handlers[name] = typeof value === "function" || (typeof value === "object" && value !== null) ? value : null;
    if (this.#wrappers !== null) this.#wrap(name, this.#wrappers);
  }

  /** From now on the runtime calls the listeners. Handlers that were set before come first. */
  #useListeners(): void {
    if (this.#wrappers !== null) return;
    this.#wrappers = {};
    for (const name of Object.keys(this.#handlers) as Name[]) this.#wrap(name, this.#wrappers);
  }

  /** A handler keeps the place among the listeners at which it was first set (HTML standard, section 8.1.8.1). */
  #wrap(name: Name, wrappers: Partial<Record<Name, (event: Event) => unknown>>): void {
    if (wrappers[name] !== undefined || this.#handlers[name] === null) return;
    const wrapper = wrappers[name] = (event: Event) => {
      const handler = this.#handlers[name];
      return typeof handler === "function" ? handler.call(this, event) : undefined;
    };
    super.addEventListener(name, wrapper);
    if (name === "message") this.#listeners?.push(wrapper);
  }

  #deliver(name: Name, event: Event): void {
    if (this.#wrappers !== null) {
      super.dispatchEvent(event);
      return;
    }
    const handler = this.#handlers[name];
    if (typeof handler !== "function") return;
    for (const member of TARGETS) Object.defineProperty(event, member, { value: this, configurable: true });
    try {
      handler.call(this, event);
    } catch (error) {
      report(error);
    }
  }

  #deliverMessage(message: string | Uint8Array<ArrayBuffer>): void {
    const data = typeof message === "string"
      ? message
      : this.#binaryType === "blob"
      ? new Blob([message])
      : message.buffer;
    const listeners = this.#listeners;
    if (listeners === null || listeners.length > 1) {
      super.dispatchEvent(messageEvent(data));
      return;
    }
    const listener = this.#wrappers === null ? this.#handlers.message : listeners[0];
    if (typeof listener !== "function") return;
    IncomingMessage.call(new IncomingMessage(data, this), listener);
  }

  // What follows is for the link. Applications cannot call it: `constructor` is the runtime's class.

  static open(socket: ServerSocket): void {
    socket.#deliver("open", new Event("open"));
  }

  /** Bytes become the application's own: their array must not be used again. */
  static message(socket: ServerSocket, message: string | Uint8Array<ArrayBuffer>): void {
    socket.#deliverMessage(message);
  }

  static fail(socket: ServerSocket, message: string): void {
    socket.#deliver("error", errorEvent(message));
  }

  static end(socket: ServerSocket, end: SocketEnd): void {
    socket.#deliver("close", closeEvent(end));
  }
}

function isBuffer(data: unknown): data is ArrayBuffer {
  return data instanceof ArrayBuffer ||
    (typeof SharedArrayBuffer === "function" && (data as unknown) instanceof SharedArrayBuffer);
}

// Node 20 has no WebSocket to pass for. A class that a library has put there may not fit.
if (typeof WebSocket === "function" && WebSocket.prototype instanceof EventTarget) {
  Object.setPrototypeOf(ServerSocket.prototype, WebSocket.prototype);
  Object.defineProperty(ServerSocket.prototype, "constructor", { value: WebSocket });
} else {
  for (const [name, value] of Object.entries(READY_STATE)) {
    for (const owner of [ServerSocket, ServerSocket.prototype]) {
      Object.defineProperty(owner, name.toUpperCase(), { value, enumerable: true });
    }
  }
  Object.defineProperty(ServerSocket, "name", { value: "WebSocket", configurable: true });
  Object.defineProperty(ServerSocket.prototype, Symbol.toStringTag, { value: "WebSocket", configurable: true });
}
