// Enough HTTP/1.1 to send a request and to find the end of its answer. It counts a body and does not keep it.
// It doubts every answer; what is not well-formed is an error, and an error voids a row.

import type { RequestSpec } from "./job.ts";

/** An answer; `text` holds a body of up to 64 KiB. */
export interface Answer {
  status: number;
  /** By lower-case name. */
  headers: Map<string, string>;
  bodyBytes: number;
  text: string;
}

/** What is kept of a body: enough for a check. */
const MOST_TEXT = 64 * 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Writes head and body of a request to a port of loopback as they go over the wire. */
export function requestText({ method, path, headers, body }: RequestSpec, port: number): string {
  const length = body === undefined ? {} : { "content-length": encoder.encode(body).length };
  const fields = Object.entries({ host: `127.0.0.1:${port}`, ...headers, ...length });
  return `${method} ${path} HTTP/1.1\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${
    body ?? ""
  }`;
}

/** Asks a port of loopback once, over a connection of its own. */
export async function ask(request: RequestSpec, port: number): Promise<Answer> {
  using client = await Client.connect(port);
  await client.send(encoder.encode(requestText(request, port)));
  return await client.readAnswer();
}

/** Throws if an answer is not the one that every request of a load gets. */
export function checkStatus({ status }: Answer): void {
  if (status !== 200) throw new Error(`a request was answered with status ${status}`);
}

/** Waits so many milliseconds. */
export async function sleep(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

/** One connection to the server. */
export class Client implements Disposable {
  #conn: Deno.TcpConn;
  #buffer: Uint8Array<ArrayBuffer>;
  /** What was read and not yet used, as places in the buffer. */
  #start = 0;
  #end = 0;

  private constructor(conn: Deno.TcpConn, bufferBytes: number) {
    this.#conn = conn;
    this.#buffer = new Uint8Array(bufferBytes);
  }

  /** Connects to a port on loopback; the buffer must hold a whole head line. */
  static async connect(port: number, bufferBytes = 256 * 1024): Promise<Client> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    conn.setNoDelay(true);
    return new Client(conn, bufferBytes);
  }

  /** Writes all of the bytes. */
  async send(bytes: Uint8Array): Promise<void> {
    for (let sent = 0; sent < bytes.length;) sent += await this.#conn.write(bytes.subarray(sent));
  }

  /** Reads an answer to its end. */
  async readAnswer(): Promise<Answer> {
    const answer = await this.readHead();
    const length = answer.headers.get("content-length");
    if (length !== undefined) await this.#readBody(answer, Number(length));
    else if (answer.headers.get("transfer-encoding") === "chunked") await this.#readChunks(answer);
    else throw new Error("the answer's head does not say where its body ends");
    return answer;
  }

  /** Reads an answer's head and leaves its body unread. */
  async readHead(): Promise<Answer> {
    const [, status] = await this.#readLine(/^HTTP\/1\.1 (\d{3})( |$)/);
    const headers = new Map<string, string>();
    for (;;) {
      const [field, name, value = ""] = await this.#readLine(/^$|^([^:\s]+):\s*(.*?)\s*$/);
      if (field === "" || name === undefined) return { status: Number(status), headers, bodyBytes: 0, text: "" };
      headers.set(name.toLowerCase(), value);
    }
  }

  /** Reads what has come: valid until the next call. */
  async readSome(most = Infinity): Promise<Uint8Array> {
    if (this.#start === this.#end) await this.#fill();
    const bytes = this.#buffer.subarray(this.#start, Math.min(this.#end, this.#start + most));
    this.#start += bytes.length;
    return bytes;
  }

  /** Closes the connection. */
  [Symbol.dispose](): void {
    this.#conn.close();
  }

  async #readChunks(answer: Answer): Promise<void> {
    for (let bytes = NaN; bytes !== 0;) {
      bytes = parseInt((await this.#readLine(/^[0-9a-f]+$/i))[0], 16);
      await this.#readBody(answer, bytes);
      await this.#readLine(/^$/);
    }
  }

  async #readBody(answer: Answer, length: number): Promise<void> {
    for (let left = length; left > 0;) {
      const bytes = await this.readSome(left);
      if (answer.bodyBytes < MOST_TEXT && length < MOST_TEXT) answer.text += decoder.decode(bytes);
      answer.bodyBytes += bytes.length;
      left -= bytes.length;
    }
  }

  /** Reads a line and takes it apart; another form than this is an error. */
  async #readLine(form: RegExp): Promise<RegExpExecArray> {
    for (let searched = 0;;) {
      const at = this.#buffer.subarray(this.#start, this.#end).indexOf(0x0a, searched);
      if (at >= 0) {
        const line = decoder.decode(await this.readSome(at + 1));
        const parts = line.endsWith("\r\n") ? form.exec(line.slice(0, -2)) : null;
        if (parts === null) throw new Error(`expected ${form}, got ${JSON.stringify(line)}`);
        return parts;
      }
      searched = this.#end - this.#start;
      await this.#fill();
    }
  }

  async #fill(): Promise<void> {
    this.#buffer.copyWithin(0, this.#start, this.#end);
    this.#end -= this.#start;
    this.#start = 0;
    if (this.#end === this.#buffer.length) throw new Error("a line of the answer is longer than the buffer");
    const bytes = await this.#conn.read(this.#buffer.subarray(this.#end));
    if (bytes === null) throw new Error("the server closed the connection within an answer");
    this.#end += bytes;
  }
}
