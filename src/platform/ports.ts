// Knows: what the rest of the house may ask of the world.
// Does not know: which runtime answers.
// Rule: a port is as narrow as its users; tests answer it without a socket, a clock or a process.

/** One end of a connection. */
export type Address =
  | { readonly transport: "tcp"; readonly hostname: string; readonly port: number }
  | { readonly transport: "unix"; readonly path: string };

/** A connection's byte stream. `Deno.Conn` is one as it stands. */
export interface Socket {
  readonly localAddr: Address;
  readonly remoteAddr: Address;
  /** Reads at least one byte into the buffer: their count, or null when the peer has ended its side. One read at a time. */
  read(into: Uint8Array): Promise<number | null>;
  /** Writes at least one byte: their count. The bytes must not change until it is answered. One write at a time. */
  write(bytes: Uint8Array): Promise<number>;
  /** Ends our side; the peer may still send. */
  closeWrite(): Promise<void>;
  /** Ends both sides; a read or write under way is rejected. Called once. */
  close(): void;
}

/** Where connections come from. */
export interface Listener {
  readonly addr: Address;
  /** The next connection; rejects with `ListenerClosed` after close, with anything else where the world is short of something. */
  accept(): Promise<Socket>;
  /** Stops listening. May be called again. */
  close(): void;
  ref(): void;
  unref(): void;
}

/** Thrown by {@linkcode Listener.accept} when the listener was closed. */
export class ListenerClosed extends Error {
  override readonly name = "ListenerClosed";
}

/** Where to listen. */
export type ListenOptions =
  | {
    transport: "tcp";
    hostname: string;
    port: number;
    reusePort?: boolean;
    /** PEM texts; with them the connections are TLS. */
    tls?: { cert: string; key: string };
  }
  | { transport: "unix"; path: string };

/** Something that goes on until it is cancelled. */
export interface Timer {
  cancel(): void;
}

/** Time. */
export interface Clock {
  /** Milliseconds of a clock that never steps back. */
  now(): number;
  /** Milliseconds since 1970 (UTC). */
  date(): number;
  /** Calls again and again, `everyMs` apart, without keeping the process alive. */
  every(everyMs: number, call: () => void): Timer;
  /** Calls once. */
  after(ms: number, call: () => void): Timer;
  /** Calls once, as soon as everything else that is ready has had its turn. */
  soon(call: () => void): void;
}

/** The signals that the program knows. */
export type SignalName = "SIGTERM" | "SIGINT" | "SIGQUIT" | "SIGHUP" | "SIGUSR1";

/** The process itself. */
export interface Process {
  readonly pid: number;
  readonly args: readonly string[];
  /** How the user started the program, for help and advice: `mod.ts` or `jsr:@weft/engine`. */
  readonly program: string;
  /** `deno 2.9.6` or the like, for people. */
  readonly runtime: string;
  readonly cwd: string;
  env(name: string): string | undefined;
  /** Makes these the arguments that an application sees. */
  setArgs(args: readonly string[]): void;
  /** Bytes of resident memory. */
  rss(): number;
  /** True where stdout is a terminal. */
  isTerminal(): boolean;
  /** Writes lines as they are, without returning before the system has them. */
  stdout(text: string): void;
  stderr(text: string): void;
  /** Calls on every such signal. False where the system has no such signal. */
  onSignal(name: SignalName, call: () => void): boolean;
  /** After USR1: closes the debugger that a runtime opens on it, and tells what became of it. */
  closeDebugger(): Promise<"closed" | "not open" | "wanted" | "not permitted">;
  /** Calls on an error or a rejection that nobody caught; the process lives on. */
  onUncaught(call: (error: unknown) => void): void;
  exit(code: number): never;
}

/** Files, as far as one process needs them. */
export interface Files {
  readText(path: string): string;
  /** What stands at a path; null where nothing does. */
  kindOf(path: string): "file" | "directory" | "socket" | "other" | null;
  /** Opens a file to write at its end, made where it is missing. */
  append(path: string): FileSink;
}

/** A file that is written at its end. */
export interface FileSink {
  write(bytes: Uint8Array): void;
  close(): void;
}

/** A file of this process alone: no other user can open it, and it is gone with its owner. */
export interface TemporaryFile {
  /** Writes all of the bytes behind those before; they must not change until then. One call at a time. */
  append(bytes: Uint8Array): Promise<void>;
  /** Reads on from where the last read ended, first from the beginning: how many bytes, or null at the end. */
  read(into: Uint8Array): Promise<number | null>;
  /** Lets go of it and of its room on the disk. Never rejects; may be called again, and while a call is under way. */
  remove(): Promise<void>;
}

/** Where bytes go that are too many for memory. Everything that fails here fails with {@linkcode StorageError}. */
export interface TemporaryFiles {
  /** Opens a new file; where the system allows it has no name, so that not even a killed process leaves it behind. */
  open(): Promise<TemporaryFile>;
}

/** A directory that no other user can look into, for temporary files that are wanted by their paths. */
export interface TemporaryDirectory {
  /** Makes a file under a name that it does not have yet, open to be written. */
  create(name: string): Promise<NamedFile>;
  /** Removes itself and everything that is still in it. Never rejects; may be called again, and while others are under way. */
  remove(): Promise<void>;
}

/** A file in a temporary directory. */
export interface NamedFile {
  /** Where it is now. */
  readonly path: string;
  /** Writes all of the bytes behind those before; they must not change until then. One call at a time. */
  append(bytes: Uint8Array): Promise<void>;
  /** Ends the writing. May be called again. */
  close(): void;
  /** Its content, from the beginning. May be called again. */
  stream(): ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Takes it to another path, also on another disk; what stands there is replaced. */
  moveTo(path: string): Promise<void>;
}

/** Thrown where a temporary file cannot be had, written or read: the disk is full, say, or its directory is gone. */
export class StorageError extends Error {
  override readonly name = "StorageError";
}

/** Where a line for the operator goes: who and when are added there, what happened is the message. */
export type Log = (level: "INFO" | "WARN" | "ERROR", message: string) => void;

/** Everything a runtime answers. */
export interface Platform {
  readonly clock: Clock;
  readonly process: Process;
  readonly files: Files;
  readonly temporaryFiles: TemporaryFiles;
  /** Makes a temporary directory in another, or where the system has them. What is left of it at the exit is removed. */
  makeTemporaryDirectory(parent?: string): Promise<TemporaryDirectory>;
  /** @throws {Error} with `code` "EADDRINUSE", "EACCES" or "EADDRNOTAVAIL" where the address cannot be had */
  listen(options: ListenOptions): Listener;
  /** Tells whether somebody answers at a Unix socket's path. */
  isUnixSocketLive(path: string): Promise<boolean>;
  removeFile(path: string): void;
  /** Opens an address with the desktop's browser; the error where there is none. */
  openBrowser(url: string): Promise<void>;
  /** Bytes to text, one character a byte, by the fastest way the runtime has. */
  decodeLatin1(bytes: Uint8Array, from: number, to: number): string;
}
