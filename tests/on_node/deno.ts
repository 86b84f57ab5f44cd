// What the tests use of `Deno`, on Node. Each module that names `Deno` imports it from here (scripts/npm/stage_tests.ts), so that
// nothing else in the process sees it. It has all that the tests which can run on Node need.

import type { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import net, { connect as connectNode, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import process from "node:process";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { setImmediate as nextTurn } from "node:timers/promises";
import { connect as connectSecurely } from "node:tls";
import { inspect } from "node:util";
import { upgradeWebSocket } from "../../mod.ts";
import { denoTest, OnlyOnDeno } from "./adapter.ts";

type Path = string | URL;

/** Makes a class of `Deno.errors`. `instanceof` looks at the code of the error. */
function errorOf(...codes: string[]) {
  return class {
    static [Symbol.hasInstance](error: unknown): boolean {
      return codes.includes((error as { code?: string } | null)?.code ?? "");
    }
  };
}

function makeTempDirSync({ dir = tmpdir(), prefix = "" }: { dir?: string; prefix?: string } = {}): string {
  return fs.mkdtempSync(`${dir}/${prefix}`);
}

function removeSync(path: Path, { recursive = false } = {}): void {
  if (recursive) fs.rmSync(path, { recursive });
  else if (fs.lstatSync(path).isDirectory()) fs.rmdirSync(path);
  else fs.unlinkSync(path);
}

function* readDirSync(path: Path): Generator<{ name: string; isDirectory: boolean }> {
  for (const entry of fs.readdirSync(path, { withFileTypes: true })) {
    yield { name: entry.name, isDirectory: entry.isDirectory() };
  }
}

/** What `Deno` has twice, with `Sync` at the end of its name and without. */
const files = {
  makeTempDirSync,
  removeSync,
  readFileSync: (path: Path) => new Uint8Array(fs.readFileSync(path)),
  readTextFileSync: (path: Path) => fs.readFileSync(path, "utf8"),
  writeFileSync: (path: Path, bytes: Uint8Array) => fs.writeFileSync(path, bytes),
  writeTextFileSync: (path: Path, text: string) => fs.writeFileSync(path, text),
  statSync: (path: Path) => fs.statSync(path),
  lstatSync: (path: Path) => fs.lstatSync(path),
  mkdirSync: (path: Path, options = {}) => void fs.mkdirSync(path, options),
  renameSync: (from: Path, to: Path) => fs.renameSync(from, to),
  symlinkSync: (to: Path, at: Path) => fs.symlinkSync(to, at),
  realPathSync: (path: Path) => fs.realpathSync(path),
  readLinkSync: (path: Path) => fs.readlinkSync(path),
  utimeSync: (path: Path, accessed: Date, changed: Date) => fs.utimesSync(path, accessed, changed),
};

/** The same without `Sync`. Each gives the event loop a turn: a test that asks in a loop must not keep it from the rest. */
const later = Object.fromEntries(
  Object.entries(files).map(([name, call]) => [
    name.slice(0, -"Sync".length),
    async (...args: unknown[]) => {
      await nextTurn();
      return (call as (...args: unknown[]) => unknown)(...args);
    },
  ]),
);

/** `Deno.open` for reading. */
async function open(path: Path) {
  const file = await fs.promises.open(path);
  return {
    read: async (into: Uint8Array) => (await file.read(into, 0, into.length, null)).bytesRead || null,
    close: () => void file.close(),
    readable: Readable.toWeb(file.createReadStream()),
  };
}

/** `Deno.Command`, for programs that run to their end. */
class Command {
  readonly #command: string;
  readonly #options: { args?: string[]; cwd?: string | URL };

  constructor(command: string, options: { args?: string[]; cwd?: string | URL } = {}) {
    this.#command = command;
    this.#options = options;
  }

  async output() {
    const { args = [], ...options } = this.#options;
    const child = spawn(this.#command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    const closed = new Promise<number | null>((resolve, reject) => child.on("close", resolve).on("error", reject));
    const [code, stdout, stderr] = await Promise.all([closed, buffer(child.stdout), buffer(child.stderr)]);
    return { code, success: code === 0, stdout: new Uint8Array(stdout), stderr: new Uint8Array(stderr) };
  }

  spawn(): never {
    throw new OnlyOnDeno("needs Deno.Command.spawn");
  }
}

/** A connection that the test has opened. */
class Connection {
  readonly localAddr: { transport: "tcp"; hostname: string; port: number };
  #socket: Socket;
  #waiting: Buffer[] = [];
  #failure: Error | null = null;
  #isOver = false;
  #wake = () => {};

  constructor(socket: Socket) {
    this.#socket = socket;
    this.localAddr = { transport: "tcp", hostname: socket.localAddress ?? "", port: socket.localPort ?? 0 };
    socket.on("readable", () => this.#wake());
    socket.on("error", (error) => this.#end(error));
    socket.on("end", () => this.#end(null));
    socket.on("close", () => this.#end(null));
  }

  get readable(): ReadableStream<Uint8Array> {
    return new ReadableStream({
      pull: async (controller) => {
        const buffer = new Uint8Array(16 * 1024);
        const count = await this.read(buffer);
        if (count === null) controller.close();
        else controller.enqueue(buffer.subarray(0, count));
      },
    });
  }

  setNoDelay(isOn = true): void {
    this.#socket.setNoDelay(isOn);
  }

  async read(into: Uint8Array): Promise<number | null> {
    for (;;) {
      const piece = this.#waiting.shift() ?? this.#socket.read() as Buffer | null;
      if (piece !== null) {
        const taken = piece.subarray(0, into.length);
        into.set(taken);
        if (taken.length < piece.length) this.#waiting.unshift(piece.subarray(taken.length));
        return taken.length;
      }
      if (this.#failure !== null) throw this.#failure;
      if (this.#isOver) return null;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  write(bytes: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes.slice(), (error) => error ? reject(error) : resolve(bytes.length));
    });
  }

  closeWrite(): Promise<void> {
    return new Promise((resolve) => this.#socket.end(resolve));
  }

  close(): void {
    this.#socket.destroy();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #end(failure: Error | null): void {
    this.#failure ??= failure;
    this.#isOver = true;
    this.#wake();
  }
}

interface Place {
  transport?: string;
  hostname?: string;
  port?: number;
  path?: string;
}

function ready(socket: Socket, event: "connect" | "secureConnect"): Promise<Connection> {
  return new Promise((resolve, reject) => {
    socket.once(event, () => resolve(new Connection(socket))).once("error", reject);
  });
}

async function connect({ hostname: host = "127.0.0.1", port = 0, path }: Place): Promise<Connection> {
  const socket = connectNode({ ...path === undefined ? { host, port } : { path }, allowHalfOpen: true });
  return await ready(socket, "connect");
}

async function connectTls(
  { hostname: host = "127.0.0.1", port = 0, caCerts: ca }: Place & { caCerts?: string[] },
): Promise<Connection> {
  return await ready(connectSecurely({ host, port, ...ca === undefined ? {} : { ca } }), "secureConnect");
}

/** Binds at once. It is what Node's own server calls. */
const makeHandle = (net as unknown as { _createServerHandle(ip: string, port: number, family: 4): object })
  ._createServerHandle;

/** `Deno.listen`. */
class Listener {
  readonly #server = createServer({ allowHalfOpen: true, pauseOnConnect: false });
  readonly #waiting: Connection[] = [];
  #wanted: ((connection: Connection | null) => void)[] = [];
  #isClosed = false;

  constructor({ hostname = "0.0.0.0", port = 0, path }: Place) {
    this.#server.on("connection", (socket) => {
      const connection = new Connection(socket);
      const wanted = this.#wanted.shift();
      if (wanted === undefined) this.#waiting.push(connection);
      else wanted(connection);
    });
    // It listens when this call returns. Given a host, Node would look up its address first.
    this.#server.listen(path ?? makeHandle(hostname, port, 4));
  }

  get addr() {
    const address = this.#server.address();
    if (address === null) throw new Error("expected a server that listens");
    if (typeof address === "string") return { transport: "unix", path: address };
    return { transport: "tcp", hostname: address.address, port: address.port };
  }

  async accept(): Promise<Connection> {
    const connection = this.#waiting.shift() ??
      (this.#isClosed ? null : await new Promise<Connection | null>((resolve) => this.#wanted.push(resolve)));
    if (connection === null) throw Object.assign(new Error("closed"), { code: "ERR_CLOSED" });
    return connection;
  }

  close(): void {
    this.#isClosed = true;
    this.#server.close();
    for (const wanted of this.#wanted.splice(0)) wanted(null);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Connection> {
    while (!this.#isClosed) {
      try {
        yield await this.accept();
      } catch {
        return;
      }
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

const known = {
  ...files,
  ...later,
  test: denoTest,
  build: { os: process.platform === "win32" ? "windows" : process.platform },
  errors: {
    NotFound: errorOf("ENOENT"),
    ConnectionReset: errorOf("ECONNRESET", "EPIPE"),
    ConnectionRefused: errorOf("ECONNREFUSED"),
    BrokenPipe: errorOf("EPIPE"),
    Interrupted: errorOf("EINTR"),
    get WouldBlock(): never {
      throw new OnlyOnDeno("needs Deno.listen with a queue that fills up: Node accepts at once");
    },
    BadResource: errorOf("ERR_CLOSED"),
  },
  env: { get: (name: string) => process.env[name] },
  pid: process.pid,
  uid: () => process.getuid?.() ?? null,
  cwd: () => process.cwd(),
  readDirSync,
  readDir: readDirSync,
  inspect,
  upgradeWebSocket,
  Command,
  connect,
  connectTls,
  listen: (place: Place) => new Listener(place),
  open,
};

/** Stands in for `Deno`. What it does not have ends the test that asks for it: it is skipped, with this reason. */
export const Deno = new Proxy(known, {
  get(target, name) {
    if (!(name in target)) throw new OnlyOnDeno(`needs Deno.${String(name)}`);
    return target[name as keyof typeof target];
  },
});
