// How to say exactly these bytes over TCP (or a Unix socket) and read what comes back.

import type { Address } from "../../src/platform/ports.ts";
import { join, type RawResponse, readResponses, text } from "./responses.ts";
import { itemAt } from "./items.ts";

const encoder = new TextEncoder();

/** A connection of bytes. */
export class RawClient implements Disposable {
  /** True once the server has ended its side. */
  ended = false;
  /** True if it ended with a reset. */
  wasReset = false;
  /** Bytes that have come. */
  received = 0;

  #conn: Deno.Conn;
  #buffer = new Uint8Array(16 * 1024);
  #pieces: Uint8Array[] = [];
  #methods: string[] = [];
  #answered = 0;
  #isOpen = true;

  private constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  /** Connects to a server's address. */
  static async connect(address: Address): Promise<RawClient> {
    if (address.transport === "unix") return new RawClient(await Deno.connect(address));
    const { port } = address;
    const hostname = address.hostname === "0.0.0.0" ? "127.0.0.1" : address.hostname;
    const conn = await Deno.connect({ hostname, port });
    conn.setNoDelay(true);
    return new RawClient(conn);
  }

  /** Everything that has come. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return join(this.#pieces);
  }

  get text(): string {
    return text(this.bytes);
  }

  /** Sends bytes as they are. */
  async send(data: string | Uint8Array): Promise<void> {
    const bytes = typeof data === "string" ? encoder.encode(data) : data;
    for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
  }

  /** Notes the method of a request that is sent as bytes: the answer to HEAD has no body. */
  expect(method: string): void {
    this.#methods.push(method);
  }

  /** Sends a request without a body. */
  async ask(method: string, target: string, fields = ""): Promise<void> {
    this.#methods.push(method);
    await this.send(`${method} ${target} HTTP/1.1\r\nhost: test\r\n${fields}\r\n`);
  }

  /** Sends a request without a body, and waits for its answer. */
  async get(target: string, fields = ""): Promise<RawResponse> {
    await this.ask("GET", target, fields);
    return itemAt(await this.responses(1), 0);
  }

  /** Ends the client's side; it still reads. */
  async end(): Promise<void> {
    await this.#conn.closeWrite();
  }

  /** The next responses, in order; fewer only if the server has ended its side. */
  async responses(count: number): Promise<RawResponse[]> {
    const from = this.#answered;
    for (;;) {
      const { responses } = readResponses(this.bytes, { methods: this.#methods, ended: this.ended });
      if (responses.length >= from + count || this.ended) {
        this.#answered = Math.min(responses.length, from + count);
        return responses.slice(from, this.#answered);
      }
      await this.read();
    }
  }

  /** Reads to the end: all responses that were not asked for before. */
  async rest(): Promise<RawResponse[]> {
    while (!this.ended) await this.read();
    return await this.responses(Infinity);
  }

  /** Reads until the text is there. */
  async until(wanted: string): Promise<void> {
    while (!this.text.includes(wanted)) {
      if (this.ended) throw new Error(`ended before ${JSON.stringify(wanted)}: ${JSON.stringify(this.text)}`);
      await this.read();
    }
  }

  /** Reads once; false at the end. */
  async read(size = this.#buffer.length): Promise<boolean> {
    const buffer = this.#buffer.subarray(0, size);
    let count: number | null = null;
    try {
      count = await this.#conn.read(buffer);
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
      this.wasReset = true;
    }
    this.received += count ?? 0;
    if (count === null) this.ended = true;
    else this.#pieces.push(buffer.slice(0, count));
    return count !== null;
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#conn.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
