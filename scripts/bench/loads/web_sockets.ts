// WebSockets: messages that are said back, one that goes to many, and sockets that idle.
// The frames are made once, so that the load is no load of its own; every reply is compared with what was sent.

import { sleep } from "./client.ts";
import type { Job, Run } from "./job.ts";

/** Sockets being opened at a time: less than any listen queue holds. */
const OPENED_AT_ONCE = 100;
/** A mask as good as any other. */
const MASK = [0x5a, 0xc3, 0x17, 0x88] as const;
/** One idle socket in so many says something at the end. */
const ASKED_EVERY = 100;
/** Until the first message of a broadcast; later sockets would miss some. */
const SETTLE_MS = 200;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** One socket: it sends frames that are made already, and counts replies that are all alike. */
class Client {
  readonly #conn: Deno.TcpConn;
  readonly #buffer: Uint8Array<ArrayBuffer>;

  private constructor(conn: Deno.TcpConn, room: number) {
    this.#conn = conn;
    this.#buffer = new Uint8Array(room);
  }

  static async connect(port: number, { path, room }: { path: string; room: number }): Promise<Client> {
    const conn = await Deno.connect({ port });
    conn.setNoDelay(true);
    const client = new Client(conn, Math.max(room, 1024));
    await client.send(encoder.encode(
      `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n` +
        "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    ));
    let head = "";
    // The server says nothing by itself, so nothing follows the head.
    while (!head.endsWith("\r\n\r\n")) head += decoder.decode(await client.#read());
    if (!head.startsWith("HTTP/1.1 101 ")) throw new Error(`a handshake was answered with ${head.slice(0, 40)}`);
    return client;
  }

  async send(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
  }

  /** Reads so many bytes or more of replies, and compares them. `from` is where in a reply it begins; gives where it ends. */
  async expect(reply: Uint8Array, { from, least }: { from: number; least: number }): Promise<number> {
    let at = from;
    for (let left = least; left > 0;) {
      const bytes = await this.#read();
      left -= bytes.length;
      at = compare(bytes, reply, at);
    }
    return at;
  }

  /** Reads replies once. */
  async next(reply: Uint8Array, from: number): Promise<number> {
    return compare(await this.#read(), reply, from);
  }

  async #read(): Promise<Uint8Array> {
    const count = await this.#conn.read(this.#buffer);
    if (count === null) throw new Error("the server closed a socket");
    return this.#buffer.subarray(0, count);
  }
}

/** Gives where the bytes end, counted over all replies. Their first bytes are compared: those of a header, and more. */
function compare(bytes: Uint8Array, reply: Uint8Array, from: number): number {
  let place = from % reply.length;
  for (let at = 0; at < bytes.length;) {
    if (bytes[at] !== reply[place]) throw new Error("a reply is not what was sent");
    const step = place < 16 ? 1 : Math.min(reply.length - place, bytes.length - at);
    at += step;
    place = (place + step) % reply.length;
  }
  return from + bytes.length;
}

/** A masked frame and the reply to it. */
function framesOf(bytes: number, isText: boolean): { frame: Uint8Array; reply: Uint8Array } {
  const payload = Uint8Array.from({ length: bytes }, (_, i) => 0x61 + i % 26);
  const length = bytes < 126
    ? [bytes]
    : bytes < 65536
    ? [126, bytes >> 8, bytes & 255]
    : [127, 0, 0, 0, 0, bytes >>> 24, (bytes >> 16) & 255, (bytes >> 8) & 255, bytes & 255];
  const first = isText ? 0x81 : 0x82;
  const [short = 0, ...rest] = length;
  const masked = payload.map((octet, i) => octet ^ (MASK[i & 3] ?? 0));
  return {
    frame: joined(Uint8Array.of(first, short | 0x80, ...rest, ...MASK), masked),
    reply: joined(Uint8Array.of(first, ...length), payload),
  };
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}

/** Each socket keeps so many messages under way, and sends the next batch when the last is said back. */
export async function echoes(job: Job & { kind: "echoes" }, run: Run): Promise<void> {
  const { port, bytes, isText, connections, outstanding, seconds } = job;
  const { frame, reply } = framesOf(bytes, isText);
  const batch = new Uint8Array(frame.length * outstanding);
  for (let i = 0; i < outstanding; i++) batch.set(frame, i * frame.length);
  const room = Math.min(256 * 1024, reply.length * outstanding);
  const clients = await open(port, connections, { path: "/echo", room });
  await run.ready();
  const until = performance.now() + seconds * 1000;
  await run.all(connections, async (nr) => {
    const client = clients[nr] as Client;
    while (performance.now() < until) {
      const sending = client.send(batch);
      await client.expect(reply, { from: 0, least: reply.length * outstanding });
      await sending;
      run.done += outstanding;
    }
  });
}

/** One socket says something to all, again as soon as it hears it itself. Counts what all of them hear. */
export async function broadcast(job: Job & { kind: "broadcast" }, run: Run): Promise<void> {
  const { port, bytes, connections, seconds } = job;
  const { frame, reply } = framesOf(bytes, true);
  const clients = await open(port, connections, { path: "/room", room: reply.length });
  await sleep(SETTLE_MS);
  await run.ready();
  const until = performance.now() + seconds * 1000;
  const [speaker, ...others] = clients as [Client, ...Client[]];
  void run.all(connections - 1, async (nr) => {
    for (let heard = 0; run.endedAt === undefined;) {
      const before = Math.floor(heard / reply.length);
      heard = await (others[nr] as Client).next(reply, heard);
      // One read may bring more than one message.
      run.done += Math.floor(heard / reply.length) - before;
    }
  });
  while (performance.now() < until) {
    await speaker.send(frame);
    await speaker.expect(reply, { from: 0, least: reply.length });
    run.done++;
  }
  run.endedAt = performance.now();
}

/** Opens sockets that stay, until the harness says stop; some of them say something at the end. */
export async function idleSockets({ port, connections }: Job & { kind: "idleSockets" }, run: Run): Promise<void> {
  const { frame, reply } = framesOf(64, true);
  const ask = async (client: Client) => {
    await client.send(frame);
    await client.expect(reply, { from: 0, least: reply.length });
    run.done++;
  };
  const clients = await open(port, connections, { path: "/echo", room: reply.length });
  await run.all(clients.length, async (nr) => await ask(clients[nr] as Client));
  await run.ready();
  await run.waitStop();
  const again = clients.filter((_, nr) => nr % ASKED_EVERY === 0);
  await run.all(again.length, async (nr) => await ask(again[nr] as Client));
}

async function open(port: number, count: number, options: { path: string; room: number }): Promise<Client[]> {
  const clients: Client[] = [];
  let begun = 0;
  const some = async () => {
    while (begun++ < count) clients.push(await Client.connect(port, options));
  };
  await Promise.all(Array.from({ length: Math.min(count, OPENED_AT_ONCE) }, some));
  return clients;
}
