// The least a TypeScript server on Deno.listen can do: read, count heads, write fixed bytes.
// It gives one answer for each request, so that the pipelined scenario is measured fairly.

import { HELLO, TEXT } from "./answers.ts";

const encoder = new TextEncoder();
const head = `HTTP/1.1 200 OK\r\ncontent-type: ${TEXT}\r\ncontent-length: ${HELLO.length}\r\n`;
const kept = encoder.encode(`${head}\r\n${HELLO}`);
const last = encoder.encode(`${head}connection: close\r\n\r\n${HELLO}`);

/** Most answers in one write; a read of 16 KiB rarely holds more requests. */
const MOST_AT_ONCE = 128;
const many = new Uint8Array(kept.length * MOST_AT_ONCE);
for (let nr = 0; nr < MOST_AT_ONCE; nr++) many.set(kept, nr * kept.length);

const [app, port] = Deno.args;
const isClosing = app === "closing";
for await (const conn of Deno.listen({ hostname: "127.0.0.1", port: Number(port) })) answer(conn);

async function answer(conn: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(16 * 1024);
  conn.setNoDelay(true);
  try {
    let lastFour = 0;
    for (let length = await conn.read(buffer); length !== null; length = await conn.read(buffer)) {
      let heads = 0;
      for (let at = 0; at < length; at++) {
        lastFour = lastFour << 8 | (buffer[at] ?? 0);
        if (lastFour === 0x0d0a0d0a) heads++; // CR LF CR LF ends a head
      }
      if (isClosing && heads > 0) {
        await write(conn, last);
        break;
      }
      for (; heads > 0; heads -= MOST_AT_ONCE) {
        await write(conn, many.subarray(0, kept.length * Math.min(heads, MOST_AT_ONCE)));
      }
    }
  } catch {
    // The client is gone; the load generator counts what it missed.
  }
  conn.close();
}

async function write(conn: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let sent = await conn.write(bytes); sent < bytes.length;) sent += await conn.write(bytes.subarray(sent));
}
