// What tests use of Deno, on Node. A test file is imported after this module has run.

import { connect, type Socket } from "node:net";
import process from "node:process";
import { test } from "node:test";
import { inspect } from "node:util";
import { upgradeWebSocket } from "../../src/engine/upgrade_web_socket.ts";

class ConnectionReset extends Error {}

/** A connection as Deno.connect gives it. */
class Connection {
  #socket: Socket;
  /** Called when bytes or the end have come. */
  #wake = () => {};
  /** Null before the end; then whether it was a reset. */
  #end: { readonly wasReset: boolean } | null = null;

  constructor(socket: Socket) {
    this.#socket = socket;
    const end = (wasReset: boolean) => {
      this.#end ??= { wasReset };
      this.#wake();
    };
    socket.on("readable", () => this.#wake());
    socket.on("end", () => end(false));
    socket.on("error", () => end(true));
    socket.on("close", () => end(false));
  }

  setNoDelay(isSet: boolean): void {
    this.#socket.setNoDelay(isSet);
  }

  async read(into: Uint8Array): Promise<number | null> {
    for (;;) {
      const { readableLength } = this.#socket;
      const bytes: Uint8Array | null = this.#socket.read(Math.min(readableLength, into.length) || undefined);
      if (bytes !== null) {
        into.set(bytes);
        return bytes.length;
      }
      if (this.#end?.wasReset === true) throw new ConnectionReset("the connection was reset");
      if (this.#end !== null) return null;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  write(bytes: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => error == null ? resolve(bytes.length) : reject(error));
    });
  }

  closeWrite(): Promise<void> {
    return new Promise((resolve) => this.#socket.end(() => resolve()));
  }

  close(): void {
    this.#socket.destroy();
  }
}

type Test = { name: string; ignore?: boolean; fn: () => unknown };

const denoOnNode = {
  errors: { ConnectionReset },
  inspect,
  upgradeWebSocket,
  test(first: string | Test, second?: () => unknown): void {
    const { name, ignore = false, fn } = typeof first === "string" ? { name: first, fn: second! } : first;
    test(name, { skip: ignore }, async () => void await fn());
  },
  connect: (address: { hostname?: string; port?: number; path?: string }) =>
    new Promise<Connection>((resolve, reject) => {
      const { path, hostname, port } = address;
      const socket = path === undefined ? connect({ port: port!, host: hostname }) : connect({ path });
      socket.once("connect", () => resolve(new Connection(socket)));
      socket.once("error", reject);
    }),
};

Object.assign(globalThis, { Deno: denoOnNode });
// Tests use it; the source may not, which tests/floors_test.ts sees to.
Promise.withResolvers ??= function <Value>(): PromiseWithResolvers<Value> {
  const resolvers = {} as PromiseWithResolvers<Value>;
  resolvers.promise = new Promise((resolve, reject) => Object.assign(resolvers, { resolve, reject }));
  return resolvers;
};

for (const file of process.argv.slice(2)) await import(file);
