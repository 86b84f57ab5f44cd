// The events of a WebSocket. A native event costs more than all the rest of a small message, so that of a message is an object
// that is a MessageEvent (instanceof, its members) and makes the native one only if something needs it.
// Deno keeps the state of an event under symbols, Node partly in private fields.

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
  /** Null until something needs it. Set by `native`. From then on it has the state of the event. */
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
      report(error);
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
for (const { prototype } of [NativeMessage, Event]) {
  for (const [name, native] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    if (!Object.hasOwn(IncomingMessage.prototype, name)) askNative(name, native);
  }
}

/** Lets the native event answer: a member of the runtime's class may need its private fields. */
function askNative(name: string, { get, set, value }: PropertyDescriptor): void {
  // On both runtimes this method sets a flag of the dispatched event, under a symbol.
  if (name === "stopImmediatePropagation") return;
  if (get !== undefined) {
    Object.defineProperty(IncomingMessage.prototype, name, {
      get(this: IncomingMessage) {
        return get.call(IncomingMessage.native(this));
      },
      set(this: IncomingMessage, next: unknown) {
        set?.call(IncomingMessage.native(this), next);
      },
    });
  } else if (typeof value === "function") {
    Object.defineProperty(IncomingMessage.prototype, name, {
      value(this: IncomingMessage, ...args: unknown[]) {
        return value.apply(IncomingMessage.native(this), args);
      },
    });
  }
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
  else Object.defineProperty(event, "isTrusted", { value: true });
  return event;
}

/** Node has the class from version 23 on. */
const NativeClose = typeof CloseEvent === "function" ? CloseEvent : class CloseEvent extends Event {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;

  constructor(type: string, { code = 0, reason = "", wasClean = false }: CloseEventInit = {}) {
    super(type);
    this.code = code;
    this.reason = reason;
    this.wasClean = wasClean;
  }

  get [Symbol.toStringTag](): string {
    return "CloseEvent";
  }
};

/** Node 24 and earlier do not have the class as a global. */
const NativeError = typeof ErrorEvent === "function" ? ErrorEvent : class ErrorEvent extends Event {
  readonly message: string;
  readonly error: unknown;
  readonly filename = "";
  readonly lineno = 0;
  readonly colno = 0;

  constructor(type: string, { message = "", error = null }: ErrorEventInit = {}) {
    super(type);
    this.message = message;
    this.error = error;
  }

  get [Symbol.toStringTag](): string {
    return "ErrorEvent";
  }
};

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
  return new NativeClose("close", end);
}

/**
 * Makes the event of an error.
 *
 * @param message what went wrong
 * @returns an event that was not dispatched
 */
export function errorEvent(message: string): Event {
  return new NativeError("error", { message, error: new Error(message) });
}

/**
 * Reports what a listener has thrown as an uncaught error of the process, as the runtime does for listeners that it calls.
 *
 * @param error what was thrown
 */
export function report(error: unknown): void {
  if (typeof reportError === "function") return reportError(error);
  // Node lacks the function.
  queueMicrotask(() => {
    throw error;
  });
}
