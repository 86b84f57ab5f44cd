// Many connections at once: clients of an event stream, and idle ones that are kept alive.
// A connection that ends before it was told to is an error.

import { Client, requestText } from "./client.ts";
import { gatherErrors, type LoadResult, sayReady, waitStop } from "./reports.ts";

/** Connections being opened at a time: less than any listen queue holds. */
const OPENED_AT_ONCE = 100;
/** One client in so many reads the time out of its events, so that reading it is no load of its own. */
const TIMED_EVERY = 20;
/** By then what was sent while they connected is over, and the server's code is compiled. */
const WARM_MS = 1000;
/** One idle connection in so many is asked again in the end. */
const ASKED_AGAIN_EVERY = 100;
/** Room for the head of an answer, and an event or two. */
const SMALL_BUFFER = 2 * 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What the clients of an event stream have seen so far. */
interface Seen {
  events: number;
  latenciesMs: number[];
  errors: unknown[];
  isStopped: boolean;
}

/** Listens with many clients, and counts what comes while all of them are connected. */
export async function events(port: number, clients: number, milliseconds: number): Promise<LoadResult> {
  const opened = await open(clients, async () => {
    const client = await Client.connect(port, SMALL_BUFFER);
    await client.send(encoder.encode(requestText({ method: "GET", path: "/events" }, port)));
    const { status } = await client.readHead();
    if (status !== 200) throw new Error(`an event stream began with status ${status}`);
    return client;
  });
  const seen: Seen = { events: 0, latenciesMs: [], errors: [], isStopped: false };
  opened.forEach((client, nr) => listen(client, nr % TIMED_EVERY === 0, seen));
  await new Promise((resolve) => setTimeout(resolve, WARM_MS));
  sayReady();
  seen.events = 0;
  seen.latenciesMs = [];
  const begun = performance.now();
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  const seconds = (performance.now() - begun) / 1000;
  const { events, latenciesMs, errors } = seen;
  latenciesMs.sort((a, b) => a - b);
  seen.isStopped = true;
  if (events === 0) errors.push(new Error("no event came"));
  const at = (share: number) => latenciesMs[Math.floor(latenciesMs.length * share)];
  return { done: events, seconds, p50Ms: at(0.5), p99Ms: at(0.99), errors: gatherErrors(errors) };
}

async function listen(client: Client, isTimed: boolean, seen: Seen): Promise<void> {
  let before = 0;
  try {
    while (!seen.isStopped) {
      const bytes = await client.readSome();
      for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, at + 1)) {
        if ((at === 0 ? before : bytes[at - 1]) === 0x0a) seen.events++; // an event ends in two line feeds
      }
      before = bytes[bytes.length - 1];
      if (!isTimed) continue;
      const sentAt = Number(/"at":([\d.]+)\}/.exec(decoder.decode(bytes))?.[1]);
      if (sentAt > 0) seen.latenciesMs.push(performance.timeOrigin + performance.now() - sentAt);
    }
  } catch (error) {
    if (!seen.isStopped) seen.errors.push(error);
  }
}

/** Opens connections that each ask once and then stay, until the harness says stop. */
export async function idle(port: number, connections: number): Promise<LoadResult> {
  const request = encoder.encode(requestText({ method: "GET", path: "/" }, port));
  const askOn = async (client: Client) => {
    await client.send(request);
    const { status } = await client.readAnswer();
    if (status !== 200) throw new Error(`a connection was answered with status ${status}`);
  };
  const begun = performance.now();
  const clients = await open(connections, async () => {
    const client = await Client.connect(port, SMALL_BUFFER);
    await askOn(client);
    return client;
  });
  const seconds = (performance.now() - begun) / 1000;
  sayReady();
  await waitStop();
  const again = clients.filter((_, nr) => nr % ASKED_AGAIN_EVERY === 0);
  const outcomes = await Promise.allSettled(again.map(askOn));
  const errors = outcomes.flatMap((outcome) => outcome.status === "rejected" ? [outcome.reason] : []);
  return { done: clients.length, seconds, errors: gatherErrors(errors) };
}

async function open(count: number, one: () => Promise<Client>): Promise<Client[]> {
  const clients: Client[] = [];
  let begun = 0;
  const some = async () => {
    while (begun < count) {
      begun++;
      clients.push(await one());
    }
  };
  await Promise.all(Array.from({ length: Math.min(count, OPENED_AT_ONCE) }, some));
  return clients;
}
