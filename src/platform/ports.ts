// What the rest of the house may ask of the world.
// A port is as narrow as its users; tests answer it without a socket, a clock or a process. Types only: what is
// thrown stands in errors.ts.
// Long: it is the list of everything that is asked of a runtime, and more than half of it is documentation.

import type { TemporaryDirectory, TemporaryFiles } from "./temporary_ports.ts";

export type { NamedFile, TemporaryDirectory, TemporaryFile, TemporaryFiles } from "./temporary_ports.ts";

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

/** A listening socket. */
export interface Listener {
  readonly addr: Address;
  /** The next connection; rejects with `ListenerClosed` after close, with anything else if the system is short of something. */
  accept(): Promise<Socket>;
  /** Stops listening. May be called again. */
  close(): void;
  ref(): void;
  unref(): void;
}

/** Where to listen. */
export type ListenOptions =
  | {
    transport: "tcp";
    hostname: string;
    port: number;
    reusePort?: boolean;
    /** With it the connections are TLS. */
    tls?: TlsOptions;
  }
  | { transport: "unix"; path: string };

/** How connections become TLS. */
export interface TlsOptions {
  /** A certificate chain and its private key, PEM. */
  readonly cert: string;
  readonly key: string;
  /** Milliseconds from the accept to the end of the handshake; then the connection is closed. 0 for no limit. */
  readonly handshakeTimeoutMs: number;
}

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
  /** Calls once, after the system was asked for connections and bytes: what waited there before the call has come. */
  afterPoll(call: () => void): void;
}

/** The signals that the program knows; BREAK is Windows' own. */
export type SignalName = "SIGTERM" | "SIGINT" | "SIGQUIT" | "SIGHUP" | "SIGUSR1" | "SIGTTIN" | "SIGTTOU" | "SIGBREAK";

/** The process itself. */
export interface Process {
  readonly pid: number;
  readonly args: readonly string[];
  /** How the user started the program, for help and advice: `mod.ts` or `jsr:@weft/engine`. */
  readonly program: string;
  /** `deno 2.9.6` or the like, for people. */
  readonly runtime: string;
  readonly cwd: string;
  /** The user's number; null if the system has none or the permissions hide it. */
  userId(): number | null;
  /** Processors that the system lets this process use. */
  readonly cores: number;
  env(name: string): string | undefined;
  /** Removes a variable, so that the application and what it starts do not see it. */
  unsetEnv(name: string): void;
  /** Makes these the arguments that an application sees. */
  setArgs(args: readonly string[]): void;
  /** Bytes of resident memory. */
  rss(): number;
  /** True if stdout is a terminal. */
  isTerminal(): boolean;
  /** Writes lines as they are, without returning before the system has them. */
  stdout(text: string): void;
  stderr(text: string): void;
  /** Calls on every such signal. False if the system has no such signal. */
  onSignal(name: SignalName, call: () => void): boolean;
  /** At the start of a process that the user may have given a debugger: it is not closed then. */
  noteDebugger(): void;
  /** After USR1: closes the debugger that a runtime opens on it, and tells what became of it. */
  closeDebugger(): Promise<"closed" | "not open" | "wanted" | "not permitted">;
  /** Calls on every error and rejection that is not caught. These do not end the process then. */
  onUncaught(call: (error: unknown) => void): void;
  exit(code: number): never;
}

/** What a process may have been started from. */
export interface Terminal {
  /** True if the process was started to outlive its terminal, as nohup does. Ask before anything listens to a signal. */
  isOutlived(): boolean;
  /** True if the process has a terminal that is still open. */
  isThere(): boolean;
}

/** How a child ended. */
export interface ChildEnd {
  code: number;
  /** Such as `SIGKILL`; null if it ended by itself. */
  signal: string | null;
}

/** A process that this one has started. */
export interface Child {
  readonly pid: number;
  /** Never rejects. */
  readonly ended: Promise<ChildEnd>;
  /** Sends a signal; does nothing if it has ended already. */
  kill(signal: "SIGTERM" | "SIGKILL"): void;
}

/** What a child of the same program is started with. */
export interface ChildOptions extends ChildAccess {
  /** URL of its main module. */
  module: string;
  /** Its arguments. */
  args: readonly string[];
  /** Variables set in its environment, besides those of this process. */
  env: Readonly<Record<string, string>>;
  /** True if a caller waits for it: it starts sooner, and takes some more megabytes. */
  isAwaited: boolean;
  /** The application's own configuration file, if it has one and no other was named for this process. */
  config?: string;
}

/** What a child must be allowed if this process is allowed it, but only in part. */
export interface ChildAccess {
  reads: readonly string[];
  writes: readonly string[];
  nets: readonly string[];
  variables: readonly string[];
}

/** Other processes. */
export interface Children {
  /**
   * Starts another process of this program, with this one's permissions, flags of the runtime, stdout and stderr.
   *
   * @throws {Error} if the system or the permissions do not let it
   */
  startSelf(options: ChildOptions): Child;
  /**
   * The configuration file that children are started with.
   *
   * @param own the application's own, if it has one
   * @returns the one that was named for this process, if any was, or else the application's own; undefined for none
   */
  configFor(own: string | undefined): string | undefined;
  /**
   * What children may do if the flags of this process cannot be seen, and what was allowed by name is not known; null
   * if they are given the same, or everything.
   */
  limitsOf(options: ChildAccess): string | null;
}

/** Files, as far as one process needs them. */
export interface Files {
  readText(path: string): string;
  /** What stands at a path; null if nothing does. */
  kindOf(path: string): "file" | "directory" | "socket" | "other" | null;
  /** The same of the path itself, even if it is a link. */
  entryAt(path: string): "a file" | "a directory" | "a socket" | "a symbolic link" | "a device or a pipe" | null;
  /** Opens a file to write at its end, made if it is missing. */
  append(path: string): FileSink;
  /**
   * Makes a directory that only this user may enter, if it is missing. What it is in has to be there.
   *
   * @throws {Error} if something else has that name, it belongs to another user, or others may enter it
   */
  makePrivateDirectory(path: string): void;
  /** The same of a directory that is there already. */
  checkPrivateDirectory(path: string): void;
  /** Names in a directory; none if there is no such directory. */
  list(path: string): string[];
  /** Lets only the owner read or write a file or a socket. */
  makePrivate(path: string): void;
}

/** A file that is written at its end. */
export interface FileSink {
  write(bytes: Uint8Array): void;
  close(): void;
}

/** What a watch has seen of some paths, which may be files or directories. */
export interface FileEvent {
  /** Bytes of a file are others (`modified`), a name came, went or means something else (`named`), or file events are lost. */
  readonly kind: "modified" | "named" | "lost";
  readonly paths: readonly string[];
}

/** A watch over directories: gives what happens to the names in them, and ends when it is closed. */
export interface Watcher extends AsyncIterable<FileEvent> {
  /** Ends the watch, and the iteration a little later; file events that were not taken are gone. May be called again. */
  close(): void;
}

/** A name in a directory. */
export interface DirectoryEntry {
  readonly name: string;
  readonly isDirectory: boolean;
  readonly isLink: boolean;
}

/** Files as their authors change them. Every path is absolute, with `/` between the names on every system. */
export interface Sources {
  /**
   * Watches directories, not what is below them: a system that watches recursively watches a `node_modules` too.
   * FileEvents are kept from the moment that it returns. A directory that was removed and made again is seen by a new
   * watch only if the iteration of the former one has ended before: the system shares what two watches have in common.
   *
   * @throws {WatchLimit} if a limit of the system is reached
   * @throws {Error} if one of them is not there or cannot be watched
   */
  watch(directories: readonly string[]): Watcher;
  /** The names in a directory; null if it cannot be read. A link is not a directory: it may lead in a circle. */
  list(directory: string): readonly DirectoryEntry[] | null;
  /** A path without links, relative ones starting from the process's directory; null if nothing is there. */
  realPath(path: string): string | null;
  /** The target of a link, as it is written there; null if the path is not a link. */
  readLink(path: string): string | null;
  /** A text that is another once a file or a link has probably changed, without reading it; null if there is none. */
  stamp(path: string): string | null;
  /** A text that is the same as long as a file's bytes are, and the target of a link; null if there is neither. */
  fingerprint(path: string): Promise<string | null>;
  /**
   * The files of a module and of all that it imports, packages of others not included; also those that are missing or
   * cannot be parsed.
   *
   * @throws {ModulesUnknown} if they cannot be told
   */
  modulesOf(path: string, options: { config: string | null }): Promise<string[]>;
}

/** Takes a line for the operator. The time and the process are added; the message says what happened. */
export type Log = (level: "INFO" | "WARN" | "ERROR", message: string) => void;

/** Everything a runtime answers. */
export interface Platform {
  readonly clock: Clock;
  readonly process: Process;
  readonly files: Files;
  /** A number from 0 up to, not including, 1. */
  random(): number;
  readonly temporaryFiles: TemporaryFiles;
  loadChildren(): Promise<Children>;
  loadSources(): Promise<Sources>;
  loadTerminal(): Promise<Terminal>;
  /** Makes a temporary directory in another, or in the system's directory for them. What is left of it at the exit is removed. */
  makeTemporaryDirectory(parent?: string): Promise<TemporaryDirectory>;
  /** @throws {Error} with `code` "EADDRINUSE", "EACCES" or "EADDRNOTAVAIL" if the address cannot be used */
  listen(options: ListenOptions): Listener;
  /** True if several processes can listen on one port, each with a socket of its own (SO_REUSEPORT). */
  readonly canSharePort: boolean;
  /** Takes over a socket that listens already, by the number of its descriptor. */
  listenOn(descriptor: number): Promise<Listener>;
  /** Connects to a Unix socket. */
  connectUnix(path: string): Promise<Socket>;
  /** Tells whether a process listens at a Unix socket's path. */
  isUnixSocketLive(path: string): Promise<boolean>;
  /** Removes a file. Does nothing if it is gone already. */
  removeFile(path: string): void;
  /** Opens an address with the desktop's browser. Rejects if there is none. */
  openBrowser(url: string): Promise<void>;
  /** Bytes to text, one character a byte, by the fastest way the runtime has. */
  decodeLatin1(bytes: Uint8Array, from: number, to: number): string;
}
