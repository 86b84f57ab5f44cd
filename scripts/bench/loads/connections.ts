// Many connections at once: clients of an event stream, and idle ones that are kept alive.
// A connection that ends before it was told to is an error.

import { checkStatus, Client, requestText, sleep } from "./client.ts";
import type { Job, Run } from "./job.ts";

/** Connections being opened at a time: less than any listen queue holds. */
const OPENED_AT_ONCE = 100;
/** One client in so many reads the time out of its events, so that reading it is no load of its own. */
const TIMED_EVERY = 20;
/** By then the events that were sent while they connected are read, and the server's code is compiled. */
const WARM_MS = 1000;
/** One idle connection in so many is asked again at the end. */
const ASKED_AGAIN_EVERY = 100;
/** Room for the head of an answer, and an event or two. */
const SMALL_BUFFER = 2 * 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Listens with many clients, and counts what comes while all of them are connected. */
export async function events({ port, connections, seconds }: Job & { kind: "events" }, run: Run): Promise<void> {
  const request = encoder.encode(requestText({ method: "GET", path: "/events" }, port));
  const clients = await open(port, connections, async (client) => {
    await client.send(request);
    checkStatus(await client.readHead());
  });
  run.all(connections, async (nr) => {
    const client = clients[nr];
    if (client !== undefined) await listen(client, nr % TIMED_EVERY === 0, run);
  });
  await sleep(WARM_MS);
  await run.ready();
  run.done = 0;
  run.waitsMs = [];
  await sleep(seconds * 1000);
  run.endedAt = performance.now();
}

async function listen(client: Client, isTimed: boolean, run: Run): Promise<void> {
  let before: number | undefined;
  while (run.endedAt === undefined) {
    const bytes = await client.readSome();
    for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, at + 1)) {
      if ((at === 0 ? before : bytes[at - 1]) === 0x0a) run.done++; // an event ends in two line feeds
    }
    before = bytes.at(-1);
    const sentAt = isTimed ? Number(/"at":([\d.]+)\}/.exec(decoder.decode(bytes))?.[1]) : NaN;
    if (sentAt > 0) run.waitsMs.push(performance.timeOrigin + performance.now() - sentAt);
  }
}

/** Opens connections that each ask once and then stay; asks some of them again at the end. */
export async function idle({ port, connections }: Job & { kind: "idle" }, run: Run): Promise<void> {
  const request = encoder.encode(requestText({ method: "GET", path: "/" }, port));
  const askOn = async (client: Client) => {
    await client.send(request);
    checkStatus(await client.readAnswer());
    run.done++;
  };
  const clients = await open(port, connections, askOn);
  await run.ready();
  await run.waitStop();
  const again = clients.filter((_, nr) => nr % ASKED_AGAIN_EVERY === 0);
  await run.all(again.length, async (nr) => await askOn(again[nr] as Client));
}

async function open(port: number, count: number, begin: (client: Client) => Promise<void>): Promise<Client[]> {
  const clients: Client[] = [];
  let begun = 0;
  const some = async () => {
    while (begun++ < count) {
      const client = await Client.connect(port, SMALL_BUFFER);
      await begin(client);
      clients.push(client);
    }
  };
  await Promise.all(Array.from({ length: Math.min(count, OPENED_AT_ONCE) }, some));
  return clients;
}
