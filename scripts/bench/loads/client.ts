// Enough HTTP/1.1 to send a request and to know where its answer ends; it counts a body, it does not keep it.
// It doubts every answer; what is not well-formed is an error, and an error voids a row.

/** A request as the load generators send it. */
export interface RequestSpec {
  method: "GET" | "POST";
  path: string;
  headers?: Readonly<Record<string, string>>;
  body?: string;
}

/** An answer; `text` holds a body of up to 64 KiB. */
export interface Answer {
  status: number;
  headers: Map<string, string>;
  bodyBytes: number;
  text: string;
}

/** What is kept of a body: enough for a check. */
const MOST_TEXT = 64 * 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Writes a request as it goes over the wire.
 *
 * @param request what to ask
 * @param port of the server, for the Host field
 * @returns head and body
 */
export function requestText(request: RequestSpec, port: number): string {
  const fields = { host: `127.0.0.1:${port}`, ...request.headers };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const body = request.body ?? "";
  const length = request.body === undefined ? "" : `content-length: ${encoder.encode(body).length}\r\n`;
  return `${request.method} ${request.path} HTTP/1.1\r\n${lines}${length}\r\n${body}`;
}

/**
 * Asks once over a connection of its own.
 *
 * @param request what to ask
 * @param port of the server on loopback
 * @returns the answer
 */
export async function ask(request: RequestSpec, port: number): Promise<Answer> {
  using client = await Client.connect(port);
  await client.send(encoder.encode(requestText(request, port)));
  return await client.readAnswer();
}

/** One connection to the server. */
export class Client implements Disposable {
  #conn: Deno.TcpConn;
  #buffer: Uint8Array<ArrayBuffer>;
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
    if (answer.headers.get("transfer-encoding") === "chunked") await this.#readChunks(answer);
    else if (answer.headers.has("content-length")) {
      await this.#pass(answer, Number(answer.headers.get("content-length")));
    } else throw new Error("the answer's head does not say where its body ends");
    return answer;
  }

  /** Reads an answer's head and leaves its body unread. */
  async readHead(): Promise<Answer> {
    const line = await this.#readLine();
    const status = Number(/^HTTP\/1\.1 (\d{3})( |$)/.exec(line)?.[1]);
    if (Number.isNaN(status)) throw new Error(`expected a status line, got ${JSON.stringify(line)}`);
    const headers = new Map<string, string>();
    for (let field = await this.#readLine(); field !== ""; field = await this.#readLine()) {
      const colon = field.indexOf(":");
      if (colon < 1) throw new Error(`expected a header field, got ${JSON.stringify(field)}`);
      headers.set(field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim());
    }
    return { status, headers, bodyBytes: 0, text: "" };
  }

  /** Reads what has come: valid until the next call. */
  async readSome(): Promise<Uint8Array> {
    if (this.#start === this.#end) await this.#fill();
    const bytes = this.#buffer.subarray(this.#start, this.#end);
    this.#start = this.#end;
    return bytes;
  }

  /** Closes the connection. */
  [Symbol.dispose](): void {
    this.#conn.close();
  }

  async #readChunks(answer: Answer): Promise<void> {
    while (true) {
      const line = await this.#readLine();
      if (!/^[0-9a-f]+$/i.test(line)) throw new Error(`expected a chunk's size, got ${JSON.stringify(line)}`);
      const bytes = parseInt(line, 16);
      await this.#pass(answer, bytes);
      const end = await this.#readLine();
      if (end !== "") throw new Error(`expected the end of a chunk, got ${JSON.stringify(end)}`);
      if (bytes === 0) return;
    }
  }

  async #pass(answer: Answer, bytes: number): Promise<void> {
    for (let left = bytes; left > 0;) {
      if (this.#start === this.#end) await this.#fill();
      const here = Math.min(left, this.#end - this.#start);
      if (answer.bodyBytes < MOST_TEXT && bytes < MOST_TEXT) {
        answer.text += decoder.decode(this.#buffer.subarray(this.#start, this.#start + here));
      }
      answer.bodyBytes += here;
      this.#start += here;
      left -= here;
    }
  }

  async #readLine(): Promise<string> {
    for (let searched = 0;;) {
      const at = this.#buffer.subarray(this.#start, this.#end).indexOf(0x0a, searched);
      if (at >= 0) {
        const line = decoder.decode(this.#buffer.subarray(this.#start, this.#start + at));
        this.#start += at + 1;
        if (!line.endsWith("\r")) throw new Error(`expected CR LF at the end of ${JSON.stringify(line)}`);
        return line.slice(0, -1);
      }
      searched = this.#end - this.#start;
      await this.#fill();
    }
  }

  async #fill(): Promise<void> {
    if (this.#start > 0) {
      this.#buffer.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    }
    if (this.#end === this.#buffer.length) throw new Error("a line of the answer is longer than the buffer");
    const bytes = await this.#conn.read(this.#buffer.subarray(this.#end));
    if (bytes === null) throw new Error("the server closed the connection within an answer");
    this.#end += bytes;
  }
}
