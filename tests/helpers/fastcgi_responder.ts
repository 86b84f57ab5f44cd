// A FastCGI application of our own that does exactly what a test says: record by record, or byte by byte.

/** A record as it is on the wire. */
export function record(
  type: number,
  content: string | Uint8Array,
  { id = 1, padding = 0, version = 1 } = {},
): Uint8Array {
  const bytes = typeof content === "string" ? Uint8Array.from(content, (sign) => sign.charCodeAt(0)) : content;
  const record = new Uint8Array(8 + bytes.length + padding).fill(0xee);
  record.set([version, type, id >> 8, id & 0xff, bytes.length >> 8, bytes.length & 0xff, padding, 0]);
  record.set(bytes, 8);
  return record;
}

export const STDOUT = 6;
export const STDERR = 7;
export const END_REQUEST = 3;

const BEGIN_REQUEST = 1;
const PARAMS = 4;
const STDIN = 5;
const MOST_BYTES = 65_535;

/** One request, as the application sees it. */
export class AppRequest {
  /** Its variables, one character a byte. */
  readonly variables: Readonly<Record<string, string>>;
  /** True if the connection is to be kept. */
  readonly keepConnection: boolean;
  /** Which connection it came over, from 1. */
  readonly connection: number;
  /** True once the application has closed the connection. */
  isClosed = false;

  #conn: Deno.Conn;
  #records: AsyncGenerator<{ type: number; content: Uint8Array }>;
  #isBodyRead = false;

  constructor(
    conn: Deno.Conn,
    records: AsyncGenerator<{ type: number; content: Uint8Array }>,
    begin: { variables: Record<string, string>; keepConnection: boolean; connection: number },
  ) {
    this.#conn = conn;
    this.#records = records;
    this.variables = begin.variables;
    this.keepConnection = begin.keepConnection;
    this.connection = begin.connection;
  }

  /** The next record of the body; null after the last. */
  async piece(): Promise<Uint8Array | null> {
    if (this.#isBodyRead) return null;
    const { done, value } = await this.#records.next();
    if (done) throw new Error("the connection ended before the body");
    if (value.type !== STDIN) throw new Error(`expected STDIN, got ${value.type}`);
    this.#isBodyRead = value.content.length === 0;
    return this.#isBodyRead ? null : value.content;
  }

  /** The whole body, one character a byte. */
  async body(): Promise<string> {
    let body = "";
    for (let piece = await this.piece(); piece !== null; piece = await this.piece()) {
      body += String.fromCharCode(...piece.subarray(0, 100));
      for (let at = 100; at < piece.length; at += 10_000) {
        body += String.fromCharCode(...piece.subarray(at, at + 10_000));
      }
    }
    return body;
  }

  /** Sends bytes as they are. */
  async send(...parts: Uint8Array[]): Promise<void> {
    for (const part of parts) for (let at = 0; at < part.length;) at += await this.#conn.write(part.subarray(at));
  }

  /** Sends a part of the answer, in as many records as it needs. */
  async out(text: string | Uint8Array, padding = 0): Promise<void> {
    for (let at = 0; at < text.length; at += MOST_BYTES) {
      await this.send(record(STDOUT, text.slice(at, at + MOST_BYTES), { padding }));
    }
  }

  /** Writes to stderr. */
  async err(text: string): Promise<void> {
    await this.send(record(STDERR, new TextEncoder().encode(text)));
  }

  /** Ends the request. */
  async end(protocolStatus = 0): Promise<void> {
    await this.send(
      record(STDOUT, ""),
      record(END_REQUEST, [0, 0, 0, 0, protocolStatus, 0, 0, 0].map(toSign).join("")),
    );
  }

  /** Closes the connection. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#conn.close();
  }

  /** Resolves when the other side has closed the connection. Unread records are passed over. */
  async gone(): Promise<void> {
    try {
      while (!(await this.#records.next()).done);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
}

function toSign(octet: number): string {
  return String.fromCharCode(octet);
}

/** A FastCGI application that listens. */
export interface Responder extends AsyncDisposable {
  /** For `fastcgi()`. */
  readonly address: string;
  /** Connections accepted so far. */
  readonly connections: number;
  /** Stops listening and cuts what is open; a Unix socket's path stays free. */
  stop(): void;
}

/** What an application does with a request. When it returns, the connection is closed unless it is to be kept. */
export type App = (request: AppRequest) => Promise<void>;

/**
 * Listens on a Unix socket.
 *
 * @param app what it does
 * @param address where; a new path, or `127.0.0.1:0`
 */
export function responder(
  app: App,
  address = `unix:${Deno.makeTempDirSync({ prefix: "weft-test-" })}/app.sock`,
): Responder {
  const [hostname = "", port = ""] = address.split(":");
  const listener: Deno.Listener = hostname === "unix"
    ? Deno.listen({ transport: "unix", path: port })
    : Deno.listen({ hostname, port: Number(port) });
  const open = new Set<Deno.Conn>();
  const running: Promise<void>[] = [];
  const failures: unknown[] = [];
  let connections = 0;
  let isStopped = false;
  const stop = () => {
    if (isStopped) return;
    isStopped = true;
    listener.close();
    for (const conn of open) close(conn);
  };
  const serve = async (conn: Deno.Conn, connection: number) => {
    open.add(conn);
    const records = recordsOf(conn);
    try {
      for (;;) {
        const request = await readRequest(conn, records, connection);
        if (request === null) break;
        await app(request);
        if (request.isClosed || !request.keepConnection) break;
      }
    } catch (error) {
      // What is cut off in the middle of something is the test's to find out.
      if (!isGone(error) && !isStopped) failures.push(error);
    }
    open.delete(conn);
    close(conn);
  };
  const accepting = (async () => {
    for await (const conn of listener) running.push(serve(conn, ++connections));
  })();
  return {
    address: listener.addr.transport === "tcp" ? `${listener.addr.hostname}:${listener.addr.port}` : address,
    get connections() {
      return connections;
    },
    stop,
    async [Symbol.asyncDispose]() {
      stop();
      await accepting;
      await Promise.all(running);
      if (hostname === "unix") Deno.removeSync(port.replace(/\/[^/]*$/, ""), { recursive: true });
      if (failures.length > 0) throw failures[0];
    },
  };
}

function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

function isGone(error: unknown): boolean {
  const { BrokenPipe, ConnectionReset, BadResource, Interrupted } = Deno.errors;
  return [BrokenPipe, ConnectionReset, BadResource, Interrupted].some((kind) => error instanceof kind);
}

async function* recordsOf(conn: Deno.Conn): AsyncGenerator<{ type: number; content: Uint8Array }> {
  for (;;) {
    const head = await readBytes(conn, 8);
    if (head === null) return;
    const [version, type = 0, , id, length1 = 0, length0 = 0, padding = 0] = head;
    if (version !== 1 || id !== 1) throw new Error(`expected version 1 and id 1, got ${version} and ${id}`);
    const content = await readBytes(conn, length1 * 256 + length0 + padding);
    if (content === null) throw new Error("the connection ended in a record");
    yield { type, content: content.subarray(0, content.length - padding) };
  }
}

async function readBytes(conn: Deno.Conn, length: number): Promise<Uint8Array | null> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = await conn.read(bytes.subarray(at));
    if (count === null) return null;
    at += count;
  }
  return bytes;
}

async function readRequest(
  conn: Deno.Conn,
  records: AsyncGenerator<{ type: number; content: Uint8Array }>,
  connection: number,
): Promise<AppRequest | null> {
  let { done, value: begin } = await records.next();
  // What an application has not read of the last request on a kept connection.
  while (!done && begin.type === STDIN) ({ done, value: begin } = await records.next());
  if (done) return null;
  if (begin.type !== BEGIN_REQUEST || begin.content[1] !== 1) throw new Error("expected BEGIN_REQUEST of a responder");
  let params = "";
  for (;;) {
    const { done, value } = await records.next();
    if (done || value.type !== PARAMS) throw new Error("expected PARAMS");
    if (value.content.length === 0) break;
    for (const octet of value.content) params += toSign(octet);
  }
  const keepConnection = begin.content[2] === 1;
  return new AppRequest(conn, records, { variables: readParams(params), keepConnection, connection });
}

function readParams(text: string): Record<string, string> {
  const variables: Record<string, string> = {};
  let at = 0;
  const length = () => {
    const first = text.charCodeAt(at++);
    if (first < 128) return first;
    const rest = [0, 1, 2].map((i) => text.charCodeAt(at + i));
    at += 3;
    return (first & 0x7f) * 2 ** 24 + (rest[0] as number) * 2 ** 16 + (rest[1] as number) * 2 ** 8 +
      (rest[2] as number);
  };
  while (at < text.length) {
    const [name, value] = [length(), length()];
    variables[text.slice(at, at + name)] = text.slice(at + name, at + name + value);
    at += name + value;
  }
  return variables;
}

/** Answers with a text, as most programs do. */
export function answering(text: string, head = "Content-Type: text/plain\r\n"): App {
  return async (request) => {
    await request.body();
    await request.out(`${head}\r\n${text}`);
    await request.end();
  };
}
