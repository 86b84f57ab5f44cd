// The ports on Deno. The larger ones have files of their own: clock, network, children, source files, temporary files.

import { tellLength } from "./deno_body_length.ts";
import { denoClock } from "./deno_clock.ts";
import { connect, connectUnix, isUnixSocketLive, listen } from "./deno_net.ts";
import { replaceServe, replaceUpgrade } from "./deno_serve.ts";
import { denoTemporaryFiles } from "./deno_temporary.ts";
import { denoProblem } from "./deno_version.ts";
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
      if (error instanceof Deno.errors.NotCapable) return ownerOfFiles();
      throw error;
    }
  },
  get program() {
    return showProgram(Deno.mainModule, Deno.cwd());
  },
  cores: navigator.hardwareConcurrency,
  setArgs: (args) => Object.defineProperty(Deno, "args", { value: [...args], configurable: true, enumerable: true }),
  runtime: `deno ${Deno.version.deno}`,
  advice: async () => (await import("./deno_advice.ts")).denoAdvice,
  runtimeProblem: () => denoProblem(Deno.version.deno),
  env: readVariable,
  variables: variablesWith,
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

/** Without --allow-sys=uid: files that this process makes belong to its user. Null if it may not make or see one. */
function ownerOfFiles(): number | null {
  // TMPDIR may name a directory of another user.
  for (const options of [{}, { dir: "/tmp" }]) {
    try {
      const probe = Deno.makeTempFileSync(options);
      try {
        return Deno.statSync(probe).uid;
      } finally {
        Deno.removeSync(probe);
      }
    } catch (error) {
      if (!(error instanceof Error && "code" in error || error instanceof Deno.errors.NotCapable)) throw error;
    }
  }
  return null;
}

/** The program as the user may have typed it: a relative path if it is in the working directory. */
function showProgram(mainModule: string, cwd: string): string {
  if (!mainModule.startsWith("file:")) {
    const jsr = /^https:\/\/jsr\.io\/(@[^/]+\/[^/]+)\//.exec(mainModule);
    return jsr === null ? mainModule : `jsr:${jsr[1]}`;
  }
  const path = fromFileUrl(mainModule, { isWindows: Deno.build.os === "windows" });
  return path.startsWith(`${cwd}/`) ? path.slice(cwd.length + 1) : path;
}

/** A variable that the permissions hide counts as not set. */
function readVariable(name: string): string | undefined {
  try {
    return Deno.env.get(name);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}

/** The user must not be prompted for a permission here. */
function variablesWith(prefix: string): string[] {
  if (Deno.permissions.querySync({ name: "env" }).state !== "granted") return [];
  return Object.keys(Deno.env.toObject()).filter((name) => name.startsWith(prefix));
}

/** A variable that the permissions hide stays, because the application cannot see it either. */
function unsetVariable(name: string): void {
  try {
    Deno.env.delete(name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
  }
}

/** Writes to stdout or stderr. A closed pipe, a full disk or a closed terminal must not fail a request. */
function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = encoder.encode(text);
  try {
    for (let at = 0; at < bytes.length;) at += stream.writeSync(bytes.subarray(at));
  } catch {
    // The error cannot be reported: this was the place to report it.
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
    // A file that this process makes belongs to its user. Asking for the user's number would need a permission.
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

/** Decodes with what every runtime has. Nearly all heads are ASCII, for which UTF-8 and Latin-1 are the same. */
let decodeLatin1 = (bytes: Uint8Array, from: number, to: number): string => {
  const text = ascii.decode(bytes.subarray(from, to));
  if (text.length === to - from && !text.includes("\ufffd")) return text;
  return Array.from(bytes.subarray(from, to), (octet) => String.fromCharCode(octet)).join("");
};

/** Node's Buffer decodes in half the time, but takes milliseconds to load. So it is loaded after the first answers. */
async function loadFasterDecoder(): Promise<void> {
  const { Buffer } = await import("node:buffer");
  const { latin1Slice } = Buffer.prototype as unknown as {
    latin1Slice(this: Uint8Array, from: number, to: number): string;
  };
  decodeLatin1 = (bytes, from, to) => latin1Slice.call(bytes, from, to);
}

/** Heads to decode before the faster decoder is loaded. Changed by `decodeLatin1`. */
let untilFaster = 100;

/** The ports on Deno. */
export const denoPlatform: Platform = {
  clock: denoClock,
  process,
  files,
  hasSlowGlobals: false,
  readsConfiguration: true,
  random: Math.random,
  canSharePort: Deno.build.os !== "windows",
  temporaryFiles: denoTemporaryFiles(),
  replaceServe,
  replaceUpgrade,
  // Modules that not every process needs are loaded on use. Each takes a part of a millisecond, node:net several.
  loadDeflate: async () => (await import("./node_zlib.ts")).rawDeflate,
  loadChildren: async () => (await import("./deno_children.ts")).children,
  loadPrograms: async () => (await import("./deno_programs.ts")).programs,
  loadSources: async () => (await import("./deno_files.ts")).denoSources,
  loadDocuments: async () => (await import("./deno_documents.ts")).documents,
  loadTerminal: async () => (await import("./deno_terminal.ts")).terminal,
  makeTemporaryDirectory: async (parent) => (await import("./deno_directory.ts")).makeTemporaryDirectory(parent),
  listen,
  listenOn: async (descriptor) => (await import("./node_net.ts")).listenOn(descriptor),
  connect,
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
  tellLength,
  decodeLatin1(bytes, from, to) {
    if (untilFaster > 0 && --untilFaster === 0) loadFasterDecoder();
    return decodeLatin1(bytes, from, to);
  },
};
