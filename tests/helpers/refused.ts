// How a client sees that a port is closed.

/**
 * A server that stops accepts what waits, and closes its port after some milliseconds without a new connection: longer than
 * that between two attempts.
 */
const RETRY_MS = 30;

/**
 * Waits until nothing listens on a port of 127.0.0.1.
 *
 * @param port which
 * @returns how many connections the server has accepted until then
 */
export async function untilRefused(port: number): Promise<number> {
  for (let accepted = 0;; accepted++) {
    try {
      using connection = await Deno.connect({ hostname: "127.0.0.1", port });
      await connection.closeWrite();
      await connection.read(new Uint8Array(1)); // The server ends its side too.
    } catch (error) {
      // Reset if the system took it for a server that closed its port before it could accept it.
      if (error instanceof Deno.errors.ConnectionRefused || error instanceof Deno.errors.ConnectionReset) {
        return accepted;
      }
      throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}
