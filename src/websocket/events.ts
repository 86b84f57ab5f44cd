// The events of a WebSocket. A native event costs more than all the rest of a small message, so that of a message is an object
// that is a MessageEvent (instanceof, its members) and makes the native one only if something needs it.

const NativeMessage = globalThis.MessageEvent;

/** Under which an Event of this runtime keeps its state. */
const PLACES = Object.getOwnPropertySymbols(new NativeMessage("message")).filter((place) =>
  place !== Symbol.toStringTag
);
const TRUSTED = PLACES.find((place) => place.description === "[[isTrusted]]");

/** A message that came. Its other members are those of the runtime's class, which make the native event. */
export class IncomingMessage {
  readonly data: unknown;
  #target: EventTarget;
  /** True while its listener is called. Changed by `call`. */
  #isUnderWay = false;
  /** Null until something needs it. Set by `native`. It knows better from then on. */
  #native: MessageEvent | null = null;

  /**
   * @param data a text, an ArrayBuffer or a Blob
   * @param target the socket
   */
  constructor(data: unknown, target: EventTarget) {
    this.data = data;
    this.#target = target;
  }

  get type(): string {
    return "message";
  }

  get target(): EventTarget | null {
    return this.#isUnderWay || this.#native === null ? this.#target : this.#native.target;
  }

  get currentTarget(): EventTarget | null {
    return this.#isUnderWay ? this.#target : this.#native === null ? null : this.#native.currentTarget;
  }

  get srcElement(): EventTarget | null {
    return this.target;
  }

  get eventPhase(): number {
    return this.#isUnderWay ? 2 : this.#native === null ? 0 : this.#native.eventPhase;
  }

  composedPath(): EventTarget[] {
    return this.#isUnderWay ? [this.#target] : this.#native === null ? [] : this.#native.composedPath();
  }

  get isTrusted(): boolean {
    return true;
  }

  get origin(): string {
    return "";
  }

  get lastEventId(): string {
    return "";
  }

  get source(): null {
    return null;
  }

  get ports(): readonly MessagePort[] {
    return NO_PORTS;
  }

  /**
   * Calls the only listener of one of these.
   *
   * @param message what came
   * @param listener what throws is reported as the runtime does it
   */
  static call(message: IncomingMessage, listener: (event: Event) => unknown): void {
    message.#isUnderWay = true;
    try {
      listener.call(message.#target, message as unknown as Event);
    } catch (error) {
      reportError(error);
    }
    message.#isUnderWay = false;
  }

  /**
   * Makes the native event of one of these.
   *
   * @param message what came
   * @returns the same one for each call
   */
  static native(message: IncomingMessage): MessageEvent {
    return message.#native ??= messageEvent(message.data);
  }
}

const NO_PORTS: readonly MessagePort[] = Object.freeze([]);

Object.setPrototypeOf(IncomingMessage.prototype, NativeMessage.prototype);
Object.defineProperty(IncomingMessage.prototype, "constructor", { value: NativeMessage });
for (const place of PLACES) {
  Object.defineProperty(IncomingMessage.prototype, place, {
    get(this: IncomingMessage) {
      return (IncomingMessage.native(this) as unknown as Record<symbol, unknown>)[place];
    },
    set(this: IncomingMessage, value: unknown) {
      (IncomingMessage.native(this) as unknown as Record<symbol, unknown>)[place] = value;
    },
  });
}

/**
 * Makes a native event.
 *
 * @param data of the message
 * @returns an event that was not dispatched
 */
export function messageEvent(data: unknown): MessageEvent {
  const event = new NativeMessage("message", { data });
  if (TRUSTED !== undefined) (event as unknown as Record<symbol, unknown>)[TRUSTED] = true;
  return event;
}

/** How a socket ended. */
export interface SocketEnd {
  readonly code: number;
  readonly reason: string;
  /** True if both sides have said so. */
  readonly wasClean: boolean;
}

/**
 * Makes the event of an end.
 *
 * @param end how it ended
 * @returns an event that was not dispatched
 */
export function closeEvent(end: SocketEnd): Event {
  if (typeof CloseEvent === "function") return new CloseEvent("close", end);
  // Node 20 lacks the class.
  return Object.assign(new Event("close"), end);
}

/**
 * Makes the event of an error.
 *
 * @param message what went wrong
 * @returns an event that was not dispatched
 */
export function errorEvent(message: string): Event {
  const error = new Error(message);
  if (typeof ErrorEvent === "function") return new ErrorEvent("error", { message, error });
  return Object.assign(new Event("error"), { message, error });
}
