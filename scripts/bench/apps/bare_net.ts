// The least a JavaScript server on node:net can do: read, count heads, write fixed bytes.
// It gives one answer for each request, so that the pipelined scenario is measured fairly.

import { createServer } from "node:net";
import process from "node:process";
import { HELLO, TEXT } from "./answers.ts";

const head = `HTTP/1.1 200 OK\r\ncontent-type: ${TEXT}\r\ncontent-length: ${HELLO.length}\r\n`;
const answer = new TextEncoder().encode(`${head}\r\n${HELLO}`);

/** Most answers in one write; a read of 64 KiB may hold more requests. */
const MOST_AT_ONCE = 128;
const many = new Uint8Array(answer.length * MOST_AT_ONCE);
for (let nr = 0; nr < MOST_AT_ONCE; nr++) many.set(answer, nr * answer.length);

const server = createServer({ noDelay: true }, (socket) => {
  let lastFour = 0;
  socket.on("data", (bytes: Uint8Array) => {
    let heads = 0;
    for (let at = 0; at < bytes.length; at++) {
      lastFour = lastFour << 8 | bytes[at]!;
      if (lastFour === 0x0d0a0d0a) heads++; // CR LF CR LF ends a head
    }
    for (; heads > 0; heads -= MOST_AT_ONCE) {
      socket.write(many.subarray(0, answer.length * Math.min(heads, MOST_AT_ONCE)));
    }
  });
  // The client is gone; the load generator counts what it missed.
  socket.on("error", () => {});
});
server.listen(Number(process.argv[3]), "127.0.0.1");
