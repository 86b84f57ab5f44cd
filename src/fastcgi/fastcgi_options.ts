// What a FastCGI application's author can say of it, and the defaults.

import type { Address, Log } from "../platform/ports.ts";
import { platform } from "../platform/runtime.ts";
import { readBackendAddress, showBackendAddress } from "./backend_address.ts";
import { absolutePath } from "../platform/specifier.ts";

/** What `fastcgi` can be told. */
export interface FastCgiOptions {
  /** Where the application listens: `unix:/run/app.sock` or `127.0.0.1:9000`. */
  address: string;
  /**
   * The directory of a site in PHP. A path then names a script in it, which PHP-FPM runs, or a file of a well-known type, which
   * is sent as it is. A path that names neither goes to the script `index.php` in the directory. PHP-FPM must see the directory
   * under the same path.
   * @default {undefined} the application decides about all paths itself
   */
  root?: string | undefined;
  /**
   * The name of the script that stands for a directory.
   * @default {"index.php"}
   */
  index?: string | undefined;
  /**
   * Milliseconds that a backend may take until it moves: to accept a connection, to take more of a request, to send more of
   * its answer. Then the client is answered 504, or its connection is cut. 0 means no limit.
   * @default {60000}
   */
  timeoutMs?: number | undefined;
  /**
   * Most connections to the backends at once, 1 or more.
   * @default {64} fewer than the queue of a backend's socket usually has
   */
  maxConnections?: number | undefined;
  /**
   * Most requests that wait for a connection; further ones are answered 503 with Retry-After.
   * @default {1024}
   */
  maxWaiting?: number | undefined;
  /**
   * Whether connections are kept for further requests (FCGI_KEEP_CONN). A kept connection holds a process of a backend that
   * preforks, as plackup and PHP-FPM do, and other clients of it may wait for ever. So set this only if `maxConnections` in
   * all processes together is not more than the backend has processes, and nothing else uses the backend.
   * @default {false}
   */
  keepConnections?: boolean | undefined;
  /**
   * Most bytes of the head of an answer; for more the client is answered 502.
   * @default {65536} 64 KiB
   */
  maxHeaderBytes?: number | undefined;
  /**
   * Takes the lines for the operator: what the application writes to its stderr, and what went wrong with it.
   * @default writes lines to stderr
   */
  log?: Log | undefined;
}

/** The options of an application, with the defaults filled in. */
export type ClientOptions = Settled & {
  /** What the application is called, for the operator. */
  readonly name: string;
  readonly address: Address;
  readonly log: Log | undefined;
  /** Absolute. */
  readonly root: string | undefined;
};
type Settled = { [Name in Exclude<keyof FastCgiOptions, Other>]-?: NonNullable<FastCgiOptions[Name]> };
type Other = "address" | "log" | "root";

const DEFAULTS = {
  index: "index.php",
  timeoutMs: 60_000, // as nginx has it
  maxConnections: 64, // Plack listens with a queue of 100, PHP-FPM with one of 511
  maxWaiting: 1024, // enough for a burst; more would wait too long
  keepConnections: false, // a kept connection holds a process
  maxHeaderBytes: 64 * 1024, // room for many cookies
};

/** The least values of the numbers among the options. */
const LEAST = { timeoutMs: 0, maxConnections: 1, maxWaiting: 0, maxHeaderBytes: 1 };

/**
 * Checks options and fills in the defaults.
 *
 * @param options those that are set, and what the application is called if its address says nothing
 * @returns all options
 * @throws {TypeError} if the address is not one, or the root is not a directory
 * @throws {RangeError} if a number is out of range
 */
export function settle(options: FastCgiOptions & { name?: string | undefined }): ClientOptions {
  const address = readBackendAddress(options.address, platform.process.cwd);
  if (address === null) {
    throw new TypeError(`address: expected unix:PATH or HOST:PORT, got ${JSON.stringify(options.address)}`);
  }
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const root = rootOf(options.root);
  const settled: ClientOptions = {
    ...DEFAULTS,
    log: undefined,
    name: showBackendAddress(address),
    ...given,
    address,
    root,
  };
  for (const [name, least] of Object.entries(LEAST)) {
    const value = settled[name as keyof typeof LEAST];
    if (typeof value === "number" && value >= least) continue;
    throw new RangeError(`${name}: expected a number from ${least}, got ${value}`);
  }
  return settled;
}

function rootOf(root: string | undefined): string | undefined {
  if (root === undefined) return undefined;
  const path = absolutePath(root, platform.process.cwd);
  if (platform.files.kindOf(path) === "directory") return path;
  throw new TypeError(`root: expected a directory, got ${JSON.stringify(root)}`);
}
