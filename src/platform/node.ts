// The ports on Node. The larger ones have files of their own: clock, network, children, source files, temporary files.

import { Buffer } from "node:buffer";
import {
  chmodSync,
  closeSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { availableParallelism } from "node:os";
import { Readable } from "node:stream";
import { isatty } from "node:tty";
import { nodeClock } from "./node_clock.ts";
import { connect, isUnixSocketLive } from "./node_connect.ts";
import { isForeign, listenBeside } from "./node_foreign.ts";
import { listenShared } from "./node_handles.ts";
import { hasReusePort, listen, listenOn } from "./node_listen.ts";
import { process } from "./node_process.ts";
import { nodeTemporaryFiles } from "./node_temporary.ts";
import { nodeProblem } from "./node_version.ts";
import type { Files, FileSink, Platform, Process, SignalName } from "./ports.ts";

const STDOUT = 1;
const STDERR = 2;
const isWindows = process.platform === "win32";

const nodeProcess: Process = {
  get pid() {
    return process.pid;
  },
  get args() {
    return process.argv.slice(2);
  },
  get program() {
    return process.env.npm_command === "exec" ? "npx weft" : "weft";
  },
  get cwd() {
    return process.cwd();
  },
  userId: () => process.getuid?.() ?? null,
  cores: availableParallelism(),
  setArgs: (args) => void process.argv.splice(2, Infinity, ...args),
  runtime: `node ${process.versions.node}`,
  advice: async () => (await import("./node_advice.ts")).nodeAdvice,
  runtimeProblem: () => nodeProblem(process.versions.node),
  env: (name) => process.env[name],
  variables: (prefix) => Object.keys(process.env).filter((name) => name.startsWith(prefix)),
  unsetEnv: (name) => void delete process.env[name],
  rss: () => process.memoryUsage.rss(),
  isTerminal: () => isatty(STDOUT),
  stdout: (text) => writeAll(STDOUT, text),
  stderr: (text) => writeAll(STDERR, text),
  onSignal(name: SignalName, call: () => void): boolean {
    if (isWindows ? name !== "SIGINT" && name !== "SIGBREAK" : name === "SIGBREAK") return false;
    process.on(name, () => call());
    return true;
  },
  // A listener for USR1 keeps Node from opening its debugger. The program adds one before anything else.
  noteDebugger() {},
  closeDebugger: async () => await (await import("./node_debugger.ts")).closeDebugger(),
  onUncaught(call): void {
    process.on("uncaughtException", (error) => call(error));
    process.on("unhandledRejection", (reason) => call(reason));
  },
  exit(code) {
    leaveClosedTerminal();
    process.exit(code);
  },
};

/** Node aborts at its end if one of these was a terminal that is closed by then. It does not look at what was opened since. */
function leaveClosedTerminal(): void {
  for (const descriptor of [0, STDOUT, STDERR]) {
    try {
      if (isatty(descriptor) || !fstatSync(descriptor).isCharacterDevice()) continue;
      closeSync(descriptor);
      openSync("/dev/null", "r+"); // gets the lowest number that is free
    } catch {
      // It is closed already, or there is no /dev/null: then Node ends as it does.
    }
  }
}

/** Milliseconds between two attempts to write to a pipe that is full, and how many there are: ten seconds of a stopped reader. */
const RETRY_MS = 5;
const RETRIES = 2_000;

/** Writes to stdout or stderr. A closed pipe, a full disk or a closed terminal must not fail a request. */
function writeAll(descriptor: number, text: string): void {
  const bytes = new TextEncoder().encode(text);
  let retries = RETRIES;
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      // A pipe that another process has made non-blocking is full.
      if (codeOf(error) !== "EAGAIN" || retries-- === 0) return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)), 0, 0, RETRY_MS);
    }
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as { code?: string }).code;
}

/** Gives null if the path does not exist. */
function orNull<Value>(look: () => Value): Value | null {
  try {
    return look();
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}

const files: Files = {
  readText: (path) => readFileSync(path, "utf8"),
  kindOf: (path) =>
    orNull(() => {
      const found = statSync(path);
      return found.isFile() ? "file" : found.isDirectory() ? "directory" : found.isSocket() ? "socket" : "other";
    }),
  entryAt: (path) =>
    orNull(() => {
      const found = lstatSync(path);
      if (found.isSymbolicLink()) return "a symbolic link";
      if (found.isFile()) return "a file";
      return found.isDirectory() ? "a directory" : found.isSocket() ? "a socket" : "a device or a pipe";
    }),
  append(path): FileSink {
    const descriptor = openSync(path, "a");
    return {
      write(bytes) {
        for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at);
      },
      close: () => closeSync(descriptor),
    };
  },
  makePrivateDirectory(path) {
    try {
      mkdirSync(path, { mode: 0o700 });
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
    }
    files.checkPrivateDirectory(path);
  },
  checkPrivateDirectory(path) {
    const found = lstatSync(path);
    if (!found.isDirectory()) throw new Error(`${path} is not a directory`);
    if (isWindows) return;
    if ((found.mode & 0o077) !== 0) throw new Error(`${path} is open to others; expected mode 0700`);
    if (found.uid !== process.getuid?.()) throw new Error(`${path} belongs to another user`);
  },
  list: (path) => orNull(() => readdirSync(path)) ?? [],
  makePrivate: (path) => chmodSync(path, 0o600),
};

/** Decodes bytes to text, one character a byte. */
const { latin1Slice } = Buffer.prototype as unknown as {
  latin1Slice(this: Uint8Array, from: number, to: number): string;
};

/** The ports on Node. */
export const nodePlatform: Platform = {
  clock: nodeClock,
  process: nodeProcess,
  files,
  hasSlowGlobals: true,
  readsConfiguration: false,
  random: Math.random,
  canSharePort: !isWindows,
  temporaryFiles: nodeTemporaryFiles(),
  // Node has no functions that serve fetch-style handlers or upgrade their requests.
  replaceServe() {},
  replaceUpgrade() {},
  loadDeflate: async () => (await import("./node_zlib.ts")).rawDeflate,
  loadChildren: async () => (await import("./node_children.ts")).children,
  loadSources: async () => (await import("./node_sources.ts")).nodeSources,
  loadDocuments: async () => (await import("./node_documents.ts")).documents,
  loadPrograms: async () => (await import("./node_programs.ts")).programs,
  loadTerminal: async () => (await import("./node_terminal.ts")).terminal,
  makeTemporaryDirectory: async (parent) => (await import("./node_directory.ts")).makeTemporaryDirectory(parent),
  listen,
  ...hasReusePort ? {} : { listenShared: isForeign ? listenBeside : listenShared },
  listenOn,
  connect,
  connectUnix: (path) => connect({ transport: "unix", path }),
  isUnixSocketLive,
  removeFile: (path) => void orNull(() => unlinkSync(path)),
  async openBrowser(url) {
    const { spawn } = await import("node:child_process");
    const [command, ...args] = isWindows
      ? ["cmd", "/c", "start", url] as const
      : [process.platform === "darwin" ? "open" : "xdg-open", url] as const;
    const child = spawn(command, args, { stdio: "ignore" });
    await new Promise<void>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code) => code === 0 ? resolve() : reject(new Error(`${command} ended with an error`)));
    });
  },
  // Node's fetch sends streams chunked.
  tellLength: () => () => {},
  isDisturbed: (stream) => Readable.isDisturbed(stream as unknown as Readable),
  decodeLatin1: (bytes, from, to) => latin1Slice.call(bytes, from, to),
};
