// A Socket over a TLSSocket of node:tls, on the server's side, with a limit for its handshake. It works in Deno and Node.

import type { TLSSocket } from "node:tls";
import { StreamSocket } from "./node_net.ts";
import type { Address } from "./ports.ts";

/** A TLS connection, from the accept. */
export class SecureSocket extends StreamSocket {
  #secure: TLSSocket;
  /** True once the handshake is complete. Set by the "secure" event. */
  #isEstablished = false;

  /**
   * @param secure whose handshake has begun or is about to begin
   * @param options the addresses of the connection, and how many milliseconds the handshake may take; 0 for no limit
   */
  constructor(
    secure: TLSSocket,
    { handshakeTimeoutMs, ...ends }: { localAddr: Address; remoteAddr: Address; handshakeTimeoutMs: number },
  ) {
    super(secure, ends);
    this.#secure = secure;
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

  /** Sends a close_notify if no write is under way. A client that does not read must not delay the close. */
  override close(): void {
    if (!this.#isEstablished || this.#secure.writableLength > 0) return super.close();
    this.#secure.end();
    setImmediate(() => super.close());
  }
}
