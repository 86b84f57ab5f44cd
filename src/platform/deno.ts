// How Deno answers every port but the network's, the watched files' and the clock's.

import { denoClock } from "./deno_clock.ts";
import { connectUnix, isUnixSocketLive, listen } from "./deno_net.ts";
import { denoTemporaryFiles } from "./deno_temporary.ts";
import { fromFileUrl } from "./file_url.ts";
import type { Files, FileSink, Platform, Process, SignalName } from "./ports.ts";

const encoder = new TextEncoder();

const process: Process = {
  get pid() {
    return Deno.pid;
  },
  get args() {
    return Deno.args;
  },
  get cwd() {
    return Deno.cwd();
  },
  userId() {
    try {
      return Deno.uid();
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) return null;
      throw error;
    }
  },
  get program() {
    return showProgram(Deno.mainModule, Deno.cwd());
  },
  cores: navigator.hardwareConcurrency,
  setArgs: (args) => Object.defineProperty(Deno, "args", { value: [...args], configurable: true, enumerable: true }),
  runtime: `deno ${Deno.version.deno}`,
  env: readVariable,
  unsetEnv: unsetVariable,
  rss: () => Deno.memoryUsage().rss,
  isTerminal: () => Deno.stdout.isTerminal(),
  stdout: (text) => writeAll(Deno.stdout, text),
  stderr: (text) => writeAll(Deno.stderr, text),
  onSignal(name: SignalName, call: () => void): boolean {
    const isWindows = Deno.build.os === "windows";
    if (isWindows ? name !== "SIGINT" && name !== "SIGBREAK" : name === "SIGBREAK") return false;
    Deno.addSignalListener(name, call);
    return true;
  },
  noteDebugger: () => void import("./deno_debugger.ts").then(({ noteDebugger }) => noteDebugger()),
  closeDebugger: async () => await (await import("./deno_debugger.ts")).closeDebugger(),
  onUncaught(call): void {
    globalThis.addEventListener("unhandledrejection", (event) => {
      event.preventDefault();
      call(event.reason);
    });
    globalThis.addEventListener("error", (event) => {
      event.preventDefault();
      call(event.error);
    });
  },
  exit: (code) => Deno.exit(code),
};

/** The program as the user may have typed it: relative if it is below the directory. */
function showProgram(mainModule: string, cwd: string): string {
  if (!mainModule.startsWith("file:")) {
    const jsr = /^https:\/\/jsr\.io\/(@[^/]+\/[^/]+)\//.exec(mainModule);
    return jsr === null ? mainModule : `jsr:${jsr[1]}`;
  }
  const path = fromFileUrl(mainModule, { isWindows: Deno.build.os === "windows" });
  return path.startsWith(`${cwd}/`) ? path.slice(cwd.length + 1) : path;
}

/** A variable that the permissions hide is as good as one that is not set. */
function readVariable(name: string): string | undefined {
  try {
    return Deno.env.get(name);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}

/** Hidden variables stay: the application may not see them either. */
function unsetVariable(name: string): void {
  try {
    Deno.env.delete(name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
  }
}

/** Writes to a stream of the process. A reader that is gone, a full disk, a closed terminal: none is worth a request. */
function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = encoder.encode(text);
  try {
    for (let at = 0; at < bytes.length;) at += stream.writeSync(bytes.subarray(at));
  } catch {
    // There is nowhere left to say it.
  }
}

const files: Files = {
  readText: (path) => Deno.readTextFileSync(path),
  kindOf(path) {
    try {
      const { isFile, isDirectory, isSocket } = Deno.statSync(path);
      return isFile ? "file" : isDirectory ? "directory" : isSocket ? "socket" : "other";
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
  },
  entryAt(path) {
    try {
      const { isFile, isDirectory, isSymlink, isSocket } = Deno.lstatSync(path);
      if (isSymlink) return "a symbolic link";
      return isFile ? "a file" : isDirectory ? "a directory" : isSocket ? "a socket" : "a device or a pipe";
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
  },
  append(path): FileSink {
    const file = Deno.openSync(path, { append: true, create: true, write: true });
    return {
      write(bytes) {
        for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
      },
      close: () => file.close(),
    };
  },
  makePrivateDirectory(path) {
    try {
      Deno.mkdirSync(path, { mode: 0o700 });
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
    files.checkPrivateDirectory(path);
  },
  checkPrivateDirectory(path) {
    const { isDirectory, mode, uid } = Deno.lstatSync(path);
    if (!isDirectory) throw new Error(`${path} is not a directory`);
    if (Deno.build.os === "windows") return;
    if (((mode ?? 0) & 0o077) !== 0) throw new Error(`${path} is open to others; expected mode 0700`);
    // What this process makes is its user's; no permission is needed to see whose that is.
    const probe = Deno.makeTempFileSync({ dir: path });
    const own = Deno.statSync(probe).uid;
    Deno.removeSync(probe);
    if (uid !== own) throw new Error(`${path} belongs to another user`);
  },
  list(path) {
    try {
      return Array.from(Deno.readDirSync(path), ({ name }) => name);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
  },
  makePrivate: (path) => Deno.chmodSync(path, 0o600),
};

const ascii = new TextDecoder();

/** What every runtime has: UTF-8 is the same for ASCII, which nearly all heads are. */
let decodeLatin1 = (bytes: Uint8Array, from: number, to: number): string => {
  const text = ascii.decode(bytes.subarray(from, to));
  if (text.length === to - from && !text.includes("\ufffd")) return text;
  return Array.from(bytes.subarray(from, to), (octet) => String.fromCharCode(octet)).join("");
};

/** Node's Buffer does it in half the time, but costs milliseconds to load: not before the first answers are out. */
async function loadFasterDecoder(): Promise<void> {
  const { Buffer } = await import("node:buffer");
  const { latin1Slice } = Buffer.prototype as unknown as {
    latin1Slice(this: Uint8Array, from: number, to: number): string;
  };
  decodeLatin1 = (bytes, from, to) => latin1Slice.call(bytes, from, to);
}

/** Heads decoded before it is worth it. */
let untilFaster = 100;

/** Deno as the house sees it. */
export const denoPlatform: Platform = {
  clock: denoClock,
  process,
  files,
  random: Math.random,
  canSharePort: Deno.build.os !== "windows",
  temporaryFiles: denoTemporaryFiles(),
  // What not every process uses is loaded when it is used: each module costs a part of a millisecond, node:net several.
  loadChildren: async () => (await import("./deno_children.ts")).children,
  loadSources: async () => (await import("./deno_files.ts")).denoSources,
  loadTerminal: async () => (await import("./deno_terminal.ts")).terminal,
  makeTemporaryDirectory: async (parent) => (await import("./deno_directory.ts")).makeTemporaryDirectory(parent),
  listen,
  listenOn: async (descriptor) => (await import("./node_net.ts")).listenOn(descriptor),
  connectUnix,
  isUnixSocketLive,
  removeFile(path) {
    try {
      Deno.removeSync(path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  },
  async openBrowser(url) {
    const [command, ...args] = Deno.build.os === "windows"
      ? ["cmd", "/c", "start", url]
      : [Deno.build.os === "darwin" ? "open" : "xdg-open", url];
    const { success } = await new Deno.Command(command, { args, stdout: "null", stderr: "null" }).output();
    if (!success) throw new Error(`${command} ended with an error`);
  },
  decodeLatin1(bytes, from, to) {
    if (untilFaster > 0 && --untilFaster === 0) loadFasterDecoder();
    return decodeLatin1(bytes, from, to);
  },
};
