// Lets the workers of a Node without SO_REUSEPORT listen on one port: the supervisor binds a socket for each address, once, and
// hands it to each worker that asks. All workers listen on the same socket then, so no connection is lost when one closes it.

import type { ChildProcess, SendHandle } from "node:child_process";
import { listenOnPort, makeBound, type TcpListenOptions } from "./node_listen.ts";
import { addressOf, type ListenHandle } from "./node_listener.ts";
import { process } from "./node_process.ts";
import type { Listener } from "./ports.ts";
import { type Resolvers, withResolvers } from "./resolvers.ts";

/** The address of which a worker wants the socket. */
type Wanted = Pick<TcpListenOptions, "hostname" | "port">;

/** What a worker asks. */
interface Request {
  weft: "listen";
  number: number;
  wanted: Wanted;
}

/** The supervisor's reply. It comes with the handle, or tells the number of the system's error. */
interface Reply {
  weft: "bound";
  number: number;
  error: number;
}

/** Sockets that this process has bound for its workers, by address. Open until `closeShared`: workers come and go. */
const sockets = new Map<string, ListenHandle>();

/**
 * Called in the supervisor for each worker: answers its requests.
 *
 * @param child a worker
 */
export function answerRequests(child: ChildProcess): void {
  child.channel?.unref();
  child.on("message", (message: Partial<Request>) => {
    const { weft, number, wanted } = message;
    if (weft !== "listen" || number === undefined || wanted === undefined) return;
    const handle = socketFor(wanted);
    const reply: Reply = { weft: "bound", number, error: typeof handle === "number" ? handle : 0 };
    // If the worker has ended meanwhile, nothing waits for the reply.
    child.send(reply, (typeof handle === "number" ? undefined : handle) as SendHandle | undefined, () => {});
  });
}

function socketFor({ hostname, port }: Wanted): ListenHandle | number {
  const known = sockets.get(`${hostname} ${port}`);
  if (known !== undefined) return known;
  const handle = makeBound({ hostname, port });
  if (typeof handle === "number") return handle;
  const address = addressOf(handle);
  sockets.set(`${hostname} ${address.transport === "tcp" ? address.port : 0}`, handle);
  return handle;
}

/**
 * Called in a supervisor that stops. Once the workers have closed their sockets too, the system refuses connections. Otherwise it
 * would take them until this process ends, and reset them then.
 */
export function closeShared(): void {
  for (const handle of sockets.values()) handle.close();
  sockets.clear();
}

/** Requests that wait for the supervisor's reply, by their numbers. */
const waiting = new Map<number, Resolvers<{ error: number; handle: ListenHandle | undefined }>>();
let lastNumber = 0;

/**
 * Called in a worker: listens on a socket that all workers share.
 *
 * @param options the address
 * @returns the listener
 * @throws {Error} with a `code` such as "EADDRINUSE"
 */
export async function listenShared(options: TcpListenOptions): Promise<Listener> {
  if (process.send === undefined) throw new Error("this process was not started by a supervisor");
  if (lastNumber === 0) process.on("message", onReply);
  const number = ++lastNumber;
  const reply = withResolvers<{ error: number; handle: ListenHandle | undefined }>();
  waiting.set(number, reply);
  const { hostname, port } = options;
  const request: Request = { weft: "listen", number, wanted: { hostname, port } };
  process.send(request);
  const { error, handle } = await reply.promise;
  process.channel?.unref();
  return listenOnPort(handle ?? error, options);
}

function onReply({ weft, number, error }: Partial<Reply>, handle: unknown): void {
  if (weft !== "bound" || number === undefined || error === undefined) return;
  waiting.get(number)?.resolve({ error, handle: handle as ListenHandle | undefined });
  waiting.delete(number);
}
