// The numbers of the WebSocket protocol (RFC 6455), and how a peer can break it.

/** Opcodes (section 5.2). */
export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** The first bit of a frame: it is the last one of its message. */
export const FINAL = 0x80;
/** The second bit of a frame: its message is compressed (RFC 7692, section 6). */
export const COMPRESSED = 0x40;

/** Codes that this side sends or reports (section 7.4.1, and the registry of the IANA). */
export const CLOSE = {
  normal: 1000,
  /** This process stops. */
  goingAway: 1001,
  protocolError: 1002,
  /** Reported if a Close frame without a code came. Never sent. */
  noCode: 1005,
  /** Reported if no Close frame came. Never sent. */
  abnormal: 1006,
  badData: 1007,
  policy: 1008,
  tooBig: 1009,
  internalError: 1011,
  /** Another process takes over: connect again. */
  serviceRestart: 1012,
} as const;

/** A Close frame has at most 125 bytes, and its code takes two of them (section 5.5). */
export const MAX_REASON_BYTES = 123;

/** The peer's fault: what no message can be made of, or too much. The connection is failed with the code. */
export class FrameError extends Error {
  override readonly name = "FrameError";
  /** The code to close with. */
  readonly code: number;

  /**
   * @param code the code to close with
   * @param message what was expected and what came
   */
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Tells whether a code may stand in a Close frame (section 7.4).
 *
 * @param code what came, or what is to be sent
 * @returns false if it is reserved, not assigned, or out of range
 */
export function isCloseCode(code: number): boolean {
  if (code >= 3000) return code <= 4999;
  return code >= 1000 && code <= 1014 && !(code >= 1004 && code <= 1006);
}
