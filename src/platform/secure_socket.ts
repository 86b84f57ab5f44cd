// A Socket over a TLSSocket of node:tls, on the server's side, with a limit for its handshake. It works in Deno and Node.

import type { TLSSocket } from "node:tls";
import { StreamSocket } from "./node_net.ts";
import type { Address } from "./ports.ts";

/** What a TLS connection is made of besides its stream. */
interface SecureParts {
  localAddr: Address;
  remoteAddr: Address;
  /** Milliseconds that the handshake may take; 0 for no limit. */
  handshakeTimeoutMs: number;
  /** Asked before each write: true if the connection was reset. Not there if the runtime tells of it by itself. */
  isGone?: () => boolean;
  /** Asked when a long read waits: rejects if the connection was reset. Not there if the runtime tells of it by itself. */
  probe?: () => Promise<unknown>;
}

/** Room of a read for a body. An idle connection waits with less. */
const LONG_READ_BYTES = 2 * 1024;

/** A TLS connection, from the accept. */
export class SecureSocket extends StreamSocket {
  #secure: TLSSocket;
  /** True once the handshake is complete. Set by the "secure" event. */
  #isEstablished = false;

  #isGone: (() => boolean) | undefined;
  #probe: (() => Promise<unknown>) | undefined;
  /** True while a probe is under way: it waits while the client does not read. */
  #isProbing = false;

  /**
   * @param secure whose handshake has begun or is about to begin
   * @param parts the addresses of the connection, the limit of its handshake, and how to know that it was reset
   */
  constructor(secure: TLSSocket, { handshakeTimeoutMs, isGone, probe, ...ends }: SecureParts) {
    super(secure, ends);
    this.#secure = secure;
    this.#isGone = isGone;
    this.#probe = probe;
    const timer = handshakeTimeoutMs === 0 ? undefined : setTimeout(() => {
      secure.destroy(new Error(`the TLS handshake took more than ${handshakeTimeoutMs} ms`));
    }, handshakeTimeoutMs);
    secure.once("secure", () => {
      this.#isEstablished = true;
      clearTimeout(timer);
    });
    secure.once("close", () => clearTimeout(timer));
    // After the handshake Node tells only its own server of an error of TLS, by this event, and would leave the connection open.
    secure.on("_tlsError", (error: Error) => secure.destroy(error));
  }

  /**
   * Fails at once after a reset. If one of Node's own writes has failed, such as that of a session ticket, Node tells of no error,
   * and the next write would never end.
   */
  override write(bytes: Uint8Array): Promise<number> {
    if (this.#isGone?.() === true) return Promise.reject(new Error("the connection was reset"));
    return super.write(bytes);
  }

  protected override onWait(room: number): void {
    if (this.#probe === undefined || this.#isProbing || room < LONG_READ_BYTES) return;
    this.#isProbing = true;
    this.#probe().then(() => this.#isProbing = false, (error) => this.#secure.destroy(error));
  }

  /** Sends a close_notify if no write is under way. A client that does not read must not delay the close. */
  override close(): void {
    if (!this.#isEstablished || this.#secure.writableLength > 0) return super.close();
    this.#secure.end();
    setImmediate(() => super.close());
  }
}
