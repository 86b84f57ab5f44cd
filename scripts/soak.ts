// Sends many mixed requests over connections that stay open, and fails if one is not answered as it must be.
//
//   deno task soak [--requests 1000000] [--connections 64] [--body auto|whole|stream] [--workers N]

import fc from "npm:fast-check@^4";
import {
  answersOf,
  continuesOf,
  type Conversation,
  conversation,
  expected,
  methodsOf,
  runsOf,
} from "../tests/helpers/conversations.ts";
import { itemAt } from "../tests/helpers/items.ts";
import { join, readResponses } from "../tests/helpers/responses.ts";

/** Conversations that are made at once, and used again and again by all connections. */
const CONVERSATIONS = 2_000;

const options = new Map<string, string>();
for (let i = 0; i < Deno.args.length; i += 2) {
  const [flag = "", value] = Deno.args.slice(i, i + 2);
  if (value === undefined) throw new TypeError(`${flag}: expected a value after it`);
  options.set(flag.replace(/^--/, ""), value);
}
const wanted = Number(options.get("requests") ?? 1_000_000);
const connections = Number(options.get("connections") ?? 64);
const body = options.get("body") ?? "auto";
const workers = options.get("workers");

/** One connection, which reads in the background. */
class Client {
  #conn: Deno.TcpConn;
  #pieces: Uint8Array[] = [];
  #came = Promise.withResolvers<void>();
  hasEnded = false;

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
    this.#readAll();
  }

  async #readAll(): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    try {
      for (let count = await this.#conn.read(buffer); count !== null; count = await this.#conn.read(buffer)) {
        this.#pieces.push(buffer.slice(0, count));
        this.#came.resolve();
        this.#came = Promise.withResolvers();
      }
    } catch (error) {
      // A reset shows as an answer that is missing. A read that our own close has ended is expected.
      if (!(error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.Interrupted)) throw error;
    }
    this.hasEnded = true;
    this.#came.resolve();
  }

  async send(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
  }

  /** Holds a conversation; returns an error that says what is wrong, or null. */
  async hold(asked: Conversation): Promise<string | null> {
    const methods = methodsOf(asked);
    this.#pieces = [];
    const responses = () => readResponses(join(this.#pieces), { methods, ended: this.hasEnded }).responses;
    let waited = 0;
    for (const run of runsOf(asked)) {
      while (waited > 0 && continuesOf(responses()) < waited && !this.hasEnded) await this.#came.promise;
      waited++;
      for (const piece of run) await this.send(piece);
    }
    while (answersOf(responses()).length < methods.length && !this.hasEnded) await this.#came.promise;
    const came = JSON.stringify(answersOf(responses()));
    const must = JSON.stringify(expected(asked));
    return came === must ? null : `expected ${must}\ngot      ${came}\nasked    ${JSON.stringify(asked)}`;
  }

  close(): void {
    this.#conn.close();
  }
}

const server = new Deno.Command(Deno.execPath(), {
  args: [
    ...["run", "-A", new URL("../mod.ts", import.meta.url).pathname, "-p", "0", "--body", body],
    ...(workers === undefined ? [] : ["--workers", workers]),
    new URL("soak_app.ts", import.meta.url).pathname,
  ],
  stdout: "piped",
  stderr: "inherit",
}).spawn();
const first = await server.stdout.pipeThrough(new TextDecoderStream()).getReader().read();
const port = Number(/:(\d+)\s*$/m.exec(first.value ?? "")?.[1]);

const pool = fc.sample(conversation, CONVERSATIONS).map((asked): Conversation => ({ ...asked, halfClose: false }));
const started = performance.now();
let answered = 0;
const failures: string[] = [];

async function work(nr: number): Promise<void> {
  const client = new Client(await Deno.connect({ hostname: "127.0.0.1", port }));
  for (let i = nr * 31; answered < wanted && failures.length === 0; i++) {
    const asked = itemAt(pool, i % pool.length);
    const failure = await client.hold(asked);
    if (failure !== null) failures.push(failure);
    else answered += asked.asks.length;
  }
  client.close();
}

await Promise.all(Array.from({ length: connections }, (_, nr) => work(nr)));
server.kill("SIGTERM");
const { code } = await server.status;
const seconds = (performance.now() - started) / 1000;
console.log(
  `${answered} requests over ${connections} connections in ${seconds.toFixed(0)} s, lost: ${failures.length}`,
);
for (const failure of failures) console.error(failure);
Deno.exit(failures.length > 0 || code !== 0 ? 1 : 0);
