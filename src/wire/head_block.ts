// A response head that is sent again and again, as bytes: only its date and its length change.
// What it gives is to the byte what writeHead (answer.ts) writes for the same answer; a test holds them together.

import { type Answer, type HeaderBlock, writeHead } from "./answer.ts";

/** Marks where the length goes while the head is taken apart. A field may contain it, but stands before it. */
const LENGTH_LINE = "content-length: ";

/** The head of answers that share status and fields, in HTTP/1.1 on a connection that goes on. */
export class HeadBlock implements HeaderBlock {
  readonly fields: Answer["fields"];
  readonly status: number;
  #date = "";
  #bytes = new Uint8Array(0);

  /**
   * @param status the status that they share
   * @param fields the fields that they share; none that concerns the connection
   */
  constructor(status: number, fields: Answer["fields"]) {
    this.status = status;
    this.fields = fields;
  }

  /**
   * The head up to the digits of its length; an empty line follows them.
   *
   * @param date the value of Date
   * @returns bytes that must not be changed
   */
  upToLength(date: string): Uint8Array {
    if (date !== this.#date) {
      const { status, fields } = this;
      const answer: Answer = { status, reason: "", fields, body: null, block: null };
      const head = writeHead(answer, { framing: { kind: "length", length: 0 }, minor: 1, keepAlive: true, date });
      const upTo = head.lastIndexOf(LENGTH_LINE) + LENGTH_LINE.length;
      this.#bytes = Uint8Array.from(head.slice(0, upTo), (letter) => letter.charCodeAt(0));
      this.#date = date;
    }
    return this.#bytes;
  }
}
