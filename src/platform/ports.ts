// The ports: what the rest of the program asks of the runtime and the system.
// A port is as narrow as its users need, so that tests can fake it without a socket, a clock or a process.
// Types only: the errors are in errors.ts.
// Long: it is the list of everything that is asked of a runtime, and more than half of it is documentation.

import type { ServeArguments } from "./serve_port.ts";
import type { TemporaryDirectory, TemporaryFiles } from "./temporary_ports.ts";

export type { NamedFile, TemporaryDirectory, TemporaryFile, TemporaryFiles } from "./temporary_ports.ts";

/** One end of a TCP connection. */
export interface TcpAddress {
  /** The kind of socket. */
  readonly transport: "tcp";
  /** An IP address. */
  readonly hostname: string;
  /** Its port. */
  readonly port: number;
}

/** One end of a connection over a Unix socket. The path is "" if it is not known. */
export interface UnixAddress {
  /** The kind of socket. */
  readonly transport: "unix";
  /** Where the socket is in the file system. */
  readonly path: string;
}

/** One end of a connection. */
export type Address = TcpAddress | UnixAddress;

/** A connection's byte stream. A `Deno.Conn` can be used as one. */
export interface Socket {
  readonly localAddr: Address;
  readonly remoteAddr: Address;
  /** Reads at least one byte into the buffer. Gives their number; 0 or null at the end of file. One read at a time. */
  read(into: Uint8Array): Promise<number | null>;
  /**
   * Reads at least one byte into an array that belongs to the caller and has no room for more; null at the end of file. It counts
   * as a read. Sockets that do not know before how much comes have it.
   */
  readOwn?(): Promise<Uint8Array | null>;
  /**
   * Writes at least one byte and gives their number, without a promise if the system has taken them at once. The bytes must not
   * change until then. One write at a time.
   */
  write(bytes: Uint8Array): Promise<number> | number;
  /** Ends the local side. The peer may still send. */
  closeWrite(): Promise<void>;
  /** Begins the TLS handshake. Only sockets of a listener with `isLate` have it; they are read as they are before. */
  startTls?(): void;
  /** Ends both sides. A read or write that is under way is rejected. Called once. */
  close(): void;
  /** Lets a read keep the process alive. This is so at first. Not there if the socket cannot do otherwise. */
  ref?(): void;
  /** Lets the process end during a read. A write still keeps it alive. */
  unref?(): void;
}

/** A listening socket. */
export interface Listener {
  readonly addr: Address;
  /** Gives the next connection. Rejects with `ListenerClosed` after a close, with another error if the system fails to accept. */
  accept(): Promise<Socket>;
  /** Stops listening. May be called again. */
  close(): void;
  /** Makes the listener keep the process alive. This is so at first. */
  ref(): void;
  /** Lets the process end while it listens. */
  unref(): void;
}

/** The address to listen on. */
export type ListenOptions =
  | {
    transport: "tcp";
    hostname: string;
    /** 0 for one that is free. */
    port: number;
    /** Lets several processes listen on the port (SO_REUSEPORT). */
    reusePort?: boolean | undefined;
    /** Most connections that wait to be accepted; by default as many as the runtime has it. */
    backlog?: number | undefined;
    /** If it is set, the connections are TLS. */
    tls?: TlsOptions | undefined;
  }
  | { transport: "unix"; path: string };

/** How connections become TLS. */
export interface TlsOptions {
  /** A certificate chain, PEM. */
  readonly cert: string;
  /** The certificate's private key, PEM. */
  readonly key: string;
  /** Milliseconds from the accept to the end of the handshake; then the connection is closed. 0 means no limit. */
  readonly handshakeTimeoutMs: number;
  /** True if the handshake waits for `startTls` of the socket, because something else comes before it. */
  readonly isLate?: boolean | undefined;
}

/** A call that is due later. */
export interface Timer {
  /** Prevents further calls. May be called again. */
  cancel(): void;
}

/** Time. */
export interface Clock {
  /** Milliseconds of a clock that never steps back. */
  now(): number;
  /** Milliseconds since 1970 (UTC). */
  date(): number;
  /** Calls again and again, `everyMs` apart. Does not keep the process alive. */
  every(everyMs: number, call: () => void): Timer;
  /** Calls once, after `ms` milliseconds. Keeps the process alive. */
  after(ms: number, call: () => void): Timer;
  /** Calls once, after everything else that is ready. */
  soon(call: () => void): void;
  /** Calls once, after the runtime has asked the system for connections and bytes. All that waited there has come then. */
  afterPoll(call: () => void): void;
}

/** The signals that the program uses. SIGBREAK exists only on Windows. */
export type SignalName = "SIGTERM" | "SIGINT" | "SIGQUIT" | "SIGHUP" | "SIGUSR1" | "SIGTTIN" | "SIGTTOU" | "SIGBREAK";

/** A place in a source file. Lines and columns are counted from 1. */
export interface SourcePlace {
  readonly url: string;
  readonly line: number;
  readonly column: number;
}

/** What a runtime knows of an import that has failed, besides the error. */
export interface LoadHint {
  /** Null if the error tells it, or it is not known. */
  readonly place: SourcePlace | null;
  /** What to do; "" if there is nothing to say. */
  readonly advice: string;
}

/** Words that differ from runtime to runtime, for advice that users can type and for messages. */
export interface Advice {
  /** Starts the program, with flags of the runtime: `deno run -A mod.ts`. */
  start(program: string, flags?: readonly string[]): string;
  /** Adds a package to the project of the working directory: `deno add npm:NAME`. */
  add(name: string): string;
  /** True if a deno.json says what an application's imports mean. */
  readonly hasConfigurations: boolean;
  /** What is wrong with an import that names a package, if nothing says which package that is, and what to do. */
  readonly bareImport: string;
  /**
   * Looks for what an error does not say about a module that could not be loaded.
   *
   * @param error what the import has thrown
   * @param path of the module; null if it is not a file of this machine
   */
  look(error: Error, path: string | null): Promise<LoadHint>;
  /** What may be called instead of exporting a handler: `Deno.serve`. */
  readonly serve: string;
  /** What an application may be named by, besides a path: `a URL or an npm: or jsr: specifier`. */
  readonly specifiers: string;
}

/** This process. */
export interface Process {
  readonly pid: number;
  readonly args: readonly string[];
  /** How the user started the program, for help and advice: `mod.ts` or `jsr:@weft/engine`. */
  readonly program: string;
  /** The runtime and its version, for people: `deno 2.9.6`. */
  readonly runtime: string;
  /** Loads the words that name the runtime. */
  advice(): Promise<Advice>;
  /** Why this version of the runtime cannot run Weft, and what the user has to do; null if it can. */
  runtimeProblem(): string | null;
  readonly cwd: string;
  /** The user's number; null if the system has none or the permissions hide it. */
  userId(): number | null;
  /** Processors that the system lets this process use. */
  readonly cores: number;
  /** A variable of the environment; undefined if it is not set or the permissions hide it. */
  env(name: string): string | undefined;
  /** The names of the variables that are set and begin so; none if the permissions hide some. */
  variables(prefix: string): string[];
  /** Removes a variable, so that the application and its child processes do not see it. */
  unsetEnv(name: string): void;
  /** Sets the arguments that an application sees. */
  setArgs(args: readonly string[]): void;
  /** Bytes of resident memory. */
  rss(): number;
  /** True if stdout is a terminal. */
  isTerminal(): boolean;
  /** Writes text to stdout, and returns when the system has taken it. Errors are ignored. */
  stdout(text: string): void;
  /** The same for stderr. */
  stderr(text: string): void;
  /** Calls on every such signal. Returns false if the system has no such signal. */
  onSignal(name: SignalName, call: () => void): boolean;
  /** Called at the start: `closeDebugger` will not close a debugger that the user has asked for. */
  noteDebugger(): void;
  /** Called after USR1: closes the debugger that the runtime opens on this signal. Gives what was done. */
  closeDebugger(): Promise<"closed" | "not open" | "wanted" | "not permitted">;
  /** Calls on every error and rejection that is not caught. They no longer end the process then. */
  onUncaught(call: (error: unknown) => void): void;
  exit(code: number): never;
}

/** The terminal from which a process was started. */
export interface Terminal {
  /** True if the process was started to outlive its terminal, as with nohup. Call it before a signal has any listener. */
  isOutlived(): boolean;
  /** True if the process has a terminal that is still open. */
  isThere(): boolean;
}

/** How a child ended. */
export interface ChildEnd {
  code: number;
  /** The signal that ended it, such as `SIGKILL`; null if it ended by itself. */
  signal: string | null;
}

/** A process that this one has started. */
export interface Child {
  readonly pid: number;
  /** Resolves when the child has ended. Never rejects. */
  readonly ended: Promise<ChildEnd>;
  /** Sends a signal. Does nothing if the child has ended already. */
  kill(signal: "SIGTERM" | "SIGKILL"): void;
}

/** How a child of the same program is started. */
export interface ChildOptions extends ChildAccess {
  /** URL of its main module. */
  module: string;
  args: readonly string[];
  /** Variables that are set in its environment, besides those of this process. */
  env: Readonly<Record<string, string>>;
  /** True if a user waits for the child. It then starts faster, and takes some megabytes more. */
  isAwaited: boolean;
  /** The application's configuration; null if it has none. It is ignored if one was named for this process. */
  own: OwnConfiguration | null;
  /** An inherited socket that the child gets under the same number. */
  descriptor?: number | undefined;
}

/** What says which packages an application imports. */
export interface OwnConfiguration {
  /** Its deno.json or deno.jsonc; null if there is none. */
  readonly config: string | null;
  /** True if a package.json is nearer than that, and packages were installed for it. */
  readonly hasPackages: boolean;
}

/** What a child must be permitted, in case this process is permitted only parts of it. */
export interface ChildAccess {
  /** Paths of files and directories. */
  reads: readonly string[];
  writes: readonly string[];
  /** Hosts, with or without a port. */
  nets: readonly string[];
  /** Names of variables of the environment. */
  variables: readonly string[];
}

/** Child processes. */
export interface Children {
  /**
   * URL of a module of this program, to start a child with.
   *
   * @param path relative to the base, without the ending that the runtime's modules have
   * @param base URL of another module of the program
   */
  moduleAt(path: string, base: string): string;
  /**
   * Starts another process of this program, with the same permissions, flags of the runtime, stdout and stderr.
   *
   * @throws {Error} if the system or the permissions do not allow it
   */
  startSelf(options: ChildOptions): Child;
  /** Closes what this process keeps of sockets that its children share. Only there on a runtime that has such sockets. */
  closeShared?: (() => void) | undefined;
  /**
   * Finds the configuration file with which children are started.
   *
   * @param own the application's own, if it has one
   * @returns the one that was named for this process, or else the application's own; undefined for none
   */
  configFor(own: string | undefined): string | undefined;
  /**
   * How this process was started: its main module as it was typed, and whether a configuration was named or turned off. Null if
   * that cannot be seen.
   */
  command(): { main: string; isConfigured: boolean } | null;
  /** The flags of the runtime that name a configuration. */
  flagsOf(own: OwnConfiguration): string;
  /**
   * Starts the program again in the place of this process, with a configuration.
   *
   * @throws {Error} if it cannot be started; it does not return otherwise
   */
  startAgain(own: OwnConfiguration): never;
  /**
   * The permissions of children as flags, if they may have less than this process. That is so if the flags of this process
   * cannot be seen. Null if children get the same flags or all permissions.
   */
  limitsOf(options: ChildAccess): string | null;
}

/** How a program of the system is started. */
export interface ProgramOptions {
  /** Its name, which is looked for in PATH, or a path. */
  command: string;
  args: readonly string[];
  /** Takes what it writes to stderr. */
  onStderr(bytes: Uint8Array): void;
}

/** A program of the system that this process has started. What it writes to stdout is dropped. */
export interface Program {
  /** Resolves when it has ended. Never rejects. */
  readonly ended: Promise<ChildEnd>;
  /** Resolves when everything that has its stderr has closed it. Never rejects. */
  readonly silent: Promise<void>;
  /** Closes its stdin, as happens too if this process ends. May be called again. */
  closeStdin(): void;
}

/** Programs of the system. */
export interface Programs {
  /**
   * Starts a program.
   *
   * @throws {ProgramMissing} if there is none of that name
   * @throws {Error} if the system or the permissions do not allow it
   */
  start(options: ProgramOptions): Program;
  /** Kills all processes of a process group, at once. Does nothing if there are none. */
  killGroup(leader: number): void;
}

/** Files of the program itself, such as its sockets and its log. */
export interface Files {
  readText(path: string): string;
  /** The kind of the file at a path, after following links; null if there is none. */
  kindOf(path: string): "file" | "directory" | "socket" | "other" | null;
  /** The kind of the file at a path, without following a link; null if there is none. */
  entryAt(path: string): "a file" | "a directory" | "a socket" | "a symbolic link" | "a device or a pipe" | null;
  /** Opens a file to write at its end. Makes it if it does not exist. */
  append(path: string): FileSink;
  /**
   * Makes a directory that only this user can enter, if it does not exist. Its parent must exist.
   *
   * @throws {Error} if the path is not a directory, belongs to another user, or can be entered by other users
   */
  makePrivateDirectory(path: string): void;
  /** Checks in the same way a directory that exists. */
  checkPrivateDirectory(path: string): void;
  /** The names in a directory; empty if there is no such directory. */
  list(path: string): string[];
  /** Lets only the owner read and write a file or a socket. */
  makePrivate(path: string): void;
}

/** A file that is written at its end. */
export interface FileSink {
  write(bytes: Uint8Array): void;
  close(): void;
}

/** What a watch has seen of some paths, which may be files or directories. */
export interface FileEvent {
  /**
   * `modified`: the bytes of a file have changed. `named`: a name was added or removed, or names another file now. `lost`:
   * the system has dropped file events.
   */
  readonly kind: "modified" | "named" | "lost";
  readonly paths: readonly string[];
}

/** A watch over directories: gives what happens to the names in them, and ends when it is closed. */
export interface Watcher extends AsyncIterable<FileEvent> {
  /** Ends the watch, and the iteration a little later. File events that were not read are dropped. May be called again. */
  close(): void;
}

/** A name in a directory. */
export interface DirectoryEntry {
  readonly name: string;
  readonly isDirectory: boolean;
  readonly isLink: boolean;
}

/** Source files of an application, which their authors change. Paths are absolute, with `/` between names on every system. */
export interface Sources {
  /**
   * Watches the names in directories, but not those in their subdirectories: a recursive watch would include `node_modules`.
   * File events are kept from the moment that it returns. For a directory that was removed and made again, close the old watch
   * and finish its iteration before you make a new one: the system shares what two watches have in common.
   *
   * @throws {WatchLimit} if a limit of the system is reached
   * @throws {Error} if one of them does not exist or cannot be watched
   */
  watch(directories: readonly string[]): Watcher;
  /** The names in a directory; null if it cannot be read. A link is not a directory, because it may lead in a circle. */
  list(directory: string): readonly DirectoryEntry[] | null;
  /** A path without links, relative ones starting from the process's directory; null if there is no such file. */
  realPath(path: string): string | null;
  /** The target of a link, as it is written there; null if the path is not a link. */
  readLink(path: string): string | null;
  /** A text that differs once a file or a link has probably changed, without reading it; null if there is none. */
  stamp(path: string): string | null;
  /** A text that differs once the bytes of a file or the target of a link have changed; null if there is neither. */
  fingerprint(path: string): Promise<string | null>;
  /**
   * The files of a module and of all that it imports, without packages. Files that do not exist or cannot be parsed are
   * included.
   *
   * @throws {ModulesUnknown} if they cannot be found out
   */
  modulesOf(path: string, options: { config: string | null }): Promise<string[]>;
}

/** What stands at a path, after following links. */
export interface Document {
  /** The path without links, with `/` between names. */
  readonly path: string;
  readonly kind: "file" | "directory" | "other";
  readonly size: number;
  /** Milliseconds since 1970 (UTC); null if the system does not know. */
  readonly modifiedAt: number | null;
}

/** A file that is read from its beginning. */
export interface OpenDocument {
  /** Reads on. Gives the number of bytes, or null at the end. One call at a time. */
  read(into: Uint8Array): Promise<number | null>;
  /** Called once. */
  close(): void;
}

/** Files that are sent as they are. */
export interface Documents {
  /** What stands at a path; null if it cannot be read. */
  find(path: string): Document | null;
  /** Opens a file. */
  open(path: string): Promise<OpenDocument>;
}

/** Raw deflate (RFC 1951) of single messages. */
export interface RawDeflate {
  /** Compresses, and flushes to a whole byte. The result ends with 00 00 ff ff. */
  deflate(bytes: Uint8Array, windowBits: number): Uint8Array;
  /**
   * Inflates. Null if it would become longer than `most`.
   *
   * @throws {Error} if the bytes are not valid
   */
  inflate(bytes: Uint8Array, most: number): Uint8Array | null;
}

/** Writes a line for the operator. The message says what happened; the log adds the time and the process. */
export type Log = (level: "INFO" | "WARN" | "ERROR", message: string) => void;

/** All ports. */
export interface Platform {
  readonly clock: Clock;
  readonly process: Process;
  readonly files: Files;
  /** True if the runtime's Response and Request cost so much that the program puts its own in their place. */
  readonly hasSlowGlobals: boolean;
  /** A random number from 0 up to, but not including, 1. */
  random(): number;
  readonly temporaryFiles: TemporaryFiles;
  /**
   * From now on, calls of the runtime's own function that serves are offered to the program (serve_port.ts).
   *
   * @param otherwise serves what the program does not take over; by default the runtime's own function
   */
  replaceServe(otherwise?: (call: ServeArguments) => object): void;
  /**
   * From now on, calls of the runtime's own function that upgrades a request to a WebSocket are offered to `take`.
   *
   * @param take upgrades a request of this server; null for any other, which the runtime's own function gets
   */
  replaceUpgrade(take: (request: Request, options?: object) => object | null): void;
  /** True if the runtime reads a configuration when a process starts, and it may be another than the application's. */
  readonly readsConfiguration: boolean;
  loadDeflate(): Promise<RawDeflate>;
  loadChildren(): Promise<Children>;
  loadPrograms(): Promise<Programs>;
  loadSources(): Promise<Sources>;
  loadTerminal(): Promise<Terminal>;
  loadDocuments(): Promise<Documents>;
  /**
   * Makes a temporary directory. It is removed when the process exits, if it still exists then.
   *
   * @param parent an existing directory, by default the system's directory for temporary files
   */
  makeTemporaryDirectory(parent?: string): Promise<TemporaryDirectory>;
  /** @throws {Error} with `code` "EADDRINUSE", "EACCES" or "EADDRNOTAVAIL" if the address cannot be used */
  listen(options: ListenOptions): Listener;
  /** True if several processes can listen on one port: each with a socket of its own (SO_REUSEPORT), or with `listenShared`. */
  readonly canSharePort: boolean;
  /**
   * Listens in a worker on a socket that all workers of a supervisor share. Only there on a runtime without SO_REUSEPORT. A
   * connection that waits to be accepted is not lost if one of the workers closes the socket.
   */
  listenShared?: ((options: ListenOptions & { transport: "tcp" }) => Promise<Listener>) | undefined;
  /** Takes over an inherited listening socket, by the number of its descriptor. */
  listenOn(descriptor: number): Promise<Listener>;
  /** Connects to an address. Rejects with `ConnectBusy` if it has to be tried again later. */
  connect(address: Address): Promise<Socket>;
  /** Connects to a Unix socket. */
  connectUnix(path: string): Promise<Socket>;
  /** True if a process listens on the Unix socket at a path. */
  isUnixSocketLive(path: string): Promise<boolean>;
  /** Removes a file. Does nothing if it is gone already. */
  removeFile(path: string): void;
  /** Opens an address in the desktop's browser. Rejects if there is none. */
  openBrowser(url: string): Promise<void>;
  /** Decodes bytes to text, one character a byte, in the fastest way of the runtime. */
  decodeLatin1(bytes: Uint8Array, from: number, to: number): string;
  /**
   * Tells fetch() how long a stream is, so that it sends Content-Length. Does nothing if the runtime has no means for it.
   *
   * @param stream what is passed to fetch
   * @param length its length in bytes
   * @param open opens the same bytes once more; only one of the two streams is read
   * @returns a function that takes it back, for a stream that is read in another way
   */
  tellLength(
    stream: ReadableStream<Uint8Array>,
    length: number,
    open: () => ReadableStream<Uint8Array>,
  ): () => void;
  /** True if something was read of a stream. Only there on a runtime whose Response is replaced. */
  isDisturbed?: ((stream: ReadableStream) => boolean) | undefined;
}
